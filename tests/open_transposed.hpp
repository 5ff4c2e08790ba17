// SPDX-License-Identifier: BSL-1.0
// Transposed convolutions whose calls give images, channels, and the window or not, and calls of them that have
// outputs.
#pragma once

#include <algorithm>
#include <cstdint>
#include <vector>

#include <hone/op/conv2d_transposed.hpp>

#include "reference.hpp"
#include "transposed.hpp"

namespace hone::test {

enum class open_part : std::uint8_t { image, window };

// Small and odd, with at least one extent of the call, or the window; channels and images in turn.
inline conv2d_transposed_shape drawn_open_transposed(random_numbers& random, open_part part)
{
    const auto maybe_open = [&](std::int64_t most) {
        const std::int64_t size = random.between(1, most);
        return random.one_in(2) ? extent::up_to(size) : extent(size);
    };
    for (;;) {
        conv2d_transposed_shape s;
        if (part == open_part::image) {
            s = drawn_transposed(random);
            s.layout = layout::nhwc;
            s.h = maybe_open(6);
            s.w = maybe_open(9);
            if (s.groups == 1) {
                s.ic = maybe_open(5);
                s.oc = maybe_open(random.one_in(2) ? 5 : 40);
            }
            if (!s.h.at_call && !s.w.at_call && !s.ic.at_call && !s.oc.at_call) continue;
        } else {
            s.h = extent::up_to(random.between(1, 6));
            s.w = extent::up_to(random.between(1, 9));
            s.ic = maybe_open(5);
            s.oc = maybe_open(40);
            s.kh = random.between(1, 5);
            s.kw = random.between(1, 5);
            s.window_at_call = true;
            s.most_outputs = 60;
        }
        s.n = maybe_open(2);
        if (s.check().ok()) return s;
    }
}

// The shape of a call of that one.
inline conv2d_transposed_shape drawn_call(const conv2d_transposed_shape& open, random_numbers& random)
{
    const auto any = [&](const extent& e) {
        if (!e.at_call) return extent(e.value);
        return extent(random.one_in(3) ? e.value : random.between(1, e.value));
    };
    for (;;) {
        conv2d_transposed_shape s = open;
        s.n = any(open.n);
        s.h = any(open.h);
        s.w = any(open.w);
        s.ic = any(open.ic);
        s.oc = any(open.oc);
        s.window_at_call = false;
        const auto direction = [&](std::int64_t& taps, std::int64_t most, std::int64_t& stride, std::int64_t& before,
                                   std::int64_t& behind, std::int64_t& more) {
            taps = random.between(1, most);
            stride = random.one_in(2) ? 2 : random.between(1, 5);
            before = random.one_in(3) ? 0 : random.between(0, 6);
            behind = random.one_in(3) ? before : random.between(0, 6);
            more = random.one_in(2) ? 0 : random.between(0, stride - 1);
        };
        if (open.window_at_call) {
            direction(s.kh, open.kh, s.stride_h, s.pad_top, s.pad_bottom, s.output_padding_h);
            direction(s.kw, open.kw, s.stride_w, s.pad_left, s.pad_right, s.output_padding_w);
        }
        if (s.check().ok() && (!open.window_at_call || std::max(s.oh(), s.ow()) <= open.most_outputs)) return s;
    }
}
// What such a call gives.
inline std::vector<std::int64_t> values_of_call(const conv2d_transposed_shape& open, const conv2d_transposed_shape& s)
{
    std::vector<std::int64_t> values;
    const auto give = [&](const extent& e, std::int64_t value) {
        if (e.at_call) values.push_back(value);
    };
    give(open.n, s.n);
    give(open.h, s.h);
    give(open.w, s.w);
    give(open.ic, s.ic);
    give(open.oc, s.oc);
    const image_window v = s.window();
    for (const std::int64_t i :
         {s.kh, s.kw, v.stride_h, v.stride_w, v.pad_top, v.pad_left, rows_of(s).outputs(), columns_of(s).outputs()})
        if (open.window_at_call) values.push_back(i);
    return values;
}

} // namespace hone::test
