// SPDX-License-Identifier: BSL-1.0
// What each word of the expression language makes of numbers: for the interpreter, and for what code generation
// computes itself. Vectors have codegen/simd.hpp, bounds tune/exact_stage.hpp.
#pragma once

#include <cmath>

#include <hone/ir/expr.hpp>

#ifndef HONE_SHOW_WARNINGS // see core/config.hpp
#pragma GCC system_header
#endif

namespace hone {

// Of words that take operands; unary ones leave b alone.
inline float value_of(expr_op op, float a, float b = 0)
{
    switch (op) {
    case expr_op::neg: return -a;
    case expr_op::abs: return std::fabs(a);
    case expr_op::sqrt: return std::sqrt(a);
    case expr_op::add: return a + b;
    case expr_op::sub: return a - b;
    case expr_op::mul: return a * b;
    case expr_op::div: return a / b;
    case expr_op::min: return a < b ? a : b;
    case expr_op::max: return a < b ? b : a;
    case expr_op::constant:
    case expr_op::load:
    case expr_op::accumulator:
    case expr_op::table: break;
    }
    return a;
}

} // namespace hone
