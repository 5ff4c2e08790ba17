// SPDX-License-Identifier: BSL-1.0
// Transposed convolutions as plain loops in double that spread each pixel of x over y, as their definition says, and
// share nothing with the phases in which hone computes them. Data are small integers, so that sums are exact.
#pragma once

#include <cstdint>
#include <string>

#include <hone/op/conv2d_transposed.hpp>

#include "reference.hpp"

namespace hone::test {

using namespace operators;

// One direction, read from the fields that state it.
struct spread {
    std::int64_t pixels, taps, stride, before, after, dilation, more;

    // One behind the last that a tap meets or output padding adds, and the padding cut off both ends.
    std::int64_t outputs() const { return (pixels - 1) * stride + (taps - 1) * dilation + 1 + more - before - after; }
    std::int64_t at(std::int64_t pixel, std::int64_t tap) const { return pixel * stride + tap * dilation - before; }
};
inline spread rows_of(const conv2d_transposed_shape& s)
{
    return {s.h,
            s.kh,
            first_given({s.stride_h, s.stride}),
            first_given({s.pad_top, s.pad_h, s.pad}),
            first_given({s.pad_bottom, s.pad_h, s.pad}),
            first_given({s.dilation_h, s.dilation}),
            first_given({s.output_padding_h, s.output_padding})};
}
inline spread columns_of(const conv2d_transposed_shape& s)
{
    return {s.w,
            s.kw,
            first_given({s.stride_w, s.stride}),
            first_given({s.pad_left, s.pad_w, s.pad}),
            first_given({s.pad_right, s.pad_w, s.pad}),
            first_given({s.dilation_w, s.dilation}),
            first_given({s.output_padding_w, s.output_padding})};
}

inline call_data data_of(const conv2d_transposed_shape& s, std::uint64_t seed)
{
    const std::int64_t outputs = s.n * rows_of(s).outputs() * columns_of(s).outputs() * s.oc;
    return {.x = small_integers(s.n * s.h * s.w * s.ic, seed),
            .weights = small_integers(s.oc * s.kh * s.kw * (s.ic / s.groups), seed + 1),
            .bias = small_integers(s.oc, seed + 2),
            .residual = small_integers(outputs, seed + 3),
            .y = poisoned(outputs)};
}

inline doubles reference(const conv2d_transposed_shape& s, const call_data& d, const steps& epilogue)
{
    const spread rows = rows_of(s), columns = columns_of(s);
    const std::int64_t oh = rows.outputs(), ow = columns.outputs(), icg = s.ic / s.groups, ocg = s.oc / s.groups;
    const bool nhwc = s.layout == layout::nhwc;
    const auto pixel = [&](std::int64_t n, std::int64_t h, std::int64_t w, std::int64_t c, std::int64_t height,
                           std::int64_t width, std::int64_t channels) {
        return static_cast<std::size_t>(nhwc ? ((n * height + h) * width + w) * channels + c
                                             : ((n * channels + c) * height + h) * width + w);
    };
    const auto weight = [&](std::int64_t i, std::int64_t o, std::int64_t h, std::int64_t w) {
        return static_cast<std::size_t>(nhwc ? ((o * s.kh + h) * s.kw + w) * icg + i % icg
                                             : ((i * ocg + o % ocg) * s.kh + h) * s.kw + w);
    };
    doubles y(d.y.size(), 0.0);
    for (std::int64_t n = 0; n < s.n; ++n)
        for (std::int64_t i = 0; i < s.ic; ++i)
            for (std::int64_t h = 0; h < s.h; ++h)
                for (std::int64_t w = 0; w < s.w; ++w)
                    for (std::int64_t kh = 0; kh < s.kh; ++kh)
                        for (std::int64_t kw = 0; kw < s.kw; ++kw) {
                            const std::int64_t r = rows.at(h, kh), c = columns.at(w, kw);
                            if (r < 0 || r >= oh || c < 0 || c >= ow) continue;
                            for (std::int64_t o = i / icg * ocg; o < (i / icg + 1) * ocg; ++o)
                                y[pixel(n, r, c, o, oh, ow, s.oc)] +=
                                    static_cast<double>(d.x[pixel(n, h, w, i, s.h, s.w, s.ic)]) *
                                    static_cast<double>(d.weights[weight(i, o, kh, kw)]);
                        }
    for (std::int64_t n = 0; n < s.n; ++n)
        for (std::int64_t r = 0; r < oh; ++r)
            for (std::int64_t c = 0; c < ow; ++c)
                for (std::int64_t o = 0; o < s.oc; ++o) {
                    const std::size_t at = pixel(n, r, c, o, oh, ow, s.oc);
                    y[at] = finished(y[at], epilogue, static_cast<double>(d.bias[static_cast<std::size_t>(o)]),
                                     static_cast<double>(d.residual[at]));
                }
    return y;
}

// Pairs of an output position and a tap that meets a pixel there.
inline std::int64_t live_taps(const conv2d_transposed_shape& s)
{
    const auto along = [](const spread& a) {
        std::int64_t live = 0;
        for (std::int64_t i = 0; i < a.pixels; ++i)
            for (std::int64_t k = 0; k < a.taps; ++k) live += a.at(i, k) >= 0 && a.at(i, k) < a.outputs();
        return live;
    };
    return s.n * along(rows_of(s)) * along(columns_of(s));
}

inline std::string text_of(const conv2d_transposed_shape& s) { return signature_of(s, dtype::f32).c_str(); }

// Small, odd and all legal.
inline conv2d_transposed_shape drawn_transposed(random_numbers& random)
{
    for (;;) {
        conv2d_transposed_shape s{.n = random.between(1, 2),
                                  .h = random.between(1, 6),
                                  .w = random.between(1, 9),
                                  .ic = random.between(1, 5),
                                  .oc = random.one_in(2) ? random.between(1, 5) : random.between(1, 40),
                                  .kh = random.between(1, 5),
                                  .kw = random.between(1, 5)};
        s.stride_h = random.between(1, 5);
        s.stride_w = random.between(1, 3);
        if (!random.one_in(3)) {
            s.pad_top = random.between(0, 3);
            s.pad_left = random.between(0, 2);
            s.pad_bottom = random.between(0, 2);
            s.pad_right = random.between(0, 3);
        }
        if (random.one_in(3)) s.dilation_h = random.between(1, 6);
        if (random.one_in(3)) s.dilation_w = random.between(1, 4);
        s.output_padding_h = random.between(0, 2);
        s.output_padding_w = random.between(0, 1);
        if (random.one_in(3)) s.groups = random.between(2, 3);
        if (random.one_in(8)) s.groups = s.ic;
        s.ic = s.ic * s.groups;
        s.oc = (s.oc + s.groups - 1) / s.groups * s.groups;
        if (random.one_in(2)) s.layout = layout::nchw;
        if (s.check().ok()) return s;
    }
}

} // namespace hone::test
