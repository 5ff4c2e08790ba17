// SPDX-License-Identifier: BSL-1.0
// What a workload is called with, in hone's layouts, what it must give at some thousand places, and what it must load
// and multiply at least. The reference knows the formulas only, and nothing of hone's definitions.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <functional>
#include <random>
#include <utility>

#include <hone/op/conv2d.hpp>
#include <hone/op/gemm.hpp>

#include "../rounds.hpp"
#include "shape.hpp"
#include "table.hpp"

namespace bench::layers {

struct least_work {
    double products = 0;     // of numbers that are none of the padding's
    double x_bytes = 0;      // that some window reads
    double weight_bytes = 0; // the same
    double winograd_saving = 1;
};

// Along one axis of an image: taps of all outputs that lie in it, and the pixels that these read.
struct along_axis {
    std::int64_t taps = 0, pixels = 0;

    along_axis(std::int64_t extent, std::int64_t outputs, std::int64_t kernel, std::int64_t stride,
               std::int64_t dilation, std::int64_t pad)
    {
        std::vector<bool> is_read(static_cast<std::size_t>(extent));
        for (std::int64_t o = 0; o < outputs; ++o)
            for (std::int64_t k = 0; k < kernel; ++k)
                if (const std::int64_t at = o * stride + k * dilation - pad; at >= 0 && at < extent) {
                    ++taps;
                    is_read[static_cast<std::size_t>(at)] = true;
                }
        pixels = std::count(is_read.begin(), is_read.end(), true);
    }
};

struct operands {
    shape of;
    floats x, weights, bias;
    std::int64_t outputs = 0;
    reference expected{};
    least_work work{};

    explicit operands(const shape& s) : of(s)
    {
        if (const auto* const c = of.conv2d())
            fill(*c);
        else
            fill(*of.gemm());
    }

    // Where they lie.
    static std::int64_t at_image(const hone::conv2d_shape& s, std::int64_t h, std::int64_t w, std::int64_t channels,
                                 const std::int64_t (&i)[4]) // n, h, w, channel
    {
        return s.layout == hone::layout::nhwc ? ((i[0] * h + i[1]) * w + i[2]) * channels + i[3]
                                              : ((i[0] * channels + i[3]) * h + i[1]) * w + i[2];
    }
    static std::int64_t at_weights(const hone::conv2d_shape& s, std::int64_t oc, std::int64_t kh, std::int64_t kw,
                                   std::int64_t ic)
    {
        const std::int64_t of_group = s.ic / s.groups;
        return s.layout == hone::layout::nhwc ? ((oc * s.kh + kh) * s.kw + kw) * of_group + ic
                                              : ((oc * of_group + ic) * s.kh + kh) * s.kw + kw;
    }

private:
    void draw(std::int64_t x_count, std::int64_t weight_count, std::int64_t bias_count, std::int64_t depth)
    {
        x = floats::random(x_count, 1, 1);
        weights = floats::random(weight_count, 1 / std::sqrt(static_cast<float>(depth)), 2);
        bias = floats::random(of.bias ? bias_count : 0, 0.5f, 3);
    }
    void add(std::int64_t position, std::int64_t channel, double sum)
    {
        if (of.bias) sum += static_cast<double>(bias[channel]);
        expected.add(position, of.relu && sum < 0 ? 0 : sum);
    }

    void fill(const hone::conv2d_shape& s)
    {
        const hone::operators::image_window v = s.window();
        const std::int64_t of_group = s.ic / s.groups, oh = s.oh(), ow = s.ow();
        draw(s.n * s.h * s.w * s.ic, s.oc * s.kh * s.kw * of_group, s.oc, s.kh * s.kw * of_group);
        outputs = s.n * oh * ow * s.oc;
        const along_axis down(s.h, oh, s.kh, v.stride_h, v.dilation_h, v.pad_top);
        const along_axis across(s.w, ow, s.kw, v.stride_w, v.dilation_w, v.pad_left);
        const auto real = [](std::int64_t n) { return static_cast<double>(n); };
        work.products = real(s.n) * real(s.oc) * real(of_group) * real(down.taps) * real(across.taps);
        work.x_bytes = 4 * real(s.n) * real(s.ic) * real(down.pixels) * real(across.pixels);
        // A tap that meets nothing but padding needs no weights.
        work.weight_bytes =
            4 * real(s.oc) * real(of_group) * real(std::min(s.kh, down.taps)) * real(std::min(s.kw, across.taps));
        const bool may_be_winograd = v.stride_h == 1 && v.stride_w == 1 && v.dilation_h == 1 && v.dilation_w == 1;
        work.winograd_saving = may_be_winograd ? winograd_saving(s.kh, s.kw) : 1;

        const auto point = [&](std::int64_t n, std::int64_t h, std::int64_t w, std::int64_t oc) {
            const std::int64_t first = oc / (s.oc / s.groups) * of_group;
            double sum = 0;
            for (std::int64_t kh = 0; kh < s.kh; ++kh)
                for (std::int64_t kw = 0; kw < s.kw; ++kw) {
                    const std::int64_t ih = h * v.stride_h + kh * v.dilation_h - v.pad_top;
                    const std::int64_t iw = w * v.stride_w + kw * v.dilation_w - v.pad_left;
                    if (ih < 0 || ih >= s.h || iw < 0 || iw >= s.w) continue;
                    for (std::int64_t ic = 0; ic < of_group; ++ic)
                        sum += static_cast<double>(x[at_image(s, s.h, s.w, s.ic, {n, ih, iw, first + ic})]) *
                               static_cast<double>(weights[at_weights(s, oc, kh, kw, ic)]);
                }
            add(at_image(s, oh, ow, s.oc, {n, h, w, oc}), oc, sum);
        };
        // Corners, borders and others; the first and the last element are among the corners.
        for (const std::int64_t n : {std::int64_t{0}, s.n - 1})
            for (const std::int64_t h : {std::int64_t{0}, oh - 1})
                for (const std::int64_t w : {std::int64_t{0}, ow - 1})
                    for (const std::int64_t oc : {std::int64_t{0}, s.oc - 1}) point(n, h, w, oc);
        std::mt19937 bits(4);
        const auto below = [&](std::int64_t n) { return static_cast<std::int64_t>(bits() % static_cast<unsigned>(n)); };
        for (int i = 0; i < 200; ++i) {
            point(below(s.n), i % 2 * (oh - 1), below(ow), below(s.oc));
            point(below(s.n), below(oh), i % 2 * (ow - 1), below(s.oc));
        }
        for (int i = 0; i < 1000; ++i) point(below(s.n), below(oh), below(ow), below(s.oc));
    }

    void fill(const hone::gemm_shape& s)
    {
        const std::int64_t m = s.m.value, n = s.n, k = s.k;
        const bool xt = s.x == hone::transposed::yes, wt = s.weights == hone::transposed::yes;
        draw(s.batch * m * k, s.batch * k * n, n, k);
        outputs = s.batch * m * n;
        work.products = static_cast<double>(outputs) * static_cast<double>(k);
        work.x_bytes = 4 * static_cast<double>(x.size());
        work.weight_bytes = 4 * static_cast<double>(weights.size());
        const auto point = [&](std::int64_t b, std::int64_t i, std::int64_t j) {
            double sum = 0;
            for (std::int64_t p = 0; p < k; ++p)
                sum += static_cast<double>(x[b * m * k + (xt ? p * m + i : i * k + p)]) *
                       static_cast<double>(weights[b * k * n + (wt ? j * k + p : p * n + j)]);
            add((b * m + i) * n + j, j, sum);
        };
        for (const std::int64_t b : {std::int64_t{0}, s.batch - 1})
            for (const std::int64_t i : {std::int64_t{0}, m - 1})
                for (const std::int64_t j : {std::int64_t{0}, n - 1}) point(b, i, j);
        std::mt19937 bits(4);
        const auto below = [&](std::int64_t e) { return static_cast<std::int64_t>(bits() % static_cast<unsigned>(e)); };
        for (int i = 0; i < 1000; ++i) point(below(s.batch), below(m), below(n));
    }
};

// Those that are timed in turns, with what the table says of each at the same place.
struct field {
    std::vector<contender> contenders{};
    std::vector<contestant> said{};

    void add(contender c, side of, algorithm how = algorithm::direct)
    {
        said.push_back({.name = c.name, .of = of, .how = how, .error = c.error});
        contenders.push_back(std::move(c));
    }
};

// What a peer is to be measured with.
struct peer_call {
    const operands& in;
    hone::tune::cache_mode cache;
    int threads;
};
// Each adds what its library has for the workload, and nothing where that is not here.
void add_onednn(field& to, const peer_call& p);
void add_xnnpack(field& to, const peer_call& p);
void add_openblas(field& to, const peer_call& p);
// One line each, with the version; empty where it is not here.
std::string onednn_version();
std::string xnnpack_version();
std::string openblas_version();

} // namespace bench::layers
