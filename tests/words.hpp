// SPDX-License-Identifier: BSL-1.0
// Each word of the expression language alone, as the epilogue of a small product, on every pair of special values:
// what code generators, interpreter and exact reference make of it is compared with libm.
#pragma once

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <iterator>
#include <limits>
#include <sstream>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

#include <hone/ir/expr.hpp>
#include <hone/op/epilogue.hpp>
#include <hone/op/gemm.hpp>

namespace hone::test {

using namespace ir;

// Puts the bias in the place of the sum, so that both operands of a word come from memory as they are.
struct instead {
    static constexpr const char* name = "instead";
    static constexpr role operand_role = role::bias;
    static constexpr expr apply(const expr&, const expr& b) { return b; }
};
inline constexpr float third_operand = 0.25f;
template <expr_op Op>
struct word {
    static constexpr const char* name = name_of(Op);
    static constexpr role operand_role = role::residual;
    static constexpr expr apply(const expr& a, const expr& b)
    {
        return arity(Op) == 1   ? expr::unary(Op, a)
               : arity(Op) == 2 ? expr::binary(Op, a, b)
                                : expr::ternary(Op, a, b, third_operand);
    }
};

inline constexpr float special_values[] = {
    0.0f,
    -0.0f,
    1.0f,
    -1.0f,
    6.0f,
    -2.75f,
    0.3f,
    -0.5f,
    0.49999997f,
    1.5f,
    -2.5f,
    8388607.5f,
    -8388609.0f,
    88.72283f,
    -87.4f,
    -103.9f,
    12.0f,
    1e30f,
    -3e-30f,
    std::numeric_limits<float>::min(),
    -std::numeric_limits<float>::min(),
    std::numeric_limits<float>::denorm_min(),
    -std::numeric_limits<float>::denorm_min(),
    std::numeric_limits<float>::max(),
    -std::numeric_limits<float>::max(),
    std::numeric_limits<float>::infinity(),
    -std::numeric_limits<float>::infinity(),
    std::numeric_limits<float>::quiet_NaN(),
    -std::numeric_limits<float>::quiet_NaN(),
};

// y[i][j] = word(bias[j], residual[i][j]): no multiple of a vector, so that tails have their share.
inline constexpr gemm_shape word_shape{.m = std::size(special_values), .n = 61, .k = 1};
template <expr_op Op>
using word_product = gemm<word_shape, f32, instead, word<Op>>;

// f(std::integral_constant<expr_op, Op>) for each word that computes.
template <class F>
void for_each_word(F&& f)
{
    [&]<std::size_t... I>(std::index_sequence<I...>) {
        const auto visit = [&]<std::size_t At>() {
            if constexpr (expr_words[At].arity > 0) f(std::integral_constant<expr_op, expr_words[At].op>{});
        };
        (visit.template operator()<I>(), ...);
    }(std::make_index_sequence<std::size(expr_words)>{});
}

// The word of floats. Of exp, log, tanh and erf the nearest float.
inline float by_libm(expr_op op, float a, float b)
{
    switch (op) {
    case expr_op::neg: return std::copysign(a, std::signbit(a) ? 1.0f : -1.0f);
    case expr_op::abs: return std::fabs(a);
    case expr_op::sqrt: return std::sqrt(a);
    case expr_op::add: return a + b;
    case expr_op::sub: return a - b;
    case expr_op::mul: return a * b;
    case expr_op::div: return a / b;
    // Of two that do not compare, or are both 0: min gives the second, max the first.
    case expr_op::min: return std::isless(a, b) ? a : b;
    case expr_op::max: return std::isless(a, b) ? b : a;
    case expr_op::exp: return static_cast<float>(std::exp(static_cast<double>(a)));
    case expr_op::log: return static_cast<float>(std::log(static_cast<double>(a)));
    case expr_op::tanh: return static_cast<float>(std::tanh(static_cast<double>(a)));
    case expr_op::erf: return static_cast<float>(std::erf(static_cast<double>(a)));
    case expr_op::round: return std::nearbyint(a);
    case expr_op::floor: return std::floor(a);
    case expr_op::less: return std::isless(a, b) ? 1.0f : 0.0f;
    case expr_op::less_or_equal: return std::islessequal(a, b) ? 1.0f : 0.0f;
    case expr_op::equal: return std::islessequal(a, b) && std::isgreaterequal(a, b) ? 1.0f : 0.0f;
    case expr_op::select: return std::fpclassify(a) == FP_ZERO ? third_operand : b;
    default: return 0;
    }
}

// How far y lies from an exact result, in the distances between the floats there; infinity where one of them is a NaN
// or a zero of the other sign. What is too large for a float counts as the number behind the largest.
inline double distance_of(float y, double exact)
{
    constexpr double infinity = std::numeric_limits<double>::infinity(), past_largest = 0x1p128;
    const double limited = std::fmin(std::fmax(exact, -past_largest), past_largest);
    const double given = std::isinf(y) ? std::copysign(past_largest, static_cast<double>(y)) : static_cast<double>(y);
    if (std::isnan(y) || std::isnan(exact)) return std::isnan(y) && std::isnan(exact) ? 0 : infinity;
    if (std::signbit(y) != std::signbit(exact)) return infinity;
    if (given == limited) return 0;
    if (exact == 0 || std::isinf(exact)) return infinity;
    const int exponent = std::max(std::ilogb(limited) - 23, -149);
    return std::fabs(given - limited) / std::ldexp(1.0, std::min(exponent, 104));
}
inline double distance_of(expr_op op, float a, float y)
{
    const auto x = static_cast<double>(a);
    return distance_of(y, op == expr_op::exp    ? std::exp(x)
                          : op == expr_op::log  ? std::log(x)
                          : op == expr_op::tanh ? std::tanh(x)
                                                : std::erf(x));
}

struct word_data {
    std::vector<float> x, weights, bias, residual;
    word_data()
        : x(static_cast<std::size_t>(word_shape.m.value), 1.0f), weights(static_cast<std::size_t>(word_shape.n), 1.0f),
          residual(x.size() * weights.size())
    {
        for (std::size_t j = 0; j < weights.size(); ++j) bias.push_back(special_values[j % std::size(special_values)]);
        for (std::size_t i = 0; i < residual.size(); ++i) residual[i] = special_values[i / weights.size()];
    }
};

// Who computes: the sign of a NaN is open in shaders, and much more on a GPU (see ir/expr.hpp).
enum class reader : std::uint8_t { processor, software_device, device };

// Whether a GPU may give y where the word of a and b is asked for.
inline bool is_open(expr_op op, float a, float b, float y)
{
    constexpr float least = std::numeric_limits<float>::min(), ulp = std::numeric_limits<float>::epsilon();
    const auto as_zero = [](float v, bool is) { return is && std::fabs(v) < least ? std::copysign(0.0f, v) : v; };
    if (op == expr_op::div && std::isfinite(b) && std::fabs(b) > 1 / least) return true;
    // Compared as zeros, and taken as they are.
    const bool is_choice = op == expr_op::min || op == expr_op::max;
    if (is_choice && std::fabs(a) < least && std::fabs(b) < least && (y == a || y == b)) return true;
    for (const bool zero_a : {false, true})
        for (const bool zero_b : {false, true}) {
            if (is_approximate(op) && distance_of(op, as_zero(a, zero_a), y) <= word_of(op).device_ulp) return true;
            const float expected = by_libm(op, as_zero(a, zero_a), as_zero(b, zero_b));
            const float share = op == expr_op::div ? 2.5f * ulp : op == expr_op::sqrt ? 4.5f * ulp : 0.0f;
            if (std::isnan(expected) ? std::isnan(y) : y == expected) return true;
            if (op == expr_op::div && as_zero(b, zero_b) == 0 && std::fabs(y) == std::fabs(expected)) return true;
            if (std::fabs(expected) < least && y == 0) return true;
            if (std::isfinite(expected) && std::fabs(y - expected) <= share * std::fabs(expected)) return true;
        }
    return false;
}

// The first result that is not the one of libm, to the bit, but for what is open to its reader; one NaN is as good as
// another, but a processor's neg and abs are asked for its sign too.
inline std::string wrong_word(expr_op op, const std::vector<float>& y, reader by = reader::processor)
{
    const word_data d;
    for (std::size_t i = 0; i < y.size(); ++i) {
        const float a = d.bias[i % d.bias.size()], b = d.residual[i];
        const float expected = by_libm(op, a, b);
        const bool any = std::isnan(expected) && std::isnan(y[i]) &&
                         (by != reader::processor || (op != expr_op::neg && op != expr_op::abs));
        if (is_approximate(op) && distance_of(op, a, y[i]) <= word_of(op).ulp) continue;
        if (!any && std::bit_cast<std::uint32_t>(y[i]) != std::bit_cast<std::uint32_t>(expected) &&
            !(by == reader::device && is_open(op, a, b, y[i]))) {
            std::ostringstream text;
            text << name_of(op) << " of " << a << " and " << b << " is " << y[i] << " in place of " << expected;
            return text.str();
        }
    }
    return {};
}

} // namespace hone::test
