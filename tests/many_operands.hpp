// SPDX-License-Identifier: BSL-1.0
// Operators behind which tensors of one role stand twice, and some of no role that a call has a member for: a folded
// batch norm (scale and bias) and two residuals, a gate, or activations. With the formula of the first two as plain
// loops, which share nothing with hone.
#pragma once

#include <cmath>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <vector>

#include <hone/op/conv2d.hpp>
#include <hone/op/epilogue.hpp>
#include <hone/op/gemm.hpp>

namespace many {

// One element a channel, as a bias.
struct scale {
    static constexpr const char* name = "scale";
    static constexpr hone::role operand_role = hone::role::bias;
    static constexpr hone::expr apply(const hone::expr& acc, const hone::expr& s) { return acc * s; }
};
struct gate {
    static constexpr const char* name = "gate";
    static constexpr hone::role operand_role = hone::role::operand;
    static constexpr hone::expr apply(const hone::expr& acc, const hone::expr& g) { return acc * g; }
};

inline constexpr std::int64_t m = 13, n = 40, k = 24;
struct product : hone::gemm<hone::gemm_shape{.m = m, .n = n, .k = k}, hone::f32, scale, hone::bias, hone::residual,
                            hone::residual> {};

inline constexpr hone::conv2d_shape image{.h = 7, .w = 9, .ic = 6, .oc = 20, .kh = 3, .kw = 3, .pad = 1};
struct layer : hone::conv2d<image, hone::f32, hone::fast, scale, hone::bias, gate> {};

// Slopes a channel beside a bias, and a function that is computed by a polynomial.
struct activated
    : hone::gemm<hone::gemm_shape{.m = m, .n = n, .k = k}, hone::f32, hone::bias, hone::prelu, hone::silu> {};

enum class behind { product, layer };

// What stands behind so many rows of so many channels: sum * scale + bias + first + second of the product,
// (sum * scale + bias) * second of the layer.
struct operands {
    std::vector<float> scale, bias, first, second;
    behind what;

    operands(behind of, std::int64_t rows, std::int64_t channels)
        : scale(drawn(channels, 1)), bias(drawn(channels, 2)), first(drawn(rows * channels, 3)),
          second(drawn(rows * channels, 4)), what(of)
    {
    }
    double result(double sum, std::int64_t row, std::int64_t channel) const
    {
        const auto c = static_cast<std::size_t>(channel);
        const std::size_t at = static_cast<std::size_t>(row) * bias.size() + c;
        const auto a = static_cast<double>(first[at]), b = static_cast<double>(second[at]);
        const double scaled = sum * static_cast<double>(scale[c]) + static_cast<double>(bias[c]);
        return what == behind::product ? scaled + a + b : scaled * b;
    }

    // In [-1, 1], in quarters.
    static std::vector<float> drawn(std::int64_t elements, unsigned seed)
    {
        std::vector<float> v(static_cast<std::size_t>(elements));
        for (float& f : v) {
            seed = seed * 48271u % 2147483647u;
            f = static_cast<float>(static_cast<int>(seed >> 8) % 9 - 4) / 4;
        }
        return v;
    }
};

// x (m, k), weights (k, n).
inline std::vector<double> expected_product(const std::vector<float>& x, const std::vector<float>& weights,
                                            const operands& o)
{
    std::vector<double> y;
    for (std::int64_t r = 0; r < m; ++r)
        for (std::int64_t c = 0; c < n; ++c) {
            double sum = 0;
            for (std::int64_t i = 0; i < k; ++i)
                sum += static_cast<double>(x[static_cast<std::size_t>(r * k + i)]) *
                       static_cast<double>(weights[static_cast<std::size_t>(i * n + c)]);
            y.push_back(o.result(sum, r, c));
        }
    return y;
}
// x (h, w, ic), weights (oc, kh, kw, ic).
inline std::vector<double> expected_layer(const std::vector<float>& x, const std::vector<float>& weights,
                                          const operands& o)
{
    std::vector<double> y;
    for (std::int64_t row = 0; row < image.h * image.w; ++row)
        for (std::int64_t c = 0; c < image.oc; ++c) {
            double sum = 0;
            for (std::int64_t tap = 0; tap < 9; ++tap) {
                const std::int64_t h = row / image.w + tap / 3 - 1, w = row % image.w + tap % 3 - 1;
                if (h < 0 || h >= image.h || w < 0 || w >= image.w) continue;
                for (std::int64_t i = 0; i < image.ic; ++i)
                    sum += static_cast<double>(x[static_cast<std::size_t>((h * image.w + w) * image.ic + i)]) *
                           static_cast<double>(weights[static_cast<std::size_t>((c * 9 + tap) * image.ic + i)]);
            }
            y.push_back(o.result(sum, row, c));
        }
    return y;
}

// The largest error over the largest result; infinity where something was not written.
inline double error_of(const std::vector<float>& y, const std::vector<double>& expected)
{
    double worst = 0, largest = 0;
    for (std::size_t i = 0; i < expected.size(); ++i) {
        const auto found = static_cast<double>(y[i]);
        if (std::isnan(found)) return std::numeric_limits<double>::infinity();
        worst = std::fmax(worst, std::fabs(found - expected[i]));
        largest = std::fmax(largest, std::fabs(expected[i]));
    }
    return worst / largest;
}

} // namespace many
