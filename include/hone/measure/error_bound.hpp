// SPDX-License-Identifier: BSL-1.0
// How far a right kernel's result may lie from the exact one, element by element: from the number of summands, their
// sizes, and how the template sums them.
//
// A sum in floats of k products p, in any order that knows nothing of their values, has partial sums of about i / k S
// and sqrt(i / k) Q, where S is the sum of p and Q the root of the sum of p^2; each addition errs by half a unit u at
// most, and rarely to the same side. So the errors spread by u sqrt(k (S^2 + Q^2 / 2) / 9) (Higham and Mary, A new
// approach to probabilistic rounding error analysis, 2019). A bound by the sum of |p| instead would be sqrt(k) times
// wider for operands of both signs, and let pass what this one finds: a column that is off by 1e-4.
#pragma once

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <limits>

#include <hone/core/dtype.hpp>

namespace hone::tune {

constexpr float_format format_of(dtype type)
{
    return core::with_element(type, []<class E>(E) { return core::binary_format<typename E::storage>; });
}

// How results are summed, so far as their errors depend on it.
enum class arithmetic : std::uint8_t {
    direct,     // each result from its own products, in any order
    winograd_2, // F(2x2, 3x3): from those of all results of a tile, transformed
    winograd_4, // F(4x4, 3x3)
    device,     // direct on a GPU: what Vulkan leaves open of IEEE 754, see ir/expr.hpp
};
inline constexpr std::size_t arithmetics = 4;

constexpr const char* name_of(arithmetic a)
{
    constexpr const char* names[] = {"direct", "winograd_2", "winograd_4", "device"};
    return names[static_cast<int>(a)];
}

struct error_model {
    // Times u sqrt(k (S^2 + Q^2)), the largest of the tile's.
    double factor;
    // Results along one side of a tile, whose errors mix.
    int tile;
    // What each summand may lose near zero.
    double floor;
    // Whose accuracy the words behind the sum have.
    bool is_device = false;
    float_format format{}; // of what is computed in
    // Numbers below may be taken for zero wherever they are read or made, zeros may have either sign, and quotients by
    // zero or by more than its reciprocal are any; 0: none of these.
    double flushed = 0;
};

// The largest error that was seen in a million results of honest kernels, in units of the formula, was 1.7 for direct
// sums, 0.9 for F(2,3) and 15 for F(4,3): tests/measure/problem.cpp holds kernels to half of these factors.
constexpr error_model error_model_of(arithmetic a, dtype accumulator)
{
    const float_format f = format_of(accumulator);
    switch (a) {
    case arithmetic::winograd_2: return {.factor = 8, .tile = 2, .floor = 64 * f.least, .format = f};
    case arithmetic::winograd_4: return {.factor = 64, .tile = 4, .floor = 4096 * f.least, .format = f};
    case arithmetic::device:
        return {.factor = 4,
                .tile = 1,
                .floor = 8 * f.least_normal,
                .is_device = true,
                .format = f,
                .flushed = f.least_normal};
    default: return {.factor = 4, .tile = 1, .floor = f.least, .format = f};
    }
}

// What one result is the sum of.
struct summands {
    double sum = 0;
    double squares = 0; // sum of the squares
    double error = 0;   // of the summands themselves
};

// Of a sum of k summands; `largest` is the largest of sum^2 + squares in its tile. No sum is exact where those of its
// tile are not finite, unless it has no tile: then infinities and NaN are as IEEE 754 says. The sum of zeros is exact.
inline double error_bound_of(const error_model& m, double k, const summands& own, double largest)
{
    if (!std::isfinite(largest)) return m.tile > 1 ? std::numeric_limits<double>::infinity() : 0;
    if (largest == 0 && m.tile == 1) return own.error + (own.sum != 0 ? m.flushed : 0);
    return m.factor * m.format.unit * std::sqrt(k * largest) + own.error + k * m.floor;
}

// A value, and how far the computed one may lie from it; infinity: anywhere.
struct bounded {
    double value = 0;
    double error = 0;
};

// Rounding of `v` to what is computed in, and what cannot be held in it.
inline bounded rounded(bounded v, double units, const float_format& f)
{
    if (!std::isfinite(v.value)) return v;
    if (std::fabs(v.value) + v.error >= f.largest) return {v.value, std::numeric_limits<double>::infinity()};
    return {v.value, v.error + units * f.unit * std::fabs(v.value) + (v.error > 0 ? f.least : 0)};
}

// A value that is read or made where small ones may be taken for zero.
inline bounded flushed(bounded v, const error_model& m)
{
    const double size = std::fabs(v.value);
    return {v.value, size - v.error < m.flushed ? std::max(v.error, size) : v.error};
}

} // namespace hone::tune
