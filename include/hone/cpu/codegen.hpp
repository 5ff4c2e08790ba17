// SPDX-License-Identifier: BSL-1.0
// A nest as SIMD C++, by template recursion over its nodes: x = g(e, s) becomes the function that the compiler sees.
//
// K is a short tag type with `static constexpr` members: `nest` (exact size) and `set`. Every function here carries K,
// and with it the instruction set. Serial loops bump one pointer per access by constants; unrolled bands are flattened
// to a table of instances and become one fold with literal offsets, so that registers are scalars from the first pass
// on.
#pragma once

#include <cstddef>
#include <cstdint>
#include <initializer_list>

#include <hone/core/config.hpp>
#include <hone/core/executor.hpp>
#include <hone/core/sequence.hpp>
#include <hone/core/traits.hpp>
#include <hone/cpu/band.hpp>
#include <hone/cpu/conditions.hpp>
#include <hone/cpu/environment.hpp>
#include <hone/cpu/region.hpp>
#include <hone/cpu/write_out.hpp>
#include <hone/ir/nest.hpp>
#include <hone/ir/visit.hpp>

#ifndef HONE_SHOW_WARNINGS // see core/config.hpp
#pragma GCC system_header
#endif

namespace hone::codegen::cpu {

// A node and its later siblings; bands that follow one another are one, and so are guards of opposite conditions.
template <class K>
struct sibling_list {
    std::int16_t of[at_least_one(K::nest.nodes.size())]{};
    int count = 0;
};
template <class K>
consteval sibling_list<K> siblings_of(int first)
{
    sibling_list<K> l;
    for (int c = first; c >= 0;) {
        l.of[l.count++] = static_cast<std::int16_t>(c);
        const bool is_pair = !is_band(K::nest, c) && has_opposite(K::nest, c);
        c = is_band(K::nest, c) ? end_of_bands(K::nest, c) : K::nest.nodes[is_pair ? K::nest.nodes[c].next : c].next;
    }
    return l;
}

template <class K, int Node, class Executor>
HONE_PIECE void execute_node(const environment<K>& e, vector_of<K>* r, Executor& executor);

template <class K, int First, class Executor, int... C>
HONE_PIECE void execute_each(sequence<C...>, const environment<K>& e, vector_of<K>* r, Executor& executor)
{
    (execute_node<K, siblings_of<K>(First).of[C]>(e, r, executor), ...);
}

// Runs a node and its later siblings.
template <class K, int First, class Executor>
HONE_PIECE void execute(const environment<K>& e, vector_of<K>* r, Executor& executor)
{
    constexpr int count = siblings_of<K>(First).count;
    if constexpr (count == 1)
        execute_node<K, First>(e, r, executor);
    else if constexpr (count > 0)
        execute_each<K, First>(make_sequence<count>{}, e, r, executor);
}

// Whether a loop of many steps stands among a node, its later siblings and what is below them.
template <class Nest>
constexpr bool repeats(const Nest& n, int at)
{
    for (; at >= 0; at = n.nodes[at].next) {
        const node& x = n.nodes[at];
        if (x.kind == node_kind::loop && !is_written_out(n, x)) return true;
        if (repeats(n, x.child)) return true;
    }
    return false;
}

// What a tile reads of its environment: pointers, and variables of loops outside.
template <class K, int Node>
struct tile_inputs {
    struct list {
        int accesses[at_least_one(K::nest.accesses.size())]{};
        int variables[at_least_one(K::nest.variables.size())]{};
        int access_count = 0;
        int variable_count = 0;
    };
    struct walk {
        bool reads[at_least_one(K::nest.variables.size())]{};

        constexpr void read(const affine& a)
        {
            for (int i = a.first; i < a.first + a.count; ++i)
                if (K::nest.terms[i].variable >= 0) reads[K::nest.terms[i].variable] = true;
        }
        constexpr void read_conditions(const range& r)
        {
            for (int i = r.first; i < r.first + r.count; ++i) read(K::nest.conditions[i]);
        }
        constexpr void visit(int at)
        {
            const node& x = K::nest.nodes[at];
            for (const range& r : {x.lower, x.upper})
                for (int i = r.first; i < r.first + r.count; ++i) read(K::nest.bounds[i].value);
            read_conditions(x.conditions);
            if (x.kind == node_kind::leaf)
                for_each_load(
                    K::nest, K::nest.statements[x.statement].value,
                    [&](int t) { read(K::nest.table_accesses[t].index); }, expr_op::position);
            for (int c = x.child; c >= 0; c = K::nest.nodes[c].next) visit(c);
            if (x.kind == node_kind::loop) reads[x.variable] = false; // its own
        }
    };
    static constexpr list inputs = [] {
        list l;
        walk w;
        for (std::size_t a = 0; a < K::nest.accesses.size(); ++a) {
            if ((facts<K>::used.of[Node] >> a & 1) == 0) continue;
            if (K::nest.buffers[K::nest.accesses[a].buffer].memory == memory::registers) continue;
            l.accesses[l.access_count++] = static_cast<int>(a);
            w.read_conditions(K::nest.accesses[a].conditions);
        }
        w.visit(Node);
        for (std::size_t v = 0; v < K::nest.variables.size(); ++v)
            if (w.reads[v]) l.variables[l.variable_count++] = static_cast<int>(v);
        return l;
    }();

    static constexpr auto accesses()
    {
        return []<int... I>(sequence<I...>) {
            return sequence<inputs.accesses[I]...>{};
        }(make_sequence<inputs.access_count>{});
    }
    static constexpr auto variables()
    {
        return []<int... I>(sequence<I...>) {
            return sequence<inputs.variables[I]...>{};
        }(make_sequence<inputs.variable_count>{});
    }
};

// A register tile with a loop is a function of its own: what stands around it would be optimized with it again and
// again. (One without, as transforms of Winograd are, is over in fewer cycles than the call takes.) It takes the
// pointers and variables that it reads, each as an argument, for an environment behind a reference is memory.
template <class K, int Node, class Executor, class Accesses, class Variables>
struct tile;
template <class K, int Node, class Executor, int... A, int... V>
struct tile<K, Node, Executor, sequence<A...>, sequence<V...>> {
    template <int>
    using pointer = std::byte*;
    template <int>
    using integer = std::int64_t;

    HONE_FLATTEN static void execute(Executor& executor, const std::int64_t* parameters, char* workspace,
                                     pointer<A>... at, integer<V>... variables)
    {
        environment<K> e{};
        ((e.at[A] = at), ...);
        ((e.variables[V] = variables), ...);
        e.parameters = parameters;
        e.workspace = workspace;
        vector_of<K> registers[at_least_one(static_cast<std::size_t>(K::nest.registers))];
        cpu::execute<K, K::nest.nodes[Node].child>(e, registers, executor);
    }
    HONE_PIECE static void call(const environment<K>& e, Executor& executor)
    {
        execute(executor, e.parameters, e.workspace, e.at[A]..., e.variables[V]...);
    }
};
template <class K, int Node, class Executor>
using tile_at =
    tile<K, Node, Executor, decltype(tile_inputs<K, Node>::accesses()), decltype(tile_inputs<K, Node>::variables())>;

// Inside a chunk, parallel loops run on the worker that has it: an executor is asked for one region at a time.
struct in_chunk {
    static constexpr std::int64_t least_region_ns = 0;
    int slot;
    template <class F>
    HONE_PIECE void run(std::int64_t n, F&& f) const
    {
        for (std::int64_t i = 0; i < n; ++i) f(i, slot);
    }
};

// Whether a loop has the same bounds all through a call.
template <class Nest>
constexpr bool has_bounds_of_call(const Nest& n, const node& loop)
{
    for (const range& bounds : {loop.lower, loop.upper})
        for (int b = bounds.first; b < bounds.first + bounds.count; ++b)
            for (int t = n.bounds[b].value.first; t < n.bounds[b].value.first + n.bounds[b].value.count; ++t)
                if (n.terms[t].variable >= 0) return false;
    return true;
}
// Directly nested parallel loops whose bounds stay are one region.
template <class K>
constexpr bool extends_region(int at)
{
    const node& x = K::nest.nodes[at];
    return x.child >= 0 && K::nest.nodes[x.child].kind == node_kind::loop &&
           K::nest.nodes[x.child].bind == binding::parallel && K::nest.nodes[x.child].next < 0 &&
           has_bounds_of_call(K::nest, K::nest.nodes[x.child]);
}
template <class K, int Node>
HONE_PIECE std::int64_t region_size(const environment<K>& e)
{
    const std::int64_t first = lower_value<K, Node>(e);
    const std::int64_t last = upper_value<K, Node>(e);
    const std::int64_t own = last > first ? last - first : 0;
    if constexpr (extends_region<K>(Node))
        return own * region_size<K, K::nest.nodes[Node].child>(e);
    else
        return own;
}
template <class K, int Node>
HONE_INLINE std::int64_t region_ns(std::int64_t chunks, const std::int64_t* parameters)
{
    if constexpr (extends_region<K>(Node))
        return region_ns<K, K::nest.nodes[Node].child>(chunks, parameters);
    else
        return chunks_ns<K, Node>(chunks, parameters);
}
template <class K, int Node, class Executor>
HONE_PIECE void execute_chunk(environment<K>& e, std::int64_t chunk, Executor& executor)
{
    constexpr const node& x = K::nest.nodes[Node];
    std::int64_t i = chunk;
    std::int64_t inner = 0;
    if constexpr (extends_region<K>(Node)) {
        const std::int64_t size = region_size<K, x.child>(e);
        i = chunk / size;
        inner = chunk % size;
    }
    i += lower_value<K, Node>(e);
    advance<K, Node>(e, i);
    e.variables[x.variable] = i;
    if constexpr (extends_region<K>(Node))
        execute_chunk<K, x.child>(e, inner, executor);
    else
        execute<K, x.child>(e, static_cast<vector_of<K>*>(nullptr), executor);
}

template <class K, int Node>
HONE_PIECE void execute_chunk_of(const environment<K>& e, std::int64_t chunk, int slot)
{
    environment<K> own = e;
    point_at<K, memory::slot>(own, slot);
    in_chunk inside{slot};
    execute_chunk<K, Node>(own, chunk, inside);
}
template <class K, int Node>
HONE_FLATTEN void call_chunk(const environment<K>& e, std::int64_t chunk, int slot)
{
    execute_chunk_of<K, Node>(e, chunk, slot);
}
template <class K, int Node, class Executor>
HONE_PIECE void execute_region(const environment<K>& e, Executor& executor)
{
    const std::int64_t chunks = region_size<K, Node>(e);
    // Where no other thread looks at it, the environment stays in registers.
    if constexpr (same_as<Executor, serial_executor> || same_as<Executor, in_chunk>)
        executor.run(chunks, [&e](std::int64_t chunk, int slot) { execute_chunk_of<K, Node>(e, chunk, slot); });
    else
        run_region(executor, chunks, region_ns<K, Node>(chunks, e.parameters),
                   [&e](std::int64_t chunk, int slot) { call_chunk<K, Node>(e, chunk, slot); });
}

template <class K, int Node, class Executor>
HONE_PIECE void execute_node(const environment<K>& e, vector_of<K>* r, Executor& executor)
{
    constexpr const node& x = K::nest.nodes[Node];
    if constexpr (is_band(K::nest, Node)) {
        using b = band<K, Node>;
        constexpr int s = b::step_at(0).statement;
        // Sums stay in registers; a band may be empty.
        constexpr bool stores = s >= 0 && K::nest.statements[s].reduce == reduction::none;
        if constexpr (stores && K::nest.parameters.size() > 0 && reads_position(K::nest, s)) {
            // Numbers that no store can change: what all vectors compute of them is computed once.
            std::int64_t own[K::nest.parameters.size()];
            for (std::size_t p = 0; p < K::nest.parameters.size(); ++p) own[p] = e.parameters[p];
            environment<K> here = e;
            here.parameters = own;
            execute_band<K, b, 0, b::tables.run_count, x.parent>(here, r);
        } else {
            execute_band<K, b, 0, b::tables.run_count, x.parent>(e, r);
        }
    } else if constexpr (x.kind == node_kind::tile) {
        if constexpr (repeats(K::nest, x.child)) {
            tile_at<K, Node, Executor>::call(e, executor);
        } else {
            vector_of<K> registers[at_least_one(static_cast<std::size_t>(K::nest.registers))];
            execute<K, x.child>(e, registers, executor);
        }
    } else if constexpr (x.kind == node_kind::guard) {
        if (holds<K, no_band, 0, x.conditions.first, x.conditions.count>(e, 0)) {
            execute<K, x.child>(e, r, executor);
            // What both sides end with clang would make one, at an address to choose: their registers would be memory.
            if constexpr (has_opposite(K::nest, Node)) asm volatile("");
        } else if constexpr (has_opposite(K::nest, Node)) {
            execute<K, K::nest.nodes[x.next].child>(e, r, executor);
        }
    } else if constexpr (x.kind == node_kind::loop && x.bind == binding::parallel) {
        execute_region<K, Node>(e, executor);
    } else {
        static_assert(x.kind == node_kind::loop, "hone::cpu: barriers belong to Vulkan nests; lower for a CPU target");
        environment<K> inner = e;
        const std::int64_t first = lower_value<K, Node>(e);
        advance<K, Node>(inner, first);
        if constexpr (x.lower.count == 1 && x.upper.count == 1 && runs_for_quotient(K::nest, x) == 1) {
            inner.variables[x.variable] = first;
            return execute<K, x.child>(inner, r, executor);
        }
        const std::int64_t last = upper_value<K, Node>(e);
        for (std::int64_t i = first; i < last; ++i) {
            inner.variables[x.variable] = i;
            execute<K, x.child>(inner, r, executor);
            advance<K, Node>(inner, 1);
        }
    }
}

// Runs the whole nest. arguments: one pointer per argument buffer, by position, to elements of its type. Workspace:
// workspace_bytes(slots).
template <class K, class Executor>
HONE_FLATTEN void run(Executor& executor, void* const* arguments, const std::int64_t* parameters, void* workspace)
{
    environment<K> e{};
    e.parameters = parameters;
    // Vectors that cross cache lines halve the speed of what stays in the workspace; the caller's alignment is its own.
    const auto address = reinterpret_cast<std::uintptr_t>(workspace);
    e.workspace = static_cast<char*>(workspace) + (cache_line - address % cache_line) % cache_line;
    [&]<int... A>(sequence<A...>) HONE_INLINE_LAMBDA {
        (
            [&]() HONE_INLINE_LAMBDA {
                constexpr const buffer& b = K::nest.buffers[K::nest.accesses[A].buffer];
                if constexpr (b.memory == memory::argument) e.at[A] = static_cast<std::byte*>(arguments[b.position]);
            }(),
            ...);
        point_at<K, memory::workspace>(e, 0);
        point_at<K, memory::slot>(e, 0);
    }(make_sequence<static_cast<int>(K::nest.accesses.size())>{});
    move_by<K, -1, ~std::uint64_t{0}>(e, 1);
    execute<K, K::nest.root>(e, static_cast<vector_of<K>*>(nullptr), executor);
}

template <class K>
constexpr std::size_t workspace_bytes(int slots)
{
    const auto bytes =
        static_cast<std::size_t>(facts<K>::workspace.call_bytes + slots * facts<K>::workspace.slot_bytes);
    return bytes == 0 ? 0 : bytes + cache_line - 1;
}

} // namespace hone::codegen::cpu
