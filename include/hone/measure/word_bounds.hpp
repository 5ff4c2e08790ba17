// SPDX-License-Identifier: BSL-1.0
// How far a word's result may lie from the exact one, from how far its operands may, and what its own row in the table
// of words says.
#pragma once

#include <algorithm>
#include <cmath>
#include <limits>

#include <hone/ir/words.hpp>
#include <hone/measure/error_bound.hpp>

namespace hone::tune {

namespace bounds {

inline constexpr double no_bound = std::numeric_limits<double>::infinity();

// Where the order of the two is sure, the error is that of the one that is taken.
inline double error_of_choice(const bounded& a, const bounded& b, double sign = 1)
{
    if (std::isnan(a.value) || std::isnan(b.value)) return std::max(a.error, b.error);
    const double apart = sign * (b.value - a.value);
    if (apart > a.error + b.error) return a.error;
    if (-apart > a.error + b.error) return b.error;
    return std::max(a.error, b.error);
}

// A function of one number that never falls lies between what it is at both ends of what the number may be.
inline bounded rising(expr_op op, const bounded& a, double units, const float_format& format)
{
    const auto f = [&](double x) { return word_of(op).value(x, 0, 0); };
    const double value = f(a.value);
    if (std::isnan(value)) return {value, a.error};
    if (!std::isfinite(a.error)) return {std::isfinite(value) ? value : 0, no_bound};
    const auto apart = [&](double end) { return f(end) == value ? 0 : std::fabs(f(end) - value); };
    const double error = std::max(apart(a.value - a.error), apart(a.value + a.error));
    if (value == 0 || std::isinf(value)) return {value, error};
    // Where numbers are as far apart as the least is from 0, so many of these.
    return rounded({value, error + units / 2 * format.least}, units, format);
}

inline bool is_order_sure(const bounded& a, const bounded& b)
{
    if (std::isnan(a.value) || std::isnan(b.value)) return a.error + b.error < no_bound;
    return a.error + b.error == 0 || std::fabs(a.value - b.value) > a.error + b.error;
}

inline bounded selected(const bounded& a, const bounded& b, const bounded& c)
{
    const bounded &taken = a.value != 0 ? b : c, &other = a.value != 0 ? c : b;
    if (is_order_sure(a, {})) return taken;
    const double error = std::max(taken.error, std::fabs(other.value - taken.value) + other.error);
    return {taken.value, std::isnan(error) ? no_bound : error};
}

inline bounded product_of(const bounded& a, const bounded& b, double units, const float_format& f)
{
    // Infinity times an exact factor is exact.
    const auto part = [](double size, double error) { return error == 0 ? 0 : size * error; };
    const double error = part(std::fabs(a.value), b.error) + part(std::fabs(b.value), a.error) + part(a.error, b.error);
    return rounded({a.value * b.value, std::isnan(error) ? no_bound : error}, units, f);
}

inline bounded quotient_of(const bounded& a, const bounded& b, double units, const error_model& model)
{
    const double value = a.value / b.value, least = std::fabs(b.value) - b.error;
    const bool is_any = b.value == 0 || (std::isfinite(b.value) && (std::fabs(b.value) + b.error) * model.flushed > 1);
    if (model.flushed > 0 && is_any) return {value, no_bound};
    if (a.error == 0 && b.error == 0) return rounded({value, 0}, units, model.format);
    if (!(least > 0)) return {value, no_bound};
    const double error = (a.error + std::fabs(value) * b.error) / least;
    return rounded({value, std::isnan(error) ? no_bound : error}, units, model.format);
}

inline bounded root_of(const bounded& a, double units, const float_format& f)
{
    const double value = std::sqrt(a.value);
    if (a.error == 0) return rounded({value, 0}, units, f);
    if (!(a.value >= a.error)) return {value, no_bound};
    return rounded({value, a.error / value}, units, f);
}

// What may be a negative number or 0 may have any logarithm.
inline bounded logarithm_of(const bounded& a, double units, const float_format& f)
{
    const double value = std::log(a.value);
    if (std::isfinite(a.error) && a.error > 0 && a.value <= a.error) return {value, no_bound};
    return rising(expr_op::log, a, units, f);
}

} // namespace bounds

// The word of such operands, in what is computed in.
inline bounded bounded_word(expr_op op, const bounded& a, const bounded& b, const bounded& c, const error_model& model)
{
    using namespace bounds;
    const expr_word& word = word_of(op);
    const double units = 2 * (model.is_device ? word.device_ulp : word.ulp);
    const double value = word.value(a.value, b.value, c.value);
    switch (op) {
    case expr_op::neg:
    case expr_op::abs: return {value, a.error};
    case expr_op::sqrt: return root_of(a, units, model.format);
    case expr_op::add:
    case expr_op::sub: return rounded({value, a.error + b.error}, units, model.format);
    case expr_op::mul: return product_of(a, b, units, model.format);
    case expr_op::div: return quotient_of(a, b, units, model);
    case expr_op::log: return logarithm_of(a, units, model.format);
    case expr_op::min: return {value, error_of_choice(a, b)};
    case expr_op::max: return {value, error_of_choice(a, b, -1)};
    case expr_op::exp:
    case expr_op::tanh:
    case expr_op::erf:
    case expr_op::round:
    case expr_op::floor: return rising(op, a, units, model.format);
    case expr_op::less:
    case expr_op::less_or_equal:
    case expr_op::equal: return {value, is_order_sure(a, b) ? 0.0 : 1.0};
    case expr_op::select: return selected(a, b, c);
    case expr_op::constant:
    case expr_op::load:
    case expr_op::accumulator:
    case expr_op::table:
    case expr_op::position: break;
    }
    return {};
}

} // namespace hone::tune
