// SPDX-License-Identifier: BSL-1.0
// Where an execution of a nest on the CPU stands: a pointer for each access, the variables of its loops, and what the
// caller gave; how a loop moves the pointers, and the values of affine forms there.
#pragma once

#include <cstddef>
#include <cstdint>

#include <hone/core/config.hpp>
#include <hone/core/sequence.hpp>
#include <hone/cpu/simd.hpp>
#include <hone/ir/nest.hpp>
#include <hone/ir/visit.hpp>

#ifndef HONE_SHOW_WARNINGS // see core/config.hpp
#pragma GCC system_header
#endif

namespace hone::codegen::cpu {

// What a kernel computes in: what its sums are held in, whatever memory holds. A kernel whose sums are wider than its
// operands ask for specializes it.
template <class K>
struct numbers_of {
    using type = storage_of<accumulator_of(K::nest.buffers)>;
};
template <class K>
using scalar_of = typename numbers_of<K>::type;
template <class K>
using simd_of = simd<K::set, scalar_of<K>, K::nest.vector_length>;
template <class K>
using vector_of = typename simd_of<K>::vector;
// The words of single lanes.
template <class K>
using one_lane_of = simd<K::set, scalar_of<K>, 1>;

constexpr int at_least_one(std::size_t n) { return n == 0 ? 1 : static_cast<int>(n); }

// Where a point of the execution stands: a pointer per access, the loop variables, and what the caller gave.
template <class K>
struct environment {
    std::byte* at[at_least_one(K::nest.accesses.size())];
    std::int64_t variables[at_least_one(K::nest.variables.size())];
    const std::int64_t* parameters;
    char* workspace;
};

// What memory holds where an access reads or writes, and the pointer to it.
template <class K, int Access>
using element_at = storage_of<K::nest.buffers[K::nest.accesses[Access].buffer].type>;
template <class K, int Access>
HONE_INLINE element_at<K, Access>* pointer_of(const environment<K>& e)
{
    return reinterpret_cast<element_at<K, Access>*>(e.at[Access]);
}

// --- facts about the nest, each computed once a kernel --------------------------------------------------------------

constexpr std::size_t cache_line = 64;

// Bytes of the workspace: one region for the call, then one for each worker slot.
struct workspace_layout {
    std::int64_t offset[64]{}; // of each buffer inside its region
    std::int64_t call_bytes = 0, slot_bytes = 0;
};
template <class Nest>
constexpr workspace_layout layout_of(const Nest& n)
{
    workspace_layout w;
    for (std::size_t i = 0; i < n.buffers.size(); ++i) {
        const buffer& b = n.buffers[i];
        const std::int64_t bytes = (b.elements.constant * static_cast<std::int64_t>(bytes_of(b.type)) + 63) / 64 * 64;
        if (b.memory == memory::workspace) {
            w.offset[i] = w.call_bytes;
            w.call_bytes += bytes;
        } else if (b.memory == memory::slot) {
            w.offset[i] = w.slot_bytes;
            w.slot_bytes += bytes;
        }
    }
    return w;
}

// The accesses of a statement: its target, then its loads in order.
constexpr int max_step_accesses = 6;
struct access_list {
    std::int16_t of[max_step_accesses]{};
    int count = 0;

    constexpr int position(int access) const
    {
        for (int i = 1; i < count; ++i)
            if (of[i] == access) return i;
        return 0;
    }
};
template <class Nest>
constexpr access_list access_list_of(const Nest& n, int statement)
{
    access_list l;
    l.of[l.count++] = n.statements[statement].target;
    for_each_load(n, n.statements[statement].value, [&](int a) {
        for (int i = 1; i < l.count; ++i)
            if (l.of[i] == a) return;
        if (l.count < max_step_accesses) l.of[l.count] = static_cast<std::int16_t>(a);
        ++l.count;
    });
    return l;
}

template <class Nest>
constexpr bool reads_position(const Nest& n, int statement)
{
    bool reads = false;
    for_each_load(
        n, n.statements[statement].value, [&](int) { reads = true; }, expr_op::position);
    return reads;
}

template <class Nest>
constexpr std::uint64_t accesses_of(const Nest& n, int statement)
{
    std::uint64_t mask = std::uint64_t{1} << n.statements[statement].target;
    for_each_load(n, n.statements[statement].value, [&](int a) { mask |= std::uint64_t{1} << a; });
    return mask;
}

template <class K>
struct facts {
    static constexpr const auto& n = K::nest;
    static constexpr workspace_layout workspace = layout_of(K::nest);

    // For each node, the accesses of the leaves below it.
    struct mask_table {
        std::uint64_t of[at_least_one(K::nest.nodes.size())]{};
    };
    static constexpr mask_table used = [] {
        mask_table t;
        for (std::size_t i = K::nest.nodes.size(); i-- > 0;) {
            const node& x = K::nest.nodes[i];
            if (x.kind == node_kind::leaf) t.of[i] |= accesses_of(K::nest, x.statement);
            if (x.parent >= 0) t.of[x.parent] |= t.of[i];
        }
        return t;
    }();

    // The variable of the vector loop around a leaf of the statement's accesses is found by name: a nest vectorizes
    // each stage along one level.
    static constexpr std::int64_t coefficient(int access, int variable)
    {
        const affine& index = n.accesses[access].index;
        for (int i = index.first; i < index.first + index.count; ++i)
            if (n.terms[i].variable == variable && n.terms[i].parameter < 0) return n.terms[i].coefficient;
        return 0;
    }
    // How many neighbouring lanes of that loop read one element; 1: each has its own, or all have one.
    static constexpr std::int64_t sharing_lanes(int access, int variable)
    {
        const affine& index = n.accesses[access].index;
        for (int i = index.first; i < index.first + index.count; ++i)
            if (n.terms[i].variable == variable && n.terms[i].parameter < 0) return n.terms[i].divisor;
        return 1;
    }
};

// --- moving pointers ------------------------------------------------------------------------------------------------

// The terms of the accesses to memory in the set Used that move with a variable; -1 stands for those that stand still.
template <class K, int Variable, std::uint64_t Used>
struct moves {
    struct move {
        std::int16_t access = 0;
        std::int16_t parameter = -1;
        std::int64_t coefficient = 0;
    };
    struct move_list {
        move of[at_least_one(K::nest.terms.size())]{};
        int count = 0;
    };
    static constexpr move_list list = [] {
        move_list l;
        for (std::size_t a = 0; a < K::nest.accesses.size(); ++a) {
            const access& x = K::nest.accesses[a];
            if ((Used >> a & 1) == 0 || K::nest.buffers[x.buffer].memory == memory::registers) continue;
            for (int i = x.index.first; i < x.index.first + x.index.count; ++i) {
                const affine_term& t = K::nest.terms[i];
                if (t.variable == Variable)
                    l.of[l.count++] = {static_cast<std::int16_t>(a), t.parameter, t.coefficient};
            }
        }
        return l;
    }();
    // Literals, never loads from a table.
    static consteval int access_at(int i) { return list.of[i].access; }
    static consteval int parameter_at(int i) { return list.of[i].parameter; }
    static consteval std::int64_t coefficient_at(int i) { return list.of[i].coefficient; }
};
template <class K, int Variable, std::uint64_t Used>
HONE_INLINE void move_by(environment<K>& e, std::int64_t by)
{
    using m = moves<K, Variable, Used>;
    [&]<int... I>(sequence<I...>) HONE_INLINE_LAMBDA {
        ((e.at[m::access_at(I)] = reinterpret_cast<std::byte*>(
              pointer_of<K, m::access_at(I)>(e) +
              m::coefficient_at(I) * (m::parameter_at(I) < 0 ? by : by * e.parameters[m::parameter_at(I)]))),
         ...);
    }(make_sequence<m::list.count>{});
}
// Moves every access below the loop `Node` by `by` iterations.
template <class K, int Node>
HONE_INLINE void advance(environment<K>& e, std::int64_t by)
{
    move_by<K, K::nest.nodes[Node].variable, facts<K>::used.of[Node]>(e, by);
}

// Points the accesses of memory Memory (below Node) at their buffers in the workspace.
template <class K, memory Memory>
HONE_INLINE void point_at(environment<K>& e, int slot)
{
    [&]<int... A>(sequence<A...>) HONE_INLINE_LAMBDA {
        (
            [&]() HONE_INLINE_LAMBDA {
                constexpr int b = K::nest.accesses[A].buffer;
                if constexpr (K::nest.buffers[b].memory == Memory)
                    e.at[A] = reinterpret_cast<std::byte*>(
                        e.workspace + facts<K>::workspace.offset[b] +
                        (Memory == memory::slot ? facts<K>::workspace.call_bytes + slot * facts<K>::workspace.slot_bytes
                                                : 0));
            }(),
            ...);
    }(make_sequence<static_cast<int>(K::nest.accesses.size())>{});
}

// --- affine values at run time --------------------------------------------------------------------------------------

// Sum of the terms [First, First + Count) at the environment.
template <class K, int First, int Count>
HONE_INLINE std::int64_t terms_value(const environment<K>& e)
{
    if constexpr (Count == 0) {
        return 0;
    } else {
        constexpr affine_term t = K::nest.terms[First];
        std::int64_t v = t.coefficient;
        if constexpr (t.variable >= 0) v *= e.variables[t.variable];
        if constexpr (t.parameter >= 0) v *= e.parameters[t.parameter];
        return v + terms_value<K, First + 1, Count - 1>(e);
    }
}
template <class K, int Bound>
HONE_INLINE std::int64_t bound_value(const environment<K>& e)
{
    constexpr bound b = K::nest.bounds[Bound];
    const std::int64_t v = b.value.constant + terms_value<K, b.value.first, b.value.count>(e);
    if constexpr (b.divisor == 1)
        return v;
    else
        return floor_div(v, b.divisor);
}
template <class K, int First, int Count, bool Lower>
HONE_INLINE std::int64_t limit_value(const environment<K>& e)
{
    const std::int64_t v = bound_value<K, First>(e);
    if constexpr (Count == 1) {
        return v;
    } else {
        const std::int64_t rest = limit_value<K, First + 1, Count - 1, Lower>(e);
        return (v < rest) == Lower ? rest : v;
    }
}
template <class K, int Node>
HONE_INLINE std::int64_t lower_value(const environment<K>& e)
{
    return limit_value<K, K::nest.nodes[Node].lower.first, K::nest.nodes[Node].lower.count, true>(e);
}
template <class K, int Node>
HONE_INLINE std::int64_t upper_value(const environment<K>& e)
{
    return limit_value<K, K::nest.nodes[Node].upper.first, K::nest.nodes[Node].upper.count, false>(e);
}

} // namespace hone::codegen::cpu
