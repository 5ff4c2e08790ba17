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
#include <type_traits>
#include <utility>

#include <hone/codegen/region.hpp>
#include <hone/codegen/simd.hpp>
#include <hone/core/config.hpp>
#include <hone/core/executor.hpp>
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

constexpr std::size_t cache_line = 64;

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
    [&]<int... I>(std::integer_sequence<int, I...>) HONE_INLINE_LAMBDA {
        ((e.at[m::access_at(I)] +=
          m::coefficient_at(I) * (m::parameter_at(I) < 0 ? by : by * e.parameters[m::parameter_at(I)])),
         ...);
    }(std::make_integer_sequence<int, m::list.count>{});
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

// A loop of one known step, as peeling and written-out stages leave them, is as good as unrolled.
template <class Nest>
constexpr bool is_written_out(const Nest& n, const node& loop)
{
    if (!has_constant_bounds(n, loop)) return false;
    if (loop.bind == binding::unroll || loop.bind == binding::vectorize) return true;
    return loop.bind == binding::serial && extent_of(n, loop) == 1;
}

template <class Nest>
constexpr bool is_band(const Nest& n, int at)
{
    const node& x = n.nodes[at];
    if (x.kind == node_kind::leaf) return true;
    if (x.kind == node_kind::loop ? !is_written_out(n, x) : x.kind != node_kind::guard) return false;
    for (int c = x.child; c >= 0; c = n.nodes[c].next)
        if (!is_band(n, c)) return false;
    return true;
}

// Bands that follow one another are one. The first node behind the bands that start at `at`.
template <class Nest>
constexpr int end_of_bands(const Nest& n, int at)
{
    while (at >= 0 && is_band(n, at)) at = n.nodes[at].next;
    return at;
}

constexpr int max_band_depth = 12;

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
    // Where variable v stands among those of the band; -1: it is not one of them.
    constexpr int slot_of(int v) const
    {
        for (int i = 0; i < depth; ++i)
            if (variable[i] == v) return i;
        return -1;
    }
    constexpr bool is_open(int v) const { return slot_of(v) >= 0; }
};

enum class truth : std::uint8_t { no, yes, lanes, unknown, unknown_lane };

// The intervals of the variables that are open around a band.
template <int Count>
struct interval_table {
    interval of[Count]{};
};
template <class Nest>
constexpr auto intervals_around(const Nest& n, int at)
{
    interval_table<at_least_one(decltype(Nest::variables)::capacity)> t;
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

// The instances of a band, no guard deciding.
template <class Nest>
constexpr int most_instances(const Nest& n, int at)
{
    const node& x = n.nodes[at];
    if (x.kind == node_kind::leaf) return 1;
    int inside = 0;
    for (int c = x.child; c >= 0; c = n.nodes[c].next) inside += most_instances(n, c);
    return x.kind == node_kind::loop && x.bind == binding::unroll ? inside * static_cast<int>(extent_of(n, x)) : inside;
}
template <class Nest>
constexpr int most_instances_of_bands(const Nest& n, int at)
{
    int sum = 0;
    for (const int end = end_of_bands(n, at); at != end; at = n.nodes[at].next) sum += most_instances(n, at);
    return sum;
}

// Flattens a band, in the order of execution: emit(instance) for each leaf that is not known to be skipped. One
// instance is changed in place all along; constant evaluation pays for each copy.
template <class Nest, class Emit>
struct flattening {
    const Nest& n;
    const interval* variables;
    Emit& emit;
    instance here{};

    constexpr void walk_children(const node& x)
    {
        for (int c = x.child; c >= 0; c = n.nodes[c].next) walk(c);
    }

    constexpr void walk(int at)
    {
        const node& x = n.nodes[at];
        if (x.kind == node_kind::leaf) {
            if (is_zero(x.statement, here)) return;
            here.leaf = static_cast<std::int16_t>(at);
            emit(here);
            return;
        }
        if (x.kind == node_kind::guard) {
            const std::int16_t lanes = here.lanes;
            const bool tests = here.tests;
            const bool tests_lane = here.tests_lane;
            if (pass_guard(x)) walk_children(x);
            here.lanes = lanes;
            here.tests = tests;
            here.tests_lane = tests_lane;
            return;
        }
        if (x.bind == binding::vectorize) {
            here.vector_variable = x.variable;
            here.lanes = n.vector_length;
            walk_children(x);
            here.vector_variable = -1;
            here.lanes = 1;
            return;
        }
        const interval range = interval_of(n, x, nullptr); // bounds are constant
        here.variable[here.depth++] = x.variable;
        for (std::int64_t v = range.least; v <= range.most; ++v) {
            here.value[here.depth - 1] = static_cast<std::int32_t>(v);
            walk_children(x);
        }
        --here.depth;
    }

    // False where the guard is known to fail; what is known only at run time is noted in the instance.
    constexpr bool pass_guard(const node& x)
    {
        for (int k = 0; k < x.conditions.count; ++k) {
            int prefix = 0;
            switch (decide(n, variables, n.conditions[x.conditions.first + k], here, prefix)) {
            case truth::no: return false;
            case truth::yes: break;
            case truth::lanes:
                if (prefix < here.lanes) here.lanes = static_cast<std::int16_t>(prefix);
                break;
            case truth::unknown_lane: here.tests_lane = true; [[fallthrough]];
            case truth::unknown: here.tests = true; break;
            }
        }
        return true;
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

// How a product with a constant table entry is added.
enum class factor : std::uint8_t { general, plus, minus, table };

// What is literal about one instance: offsets of its accesses in elements, or register numbers.
struct step {
    std::int16_t statement = -1;
    std::int16_t vector_variable = -1;
    std::int16_t lanes = 1;
    bool plain = true;          // nothing about it is decided at run time
    bool fresh = false;         // the first term of a sum: it needs no zero to be added to
    bool tested = false;        // a guard is known at run time only
    std::int16_t instance = -1; // where not plain: its number among the instances of the band
    cpu::factor factor = cpu::factor::general;
    float coefficient = 0;
    std::int64_t at[max_step_accesses]{};

    constexpr bool same_form(const step& o) const
    {
        return statement == o.statement && vector_variable == o.vector_variable && lanes == o.lanes &&
               factor == o.factor && plain == o.plain && fresh == o.fresh;
    }
};

// Consecutive instances of one form; at most max_fold, for clang limits the terms of a fold to 256.
constexpr int max_fold = 128;
struct run_of_steps {
    int first = 0;
    int count = 0;
};

template <int Capacity>
struct band_tables {
    step steps[Capacity]{};
    std::int16_t order[Capacity]{}; // the steps in the order in which they are written out
    run_of_steps runs[Capacity]{};
    int count = 0;
    int run_count = 0;
    int instance_count = 0;

    constexpr void add(int i)
    {
        const bool continues = count > 0 && steps[i].plain && steps[i].same_form(steps[order[count - 1]]) &&
                               runs[run_count - 1].count < max_fold;
        if (!continues) runs[run_count++].first = count;
        ++runs[run_count - 1].count;
        order[count++] = static_cast<std::int16_t>(i);
    }
};

// The steps of a band as they are written out. A sum starts with its first term, not with zero plus that term: a
// compiler must keep the zero for the sign of a zero result. (Storing finished registers early was tried too: the
// stores then stand between loads, which g++ may no longer reorder; 1 to 3 % slower.)
template <class Nest, int Capacity, int Registers>
struct band_order {
    const Nest& n;
    band_tables<Capacity>& t;
    bool dropped[Capacity]{};
    std::int16_t pending_zero[Registers]{}; // step that set the register to 0, + 1

    constexpr bool in_registers(int access) const
    {
        return n.buffers[n.accesses[access].buffer].memory == memory::registers;
    }

    constexpr void arrange(int steps)
    {
        for (int i = 0; i < steps; ++i) look_at(t.steps[i], i);
        for (int i = 0; i < steps; ++i)
            if (!dropped[i]) t.add(i);
    }

    constexpr void look_at(step& s, int i)
    {
        const statement& st = n.statements[s.statement];
        const access_list l = access_list_of(n, s.statement);
        for (int a = 1; a < l.count && a < max_step_accesses; ++a)
            if (in_registers(l.of[a])) pending_zero[s.at[a]] = 0;
        if (!in_registers(st.target)) return;
        std::int16_t& pending = pending_zero[s.at[0]];
        if (st.reduce == reduction::add && !s.tested && pending != 0) {
            s.fresh = true;
            dropped[pending - 1] = true;
        }
        const expr_node& value = n.exprs[st.value];
        const bool zero = st.reduce == reduction::none && value.op == expr_op::constant && value.value == 0;
        pending = static_cast<std::int16_t>(zero && !s.tested ? i + 1 : 0);
    }
};

template <class K, int Node>
struct band {
    using nest_type = std::remove_cvref_t<decltype(K::nest)>;
    static constexpr auto variables = intervals_around(K::nest, Node);

    // What all instances of a leaf share: a step to start from, and how its places move with the band's variables.
    struct leaf_plan {
        std::int16_t leaf = -1;
        bool has_table = false;
        std::int8_t accesses = 0;
        step base{};
        bool in_registers[max_step_accesses]{};
        std::int64_t coefficients[max_step_accesses][max_band_depth]{};
    };
    static constexpr leaf_plan plan_of(const instance& i)
    {
        const nest_type& n = K::nest;
        leaf_plan p{.leaf = i.leaf};
        p.base.statement = n.nodes[i.leaf].statement;
        const access_list l = access_list_of(n, p.base.statement);
        p.accesses = static_cast<std::int8_t>(l.count < max_step_accesses ? l.count : max_step_accesses);
        for (int a = 0; a < p.accesses; ++a) {
            const access& x = n.accesses[l.of[a]];
            p.in_registers[a] = n.buffers[x.buffer].memory == memory::registers;
            if (x.conditions.count > 0) p.base.plain = false;
            p.base.at[a] = x.index.constant;
            for (int k = x.index.first; k < x.index.first + x.index.count; ++k) {
                const affine_term& t = n.terms[k];
                if (t.variable < 0 || t.variable == i.vector_variable) continue;
                const int slot = i.slot_of(t.variable);
                if (t.parameter >= 0) {
                    // A run-time stride of a band's variable is multiplied when it is met.
                    if (slot >= 0) p.base.plain = false;
                } else if (slot >= 0) {
                    p.coefficients[a][slot] += t.coefficient;
                } else if (p.in_registers[a]) {
                    // Registers are indexed by literals: the band's variables, and loops outside that run one known
                    // step.
                    p.base.at[a] += t.coefficient * variables.of[t.variable].least;
                }
            }
            if (p.in_registers[a]) {
                p.base.at[a] = n.buffers[x.buffer].first_register + p.base.at[a] / n.vector_length;
                for (std::int64_t& c : p.coefficients[a]) c /= n.vector_length;
            }
        }
        const hone::statement& st = n.statements[p.base.statement];
        p.has_table = st.reduce == reduction::add && n.exprs[st.value].op == expr_op::mul &&
                      n.exprs[n.exprs[st.value].a].op == expr_op::table;
        return p;
    }
    static constexpr step step_of(const leaf_plan& p, const instance& i)
    {
        step s = p.base;
        s.vector_variable = i.vector_variable;
        s.lanes = i.lanes;
        s.plain = s.plain && !i.tests;
        s.tested = i.tests;
        for (int a = 0; a < p.accesses; ++a)
            for (int k = 0; k < i.depth; ++k) s.at[a] += p.coefficients[a][k] * i.value[k];
        if (p.has_table) {
            const int operand = K::nest.exprs[K::nest.statements[s.statement].value].a;
            s.coefficient = table_value(K::nest, variables.of, operand, i);
            s.factor = s.coefficient == 1 ? factor::plus : s.coefficient == -1 ? factor::minus : factor::table;
        }
        return s;
    }

    static constexpr int capacity = at_least_one(static_cast<std::size_t>(most_instances_of_bands(K::nest, Node)));

    template <class Emit>
    static constexpr void flatten(Emit emit)
    {
        flattening<nest_type, Emit> f{K::nest, variables.of, emit};
        for (int at = Node, end = end_of_bands(K::nest, Node); at != end; at = K::nest.nodes[at].next) f.walk(at);
    }
    static constexpr band_tables<capacity> tables = [] {
        band_tables<capacity> t;
        int steps = 0;
        bool reorders = false; // a band of one statement is in order
        leaf_plan plan;
        flatten([&](const instance& i) {
            if (i.leaf != plan.leaf) plan = plan_of(i);
            t.steps[steps] = step_of(plan, i);
            if (!t.steps[steps].plain) t.steps[steps].instance = static_cast<std::int16_t>(t.instance_count++);
            reorders = reorders || t.steps[steps].statement != t.steps[0].statement;
            ++steps;
        });
        if (reorders)
            band_order<nest_type, capacity, at_least_one(static_cast<std::size_t>(K::nest.registers))>{K::nest, t}
                .arrange(steps);
        else
            for (int i = 0; i < steps; ++i) t.add(i);
        return t;
    }();

    // The instances that decide something at run time.
    struct instance_table {
        instance of[at_least_one(static_cast<std::size_t>(tables.instance_count))]{};
    };
    static constexpr instance_table instances = [] {
        instance_table t;
        if constexpr (tables.instance_count > 0) {
            int count = 0;
            flatten([&](const instance& i) {
                if (!step_of(plan_of(i), i).plain) t.of[count++] = i;
            });
        }
        return t;
    }();

    // The step, and its instance, at place i of the order.
    static constexpr const step& step_at(int i) { return tables.steps[tables.order[i]]; }
    static constexpr const instance& at(int i) { return instances.of[step_at(i).instance]; }
    static consteval std::int64_t offset(int i, int position) { return step_at(i).at[position]; }
    static consteval float coefficient(int i) { return step_at(i).coefficient; }
};

// For conditions outside of bands: nothing is a literal.
struct no_band {
    static constexpr instance at(int) { return {}; }
};

// How a condition divides at an instance of a band.
struct condition_parts {
    std::int64_t literal = 0;
    std::int64_t lane = 0;   // coefficient of the vector variable
    std::uint32_t terms = 0; // the others, by position
};
template <class K>
consteval condition_parts parts_of(const instance& i, int condition)
{
    const affine& c = K::nest.conditions[condition];
    condition_parts p{.literal = c.constant};
    for (int k = 0; k < c.count; ++k) {
        const affine_term& t = K::nest.terms[c.first + k];
        if (t.variable >= 0 && t.parameter < 0 && t.variable == i.vector_variable)
            p.lane += t.coefficient;
        else if (t.variable >= 0 && t.parameter < 0 && i.is_open(t.variable))
            p.literal += t.coefficient * i.value_of(t.variable);
        else
            p.terms |= std::uint32_t{1} << k;
    }
    return p;
}

// --- conditions at run time -----------------------------------------------------------------------------------------

// The part of a condition that loops outside the band and the call decide: its terms in the bit set Terms. Instances of
// a band share it.
template <class K, int C, std::uint32_t Terms>
HONE_INLINE std::int64_t environment_value(const environment<K>& e)
{
    constexpr affine c = K::nest.conditions[C];
    return [&]<int... T>(std::integer_sequence<int, T...>) HONE_INLINE_LAMBDA {
        return ((Terms >> T & 1 ? terms_value<K, c.first + T, 1>(e) : 0) + ... + 0);
    }(std::make_integer_sequence<int, c.count>{});
}

// The value of a condition at an instance: what is literal, what the environment holds, and the lane.
template <class K, class B, int I, int C>
HONE_INLINE std::int64_t condition_value(const environment<K>& e, int lane)
{
    constexpr condition_parts parts = parts_of<K>(B::at(I), C);
    return environment_value<K, C, parts.terms>(e) + (parts.literal + parts.lane * lane);
}
template <class K, class B, int I, int First, int Count>
HONE_INLINE bool holds(const environment<K>& e, int lane)
{
    return [&]<int... C>(std::integer_sequence<int, C...>) HONE_INLINE_LAMBDA {
        return ((condition_value<K, B, I, First + C>(e, lane) >= 0) && ... && true);
    }(std::make_integer_sequence<int, Count>{});
}
// All guards between the node that holds the band and the leaf.
template <class K, class B, int I, int Node, int Holder>
HONE_INLINE bool guards_hold(const environment<K>& e, int lane)
{
    constexpr const node& x = K::nest.nodes[Node];
    bool r = true;
    if constexpr (x.kind == node_kind::guard) r = holds<K, B, I, x.conditions.first, x.conditions.count>(e, lane);
    if constexpr (x.parent != Holder) r = guards_hold<K, B, I, x.parent, Holder>(e, lane) && r;
    return r;
}

// --- leaves ---------------------------------------------------------------------------------------------------------

// The leaves of one form: statement S with the lanes of vector variable V, the leading L of them. What differs from
// instance to instance arrives as literal arguments, one an access: a pointer, or the number of a register. So a form
// is instantiated once, however long its band is.
template <class K, int S, int V, int L, factor F, bool Fresh>
struct form {
    using vector = vector_of<K>;
    static constexpr const statement& s = K::nest.statements[S];
    static constexpr access_list accesses = access_list_of(K::nest, S);
    static_assert(accesses.count <= max_step_accesses,
                  "hone::lower: a statement has more than 6 operands; split the stage");
    static constexpr int length = K::nest.vector_length;

    static consteval bool in_registers(int access)
    {
        return K::nest.buffers[K::nest.accesses[access].buffer].memory == memory::registers;
    }
    static consteval std::int64_t stride(int access) { return V < 0 ? 0 : facts<K>::coefficient(access, V); }

    template <int N, class First, class... Rest>
    HONE_INLINE static auto pick(First first, Rest... rest)
    {
        if constexpr (N == 0)
            return first;
        else
            return pick<N - 1>(rest...);
    }

    template <int Access, class At>
    HONE_INLINE static auto load(At at)
    {
        if constexpr (in_registers(Access))
            return *at;
        else if constexpr (stride(Access) == 0)
            return *at;
        else if constexpr (stride(Access) != 1)
            return lanes_of<K>::template gather<L>(at, stride(Access));
        else if constexpr (L == length)
            return lanes_of<K>::load(at);
        else
            return lanes_of<K>::template load_first<L>(at);
    }

    template <int X, class... At>
    HONE_INLINE static auto value(float c, At... at)
    {
        constexpr expr_node x = K::nest.exprs[X];
        if constexpr (x.op == expr_op::constant)
            return x.value;
        else if constexpr (x.op == expr_op::table)
            return c;
        else if constexpr (x.op == expr_op::load)
            return load<x.ref>(pick<accesses.position(x.ref)>(at...));
        else if constexpr (arity(x.op) == 1)
            return apply<K::set, length, x.op>(value<x.a>(c, at...));
        else
            return apply<K::set, length, x.op>(value<x.a>(c, at...), value<x.b>(c, at...));
    }

    template <class T, class Value>
    HONE_INLINE static T as(Value v)
    {
        if constexpr (sizeof(T) == sizeof(float))
            return v;
        else
            return lanes_of<K>::broadcast(v);
    }
    template <class T, class... At>
    HONE_INLINE static T first_term(float c, At... at)
    {
        constexpr expr_node x = K::nest.exprs[s.value];
        if constexpr (F == factor::plus)
            return as<T>(value<x.b>(c, at...));
        else if constexpr (F == factor::minus)
            return as<T>(-value<x.b>(c, at...));
        else
            return as<T>(value<s.value>(c, at...));
    }

    // target = value, or target = target (+, max, min) value. Multiply and add stand in one expression, so that
    // compilers which contract within expressions only make them one instruction.
    template <class T, class... At>
    HONE_INLINE static T updated(float c, T old, At... at)
    {
        constexpr expr_node x = K::nest.exprs[s.value];
        if constexpr (Fresh)
            return first_term<T>(c, at...);
        else if constexpr (F == factor::plus)
            return old + value<x.b>(c, at...);
        else if constexpr (F == factor::minus)
            return old - value<x.b>(c, at...);
        else if constexpr (s.reduce == reduction::add && x.op == expr_op::mul)
            return value<x.a>(c, at...) * value<x.b>(c, at...) + old;
        else if constexpr (s.reduce == reduction::add)
            return old + value<s.value>(c, at...);
        else if constexpr (s.reduce == reduction::max)
            return apply<K::set, length, expr_op::max>(old, value<s.value>(c, at...));
        else if constexpr (s.reduce == reduction::min)
            return apply<K::set, length, expr_op::min>(old, value<s.value>(c, at...));
        else
            return as<T>(value<s.value>(c, at...));
    }

    template <class Target, class... At>
    HONE_INLINE static void execute(float c, Target target, At... at)
    {
        constexpr bool reduces = s.reduce != reduction::none;
        constexpr std::int64_t distance = stride(s.target);
        if constexpr (in_registers(s.target)) {
            *target = updated(c, *target, target, at...);
        } else if constexpr (V < 0 || length == 1) {
            *target = updated(c, reduces ? *target : 0.0f, target, at...);
        } else {
            static_assert(distance != 0,
                          "hone::lower: a vector is stored to one element; vectorize an axis of the output");
            vector old{};
            if constexpr (reduces && distance == 1)
                old = lanes_of<K>::template load_first<L>(target);
            else if constexpr (reduces)
                old = lanes_of<K>::template gather<L>(target, distance);
            const vector v = updated(c, old, target, at...);
            if constexpr (distance != 1)
                lanes_of<K>::template scatter<L>(target, distance, v);
            else if constexpr (L == length)
                lanes_of<K>::store(target, v);
            else
                lanes_of<K>::template store_first<L>(target, v);
        }
    }
};

// Where the literal places of an access count from.
template <class K, int Access>
HONE_INLINE auto base(const environment<K>& e, vector_of<K>* r)
{
    if constexpr (K::nest.buffers[K::nest.accesses[Access].buffer].memory == memory::registers)
        return r;
    else
        return e.at[Access];
}

// --- instances that decide something at run time
// ----------------------------------------------------------------------

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

template <class K>
struct zeros {
    alignas(64) static constexpr float values[K::nest.vector_length]{};
};

template <class K, class B, int I, int Position>
HONE_INLINE auto place(const environment<K>& e, vector_of<K>* r)
{
    constexpr int a = access_list_of(K::nest, B::step_at(I).statement).of[Position];
    constexpr const access& x = K::nest.accesses[a];
    if constexpr (K::nest.buffers[x.buffer].memory == memory::registers) {
        return r + B::offset(I, Position);
    } else {
        float* p = e.at[a] + (B::offset(I, Position) + parameter_offset<K, B, I, x.index.first, x.index.count>(e));
        // The pointer is chosen, not the value: no branch, and nothing outside the tensor is read.
        if constexpr (x.conditions.count > 0)
            p = holds<K, B, I, x.conditions.first, x.conditions.count>(e, 0) ? p : const_cast<float*>(zeros<K>::values);
        return p;
    }
}

// Whether the conditions of a load differ from lane to lane, or its lanes are too far apart for the vector of zeros.
template <class K, class B, int I>
consteval bool loads_by_lane()
{
    const access_list l = access_list_of(K::nest, B::step_at(I).statement);
    for (int position = 1; position < l.count; ++position) {
        const access& a = K::nest.accesses[l.of[position]];
        if (a.conditions.count == 0 || B::at(I).vector_variable < 0) continue;
        if (facts<K>::coefficient(l.of[position], B::at(I).vector_variable) > 1) return true;
        for (int c = a.conditions.first; c < a.conditions.first + a.conditions.count; ++c)
            for (int k = K::nest.conditions[c].first; k < K::nest.conditions[c].first + K::nest.conditions[c].count;
                 ++k)
                if (K::nest.terms[k].variable == B::at(I).vector_variable) return true;
    }
    return false;
}

template <class K, class B, int I, int X>
HONE_INLINE float lane_expr(const environment<K>& e, const vector_of<K>* r, int lane)
{
    constexpr expr_node x = K::nest.exprs[X];
    if constexpr (x.op == expr_op::load) {
        constexpr const access& a = K::nest.accesses[x.ref];
        constexpr int position = access_list_of(K::nest, B::step_at(I).statement).position(x.ref);
        constexpr int v = B::at(I).vector_variable;
        if constexpr (K::nest.buffers[a.buffer].memory == memory::registers) {
            return r[B::offset(I, position)][lane];
        } else {
            const float* p =
                e.at[x.ref] + (B::offset(I, position) + parameter_offset<K, B, I, a.index.first, a.index.count>(e));
            const bool inside = holds<K, B, I, a.conditions.first, a.conditions.count>(e, lane);
            return inside ? p[lane * facts<K>::coefficient(x.ref, v)] : 0.0f;
        }
    } else if constexpr (x.op == expr_op::constant) {
        return x.value;
    } else if constexpr (x.op == expr_op::table) {
        return B::coefficient(I);
    } else if constexpr (arity(x.op) == 1) {
        return apply<K::set, 1, x.op>(lane_expr<K, B, I, x.a>(e, r, lane));
    } else {
        return apply<K::set, 1, x.op>(lane_expr<K, B, I, x.a>(e, r, lane), lane_expr<K, B, I, x.b>(e, r, lane));
    }
}
template <class K, class B, int I>
HONE_INLINE float lane_value(const environment<K>& e, const vector_of<K>* r, int lane, float old)
{
    constexpr const statement& s = K::nest.statements[B::step_at(I).statement];
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

// Lanes whose guards or loads differ: each is computed alone. Rare, so it need not be fast.
template <class K, class B, int I, int Holder>
HONE_INLINE void execute_by_lane(const environment<K>& e, vector_of<K>* r)
{
    constexpr const statement& s = K::nest.statements[B::step_at(I).statement];
    if constexpr (K::nest.buffers[K::nest.accesses[s.target].buffer].memory == memory::registers) {
        vector_of<K> v{};
        if constexpr (s.reduce != reduction::none || B::at(I).tests) v = r[B::offset(I, 0)];
        for (int lane = 0; lane < B::at(I).lanes; ++lane)
            if (guards_hold<K, B, I, B::at(I).leaf, Holder>(e, lane))
                v[lane] = lane_value<K, B, I>(e, r, lane, v[lane]);
        r[B::offset(I, 0)] = v;
    } else {
        constexpr std::int64_t distance = facts<K>::coefficient(s.target, B::at(I).vector_variable);
        for (int lane = 0; lane < B::at(I).lanes; ++lane) {
            if (!guards_hold<K, B, I, B::at(I).leaf, Holder>(e, lane)) continue;
            float& target = place<K, B, I, 0>(e, r)[lane * distance];
            target = lane_value<K, B, I>(e, r, lane, target);
        }
    }
}

template <class K, class B, int I, int Holder>
HONE_INLINE void execute_instance(const environment<K>& e, vector_of<K>* r)
{
    constexpr step s = B::step_at(I);
    if constexpr (B::at(I).tests_lane || (K::nest.vector_length > 1 && loads_by_lane<K, B, I>())) {
        execute_by_lane<K, B, I, Holder>(e, r);
    } else {
        if constexpr (B::at(I).tests)
            if (!guards_hold<K, B, I, B::at(I).leaf, Holder>(e, 0)) return;
        [&]<int... P>(std::integer_sequence<int, P...>) HONE_INLINE_LAMBDA {
            form<K, s.statement, s.vector_variable, s.lanes, s.factor, s.fresh>::execute(s.coefficient,
                                                                                         place<K, B, I, P>(e, r)...);
        }(std::make_integer_sequence<int, access_list_of(K::nest, s.statement).count>{});
    }
}

template <class K, class B, int I, int... P>
HONE_INLINE void execute_plain_step(const environment<K>& e, vector_of<K>* r, std::integer_sequence<int, P...>)
{
    constexpr step s = B::step_at(I);
    using f = form<K, s.statement, s.vector_variable, s.lanes, s.factor, s.fresh>;
    f::execute(s.coefficient, (base<K, f::accesses.of[P]>(e, r) + B::offset(I, P))...);
}
// Plain steps with many operands, as some epilogues have them.
template <class K, class B, int First, int... I>
HONE_INLINE void execute_plain(std::integer_sequence<int, I...>, const environment<K>& e, vector_of<K>* r)
{
    (execute_plain_step<K, B, First + I>(
         e, r, std::make_integer_sequence<int, access_list_of(K::nest, B::step_at(First).statement).count>{}),
     ...);
}

// A run of one form, written out: the bases of its accesses and what is literal in each step. Neither a lambda nor an
// index stands between a step and its place, for compilers would take each of them away again, step by step.
template <class F, class B, int First, int... I, class P0>
HONE_PIECE void write_out(std::integer_sequence<int, I...>, P0 p0)
{
    (F::execute(B::coefficient(First + I), p0 + B::offset(First + I, 0)), ...);
}
template <class F, class B, int First, int... I, class P0, class P1>
HONE_PIECE void write_out(std::integer_sequence<int, I...>, P0 p0, P1 p1)
{
    (F::execute(B::coefficient(First + I), p0 + B::offset(First + I, 0), p1 + B::offset(First + I, 1)), ...);
}
template <class F, class B, int First, int... I, class P0, class P1, class P2>
HONE_PIECE void write_out(std::integer_sequence<int, I...>, P0 p0, P1 p1, P2 p2)
{
    (F::execute(B::coefficient(First + I), p0 + B::offset(First + I, 0), p1 + B::offset(First + I, 1),
                p2 + B::offset(First + I, 2)),
     ...);
}
template <class F, class B, int First, int... I, class P0, class P1, class P2, class P3>
HONE_PIECE void write_out(std::integer_sequence<int, I...>, P0 p0, P1 p1, P2 p2, P3 p3)
{
    (F::execute(B::coefficient(First + I), p0 + B::offset(First + I, 0), p1 + B::offset(First + I, 1),
                p2 + B::offset(First + I, 2), p3 + B::offset(First + I, 3)),
     ...);
}

template <class K, class B, int R, int Holder>
HONE_PIECE void execute_run(const environment<K>& e, vector_of<K>* r)
{
    constexpr int first = B::tables.runs[R].first;
    constexpr step s = B::step_at(first);
    if constexpr (!s.plain) {
        execute_instance<K, B, first, Holder>(e, r);
    } else {
        using f = form<K, s.statement, s.vector_variable, s.lanes, s.factor, s.fresh>;
        constexpr access_list l = f::accesses;
        using steps = std::make_integer_sequence<int, B::tables.runs[R].count>;
        if constexpr (l.count == 1)
            write_out<f, B, first>(steps{}, base<K, l.of[0]>(e, r));
        else if constexpr (l.count == 2)
            write_out<f, B, first>(steps{}, base<K, l.of[0]>(e, r), base<K, l.of[1]>(e, r));
        else if constexpr (l.count == 3)
            write_out<f, B, first>(steps{}, base<K, l.of[0]>(e, r), base<K, l.of[1]>(e, r), base<K, l.of[2]>(e, r));
        else if constexpr (l.count == 4)
            write_out<f, B, first>(steps{}, base<K, l.of[0]>(e, r), base<K, l.of[1]>(e, r), base<K, l.of[2]>(e, r),
                                   base<K, l.of[3]>(e, r));
        else
            execute_plain<K, B, first>(steps{}, e, r);
    }
}

template <class K, class B, int First, int Holder, int... R>
HONE_PIECE void execute_runs(std::integer_sequence<int, R...>, const environment<K>& e, vector_of<K>* r)
{
    (execute_run<K, B, First + R, Holder>(e, r), ...);
}
template <class K, class B, int First, int Count, int Holder>
HONE_PIECE void execute_band(const environment<K>& e, vector_of<K>* r)
{
    if constexpr (Count == 1) {
        execute_run<K, B, First, Holder>(e, r);
    } else if constexpr (Count > max_fold) {
        execute_band<K, B, First, max_fold, Holder>(e, r);
        execute_band<K, B, First + max_fold, Count - max_fold, Holder>(e, r);
    } else if constexpr (Count > 0) {
        execute_runs<K, B, First, Holder>(std::make_integer_sequence<int, Count>{}, e, r);
    }
}

// --- nodes ----------------------------------------------------------------------------------------------------------

// A node and its later siblings; bands that follow one another are one.
template <class K>
struct sibling_list {
    std::int16_t of[at_least_one(K::nest.nodes.size())]{};
    int count = 0;
};
template <class K>
consteval sibling_list<K> siblings_of(int first)
{
    sibling_list<K> l;
    for (int c = first; c >= 0; c = is_band(K::nest, c) ? end_of_bands(K::nest, c) : K::nest.nodes[c].next)
        l.of[l.count++] = static_cast<std::int16_t>(c);
    return l;
}

template <class K, int Node, class Executor>
HONE_PIECE void execute_node(const environment<K>& e, vector_of<K>* r, Executor& executor);

template <class K, int First, class Executor, int... C>
HONE_PIECE void execute_each(std::integer_sequence<int, C...>, const environment<K>& e, vector_of<K>* r,
                             Executor& executor)
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
        execute_each<K, First>(std::make_integer_sequence<int, count>{}, e, r, executor);
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
        return []<int... I>(std::integer_sequence<int, I...>) {
            return std::integer_sequence<int, inputs.accesses[I]...>{};
        }(std::make_integer_sequence<int, inputs.access_count>{});
    }
    static constexpr auto variables()
    {
        return []<int... I>(std::integer_sequence<int, I...>) {
            return std::integer_sequence<int, inputs.variables[I]...>{};
        }(std::make_integer_sequence<int, inputs.variable_count>{});
    }
};

// A register tile with a loop is a function of its own: what stands around it would be optimized with it again and
// again. (One without, as transforms of Winograd are, is over in fewer cycles than the call takes.) It takes the
// pointers and variables that it reads, each as an argument, for an environment behind a reference is memory.
template <class K, int Node, class Executor, class Accesses, class Variables>
struct tile;
template <class K, int Node, class Executor, int... A, int... V>
struct tile<K, Node, Executor, std::integer_sequence<int, A...>, std::integer_sequence<int, V...>> {
    template <int>
    using pointer = float*;
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
    if constexpr (std::is_same_v<Executor, serial_executor> || std::is_same_v<Executor, in_chunk>)
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
        execute_band<K, b, 0, b::tables.run_count, x.parent>(e, r);
    } else if constexpr (x.kind == node_kind::tile) {
        if constexpr (repeats(K::nest, x.child)) {
            tile_at<K, Node, Executor>::call(e, executor);
        } else {
            vector_of<K> registers[at_least_one(static_cast<std::size_t>(K::nest.registers))];
            execute<K, x.child>(e, registers, executor);
        }
    } else if constexpr (x.kind == node_kind::guard) {
        if (holds<K, no_band, 0, x.conditions.first, x.conditions.count>(e, 0)) execute<K, x.child>(e, r, executor);
    } else if constexpr (x.kind == node_kind::loop && x.bind == binding::parallel) {
        execute_region<K, Node>(e, executor);
    } else {
        static_assert(x.kind == node_kind::loop, "hone::cpu: barriers belong to Vulkan nests; lower for a CPU target");
        environment<K> inner = e;
        const std::int64_t first = lower_value<K, Node>(e);
        const std::int64_t last = upper_value<K, Node>(e);
        advance<K, Node>(inner, first);
        for (std::int64_t i = first; i < last; ++i) {
            inner.variables[x.variable] = i;
            execute<K, x.child>(inner, r, executor);
            advance<K, Node>(inner, 1);
        }
    }
}

// Runs the whole nest. arguments: one pointer per argument buffer, by position. Workspace: workspace_bytes(slots).
template <class K, class Executor>
HONE_FLATTEN void run(Executor& executor, float* const* arguments, const std::int64_t* parameters, void* workspace)
{
    environment<K> e{};
    e.parameters = parameters;
    // Vectors that cross cache lines halve the speed of what stays in the workspace; the caller's alignment is its own.
    const auto address = reinterpret_cast<std::uintptr_t>(workspace);
    e.workspace = static_cast<char*>(workspace) + (cache_line - address % cache_line) % cache_line;
    [&]<int... A>(std::integer_sequence<int, A...>) HONE_INLINE_LAMBDA {
        (
            [&]() HONE_INLINE_LAMBDA {
                constexpr const buffer& b = K::nest.buffers[K::nest.accesses[A].buffer];
                if constexpr (b.memory == memory::argument) e.at[A] = arguments[b.position];
            }(),
            ...);
        point_at<K, memory::workspace>(e, 0);
        point_at<K, memory::slot>(e, 0);
    }(std::make_integer_sequence<int, static_cast<int>(K::nest.accesses.size())>{});
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
