// SPDX-License-Identifier: BSL-1.0
// Scalar expressions as values: the body of an operator and its epilogue are data, never callables, so that
// every reader of a nest (interpreter, both code generators, features) prints and prices the same thing.
#pragma once

#include <cstdint>

#include <hone/core/inline_vector.hpp>
#include <hone/ir/words.hpp>

#ifndef HONE_SHOW_WARNINGS // see core/config.hpp
#pragma GCC system_header
#endif

namespace hone::ir {

struct expr_node {
    expr_op op = expr_op::constant;
    std::int16_t a = -1;   // first operand: index of an earlier node
    std::int16_t b = -1;   // second operand
    std::int16_t c = -1;   // third operand
    std::int16_t ref = -1; // load: operand; table and position: table access
    float value = 0;

    friend constexpr bool operator==(const expr_node&, const expr_node&) = default;
};

// Nodes in topological order; the last one is the root.
struct expr {
    static constexpr std::size_t max_nodes = 32;
    inline_vector<expr_node, max_nodes> nodes{};

    constexpr expr() = default;
    constexpr expr(float value) { nodes.push_back({.op = expr_op::constant, .value = value}); }

    constexpr bool empty() const { return nodes.empty(); }
    constexpr int root() const { return static_cast<int>(nodes.size()) - 1; }

    static constexpr expr leaf(expr_op op, int ref)
    {
        expr e;
        e.nodes.push_back({.op = op, .ref = static_cast<std::int16_t>(ref)});
        return e;
    }
    static constexpr expr unary(expr_op op, const expr& x)
    {
        expr e = x;
        e.nodes.push_back({.op = op, .a = static_cast<std::int16_t>(x.root())});
        return e;
    }
    static constexpr expr binary(expr_op op, const expr& x, const expr& y)
    {
        expr e = x;
        const std::int16_t second = e.append(y);
        e.nodes.push_back({.op = op, .a = static_cast<std::int16_t>(x.root()), .b = second});
        return e;
    }
    static constexpr expr ternary(expr_op op, const expr& x, const expr& y, const expr& z)
    {
        expr e = x;
        const std::int16_t second = e.append(y), third = e.append(z);
        e.nodes.push_back({.op = op, .a = static_cast<std::int16_t>(x.root()), .b = second, .c = third});
        return e;
    }

    // This expression with every `accumulator` replaced by `inner`: epilogues compose by substitution.
    constexpr expr with_accumulator(const expr& inner) const
    {
        expr e = inner;
        std::int16_t at[max_nodes]{};
        for (std::size_t i = 0; i < nodes.size(); ++i) {
            expr_node n = nodes[i];
            if (n.op == expr_op::accumulator) {
                at[i] = static_cast<std::int16_t>(inner.root());
                continue;
            }
            if (n.a >= 0) n.a = at[n.a];
            if (n.b >= 0) n.b = at[n.b];
            if (n.c >= 0) n.c = at[n.c];
            at[i] = static_cast<std::int16_t>(e.nodes.push_back(n));
        }
        e.nodes.overflowed_ = e.nodes.overflowed_ || nodes.overflowed_;
        return e;
    }

    friend constexpr bool operator==(const expr&, const expr&) = default;

private:
    // The nodes of another expression behind those of this one: where its root stands.
    constexpr std::int16_t append(const expr& other)
    {
        const int base = static_cast<int>(nodes.size());
        for (expr_node n : other.nodes) {
            if (n.a >= 0) n.a = static_cast<std::int16_t>(n.a + base);
            if (n.b >= 0) n.b = static_cast<std::int16_t>(n.b + base);
            if (n.c >= 0) n.c = static_cast<std::int16_t>(n.c + base);
            nodes.push_back(n);
        }
        return static_cast<std::int16_t>(other.empty() ? -1 : base + other.root());
    }
};

// The words to write expressions with.
namespace ex {
constexpr expr acc() { return expr::leaf(expr_op::accumulator, -1); }
constexpr expr load(int operand) { return expr::leaf(expr_op::load, operand); }
constexpr expr table(int table_access) { return expr::leaf(expr_op::table, table_access); }
constexpr expr position(int table_access) { return expr::leaf(expr_op::position, table_access); }
constexpr expr min(const expr& a, const expr& b) { return expr::binary(expr_op::min, a, b); }
constexpr expr max(const expr& a, const expr& b) { return expr::binary(expr_op::max, a, b); }
constexpr expr abs(const expr& a) { return expr::unary(expr_op::abs, a); }
constexpr expr sqrt(const expr& a) { return expr::unary(expr_op::sqrt, a); }
constexpr expr exp(const expr& a) { return expr::unary(expr_op::exp, a); }
constexpr expr log(const expr& a) { return expr::unary(expr_op::log, a); }
constexpr expr tanh(const expr& a) { return expr::unary(expr_op::tanh, a); }
constexpr expr erf(const expr& a) { return expr::unary(expr_op::erf, a); }
constexpr expr round(const expr& a) { return expr::unary(expr_op::round, a); }
constexpr expr floor(const expr& a) { return expr::unary(expr_op::floor, a); }
// 1 where the comparison holds, else 0.
constexpr expr less(const expr& a, const expr& b) { return expr::binary(expr_op::less, a, b); }
constexpr expr less_or_equal(const expr& a, const expr& b) { return expr::binary(expr_op::less_or_equal, a, b); }
constexpr expr equal(const expr& a, const expr& b) { return expr::binary(expr_op::equal, a, b); }
// `yes` where c is not 0, else `no`.
constexpr expr select(const expr& c, const expr& yes, const expr& no)
{
    return expr::ternary(expr_op::select, c, yes, no);
}
} // namespace ex

constexpr expr operator+(const expr& a, const expr& b) { return expr::binary(expr_op::add, a, b); }
constexpr expr operator-(const expr& a, const expr& b) { return expr::binary(expr_op::sub, a, b); }
constexpr expr operator*(const expr& a, const expr& b) { return expr::binary(expr_op::mul, a, b); }
constexpr expr operator/(const expr& a, const expr& b) { return expr::binary(expr_op::div, a, b); }
constexpr expr operator-(const expr& a) { return expr::unary(expr_op::neg, a); }

} // namespace hone::ir

namespace hone { // API
using ir::expr;
namespace ex = ir::ex;
} // namespace hone
