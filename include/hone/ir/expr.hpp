// SPDX-License-Identifier: BSL-1.0
// Scalar expressions as values: the body of an operator and its epilogue are data, never callables, so that
// every reader of a nest (interpreter, both code generators, features) prints and prices the same thing.
//
// Words are operations of IEEE 754 in the type of their operands, rounded to nearest, on each reader and with any flags
// of the engine (tests/ieee): neg flips and abs clears the sign, of zeros and NaN too; sqrt, add, sub, mul and div are
// rounded rightly; a NaN comes through all of them. min and max are the comparisons below, so that relu(NaN) is NaN.
// Three things are open: a product and the sum that it is added to may be rounded once; the sign of a sum of zeros; and
// on Vulkan the signs of NaN and zeros, what becomes of denormals, the last bits of div and sqrt (2.5 and 4.5 ulp), and
// quotients by more than 2^126.
#pragma once

#include <cstdint>

#include <hone/core/inline_vector.hpp>

#ifndef HONE_SHOW_WARNINGS // see core/config.hpp
#pragma GCC system_header
#endif

namespace hone {

enum class expr_op : std::uint8_t {
    constant,    // value
    load,        // operand `ref`
    accumulator, // the finished reduction, in epilogues
    table,       // constant table entry: table access `ref`
    neg,
    abs,
    sqrt,
    add,
    sub,
    mul,
    div,
    min, // a < b ? a : b: min(a, NaN) is NaN, and min(NaN, b) is b
    max, // a < b ? b : a: max(NaN, b) is NaN, and max(a, NaN) is a
};

// What each word is, in the order of the list above. Hashes of nests and epilogues are made of the numbers, by which
// records are known again: a word that is added, wherever it stands, takes a number that none has had.
struct expr_word {
    expr_op op;
    const char* name; // as nests are printed; of functions also GLSL's
    int arity;
    int number;
};
inline constexpr expr_word expr_words[] = {
    {expr_op::constant, "constant", 0, 0}, {expr_op::load, "load", 0, 1}, {expr_op::accumulator, "acc", 0, 2},
    {expr_op::table, "table", 0, 3},       {expr_op::neg, "neg", 1, 4},   {expr_op::abs, "abs", 1, 5},
    {expr_op::sqrt, "sqrt", 1, 6},         {expr_op::add, "add", 2, 7},   {expr_op::sub, "sub", 2, 8},
    {expr_op::mul, "mul", 2, 9},           {expr_op::div, "div", 2, 10},  {expr_op::min, "min", 2, 11},
    {expr_op::max, "max", 2, 12},
};

constexpr const expr_word& word_of(expr_op op) { return expr_words[static_cast<int>(op)]; }
constexpr int arity(expr_op op) { return word_of(op).arity; }
constexpr const char* name_of(expr_op op) { return word_of(op).name; }

struct expr_node {
    expr_op op = expr_op::constant;
    std::int16_t a = -1;   // first operand: index of an earlier node
    std::int16_t b = -1;   // second operand
    std::int16_t ref = -1; // load: operand; table: table access
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
        const int base = static_cast<int>(x.nodes.size());
        for (expr_node n : y.nodes) {
            if (n.a >= 0) n.a = static_cast<std::int16_t>(n.a + base);
            if (n.b >= 0) n.b = static_cast<std::int16_t>(n.b + base);
            e.nodes.push_back(n);
        }
        const int second = y.empty() ? -1 : base + y.root();
        e.nodes.push_back({.op = op, .a = static_cast<std::int16_t>(x.root()), .b = static_cast<std::int16_t>(second)});
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
            at[i] = static_cast<std::int16_t>(e.nodes.push_back(n));
        }
        e.nodes.overflowed_ = e.nodes.overflowed_ || nodes.overflowed_;
        return e;
    }

    friend constexpr bool operator==(const expr&, const expr&) = default;
};

// The words to write expressions with.
namespace ex {
constexpr expr acc() { return expr::leaf(expr_op::accumulator, -1); }
constexpr expr load(int operand) { return expr::leaf(expr_op::load, operand); }
constexpr expr table(int table_access) { return expr::leaf(expr_op::table, table_access); }
constexpr expr min(const expr& a, const expr& b) { return expr::binary(expr_op::min, a, b); }
constexpr expr max(const expr& a, const expr& b) { return expr::binary(expr_op::max, a, b); }
constexpr expr abs(const expr& a) { return expr::unary(expr_op::abs, a); }
constexpr expr sqrt(const expr& a) { return expr::unary(expr_op::sqrt, a); }
} // namespace ex

constexpr expr operator+(const expr& a, const expr& b) { return expr::binary(expr_op::add, a, b); }
constexpr expr operator-(const expr& a, const expr& b) { return expr::binary(expr_op::sub, a, b); }
constexpr expr operator*(const expr& a, const expr& b) { return expr::binary(expr_op::mul, a, b); }
constexpr expr operator/(const expr& a, const expr& b) { return expr::binary(expr_op::div, a, b); }
constexpr expr operator-(const expr& a) { return expr::unary(expr_op::neg, a); }

} // namespace hone
