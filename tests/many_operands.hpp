// SPDX-License-Identifier: BSL-1.0
// Operators behind which tensors of one role stand twice, and some of no role that a call has a member for: a folded
// batch norm (scale and bias) and two residuals, a gate, or activations; one of three weights, and some of none. With
// formulas as plain loops, which share nothing with hone.
#pragma once

#include <cmath>
#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <limits>
#include <utility>
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

// y[i][j] = sum over l of x[i][l] * (weights[j][l] * gain[l] + delta[l][j]) + bias[j]: weights of other axes, in other
// orders.
struct mixed {
    enum axes : int { i, j, l };
    static constexpr hone::definition definition()
    {
        hone::definition d;
        const auto tensor = [&](const char* name, hone::role role, std::initializer_list<std::int64_t> extents) {
            hone::tensor t{.name = name, .role = role};
            for (const std::int64_t e : extents) t.dims.push_back({.extent = e});
            hone::set_dense(t);
            return static_cast<std::int8_t>(d.tensors.push_back(t));
        };
        hone::stage s{.name = "mixed"};
        s.axes.push_back({"i", m});
        s.axes.push_back({"j", n});
        s.axes.push_back({"l", k, true});
        const auto read = [&](std::int8_t of, std::initializer_list<int> axes) {
            hone::operand o{.tensor = of};
            for (const int a : axes) o.index.push_back(hone::along(a));
            return o;
        };
        s.operands.push_back(read(tensor("weights", hone::role::weights, {n, k}), {j, l}));
        s.operands.push_back(read(tensor("x", hone::role::input, {m, k}), {i, l}));
        s.operands.push_back(read(tensor("gain", hone::role::weights, {k}), {l}));
        s.operands.push_back(read(tensor("delta", hone::role::weights, {k, n}), {l, j}));
        s.operands.push_back(read(tensor("bias", hone::role::bias, {n}), {j}));
        s.output = read(tensor("y", hone::role::output, {m, n}), {i, j});
        s.reduce = hone::reduction::add;
        s.body = hone::ex::load(1) * (hone::ex::load(0) * hone::ex::load(2) + hone::ex::load(3));
        s.epilogue = hone::ex::acc() + hone::ex::load(4);
        d.stages.push_back(s);
        return d;
    }
    static constexpr hone::signature_text signature() { return hone::signature_text{}.word("mixed"); }
};
inline std::vector<double> expected_mixed(const std::vector<float>& x, const std::vector<float>& weights,
                                          const std::vector<float>& gain, const std::vector<float>& delta,
                                          const std::vector<float>& bias)
{
    const auto at = [](const std::vector<float>& v, std::int64_t i) {
        return static_cast<double>(v[static_cast<std::size_t>(i)]);
    };
    std::vector<double> y;
    for (std::int64_t i = 0; i < m; ++i)
        for (std::int64_t j = 0; j < n; ++j) {
            double sum = at(bias, j);
            for (std::int64_t l = 0; l < k; ++l)
                sum += at(x, i * k + l) * (at(weights, j * k + l) * at(gain, l) + at(delta, l * n + j));
            y.push_back(sum);
        }
    return y;
}

// Of no weights: y[h][w][c] = the largest of 3x2 pixels, 2 apart, those inside of the image alone.
struct pool {
    static constexpr std::int64_t h = 9, w = 13, c = 21, kh = 3, kw = 2, step = 2, pad = 1;
    static constexpr std::int64_t oh = (h + 2 * pad - kh) / step + 1, ow = (w + 2 * pad - kw) / step + 1;

    static constexpr hone::definition definition()
    {
        hone::definition d;
        const auto tensor = [&](const char* name, hone::role role, std::initializer_list<std::int64_t> extents) {
            hone::tensor t{.name = name, .role = role};
            for (const std::int64_t e : extents) t.dims.push_back({.extent = e});
            hone::set_dense(t);
            d.tensors.push_back(t);
        };
        tensor("x", hone::role::input, {h, w, c});
        tensor("y", hone::role::output, {oh, ow, c});
        hone::stage s{.name = "pool"};
        for (const auto& [name, extent] : {std::pair{"oh", oh}, {"ow", ow}, {"c", c}}) s.axes.push_back({name, extent});
        s.axes.push_back({"kh", kh, true});
        s.axes.push_back({"kw", kw, true});
        hone::operand x{.tensor = 0, .may_leave = true, .outside = -std::numeric_limits<float>::infinity()};
        x.index.push_back(hone::along(0, step, 3, 1, -pad));
        x.index.push_back(hone::along(1, step, 4, 1, -pad));
        x.index.push_back(hone::along(2));
        s.operands.push_back(x);
        s.output.tensor = 1;
        for (int a = 0; a < 3; ++a) s.output.index.push_back(hone::along(a));
        s.reduce = hone::reduction::max;
        s.body = hone::ex::load(0);
        d.stages.push_back(s);
        return d;
    }
    static constexpr hone::signature_text signature() { return hone::signature_text{}.word("max pool of nine"); }
};
inline std::vector<double> expected_pool(const std::vector<float>& x)
{
    std::vector<double> y;
    for (std::int64_t oh = 0; oh < pool::oh; ++oh)
        for (std::int64_t ow = 0; ow < pool::ow; ++ow)
            for (std::int64_t c = 0; c < pool::c; ++c) {
                float most = -std::numeric_limits<float>::infinity();
                for (std::int64_t a = 0; a < pool::kh; ++a)
                    for (std::int64_t b = 0; b < pool::kw; ++b) {
                        const std::int64_t h = oh * pool::step + a - pool::pad, w = ow * pool::step + b - pool::pad;
                        if (h < 0 || h >= pool::h || w < 0 || w >= pool::w) continue;
                        most = std::fmax(most, x[static_cast<std::size_t>((h * pool::w + w) * pool::c + c)]);
                    }
                y.push_back(static_cast<double>(most));
            }
    return y;
}

// A convolution whose image goes on as 2.5 outside, as the zero point of quantized numbers would.
struct shifted {
    static constexpr float outside = 2.5f;
    static constexpr hone::definition definition()
    {
        auto d = hone::operators::conv2d_definition<>(image, hone::dtype::f32);
        d.stages[0].name = "shifted";
        d.stages[0].operands[0].outside = outside;
        return d;
    }
    static constexpr hone::signature_text signature() { return hone::signature_text{}.word("shifted"); }
};
inline std::vector<double> expected_shifted(const std::vector<float>& x, const std::vector<float>& weights)
{
    std::vector<double> y;
    for (std::int64_t row = 0; row < image.h * image.w; ++row)
        for (std::int64_t c = 0; c < image.oc; ++c) {
            double sum = 0;
            for (std::int64_t tap = 0; tap < 9; ++tap) {
                const std::int64_t h = row / image.w + tap / 3 - 1, w = row % image.w + tap % 3 - 1;
                const bool is_inside = h >= 0 && h < image.h && w >= 0 && w < image.w;
                for (std::int64_t i = 0; i < image.ic; ++i)
                    sum += static_cast<double>(is_inside ? x[static_cast<std::size_t>((h * image.w + w) * image.ic + i)]
                                                         : shifted::outside) *
                           static_cast<double>(weights[static_cast<std::size_t>((c * 9 + tap) * image.ic + i)]);
            }
            y.push_back(sum);
        }
    return y;
}

// Of no reduction either: y = |x| - z.
struct difference {
    static constexpr std::int64_t rows = 11, columns = 27;
    static constexpr hone::definition definition()
    {
        hone::definition d;
        hone::stage s{.name = "difference"};
        s.axes.push_back({"row", rows});
        s.axes.push_back({"column", columns});
        const auto add = [&](const char* name, hone::role role) {
            hone::tensor t{.name = name, .role = role};
            for (const std::int64_t e : {rows, columns}) t.dims.push_back({.extent = e});
            hone::set_dense(t);
            hone::operand o{.tensor = static_cast<std::int8_t>(d.tensors.push_back(t))};
            for (int a = 0; a < 2; ++a) o.index.push_back(hone::along(a));
            return o;
        };
        s.operands.push_back(add("x", hone::role::input));
        s.operands.push_back(add("z", hone::role::operand));
        s.output = add("y", hone::role::output);
        s.body = hone::ex::abs(hone::ex::load(0)) - hone::ex::load(1);
        d.stages.push_back(s);
        return d;
    }
    static constexpr hone::signature_text signature() { return hone::signature_text{}.word("difference"); }
};

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
