// SPDX-License-Identifier: BSL-1.0
// Operators that write several tensors: with an epilogue that keeps a value, and users' own whose outputs lie in
// different layouts. With formulas as plain loops, which share nothing with hone.
#pragma once

#include <cmath>
#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <utility>
#include <vector>

#include <hone/op/conv2d.hpp>
#include <hone/op/epilogue.hpp>
#include <hone/op/gemm.hpp>

namespace further {

// Half of the value so far.
struct half {
    static constexpr const char* name = "half";
    static constexpr hone::expr output(const hone::expr& acc) { return acc * 0.5f; }
};

inline constexpr hone::gemm_shape shape{.m = 13, .n = 40, .k = 24};
// y = relu(x * weights + bias), kept before relu.
struct kept : hone::gemm<shape, hone::f32, hone::bias, hone::keep, hone::relu> {};
// y = x * weights + bias + residual; half of x * weights, and what y is.
struct thrice : hone::gemm<shape, hone::f32, half, hone::bias, hone::residual, hone::keep> {};

inline constexpr hone::conv2d_shape image{.h = 7, .w = 9, .ic = 6, .oc = 20, .kh = 3, .kw = 3, .pad = 1};
struct layer : hone::conv2d<image, hone::f32, hone::fast, hone::bias, hone::keep, hone::relu> {};

// Of no weights and no reduction: y[h][w][c] = 2.5 * x - 1, and the same as planes[c][h][w], of which each value is
// squared.
struct planes {
    static constexpr std::int64_t h = 5, w = 7, c = 27;
    static constexpr hone::definition definition()
    {
        hone::definition d;
        const auto tensor = [&](const char* name, hone::role role, std::initializer_list<std::int64_t> extents) {
            hone::tensor t{.name = name, .role = role};
            for (const std::int64_t e : extents) t.dims.push_back({.extent = e});
            hone::set_dense(t);
            return static_cast<std::int8_t>(d.tensors.push_back(t));
        };
        const auto at = [](std::int8_t of, std::initializer_list<int> axes) {
            hone::operand o{.tensor = of};
            for (const int a : axes) o.index.push_back(hone::along(a));
            return o;
        };
        hone::stage s{.name = "planes"};
        for (const auto& [name, extent] : {std::pair{"h", h}, {"w", w}, {"c", c}}) s.axes.push_back({name, extent});
        s.operands.push_back(at(tensor("x", hone::role::input, {h, w, c}), {0, 1, 2}));
        s.further.push_back({.to = at(tensor("planes", hone::role::output, {c, h, w}), {2, 0, 1}),
                             .value = hone::ex::acc() * hone::ex::acc()});
        s.output = at(tensor("y", hone::role::output, {h, w, c}), {0, 1, 2});
        s.body = 2.5f * hone::ex::load(0) - 1.0f;
        d.stages.push_back(s);
        return d;
    }
    static constexpr hone::signature_text signature() { return hone::signature_text{}.word("planes"); }
};

using floats = std::vector<float>;
using doubles = std::vector<double>;

struct results {
    doubles y, first, second;
};

// x (m, k), weights (k, n), bias (n), residual (m, n).
inline results expected_product(bool is_kept, const floats& x, const floats& weights, const floats& bias,
                                const floats& residual)
{
    results r;
    const std::int64_t m = shape.m.value, n = shape.n, k = shape.k;
    for (std::int64_t i = 0; i < m; ++i)
        for (std::int64_t j = 0; j < n; ++j) {
            double sum = 0;
            for (std::int64_t l = 0; l < k; ++l)
                sum += static_cast<double>(x[static_cast<std::size_t>(i * k + l)]) *
                       static_cast<double>(weights[static_cast<std::size_t>(l * n + j)]);
            const double biased = sum + static_cast<double>(bias[static_cast<std::size_t>(j)]);
            const double whole = biased + static_cast<double>(residual[static_cast<std::size_t>(i * n + j)]);
            r.y.push_back(is_kept ? std::fmax(biased, 0) : whole);
            r.first.push_back(is_kept ? biased : sum / 2);
            r.second.push_back(whole);
        }
    return r;
}
// x (h, w, c).
inline results expected_planes(const floats& x)
{
    results r;
    for (const float v : x) r.y.push_back(2.5 * static_cast<double>(v) - 1);
    for (std::int64_t c = 0; c < planes::c; ++c)
        for (std::int64_t p = 0; p < planes::h * planes::w; ++p) {
            const double v = r.y[static_cast<std::size_t>(p * planes::c + c)];
            r.first.push_back(v * v);
        }
    return r;
}

} // namespace further
