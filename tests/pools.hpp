// SPDX-License-Identifier: BSL-1.0
// Pools as plain loops in double, written from their definition alone: windows are walked one after another, and taps
// counted one by one. Data are small integers, so that sums are exact and a mean is rounded once.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <limits>
#include <string>

#include <hone/op/pool.hpp>

#include "reference.hpp"

namespace hone::test {

using namespace operators;

// One direction of a pool, read from the fields that state it.
struct pool_walk {
    std::int64_t pixels, taps, stride, before, after, dilation;
    bool is_cut;

    std::int64_t outputs() const
    {
        std::int64_t count = 0;
        for (std::int64_t first = -before;; first += stride) {
            const std::int64_t last = first + dilation * (taps - 1);
            const bool fits = last < pixels + after;
            // One more window may take what is left, if it begins where there is a pixel to come.
            const bool takes_rest =
                is_cut && first < pixels && first - stride + dilation * (taps - 1) < pixels + after - 1;
            if (!fits && !takes_rest) return count;
            ++count;
        }
    }
    std::int64_t at(std::int64_t output, std::int64_t tap) const { return output * stride - before + tap * dilation; }
    bool is_inside(std::int64_t i) const { return i >= 0 && i < pixels; }
    bool is_padding(std::int64_t i) const { return !is_inside(i) && i >= -before && i < pixels + after; }
};
inline pool_walk rows_of(const pool_shape& s)
{
    return {s.h,
            s.kh,
            first_given({s.stride_h, s.stride}),
            first_given({s.pad_top, s.pad_h, s.pad}),
            first_given({s.pad_bottom, s.pad_h, s.pad}),
            first_given({s.dilation_h, s.dilation}),
            s.last == last_window::cut};
}
inline pool_walk columns_of(const pool_shape& s)
{
    return {s.w,
            s.kw,
            first_given({s.stride_w, s.stride}),
            first_given({s.pad_left, s.pad_w, s.pad}),
            first_given({s.pad_right, s.pad_w, s.pad}),
            first_given({s.dilation_w, s.dilation}),
            s.last == last_window::cut};
}
// Of n images of h x w pixels.
inline std::size_t place_in(const pool_shape& s, std::int64_t h, std::int64_t w, std::int64_t in, std::int64_t ih,
                            std::int64_t iw, std::int64_t ic)
{
    return static_cast<std::size_t>(s.layout == layout::nhwc ? ((in * h + ih) * w + iw) * s.c + ic
                                                             : ((in * s.c + ic) * h + ih) * w + iw);
}

inline call_data data_of(const pool_shape& s, std::uint64_t seed)
{
    const std::int64_t outputs = s.n * rows_of(s).outputs() * columns_of(s).outputs() * s.c;
    return {.x = small_integers(s.n * s.h * s.w * s.c, seed),
            .weights = {},
            .bias = small_integers(s.c, seed + 2),
            .residual = small_integers(outputs, seed + 3),
            .y = poisoned(outputs)};
}
inline doubles reference(const pool_shape& s, pooling how, const call_data& d, const steps& epilogue)
{
    const pool_walk rows = rows_of(s), columns = columns_of(s);
    const std::int64_t oh = rows.outputs(), ow = columns.outputs();
    doubles y(d.y.size());
    for (std::int64_t n = 0; n < s.n; ++n)
        for (std::int64_t r = 0; r < oh; ++r)
            for (std::int64_t q = 0; q < ow; ++q)
                for (std::int64_t c = 0; c < s.c; ++c) {
                    double sum = 0, largest = -std::numeric_limits<double>::infinity();
                    std::int64_t counted = 0;
                    for (std::int64_t kh = 0; kh < s.kh; ++kh)
                        for (std::int64_t kw = 0; kw < s.kw; ++kw) {
                            const std::int64_t h = rows.at(r, kh), w = columns.at(q, kw);
                            if (rows.is_inside(h) && columns.is_inside(w)) {
                                const auto v = static_cast<double>(d.x[place_in(s, s.h, s.w, n, h, w, c)]);
                                sum += v;
                                if (v > largest) largest = v; // NaN is not
                                ++counted;
                            } else if (s.count_padding == count_padding::yes) {
                                counted += (rows.is_inside(h) || rows.is_padding(h)) &&
                                           (columns.is_inside(w) || columns.is_padding(w));
                            }
                        }
                    const float mean = static_cast<float>(sum / static_cast<double>(counted));
                    const double value = how == pooling::max ? largest : static_cast<double>(mean);
                    const std::size_t at = place_in(s, oh, ow, n, r, q, c);
                    y[at] = finished(value, epilogue, static_cast<double>(d.bias[static_cast<std::size_t>(c)]),
                                     static_cast<double>(d.residual[at]));
                }
    return y;
}

inline std::string text_of(const pool_shape& s, pooling how)
{
    return std::string(signature_of(s, how, dtype::f32).c_str()) + (s.last == last_window::cut ? ", cut" : "") +
           (s.count_padding == count_padding::yes ? ", padding counts" : "");
}

// Small, odd and all legal.
inline pool_shape drawn_pool(random_numbers& random)
{
    for (;;) {
        pool_shape s{.n = random.between(1, 2),
                     .h = random.between(1, 11),
                     .w = random.between(1, 13),
                     .c = random.one_in(2) ? random.between(1, 5) : random.between(1, 40),
                     .kh = random.between(1, 4),
                     .kw = random.between(1, 4)};
        s.stride_h = random.between(1, 3);
        s.stride_w = random.between(1, 3);
        if (!random.one_in(3)) {
            s.pad_top = random.between(0, 2);
            s.pad_left = random.between(0, 2);
            s.pad_bottom = random.between(0, 2);
            s.pad_right = random.between(0, 2);
        }
        if (random.one_in(3)) s.dilation_h = random.between(1, 3);
        if (random.one_in(3)) s.dilation_w = random.between(1, 3);
        if (random.one_in(2)) s.layout = layout::nchw;
        if (random.one_in(2)) s.last = last_window::cut;
        if (random.one_in(2)) s.count_padding = count_padding::yes;
        if (random.one_in(5)) {
            s.kh = s.h;
            s.kw = s.w;
        }
        if (s.check().ok()) return s;
    }
}

} // namespace hone::test
