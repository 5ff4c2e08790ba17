// SPDX-License-Identifier: BSL-1.0
// What the operators compute, as plain loops in double precision: written from their definition alone, so that it
// shares nothing with lowering but the structs that state a shape.
//
// Data are small integers. Then every order of summation is exact in float, results are compared for equality, and a
// tap too many or too few cannot hide in a tolerance. Only Winograd F(4, 3), whose tables hold sixths, needs one.
#pragma once

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <string>
#include <type_traits>
#include <vector>

#include <hone/op/conv2d.hpp>
#include <hone/op/epilogue.hpp>
#include <hone/op/gemm.hpp>

namespace hone::test {

using floats = std::vector<float>;
using doubles = std::vector<double>;

// A NaN that no arithmetic makes: what a call must overwrite, or must not touch.
inline constexpr std::uint32_t poison_bits = 0x7fc5a5a5;
inline bool is_poison(float f) { return std::bit_cast<std::uint32_t>(f) == poison_bits; }
inline floats poisoned(std::int64_t elements)
{
    return floats(static_cast<std::size_t>(elements), std::bit_cast<float>(poison_bits));
}

// SplitMix64 (Steele, Lea, Flood, OOPSLA 2014): the same numbers on every machine, and at compile time.
struct random_numbers {
    std::uint64_t state;

    constexpr std::uint64_t next()
    {
        std::uint64_t z = state += 0x9e3779b97f4a7c15u;
        z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9u;
        z = (z ^ z >> 27) * 0x94d049bb133111ebu;
        return z ^ z >> 31;
    }
    // In [least, most].
    constexpr std::int64_t between(std::int64_t least, std::int64_t most)
    {
        return least + static_cast<std::int64_t>(next() % static_cast<std::uint64_t>(most - least + 1));
    }
    constexpr bool one_in(int n) { return between(1, n) == 1; }
};
inline floats small_integers(std::int64_t elements, std::uint64_t seed)
{
    random_numbers random{seed};
    floats v(static_cast<std::size_t>(elements));
    for (float& f : v) f = static_cast<float>(random.between(-4, 4));
    return v;
}

enum class step : std::uint8_t { bias, relu, relu6, residual };
using steps = std::vector<step>;
template <class E>
constexpr step step_of()
{
    if constexpr (std::is_same_v<E, hone::bias>)
        return step::bias;
    else if constexpr (std::is_same_v<E, hone::relu>)
        return step::relu;
    else if constexpr (std::is_same_v<E, hone::relu6>)
        return step::relu6;
    else
        return step::residual;
}

// Tensors of one call, the output included.
struct call_data {
    floats x, weights, bias, residual, y;
};

inline double finished(double value, const steps& epilogue, double bias, double residual)
{
    for (const step s : epilogue) switch (s) {
        case step::bias: value += bias; break;
        case step::relu: value = value > 0 ? value : 0; break;
        case step::relu6: value = std::min(std::max(value, 0.0), 6.0); break;
        case step::residual: value += residual; break;
        }
    return value;
}

// ---- convolution ----

inline std::int64_t outputs_along(std::int64_t in, std::int64_t kernel, const conv2d_shape& s)
{
    std::int64_t count = 0;
    for (std::int64_t first = -s.pad; first + s.dilation * (kernel - 1) < in + s.pad; first += s.stride) ++count;
    return count;
}

inline call_data data_of(const conv2d_shape& s, std::uint64_t seed)
{
    const std::int64_t outputs = s.n * outputs_along(s.h, s.kh, s) * outputs_along(s.w, s.kw, s) * s.oc;
    return {.x = small_integers(s.n * s.h * s.w * s.ic, seed),
            .weights = small_integers(s.oc * s.kh * s.kw * (s.ic / s.groups), seed + 1),
            .bias = small_integers(s.oc, seed + 2),
            .residual = small_integers(outputs, seed + 3),
            .y = poisoned(outputs)};
}

inline doubles reference(const conv2d_shape& s, const call_data& d, const steps& epilogue)
{
    const std::int64_t oh = outputs_along(s.h, s.kh, s);
    const std::int64_t ow = outputs_along(s.w, s.kw, s);
    const std::int64_t icg = s.ic / s.groups;
    const std::int64_t ocg = s.oc / s.groups;
    const bool nhwc = s.layout == layout::nhwc;
    const auto activation = [&](std::int64_t n, std::int64_t h, std::int64_t w, std::int64_t c, std::int64_t height,
                                std::int64_t width, std::int64_t channels) {
        return static_cast<std::size_t>(nhwc ? ((n * height + h) * width + w) * channels + c
                                             : ((n * channels + c) * height + h) * width + w);
    };
    const auto weight = [&](std::int64_t o, std::int64_t i, std::int64_t h, std::int64_t w) {
        return static_cast<std::size_t>(nhwc ? ((o * s.kh + h) * s.kw + w) * icg + i
                                             : ((o * icg + i) * s.kh + h) * s.kw + w);
    };
    doubles y(d.y.size());
    for (std::int64_t n = 0; n < s.n; ++n)
        for (std::int64_t o = 0; o < s.oc; ++o)
            for (std::int64_t r = 0; r < oh; ++r)
                for (std::int64_t c = 0; c < ow; ++c) {
                    double sum = 0;
                    for (std::int64_t i = 0; i < icg; ++i)
                        for (std::int64_t kh = 0; kh < s.kh; ++kh)
                            for (std::int64_t kw = 0; kw < s.kw; ++kw) {
                                const std::int64_t h = r * s.stride + kh * s.dilation - s.pad;
                                const std::int64_t w = c * s.stride + kw * s.dilation - s.pad;
                                if (h < 0 || h >= s.h || w < 0 || w >= s.w) continue;
                                sum +=
                                    static_cast<double>(d.x[activation(n, h, w, o / ocg * icg + i, s.h, s.w, s.ic)]) *
                                    static_cast<double>(d.weights[weight(o, i, kh, kw)]);
                            }
                    const std::size_t at = activation(n, r, c, o, oh, ow, s.oc);
                    y[at] = finished(sum, epilogue, static_cast<double>(d.bias[static_cast<std::size_t>(o)]),
                                     static_cast<double>(d.residual[at]));
                }
    return y;
}

// Pairs of an output position and a tap that lies inside the image; all of them where padding is copied.
inline std::int64_t live_taps(const conv2d_shape& s, bool all)
{
    const auto along = [&](std::int64_t in, std::int64_t kernel) {
        std::int64_t live = 0;
        for (std::int64_t o = 0; o < outputs_along(in, kernel, s); ++o)
            for (std::int64_t k = 0; k < kernel; ++k) {
                const std::int64_t at = o * s.stride + k * s.dilation - s.pad;
                if (all || (at >= 0 && at < in)) ++live;
            }
        return live;
    };
    return s.n * along(s.h, s.kh) * along(s.w, s.kw);
}

// ---- matrix product ----

// What one call gives where the shape leaves it open.
struct gemm_call {
    std::int64_t m = 1;
    std::int64_t ldx = 0;
    std::int64_t ldw = 0;
    std::int64_t ldy = 0;
};
inline gemm_call call_of(const gemm_shape& s, std::int64_t m, std::int64_t ldx, std::int64_t ldy)
{
    const auto distance = [](const leading& l, std::int64_t given, std::int64_t dense) {
        return l.is_at_call ? given : l.value > 0 ? l.value : dense;
    };
    return {.m = s.m.at_call ? m : s.m.value,
            .ldx = distance(s.ldx, ldx, s.x == transposed::yes ? s.m.value : s.k),
            .ldw = distance(s.ldw, 0, s.weights == transposed::yes ? s.k : s.n),
            .ldy = distance(s.ldy, ldy, s.n)};
}

// Exactly the elements from the first to the last that the call may touch: matrices stand `rows` of the shape apart.
inline call_data data_of(const gemm_shape& s, const gemm_call& c, std::uint64_t seed)
{
    const auto elements = [&](std::int64_t rows, std::int64_t columns, std::int64_t distance, std::int64_t all_rows) {
        return (s.batch - 1) * all_rows * distance + (rows - 1) * distance + columns;
    };
    const std::int64_t outputs = elements(c.m, s.n, c.ldy, s.m.value);
    return {.x = small_integers(
                s.x == transposed::yes ? elements(s.k, c.m, c.ldx, s.k) : elements(c.m, s.k, c.ldx, s.m.value), seed),
            .weights = small_integers(s.weights == transposed::yes ? elements(s.n, s.k, c.ldw, s.n)
                                                                   : elements(s.k, s.n, c.ldw, s.k),
                                      seed + 1),
            .bias = small_integers(s.n, seed + 2),
            .residual = small_integers(outputs, seed + 3),
            .y = poisoned(outputs)};
}

// NaN where a row of y has a gap: there y must stay as it was.
inline doubles reference(const gemm_shape& s, const gemm_call& c, const call_data& d, const steps& epilogue)
{
    const auto at = [](std::int64_t index) { return static_cast<std::size_t>(index); };
    doubles y(d.y.size(), std::numeric_limits<double>::quiet_NaN());
    for (std::int64_t b = 0; b < s.batch; ++b)
        for (std::int64_t m = 0; m < c.m; ++m)
            for (std::int64_t n = 0; n < s.n; ++n) {
                double sum = 0;
                for (std::int64_t k = 0; k < s.k; ++k) {
                    const float x = s.x == transposed::yes ? d.x[at((b * s.k + k) * c.ldx + m)]
                                                           : d.x[at((b * s.m.value + m) * c.ldx + k)];
                    const float w = s.weights == transposed::yes ? d.weights[at((b * s.n + n) * c.ldw + k)]
                                                                 : d.weights[at((b * s.k + k) * c.ldw + n)];
                    sum += static_cast<double>(x) * static_cast<double>(w);
                }
                const std::size_t to = at((b * s.m.value + m) * c.ldy + n);
                y[to] =
                    finished(sum, epilogue, static_cast<double>(d.bias[at(n)]), static_cast<double>(d.residual[to]));
            }
    return y;
}

// ---- comparison ----

// Empty, or the first element that differs by more than `tolerance`.
inline std::string difference(const floats& y, const doubles& expected, double tolerance = 0)
{
    if (y.size() != expected.size()) return "sizes differ";
    for (std::size_t i = 0; i < y.size(); ++i) {
        const bool is_gap = std::isnan(expected[i]);
        if (is_gap && is_poison(y[i])) continue;
        if (!is_gap && std::fabs(static_cast<double>(y[i]) - expected[i]) <= tolerance) continue;
        return "element " + std::to_string(i) + " of " + std::to_string(y.size()) + ": " +
               (is_poison(y[i]) ? "not written" : std::to_string(y[i])) + ", expected " +
               (is_gap ? "untouched" : std::to_string(expected[i]));
    }
    return {};
}

} // namespace hone::test
