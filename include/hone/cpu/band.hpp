// SPDX-License-Identifier: BSL-1.0
// Bands: subtrees of unrolled and vector loops, guards and leaves, flattened to a table of steps in the order in which
// they are written out. A step says all that is literal about one leaf: offsets, register numbers, coefficients.
#pragma once

#include <cstddef>
#include <cstdint>

#include <hone/core/traits.hpp>
#include <hone/cpu/environment.hpp>
#include <hone/cpu/lanes.hpp>
#include <hone/ir/nest.hpp>
#include <hone/ir/visit.hpp>

#ifndef HONE_SHOW_WARNINGS // see core/config.hpp
#pragma GCC system_header
#endif

namespace hone::codegen::cpu {

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
    // What guards loops is asked once.
    for (int c = x.child; c >= 0; c = n.nodes[c].next)
        if (!is_band(n, c) || (x.kind == node_kind::guard && n.nodes[c].kind == node_kind::loop)) return false;
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
    std::int16_t first_lane = 0;       // lanes in which it runs, where they are known: from this one
    std::int16_t lanes = 1;            // to before this one
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

// Whether a condition holds at an instance; `where` receives the lanes where it does.
struct lane_range {
    std::int64_t first = 0, end = 0;
};
template <class Nest>
constexpr truth decide(const Nest& n, const interval* variables, const affine& condition, const instance& i,
                       lane_range& where)
{
    std::int64_t lane = 0;
    interval rest{condition.constant, condition.constant};
    for (int k = condition.first; k < condition.first + condition.count; ++k) {
        const affine_term& t = n.terms[k];
        if (t.variable >= 0 && t.variable == i.vector_variable && t.parameter < 0) {
            lane = t.coefficient;
        } else if (t.variable >= 0 && i.is_open(t.variable)) {
            const std::int64_t times = t.coefficient * i.value_of(t.variable);
            const interval p = t.parameter < 0
                                   ? interval{1, 1}
                                   : interval{n.parameters[t.parameter].least, n.parameters[t.parameter].most};
            rest.least += times * (times < 0 ? p.most : p.least);
            rest.most += times * (times < 0 ? p.least : p.most);
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
    if (!rest.constant()) return truth::unknown_lane;
    where = lane > 0 ? lane_range{ceil_div(-rest.least, lane), n.vector_length} : lane_range{0, rest.least / -lane + 1};
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
            const std::int16_t first_lane = here.first_lane;
            const std::int16_t lanes = here.lanes;
            const bool tests = here.tests;
            const bool tests_lane = here.tests_lane;
            if (pass_guard(x)) walk_children(x);
            here.first_lane = first_lane;
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
            lane_range where;
            switch (decide(n, variables, n.conditions[x.conditions.first + k], here, where)) {
            case truth::no: return false;
            case truth::yes: break;
            case truth::lanes:
                if (where.first > here.first_lane) here.first_lane = static_cast<std::int16_t>(where.first);
                if (where.end < here.lanes) here.lanes = static_cast<std::int16_t>(where.end);
                if (here.first_lane >= here.lanes) return false;
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
        const ir::statement& s = n.statements[statement];
        if (s.reduce != reduction::add) return false;
        const expr_node& x = n.exprs[s.value];
        return x.op == expr_op::mul &&
               (table_value(n, variables, x.a, i) == 0 || table_value(n, variables, x.b, i) == 0);
    }
};

// How a product with a constant table entry is added.
enum class factor : std::uint8_t { general, plus, minus, table };

// What is literal about one instance: offsets of its accesses in elements, or register numbers.
struct step {
    std::int16_t statement = -1, vector_variable = -1, first_lane = 0, lanes = 1;
    bool plain = true;          // nothing about it is decided at run time
    bool fresh = false;         // the first term of a sum: it needs no zero to be added to
    bool tested = false;        // a guard is known at run time only
    std::int16_t instance = -1; // where not plain: its number among the instances of the band
    cpu::factor factor = cpu::factor::general;
    std::int8_t lane_of = 0; // the access that is a lane of a vector in memory; 0: none
    std::int8_t lane = 0;
    std::int8_t lane_steps = 0; // of as many neighbouring steps, whose lanes share elements
    float coefficient = 0;
    std::int64_t at[max_step_accesses]{};

    constexpr bool same_form(const step& o) const
    {
        return statement == o.statement && vector_variable == o.vector_variable && first_lane == o.first_lane &&
               lanes == o.lanes && factor == o.factor && plain == o.plain && fresh == o.fresh;
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
    using nest_type = plain_t<decltype(K::nest)>;
    static constexpr auto variables = intervals_around(K::nest, Node);

    // What all instances of a leaf share: a step to start from, and how its places move with the band's variables.
    struct leaf_plan {
        std::int16_t leaf = -1;
        bool has_table = false;
        std::int8_t accesses = 0;
        step base{};
        bool in_registers[max_step_accesses]{};
        std::int64_t coefficients[max_step_accesses][max_band_depth]{};
        int lane_slot = -1; // the band's variable that counts the lanes of base.lane_of
        interval lane_values{};
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
        const ir::statement& st = n.statements[p.base.statement];
        if (reads_position(n, p.base.statement)) p.base.plain = false;
        p.has_table = st.reduce == reduction::add && n.exprs[st.value].op == expr_op::mul &&
                      n.exprs[n.exprs[st.value].a].op == expr_op::table;
        find_lane<K>(p, l, i);
        return p;
    }
    static constexpr step step_of(const leaf_plan& p, const instance& i)
    {
        step s = p.base;
        s.vector_variable = i.vector_variable;
        s.first_lane = i.first_lane;
        s.lanes = i.lanes;
        s.plain = s.plain && !i.tests;
        s.tested = i.tests;
        for (int a = 0; a < p.accesses; ++a)
            for (int k = 0; k < i.depth; ++k) s.at[a] += p.coefficients[a][k] * i.value[k];
        if (p.lane_slot >= 0) set_lane<K>(s, p, i.value[p.lane_slot]);
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

    // The place of an access of the step, counted from where it is in the loops around: a pointer, or a lane.
    template <int I, int Position, class Base>
    HONE_INLINE static auto place_from(Base p)
    {
        constexpr const step& s = step_at(I);
        constexpr int lane = Position != 0 && s.lane_of == Position ? s.lane : -1;
        return lane_at<lane, s.lane_steps>(p + offset(I, Position));
    }
};

} // namespace hone::codegen::cpu
