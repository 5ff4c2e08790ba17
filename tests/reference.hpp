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
#include <initializer_list>
#include <limits>
#include <string>
#include <type_traits>
#include <vector>

#include <hone/op/conv2d.hpp>
#include <hone/op/epilogue.hpp>
#include <hone/op/gemm.hpp>

namespace hone::test {

using namespace operators;

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

// One direction of a convolution, read from the fields that state it: the narrowest that is given.
struct conv_axis_shape {
    std::int64_t in, kernel, stride, before, after, dilation;

    std::int64_t outputs() const
    {
        std::int64_t count = 0;
        for (std::int64_t first = -before; first + dilation * (kernel - 1) < in + after; first += stride) ++count;
        return count;
    }
    // Where tap k of output o reads.
    std::int64_t at(std::int64_t o, std::int64_t k) const { return o * stride + k * dilation - before; }
    bool is_inside(std::int64_t i) const { return i >= 0 && i < in; }
};
inline std::int64_t first_given(std::initializer_list<std::int64_t> fields)
{
    for (const std::int64_t f : fields)
        if (f != -1) return f;
    return -1;
}
inline conv_axis_shape rows_of(const conv2d_shape& s)
{
    return {s.h,
            s.kh,
            first_given({s.stride_h, s.stride}),
            first_given({s.pad_top, s.pad_h, s.pad}),
            first_given({s.pad_bottom, s.pad_h, s.pad}),
            first_given({s.dilation_h, s.dilation})};
}
inline conv_axis_shape columns_of(const conv2d_shape& s)
{
    return {s.w,
            s.kw,
            first_given({s.stride_w, s.stride}),
            first_given({s.pad_left, s.pad_w, s.pad}),
            first_given({s.pad_right, s.pad_w, s.pad}),
            first_given({s.dilation_w, s.dilation})};
}

inline call_data data_of(const conv2d_shape& s, std::uint64_t seed)
{
    const std::int64_t outputs = s.n * rows_of(s).outputs() * columns_of(s).outputs() * s.oc;
    return {.x = small_integers(s.n * s.h * s.w * s.ic, seed),
            .weights = small_integers(s.oc * s.kh * s.kw * (s.ic / s.groups), seed + 1),
            .bias = small_integers(s.oc, seed + 2),
            .residual = small_integers(outputs, seed + 3),
            .y = poisoned(outputs)};
}

inline doubles reference(const conv2d_shape& s, const call_data& d, const steps& epilogue)
{
    const conv_axis_shape rows = rows_of(s), columns = columns_of(s);
    const std::int64_t oh = rows.outputs();
    const std::int64_t ow = columns.outputs();
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
                                const std::int64_t h = rows.at(r, kh);
                                const std::int64_t w = columns.at(c, kw);
                                if (!rows.is_inside(h) || !columns.is_inside(w)) continue;
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
    const auto along = [&](const conv_axis_shape& a) {
        std::int64_t live = 0;
        for (std::int64_t o = 0; o < a.outputs(); ++o)
            for (std::int64_t k = 0; k < a.kernel; ++k)
                if (all || a.is_inside(a.at(o, k))) ++live;
        return live;
    };
    return s.n * along(rows_of(s)) * along(columns_of(s));
}

// ---- matrix product ----

// What one call gives where the shape leaves it open.
struct gemm_call {
    std::int64_t m = 1;
    std::int64_t ldx = 0;
    std::int64_t ldw = 0;
    std::int64_t ldy = 0;
    std::int64_t batch_x = 0; // elements from one matrix to the next
    std::int64_t batch_w = 0;
    std::int64_t batch_y = 0;
};
// `apart`: how much further than dense the matrices of a batch lie where the call says so.
inline gemm_call call_of(const gemm_shape& s, std::int64_t m, std::int64_t ldx, std::int64_t ldy,
                         std::int64_t apart = 0)
{
    const auto distance = [](const leading& l, std::int64_t given, std::int64_t dense) {
        return l.is_at_call ? given : l.value > 0 ? l.value : dense;
    };
    gemm_call c{.m = s.m.at_call ? m : s.m.value};
    c.ldx = distance(s.ldx, ldx, s.x == transposed::yes ? c.m : s.k);
    c.ldw = distance(s.ldw, 0, s.weights == transposed::yes ? s.k : s.n);
    c.ldy = distance(s.ldy, ldy, s.n);
    const std::int64_t x = (s.x == transposed::yes ? s.k : c.m) * c.ldx, y = c.m * c.ldy;
    c.batch_x = distance(s.batch_stride_x, x + apart, x);
    c.batch_w = distance(s.batch_stride_w, 0, (s.weights == transposed::yes ? s.n : s.k) * c.ldw);
    c.batch_y = distance(s.batch_stride_y, y + apart, y);
    return c;
}
// What a kernel is given for it, in the documented order; `all`: with what a nest computes from it.
inline std::vector<std::int64_t> parameters_of(const gemm_shape& s, const gemm_call& c, bool all = false)
{
    std::vector<std::int64_t> p;
    if (s.m.at_call) p.push_back(c.m);
    if (s.ldx.is_at_call) p.push_back(c.ldx);
    if (s.ldy.is_at_call) p.push_back(c.ldy);
    if (s.batch_stride_x.is_at_call) p.push_back(c.batch_x);
    if (s.batch_stride_y.is_at_call) p.push_back(c.batch_y);
    const auto is_product = [&](const leading& ld, const leading& batch) {
        return s.batch > 1 && s.m.at_call && ld.is_at_call && !batch.is_at_call && batch.value == 0;
    };
    if (all && s.x == transposed::no && is_product(s.ldx, s.batch_stride_x)) p.push_back(c.m * c.ldx);
    if (all && is_product(s.ldy, s.batch_stride_y)) p.push_back(c.m * c.ldy);
    return p;
}

// Exactly the elements from the first to the last that the call may touch.
inline call_data data_of(const gemm_shape& s, const gemm_call& c, std::uint64_t seed)
{
    const auto elements = [&](std::int64_t rows, std::int64_t columns, std::int64_t distance, std::int64_t matrices) {
        return (s.batch - 1) * matrices + (rows - 1) * distance + columns;
    };
    const std::int64_t outputs = elements(c.m, s.n, c.ldy, c.batch_y);
    return {.x = small_integers(s.x == transposed::yes ? elements(s.k, c.m, c.ldx, c.batch_x)
                                                       : elements(c.m, s.k, c.ldx, c.batch_x),
                                seed),
            .weights = small_integers(s.weights == transposed::yes ? elements(s.n, s.k, c.ldw, c.batch_w)
                                                                   : elements(s.k, s.n, c.ldw, c.batch_w),
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
                    const float x = s.x == transposed::yes ? d.x[at(b * c.batch_x + k * c.ldx + m)]
                                                           : d.x[at(b * c.batch_x + m * c.ldx + k)];
                    const float w = s.weights == transposed::yes ? d.weights[at(b * c.batch_w + n * c.ldw + k)]
                                                                 : d.weights[at(b * c.batch_w + k * c.ldw + n)];
                    sum += static_cast<double>(x) * static_cast<double>(w);
                }
                const std::size_t to = at(b * c.batch_y + m * c.ldy + n);
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

// The same where NaN is expected to be NaN, which no poison is; `tolerance` is relative.
inline std::string difference_of(const floats& y, const doubles& expected, double tolerance = 0)
{
    for (std::size_t i = 0; i < expected.size(); ++i) {
        const double found = static_cast<double>(y[i]);
        const bool is_same = std::isnan(expected[i]) ? std::isnan(found) && !is_poison(y[i])
                                                     : found == expected[i] || std::fabs(found - expected[i]) <=
                                                                                   tolerance * std::fabs(expected[i]);
        if (!is_same)
            return "element " + std::to_string(i) + ": " + std::to_string(found) + ", expected " +
                   std::to_string(expected[i]);
    }
    return {};
}

} // namespace hone::test
