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
#include <utility>

#include <hone/codegen/simd.hpp>
#include <hone/core/config.hpp>
#include <hone/ir/nest.hpp>
#include <hone/ir/visit.hpp>

namespace hone::codegen::cpu {

template <class K>
using lanes_of = simd<K::set, K::nest.vector_length>;
template <class K>
using vector_of = typename lanes_of<K>::vector;

constexpr int at_least_one(std::size_t n) { return n == 0 ? 1 : static_cast<int>(n); }

// Where a point of the execution stands: a pointer per access, the loop variables, and what the caller gave.
template <class K>
struct environment {
    float* at[at_least_one(K::nest.accesses.size())];
    std::int64_t variables[at_least_one(K::nest.variables.size())];
    const std::int64_t* parameters;
    char* workspace;
};

// --- facts about the nest, each computed once a kernel --------------------------------------------------------------

// Bytes of the workspace: one region for the call, then one for each worker slot.
struct workspace_layout {
    std::int64_t offset[64]{}; // of each buffer inside its region
    std::int64_t call_bytes = 0;
    std::int64_t slot_bytes = 0;
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
};

// --- moving pointers ------------------------------------------------------------------------------------------------

template <class K, int Access, int Variable, int Term>
HONE_INLINE void advance_term(environment<K>& e, std::int64_t by)
{
    if constexpr (Term < K::nest.accesses[Access].index.first + K::nest.accesses[Access].index.count) {
        constexpr affine_term t = K::nest.terms[Term];
        if constexpr (t.variable == Variable) {
            if constexpr (t.parameter < 0)
                e.at[Access] += t.coefficient * by;
            else
                e.at[Access] += t.coefficient * by * e.parameters[t.parameter];
        }
        advance_term<K, Access, Variable, Term + 1>(e, by);
    }
}
template <class K, int Node, int Access>
HONE_INLINE void advance_access(environment<K>& e, std::int64_t by)
{
    if constexpr ((facts<K>::used.of[Node] >> Access & 1) != 0 &&
                  K::nest.buffers[K::nest.accesses[Access].buffer].memory != memory::registers)
        advance_term<K, Access, K::nest.nodes[Node].variable, K::nest.accesses[Access].index.first>(e, by);
}
// Moves every access below the loop `Node` by `by` iterations.
template <class K, int Node>
HONE_INLINE void advance(environment<K>& e, std::int64_t by)
{
    [&]<int... A>(std::integer_sequence<int, A...>) HONE_INLINE_LAMBDA {
        (advance_access<K, Node, A>(e, by), ...);
    }(std::make_integer_sequence<int, static_cast<int>(K::nest.accesses.size())>{});
}

// Points the accesses of memory Memory (below Node) at their buffers in the workspace.
template <class K, memory Memory>
HONE_INLINE void place(environment<K>& e, int slot)
{
    [&]<int... A>(std::integer_sequence<int, A...>) HONE_INLINE_LAMBDA {
        (
            [&]() HONE_INLINE_LAMBDA {
                constexpr int b = K::nest.accesses[A].buffer;
                if constexpr (K::nest.buffers[b].memory == Memory)
                    e.at[A] = reinterpret_cast<float*>(
                        e.workspace + facts<K>::workspace.offset[b] +
                        (Memory == memory::slot ? facts<K>::workspace.call_bytes + slot * facts<K>::workspace.slot_bytes
                                                : 0));
            }(),
            ...);
    }(std::make_integer_sequence<int, static_cast<int>(K::nest.accesses.size())>{});
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

// --- bands: unrolled subtrees as tables -----------------------------------------------------------------------------

template <class Nest>
constexpr bool is_band(const Nest& n, int at)
{
    const node& x = n.nodes[at];
    if (x.kind == node_kind::leaf) return true;
    if (x.kind == node_kind::loop) {
        if (x.bind != binding::unroll && x.bind != binding::vectorize) return false;
        if (!has_constant_bounds(n, x)) return false;
    } else if (x.kind != node_kind::guard) {
        return false;
    }
    for (int c = x.child; c >= 0; c = n.nodes[c].next)
        if (!is_band(n, c)) return false;
    return true;
}

constexpr int max_band_depth = 10;

// One leaf of a band with literal values for the band's variables.
struct instance {
    std::int16_t leaf = -1;
    std::int16_t vector_variable = -1; // -1: a scalar leaf
    std::int16_t lanes = 1;            // leading lanes in which it runs, where that is known
    std::int8_t depth = 0;
    bool tests = false;      // a condition is known at run time only
    bool tests_lane = false; // and differs from lane to lane
    std::int16_t variable[max_band_depth]{};
    std::int32_t value[max_band_depth]{};

    constexpr std::int64_t value_of(int v) const
    {
        for (int i = 0; i < depth; ++i)
            if (variable[i] == v) return value[i];
        return 0;
    }
    constexpr bool is_open(int v) const
    {
        for (int i = 0; i < depth; ++i)
            if (variable[i] == v) return true;
        return false;
    }
};

enum class truth : std::uint8_t { no, yes, lanes, unknown, unknown_lane };

// The intervals of the variables that are open around a band.
struct interval_table {
    interval of[96]{};
};
template <class Nest>
constexpr interval_table intervals_around(const Nest& n, int at)
{
    interval_table t;
    open_intervals(n, n.nodes[at].parent, t.of);
    return t;
}

// Whether a condition holds at an instance; `prefix` receives the lanes where it does.
template <class Nest>
constexpr truth decide(const Nest& n, const interval* variables, const affine& condition, const instance& i,
                       int& prefix)
{
    std::int64_t lane = 0;
    interval rest{condition.constant, condition.constant};
    for (int k = condition.first; k < condition.first + condition.count; ++k) {
        const affine_term& t = n.terms[k];
        if (t.variable >= 0 && t.variable == i.vector_variable && t.parameter < 0) {
            lane = t.coefficient;
        } else if (t.variable >= 0 && t.parameter < 0 && i.is_open(t.variable)) {
            rest.least += t.coefficient * i.value_of(t.variable);
            rest.most += t.coefficient * i.value_of(t.variable);
        } else {
            const interval v = interval_of(n, affine{0, static_cast<std::int16_t>(k), 1}, variables);
            rest.least += v.least;
            rest.most += v.most;
        }
    }
    const std::int64_t reach = lane * (n.vector_length - 1);
    if (rest.least + (reach < 0 ? reach : 0) >= 0) return truth::yes;
    if (rest.most + (reach > 0 ? reach : 0) < 0) return truth::no;
    if (lane == 0) return truth::unknown;
    if (lane > 0 || !rest.constant()) return truth::unknown_lane;
    prefix = static_cast<int>(rest.least / -lane + 1);
    return truth::lanes;
}

// The constant table entry that an expression names at an instance; NaN where it is none or not known.
template <class Nest>
constexpr float table_value(const Nest& n, const interval* variables, int e, const instance& i)
{
    const expr_node& x = n.exprs[e];
    if (x.op != expr_op::table) return __builtin_nanf("");
    const table_access& t = n.table_accesses[x.ref];
    std::int64_t at = t.index.constant;
    for (int k = t.index.first; k < t.index.first + t.index.count; ++k) {
        const int v = n.terms[k].variable;
        if (i.is_open(v))
            at += n.terms[k].coefficient * i.value_of(v);
        else if (variables[v].constant())
            at += n.terms[k].coefficient * variables[v].least;
        else
            return __builtin_nanf("");
    }
    return n.table_values[t.values.first + at];
}

// Flattens a band; Capacity 0 only counts.
template <class Nest, int Capacity>
struct flattening {
    const Nest& n;
    const interval* variables;
    instance items[Capacity == 0 ? 1 : Capacity]{};
    int count = 0;

    constexpr flattening(const Nest& nest, const interval* around, int at) : n(nest), variables(around)
    {
        walk(at, {});
    }

    constexpr void walk(int at, instance i)
    {
        const node& x = n.nodes[at];
        if (x.kind == node_kind::leaf) {
            if (is_zero(x.statement, i)) return;
            i.leaf = static_cast<std::int16_t>(at);
            if constexpr (Capacity > 0) items[count] = i;
            ++count;
            return;
        }
        if (x.kind == node_kind::guard) {
            for (int k = 0; k < x.conditions.count; ++k) {
                int prefix = 0;
                switch (decide(n, variables, n.conditions[x.conditions.first + k], i, prefix)) {
                case truth::no: return;
                case truth::yes: break;
                case truth::lanes:
                    if (prefix < i.lanes) i.lanes = static_cast<std::int16_t>(prefix);
                    break;
                case truth::unknown_lane: i.tests_lane = true; [[fallthrough]];
                case truth::unknown: i.tests = true; break;
                }
            }
            for (int c = x.child; c >= 0; c = n.nodes[c].next) walk(c, i);
            return;
        }
        const interval range = interval_of(n, x, nullptr);
        if (x.bind == binding::vectorize) {
            i.vector_variable = x.variable;
            i.lanes = n.vector_length;
            for (int c = x.child; c >= 0; c = n.nodes[c].next) walk(c, i);
            return;
        }
        i.variable[i.depth] = x.variable;
        ++i.depth;
        for (std::int64_t v = range.least; v <= range.most; ++v) {
            i.value[i.depth - 1] = static_cast<std::int32_t>(v);
            for (int c = x.child; c >= 0; c = n.nodes[c].next) walk(c, i);
        }
    }

    // Adding 0 times something.
    constexpr bool is_zero(int statement, const instance& i) const
    {
        const hone::statement& s = n.statements[statement];
        if (s.reduce != reduction::add) return false;
        const expr_node& x = n.exprs[s.value];
        return x.op == expr_op::mul &&
               (table_value(n, variables, x.a, i) == 0 || table_value(n, variables, x.b, i) == 0);
    }
};

template <int Count>
struct instance_table {
    instance items[Count == 0 ? 1 : Count]{};
};

template <class K, int Node>
struct band {
    using nest_type = std::remove_cvref_t<decltype(K::nest)>;
    static constexpr interval_table variables = intervals_around(K::nest, Node);
    static constexpr int count = flattening<nest_type, 0>(K::nest, variables.of, Node).count;
    static constexpr instance_table<count> table = [] {
        const flattening<nest_type, count> f(K::nest, variables.of, Node);
        instance_table<count> t;
        for (int i = 0; i < count; ++i) t.items[i] = f.items[i];
        return t;
    }();
    static constexpr const instance& at(int i) { return table.items[i]; }

    // What the instance adds to an index, beyond what the environment's pointer holds: literal terms only.
    static consteval std::int64_t offset(int i, const affine& index)
    {
        std::int64_t o = index.constant;
        for (int k = index.first; k < index.first + index.count; ++k)
            if (K::nest.terms[k].parameter < 0 && K::nest.terms[k].variable >= 0)
                o += K::nest.terms[k].coefficient * at(i).value_of(K::nest.terms[k].variable);
        return o;
    }
    static consteval float known_table_value(int i, int e) { return table_value(K::nest, variables.of, e, at(i)); }

    // Registers are indexed by literals: the band's variables, and loops outside it that run one known step.
    static consteval int register_of(int i, int access)
    {
        const affine& index = K::nest.accesses[access].index;
        const buffer& b = K::nest.buffers[K::nest.accesses[access].buffer];
        std::int64_t o = index.constant;
        for (int k = index.first; k < index.first + index.count; ++k) {
            const affine_term& t = K::nest.terms[k];
            if (t.variable == at(i).vector_variable) continue;
            o += t.coefficient *
                 (at(i).is_open(t.variable) ? at(i).value_of(t.variable) : variables.of[t.variable].least);
        }
        return static_cast<int>(b.first_register + o / K::nest.vector_length);
    }
};

// For conditions outside of bands: nothing is a literal.
struct no_band {
    static constexpr instance at(int) { return {}; }
};

// --- leaves ---------------------------------------------------------------------------------------------------------

// B: the band, I: the instance in it.
template <class K, class B, int I, int Term, int Count>
HONE_INLINE std::int64_t parameter_offset(const environment<K>& e)
{
    if constexpr (Count == 0) {
        return 0;
    } else {
        constexpr affine_term t = K::nest.terms[Term];
        const std::int64_t rest = parameter_offset<K, B, I, Term + 1, Count - 1>(e);
        if constexpr (t.parameter >= 0 && t.variable >= 0 && B::at(I).is_open(t.variable))
            return rest + t.coefficient * B::at(I).value_of(t.variable) * e.parameters[t.parameter];
        else
            return rest;
    }
}

template <class K, class B, int I, int A>
HONE_INLINE float* address(const environment<K>& e)
{
    constexpr affine index = K::nest.accesses[A].index;
    constexpr std::int64_t offset = B::offset(I, index);
    return e.at[A] + (offset + parameter_offset<K, B, I, index.first, index.count>(e));
}

// The value of a condition with the band's variables as literals; Lane adds the vector variable.
template <class K, class B, int I, int C>
HONE_INLINE std::int64_t condition_value(const environment<K>& e, int lane)
{
    constexpr affine c = K::nest.conditions[C];
    return [&]<int... T>(std::integer_sequence<int, T...>) HONE_INLINE_LAMBDA {
        std::int64_t v = c.constant;
        (
            [&]() HONE_INLINE_LAMBDA {
                constexpr affine_term t = K::nest.terms[c.first + T];
                std::int64_t x = t.coefficient;
                if constexpr (t.parameter >= 0) x *= e.parameters[t.parameter];
                if constexpr (t.variable >= 0) {
                    if constexpr (t.variable == B::at(I).vector_variable)
                        x *= lane;
                    else if constexpr (B::at(I).is_open(t.variable))
                        x *= B::at(I).value_of(t.variable);
                    else
                        x *= e.variables[t.variable];
                }
                v += x;
            }(),
            ...);
        return v;
    }(std::make_integer_sequence<int, c.count>{});
}
template <class K, class B, int I, int First, int Count>
HONE_INLINE bool holds(const environment<K>& e, int lane)
{
    return [&]<int... C>(std::integer_sequence<int, C...>) HONE_INLINE_LAMBDA {
        return ((condition_value<K, B, I, First + C>(e, lane) >= 0) && ... && true);
    }(std::make_integer_sequence<int, Count>{});
}
// All guards between the band's root and the leaf.
template <class K, class B, int I, int Node, int Root>
HONE_INLINE bool guards_hold(const environment<K>& e, int lane)
{
    constexpr const node& x = K::nest.nodes[Node];
    bool r = true;
    if constexpr (x.kind == node_kind::guard) r = holds<K, B, I, x.conditions.first, x.conditions.count>(e, lane);
    if constexpr (Node != Root) r = guards_hold<K, B, I, x.parent, Root>(e, lane) && r;
    return r;
}

template <class K>
struct zeros {
    alignas(64) static constexpr float values[K::nest.vector_length]{};
};

// One lane of an access; Lane < 0 stands for a leaf that is not in a vector loop.
template <class K, class B, int I, int A>
consteval std::int64_t lane_stride()
{
    return B::at(I).vector_variable < 0 ? 0 : facts<K>::coefficient(A, B::at(I).vector_variable);
}

template <class K, class B, int I, int A>
consteval bool conditions_vary_by_lane()
{
    constexpr const access& a = K::nest.accesses[A];
    if (lane_stride<K, B, I, A>() > 1) return true; // the zeros have no room for a stride
    for (int c = a.conditions.first; c < a.conditions.first + a.conditions.count; ++c) {
        const affine& x = K::nest.conditions[c];
        for (int k = x.first; k < x.first + x.count; ++k)
            if (K::nest.terms[k].variable >= 0 && K::nest.terms[k].variable == B::at(I).vector_variable) return true;
    }
    return false;
}

template <class K, class B, int I, int A>
HONE_INLINE auto load(const environment<K>& e, const vector_of<K>* r)
{
    constexpr const access& a = K::nest.accesses[A];
    constexpr int lanes = B::at(I).lanes;
    constexpr std::int64_t stride = lane_stride<K, B, I, A>();
    if constexpr (K::nest.buffers[a.buffer].memory == memory::registers) {
        return r[B::register_of(I, A)];
    } else if constexpr (a.conditions.count > 0 && conditions_vary_by_lane<K, B, I, A>()) {
        const float* p = address<K, B, I, A>(e);
        vector_of<K> v{};
        for (int lane = 0; lane < lanes; ++lane)
            if (holds<K, B, I, a.conditions.first, a.conditions.count>(e, lane)) v[lane] = p[lane * stride];
        return v;
    } else {
        const float* p = address<K, B, I, A>(e);
        // The pointer is chosen, not the value: no branch, and nothing outside the tensor is read.
        if constexpr (a.conditions.count > 0)
            p = holds<K, B, I, a.conditions.first, a.conditions.count>(e, 0) ? p : zeros<K>::values;
        if constexpr (stride == 0)
            return *p;
        else if constexpr (stride != 1)
            return lanes_of<K>::template gather<lanes>(p, stride);
        else if constexpr (lanes == K::nest.vector_length)
            return lanes_of<K>::load(p);
        else
            return lanes_of<K>::template load_first<lanes>(p);
    }
}
template <class K, class B, int I, int X>
HONE_INLINE auto value(const environment<K>& e, const vector_of<K>* r)
{
    constexpr expr_node x = K::nest.exprs[X];
    if constexpr (x.op == expr_op::constant) {
        return x.value;
    } else if constexpr (x.op == expr_op::load) {
        return load<K, B, I, x.ref>(e, r);
    } else if constexpr (x.op == expr_op::table) {
        constexpr float known = B::known_table_value(I, X);
        static_assert(known == known,
                      "hone::lower: a constant table is indexed by unrolled levels only; unroll the level");
        return known;
    } else if constexpr (arity(x.op) == 1) {
        return apply<K::set, K::nest.vector_length, x.op>(value<K, B, I, x.a>(e, r));
    } else {
        return apply<K::set, K::nest.vector_length, x.op>(value<K, B, I, x.a>(e, r), value<K, B, I, x.b>(e, r));
    }
}

// target = value, or target = target (+, max, min) value. Multiply and add stand in one expression, so that compilers
// which contract within expressions only make them one instruction.
template <class K, class B, int I, class T>
HONE_INLINE T updated(const environment<K>& e, const vector_of<K>* r, T old)
{
    constexpr const statement& s = K::nest.statements[K::nest.nodes[B::at(I).leaf].statement];
    constexpr expr_node x = K::nest.exprs[s.value];
    constexpr int n = K::nest.vector_length;
    if constexpr (s.reduce == reduction::add && x.op == expr_op::mul) {
        constexpr float left = B::known_table_value(I, x.a);
        if constexpr (left == 1.0f)
            return old + value<K, B, I, x.b>(e, r);
        else if constexpr (left == -1.0f)
            return old - value<K, B, I, x.b>(e, r);
        else
            return value<K, B, I, x.a>(e, r) * value<K, B, I, x.b>(e, r) + old;
    } else if constexpr (s.reduce == reduction::add) {
        return old + value<K, B, I, s.value>(e, r);
    } else if constexpr (s.reduce == reduction::max) {
        return apply<K::set, n, expr_op::max>(old, value<K, B, I, s.value>(e, r));
    } else if constexpr (s.reduce == reduction::min) {
        return apply<K::set, n, expr_op::min>(old, value<K, B, I, s.value>(e, r));
    } else if constexpr (sizeof(T) == sizeof(float)) {
        return value<K, B, I, s.value>(e, r);
    } else {
        return lanes_of<K>::broadcast(value<K, B, I, s.value>(e, r));
    }
}

template <class K, class B, int I>
HONE_INLINE void execute_leaf(const environment<K>& e, vector_of<K>* r)
{
    constexpr const statement& s = K::nest.statements[K::nest.nodes[B::at(I).leaf].statement];
    constexpr int lanes = B::at(I).lanes;
    constexpr std::int64_t stride = lane_stride<K, B, I, s.target>();
    constexpr bool reduces = s.reduce != reduction::none;
    if constexpr (K::nest.buffers[K::nest.accesses[s.target].buffer].memory == memory::registers) {
        vector_of<K>& target = r[B::register_of(I, s.target)];
        target = updated<K, B, I>(e, r, target);
    } else if constexpr (B::at(I).vector_variable < 0 || K::nest.vector_length == 1) {
        float* p = address<K, B, I, s.target>(e);
        *p = updated<K, B, I>(e, r, reduces ? *p : 0.0f);
    } else {
        static_assert(stride != 0, "hone::lower: a vector is stored to one element; vectorize an axis of the output");
        float* p = address<K, B, I, s.target>(e);
        vector_of<K> old{};
        if constexpr (reduces && stride == 1)
            old = lanes_of<K>::template load_first<lanes>(p);
        else if constexpr (reduces)
            old = lanes_of<K>::template gather<lanes>(p, stride);
        const vector_of<K> v = updated<K, B, I>(e, r, old);
        if constexpr (stride != 1)
            lanes_of<K>::template scatter<lanes>(p, stride, v);
        else if constexpr (lanes == K::nest.vector_length)
            lanes_of<K>::store(p, v);
        else
            lanes_of<K>::template store_first<lanes>(p, v);
    }
}

template <class K, class B, int I, int X>
HONE_INLINE float lane_expr(const environment<K>& e, const vector_of<K>* r, int lane)
{
    constexpr expr_node x = K::nest.exprs[X];
    if constexpr (x.op == expr_op::load) {
        constexpr const access& a = K::nest.accesses[x.ref];
        if constexpr (K::nest.buffers[a.buffer].memory == memory::registers) {
            return r[B::register_of(I, x.ref)][lane];
        } else {
            const float* p = address<K, B, I, x.ref>(e) + lane * lane_stride<K, B, I, x.ref>();
            return holds<K, B, I, a.conditions.first, a.conditions.count>(e, lane) ? *p : 0.0f;
        }
    } else if constexpr (arity(x.op) == 0) {
        return value<K, B, I, X>(e, r);
    } else if constexpr (arity(x.op) == 1) {
        return apply<K::set, 1, x.op>(lane_expr<K, B, I, x.a>(e, r, lane));
    } else {
        return apply<K::set, 1, x.op>(lane_expr<K, B, I, x.a>(e, r, lane), lane_expr<K, B, I, x.b>(e, r, lane));
    }
}
template <class K, class B, int I>
HONE_INLINE float lane_value(const environment<K>& e, const vector_of<K>* r, int lane, float old)
{
    constexpr const statement& s = K::nest.statements[K::nest.nodes[B::at(I).leaf].statement];
    const float v = lane_expr<K, B, I, s.value>(e, r, lane);
    if constexpr (s.reduce == reduction::add)
        return old + v;
    else if constexpr (s.reduce == reduction::max)
        return apply<K::set, 1, expr_op::max>(old, v);
    else if constexpr (s.reduce == reduction::min)
        return apply<K::set, 1, expr_op::min>(old, v);
    else
        return v;
}

// Lanes whose guard differs: each lane that passes is merged alone. Rare, so it need not be fast.
template <class K, class B, int I, int Root>
HONE_INLINE void execute_by_lane(const environment<K>& e, vector_of<K>* r)
{
    constexpr const statement& s = K::nest.statements[K::nest.nodes[B::at(I).leaf].statement];
    constexpr std::int64_t stride = lane_stride<K, B, I, s.target>();
    for (int lane = 0; lane < B::at(I).lanes; ++lane) {
        if (!guards_hold<K, B, I, B::at(I).leaf, Root>(e, lane)) continue;
        if constexpr (K::nest.buffers[K::nest.accesses[s.target].buffer].memory == memory::registers) {
            vector_of<K>& target = r[B::register_of(I, s.target)];
            target[lane] = lane_value<K, B, I>(e, r, lane, target[lane]);
        } else {
            float& target = address<K, B, I, s.target>(e)[lane * stride];
            target = lane_value<K, B, I>(e, r, lane, target);
        }
    }
}
template <class K, class B, int I, int Root>
HONE_INLINE void execute_instance(const environment<K>& e, vector_of<K>* r)
{
    if constexpr (B::at(I).tests_lane) {
        execute_by_lane<K, B, I, Root>(e, r);
    } else if constexpr (B::at(I).tests) {
        if (guards_hold<K, B, I, B::at(I).leaf, Root>(e, 0)) execute_leaf<K, B, I>(e, r);
    } else {
        execute_leaf<K, B, I>(e, r);
    }
}

// --- nodes ----------------------------------------------------------------------------------------------------------

// Runs a node and its later siblings.
template <class K, int Node, class Executor>
HONE_INLINE void execute(const environment<K>& e, vector_of<K>* r, Executor& executor);

template <class K, int Node>
HONE_INLINE void execute_band(const environment<K>& e, vector_of<K>* r)
{
    using b = band<K, Node>;
    [&]<int... I>(std::integer_sequence<int, I...>) HONE_INLINE_LAMBDA {
        (execute_instance<K, b, I, Node>(e, r), ...);
    }(std::make_integer_sequence<int, b::count>{});
}

template <class K, int Node, class Executor>
HONE_INLINE void execute_serial(const environment<K>& outer, vector_of<K>* r, Executor& executor)
{
    constexpr const node& x = K::nest.nodes[Node];
    environment<K> e = outer;
    const std::int64_t first = lower_value<K, Node>(e);
    const std::int64_t last = upper_value<K, Node>(e);
    advance<K, Node>(e, first);
    for (std::int64_t i = first; i < last; ++i) {
        e.variables[x.variable] = i;
        execute<K, x.child>(e, r, executor);
        advance<K, Node>(e, 1);
    }
}

// Directly nested parallel loops with constant bounds are one region.
template <class K>
constexpr bool extends_region(int at)
{
    const node& x = K::nest.nodes[at];
    return x.child >= 0 && K::nest.nodes[x.child].kind == node_kind::loop &&
           K::nest.nodes[x.child].bind == binding::parallel && K::nest.nodes[x.child].next < 0 &&
           has_constant_bounds(K::nest, K::nest.nodes[x.child]);
}
template <class K, int Node>
HONE_INLINE std::int64_t region_size(const environment<K>& e)
{
    const std::int64_t first = lower_value<K, Node>(e);
    const std::int64_t last = upper_value<K, Node>(e);
    const std::int64_t own = last > first ? last - first : 0;
    if constexpr (extends_region<K>(Node))
        return own * region_size<K, K::nest.nodes[Node].child>(e);
    else
        return own;
}
template <class K, int Node, class Executor>
HONE_INLINE void execute_chunk(environment<K>& e, std::int64_t chunk, Executor& executor)
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

template <class K, int Node, class Executor>
HONE_INLINE void execute(const environment<K>& e, vector_of<K>* r, Executor& executor)
{
    if constexpr (Node >= 0) {
        constexpr const node& x = K::nest.nodes[Node];
        if constexpr (is_band(K::nest, Node)) {
            execute_band<K, Node>(e, r);
        } else if constexpr (x.kind == node_kind::tile) {
            vector_of<K> registers[at_least_one(static_cast<std::size_t>(K::nest.registers))];
            execute<K, x.child>(e, registers, executor);
        } else if constexpr (x.kind == node_kind::guard) {
            if (holds<K, no_band, 0, x.conditions.first, x.conditions.count>(e, 0)) execute<K, x.child>(e, r, executor);
        } else if constexpr (x.kind == node_kind::loop && x.bind == binding::parallel) {
            executor.run(region_size<K, Node>(e), [&e, &executor](std::int64_t chunk, int slot) {
                environment<K> own = e;
                place<K, memory::slot>(own, slot);
                execute_chunk<K, Node>(own, chunk, executor);
            });
        } else {
            static_assert(x.kind == node_kind::loop,
                          "hone::cpu: barriers belong to Vulkan nests; lower for a CPU target");
            execute_serial<K, Node>(e, r, executor);
        }
        execute<K, x.next>(e, r, executor);
    }
}

// Runs the whole nest. arguments: one pointer per argument buffer, by position. Workspace: workspace_bytes(slots).
template <class K, class Executor>
HONE_INLINE void run(Executor& executor, float* const* arguments, const std::int64_t* parameters, void* workspace)
{
    environment<K> e{};
    e.parameters = parameters;
    e.workspace = static_cast<char*>(workspace);
    [&]<int... A>(std::integer_sequence<int, A...>) HONE_INLINE_LAMBDA {
        (
            [&]() HONE_INLINE_LAMBDA {
                constexpr const buffer& b = K::nest.buffers[K::nest.accesses[A].buffer];
                if constexpr (b.memory == memory::argument) e.at[A] = arguments[b.position];
            }(),
            ...);
        place<K, memory::workspace>(e, 0);
        place<K, memory::slot>(e, 0);
        (advance_term<K, A, -1, K::nest.accesses[A].index.first>(e, 1), ...);
    }(std::make_integer_sequence<int, static_cast<int>(K::nest.accesses.size())>{});
    execute<K, K::nest.root>(e, static_cast<vector_of<K>*>(nullptr), executor);
}

template <class K>
constexpr std::size_t workspace_bytes(int slots)
{
    return static_cast<std::size_t>(facts<K>::workspace.call_bytes + slots * facts<K>::workspace.slot_bytes);
}

} // namespace hone::codegen::cpu
