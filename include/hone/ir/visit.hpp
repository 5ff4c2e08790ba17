// SPDX-License-Identifier: BSL-1.0
// Ways through a nest: values of affine forms, intervals of variables, children, subtrees.
// All of it is constexpr and works on any nest size.
#pragma once

#include <cstdint>

#include <hone/ir/nest.hpp>

#ifndef HONE_SHOW_WARNINGS // see core/config.hpp
#pragma GCC system_header
#endif

namespace hone::ir {

// Floor and ceiling of a / b for b > 0.
constexpr std::int64_t floor_div(std::int64_t a, std::int64_t b) { return a >= 0 ? a / b : -((-a + b - 1) / b); }
constexpr std::int64_t ceil_div(std::int64_t a, std::int64_t b) { return floor_div(a + b - 1, b); }
// As std::gcd; <numeric> would be half of what an engine preprocesses.
constexpr std::int64_t greatest_common_divisor(std::int64_t a, std::int64_t b)
{
    while (b != 0) {
        const std::int64_t rest = a % b;
        a = b;
        b = rest;
    }
    return a;
}

// Value of an affine form for values of the variables and parameters.
template <class Nest>
constexpr std::int64_t value_of(const Nest& n, const affine& a, const std::int64_t* variables,
                                const std::int64_t* parameters)
{
    std::int64_t value = a.constant;
    for (int i = a.first; i < a.first + a.count; ++i) {
        const affine_term& t = n.terms[i];
        value += t.coefficient * (t.variable < 0 ? 1 : floor_div(variables[t.variable], t.divisor)) *
                 (t.parameter < 0 ? 1 : parameters[t.parameter]);
    }
    return value;
}

// Inclusive range of an integer.
struct interval {
    std::int64_t least = 0, most = 0;
    constexpr bool constant() const { return least == most; }
    friend constexpr bool operator==(const interval&, const interval&) = default;
};

// What a term multiplies: its variable, divided; 1 without one.
constexpr interval divided(const affine_term& t, const interval* variables)
{
    if (t.variable < 0) return {1, 1};
    const interval v = variables[t.variable];
    return t.divisor == 1 ? v : interval{floor_div(v.least, t.divisor), floor_div(v.most, t.divisor)};
}

// Interval of an affine form for intervals of the variables; parameters range over their declared bounds.
template <class Nest>
constexpr interval interval_of(const Nest& n, const affine& a, const interval* variables)
{
    interval r{a.constant, a.constant};
    for (int i = a.first; i < a.first + a.count; ++i) {
        const affine_term& t = n.terms[i];
        const interval v = divided(t, variables);
        const interval p = t.parameter < 0 ? interval{1, 1}
                                           : interval{n.parameters[t.parameter].least, n.parameters[t.parameter].most};
        const std::int64_t corner[4] = {v.least * p.least, v.least * p.most, v.most * p.least, v.most * p.most};
        interval product{corner[0], corner[0]};
        for (std::int64_t c : corner) {
            if (c < product.least) product.least = c;
            if (c > product.most) product.most = c;
        }
        r.least += t.coefficient * (t.coefficient > 0 ? product.least : product.most);
        r.most += t.coefficient * (t.coefficient > 0 ? product.most : product.least);
    }
    return r;
}

// The values that a loop's variable can take, for intervals of the outer variables. Empty loops give most < least.
template <class Nest>
constexpr interval interval_of(const Nest& n, const node& loop, const interval* variables)
{
    interval r{};
    for (int i = 0; i < loop.lower.count; ++i) {
        const bound& b = n.bounds[loop.lower.first + i];
        const std::int64_t v = floor_div(interval_of(n, b.value, variables).least, b.divisor);
        if (i == 0 || v > r.least) r.least = v;
    }
    for (int i = 0; i < loop.upper.count; ++i) {
        const bound& b = n.bounds[loop.upper.first + i];
        const std::int64_t v = floor_div(interval_of(n, b.value, variables).most, b.divisor) - 1;
        if (i == 0 || v < r.most) r.most = v;
    }
    return r;
}

// Whether the loop runs the same values whatever the outer variables and parameters.
template <class Nest>
constexpr bool has_constant_bounds(const Nest& n, const node& loop)
{
    for (int i = 0; i < loop.lower.count; ++i)
        if (n.bounds[loop.lower.first + i].value.count != 0) return false;
    for (int i = 0; i < loop.upper.count; ++i)
        if (n.bounds[loop.upper.first + i].value.count != 0) return false;
    return true;
}

// How often a loop runs at most that is from floor(v / d) to below floor((v + m) / d): once for one value that is a
// quotient, where m is d, and twice where v is of a call and m below 2 d. 0: it is no such loop.
template <class Nest>
constexpr std::int64_t runs_for_quotient(const Nest& n, const node& loop)
{
    for (int l = loop.lower.first; l < loop.lower.first + loop.lower.count; ++l)
        for (int u = loop.upper.first; u < loop.upper.first + loop.upper.count; ++u) {
            const bound &lower = n.bounds[l], &upper = n.bounds[u];
            const std::int64_t past = upper.value.constant - lower.value.constant;
            bool is_same = lower.divisor > 1 && lower.divisor == upper.divisor && lower.value.count > 0 &&
                           lower.value.count == upper.value.count && past >= lower.divisor &&
                           past <= lower.divisor * (n.terms[lower.value.first].parameter < 0 ? 1 : 2);
            for (int i = 0; i < lower.value.count && is_same; ++i)
                is_same = n.terms[lower.value.first + i] == n.terms[upper.value.first + i];
            if (is_same) return ceil_div(past, lower.divisor);
        }
    return 0;
}

// Number of iterations of a loop with constant bounds.
template <class Nest>
constexpr std::int64_t extent_of(const Nest& n, const node& loop)
{
    const interval i = interval_of(n, loop, nullptr);
    return i.most < i.least ? 0 : i.most - i.least + 1;
}

// Intervals of all variables that are open at `at`, from its ancestors; others are left as they are.
template <class Nest>
constexpr void open_intervals(const Nest& n, int at, interval* variables)
{
    if (at < 0) return;
    open_intervals(n, n.nodes[at].parent, variables);
    if (n.nodes[at].kind == node_kind::loop) variables[n.nodes[at].variable] = interval_of(n, n.nodes[at], variables);
}

template <class Nest>
constexpr bool contains(const Nest& n, int at, node_kind kind)
{
    for (int c = n.nodes[at].child; c >= 0; c = n.nodes[c].next)
        if (n.nodes[c].kind == kind || contains(n, c, kind)) return true;
    return false;
}

// Calls f(its ref) for each load, or other word, of an expression.
template <class Nest, class F>
constexpr void for_each_load(const Nest& n, int expr_root, F&& f, expr_op word = expr_op::load)
{
    const expr_node& e = n.exprs[expr_root];
    if (e.op == word) f(static_cast<int>(e.ref));
    if (e.a >= 0) for_each_load(n, e.a, f, word);
    if (e.b >= 0) for_each_load(n, e.b, f, word);
    if (e.c >= 0) for_each_load(n, e.c, f, word);
}

// Whether a guard is followed by that of the opposite condition: one of them runs.
template <class Nest>
constexpr bool has_opposite(const Nest& n, int at)
{
    const node& x = n.nodes[at];
    if (x.kind != node_kind::guard || x.next < 0 || n.nodes[x.next].kind != node_kind::guard) return false;
    const range &own = x.conditions, &other = n.nodes[x.next].conditions;
    if (own.count != 1 || other.count != 1) return false;
    const affine &a = n.conditions[own.first], &b = n.conditions[other.first];
    bool is_opposite = a.count == b.count && b.constant == -a.constant - 1;
    for (int i = 0; i < a.count && is_opposite; ++i) {
        affine_term negated = n.terms[b.first + i];
        negated.coefficient = -negated.coefficient;
        is_opposite = n.terms[a.first + i] == negated;
    }
    return is_opposite;
}

} // namespace hone::ir

namespace hone { // API
using ir::ceil_div;
} // namespace hone
