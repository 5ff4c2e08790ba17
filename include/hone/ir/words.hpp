// SPDX-License-Identifier: BSL-1.0
// The words of the expression language, one row each: name, number, meaning, shader, accuracy and cost. All readers of
// a nest ask this table; what no shader and no vector has as an operation is written once in lower/functions.hpp.
//
// Words are operations of IEEE 754 in the type of their operands, rounded to nearest, on each reader and with any flags
// of the engine (tests/ieee): neg flips and abs clears the sign, of zeros and NaN too; sqrt, add, sub, mul and div are
// rounded rightly, round and floor are exact; a NaN comes through all of them. min, max, select and the comparisons are
// what they say below, so that relu(NaN) is NaN. exp, log, tanh and erf are as near as their rows say, the same for
// all vector lengths of one instruction set, and have the limits, the signed zeros and the NaN of the C library: log(0)
// is -infinity, log(-1) is NaN.
// Three things are open: a product and the sum that it is added to may be rounded once; the sign of a sum of zeros; and
// on Vulkan the signs of NaN and zeros, what becomes of denormals, the last bits of div and sqrt, and quotients by more
// than 2^126.
#pragma once

#include <cstdint>

#ifndef HONE_SHOW_WARNINGS // see core/config.hpp
#pragma GCC system_header
#endif

namespace hone::ir {

enum class expr_op : std::uint8_t {
    constant,    // value
    load,        // operand `ref`
    accumulator, // the finished reduction, in epilogues
    table,       // constant table entry: table access `ref`
    position,    // the index of table access `ref` itself: where a stage stands
    neg,
    abs,
    sqrt,
    add,
    sub,
    mul,
    div,
    min, // a < b ? a : b: min(a, NaN) is NaN, and min(NaN, b) is b
    max, // a < b ? b : a: max(NaN, b) is NaN, and max(a, NaN) is a
    exp,
    log,
    tanh,
    erf,
    round,         // to the nearest whole number, of two the even one
    floor,         // to the next whole number below
    less,          // a < b ? 1 : 0: 0 where one is NaN, as the next two
    less_or_equal, // a <= b ? 1 : 0
    equal,         // a == b ? 1 : 0
    select,        // a != 0 ? b : c: b where a is NaN
};

struct expr_word {
    expr_op op;
    const char* name; // as nests are printed
    int arity;
    // Hashes of nests and epilogues are made of it, by which records are known again: a word that is added, wherever it
    // stands, takes a number that none has had.
    int number;
    // What it is of exact operands. Rounded to float it is the word of floats, for a double holds more than twice their
    // digits.
    double (*value)(double a, double b, double c) = nullptr;
    // In GLSL, of operands a and b; none: a function of its own, `name_of`.
    const char* glsl = nullptr;
    // How far a result may lie from the exact one, in distances between the floats there: on a processor, and on a
    // device (Vulkan, "Precision and Operation of SPIR-V Instructions": 2.5 of a quotient, 4.5 of a root, rounded up).
    double ulp = 0;
    double device_ulp = 0;
    // As many operations like an addition.
    int cost = 1;
};

// In the order of the list above.
inline constexpr expr_word expr_words[] = {
    {expr_op::constant, "constant", 0, 0},
    {expr_op::load, "load", 0, 1},
    {expr_op::accumulator, "acc", 0, 2},
    {expr_op::table, "table", 0, 3},
    {expr_op::position, "position", 0, 22},
    {expr_op::neg, "neg", 1, 4, [](double a, double, double) { return -a; }, "(-a)"},
    {expr_op::abs, "abs", 1, 5, [](double a, double, double) { return __builtin_fabs(a); }, "abs(a)"},
    {expr_op::sqrt, "sqrt", 1, 6, [](double a, double, double) { return __builtin_sqrt(a); }, "sqrt(a)", 0.5, 5},
    {expr_op::add, "add", 2, 7, [](double a, double b, double) { return a + b; }, "(a + b)", 0.5, 0.5},
    {expr_op::sub, "sub", 2, 8, [](double a, double b, double) { return a - b; }, "(a - b)", 0.5, 0.5},
    {expr_op::mul, "mul", 2, 9, [](double a, double b, double) { return a * b; }, "(a * b)", 0.5, 0.5},
    {expr_op::div, "div", 2, 10, [](double a, double b, double) { return a / b; }, "(a / b)", 0.5, 3},
    {expr_op::min, "min", 2, 11, [](double a, double b, double) { return a < b ? a : b; }},
    {expr_op::max, "max", 2, 12, [](double a, double b, double) { return a < b ? b : a; }},
    {expr_op::exp, "exp", 1, 13, [](double a, double, double) { return __builtin_exp(a); }, nullptr, 2, 2, 22},
    {expr_op::log, "log", 1, 23, [](double a, double, double) { return __builtin_log(a); }, nullptr, 1, 2, 31},
    {expr_op::tanh, "tanh", 1, 14, [](double a, double, double) { return __builtin_tanh(a); }, nullptr, 3, 6, 25},
    {expr_op::erf, "erf", 1, 15, [](double a, double, double) { return __builtin_erf(a); }, nullptr, 2, 2, 40},
    {expr_op::round, "round", 1, 16, [](double a, double, double) { return __builtin_nearbyint(a); }, "roundEven(a)", 0,
     0, 6},
    {expr_op::floor, "floor", 1, 17, [](double a, double, double) { return __builtin_floor(a); }, "floor(a)", 0, 0, 9},
    {expr_op::less, "less", 2, 18, [](double a, double b, double) { return a < b ? 1.0 : 0.0; }},
    {expr_op::less_or_equal, "less_or_equal", 2, 19, [](double a, double b, double) { return a <= b ? 1.0 : 0.0; }},
    {expr_op::equal, "equal", 2, 20, [](double a, double b, double) { return a == b ? 1.0 : 0.0; }},
    {expr_op::select, "select", 3, 21, [](double a, double b, double c) { return a != 0 ? b : c; }},
};

constexpr const expr_word& word_of(expr_op op) { return expr_words[static_cast<int>(op)]; }
constexpr int arity(expr_op op) { return word_of(op).arity; }
constexpr const char* name_of(expr_op op) { return word_of(op).name; }
// Those that polynomials stand for, fitted to one type of numbers (lower/functions.hpp).
constexpr bool is_approximate(expr_op op)
{
    return op == expr_op::exp || op == expr_op::log || op == expr_op::tanh || op == expr_op::erf;
}

// What a word that takes operands makes of floats: for the interpreter, and for what code generation computes itself.
inline float value_of(expr_op op, float a, float b = 0, float c = 0)
{
    return static_cast<float>(
        word_of(op).value(static_cast<double>(a), static_cast<double>(b), static_cast<double>(c)));
}

} // namespace hone::ir

namespace hone { // API
using ir::name_of;
} // namespace hone
