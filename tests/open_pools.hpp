// SPDX-License-Identifier: BSL-1.0
// Pools whose calls give images, channels and the window, or the image as the window, and legal calls of them.
#pragma once

#include <algorithm>
#include <cstdint>
#include <vector>

#include <hone/op/pool.hpp>

#include "pools.hpp"

namespace hone::test {

enum class open_part : std::uint8_t { window, image, whole };

// Odd and small, with at least one extent of the call; channels and images in turn.
inline pool_shape drawn_open_pool(random_numbers& random, open_part part)
{
    const auto maybe_open = [&](std::int64_t least, std::int64_t most) {
        const std::int64_t size = random.between(least, most);
        return random.one_in(2) ? extent::up_to(size) : extent(size);
    };
    for (;;) {
        pool_shape s{.n = maybe_open(1, 2), .c = maybe_open(1, random.one_in(2) ? 40 : 5)};
        if (part == open_part::window) {
            s.h = extent::up_to(random.between(1, 9));
            s.w = extent::up_to(random.between(1, 12));
            s.kh = random.between(1, 4);
            s.kw = random.between(1, 4);
            s.window_at_call = true;
            if (random.one_in(2)) s.count_padding = count_padding::yes;
        } else {
            s.h = maybe_open(1, 11);
            s.w = maybe_open(1, 13);
            if (part == open_part::whole) {
                s.kh = s.h;
                s.kw = s.w;
            } else {
                const pool_shape known = drawn_pool(random);
                s.kh = known.kh;
                s.kw = known.kw;
                s.stride_h = known.stride_h;
                s.stride_w = known.stride_w;
                s.pad_top = known.pad_top;
                s.pad_left = known.pad_left;
                s.pad_bottom = known.pad_bottom;
                s.pad_right = known.pad_right;
                s.dilation_h = known.dilation_h;
                s.dilation_w = known.dilation_w;
                s.count_padding = known.count_padding;
            }
            if (!s.h.at_call && !s.w.at_call && !s.c.at_call) continue;
        }
        if (s.check().ok()) return s;
    }
}

// The shape of a call of that one. Padding is at most what leaves each window a pixel.
inline pool_shape drawn_call(const pool_shape& open, pooling how, random_numbers& random)
{
    const auto any = [&](const extent& e) {
        if (!e.at_call) return extent(e.value);
        return extent(random.one_in(3) ? e.value : random.between(1, e.value));
    };
    for (;;) {
        pool_shape s = open;
        s.n = any(open.n);
        s.h = any(open.h);
        s.w = any(open.w);
        s.c = any(open.c);
        if (open.kh.at_call) s.kh = s.h;
        if (open.kw.at_call) s.kw = s.w;
        s.window_at_call = false;
        const auto direction = [&](std::int64_t most, extent& taps, std::int64_t& stride, std::int64_t& dilation,
                                   std::int64_t& before, std::int64_t& behind) {
            taps = random.between(1, most);
            stride = random.between(1, 4);
            dilation = how == pooling::average || random.one_in(2) ? 1 : random.between(1, 3);
            const std::int64_t far = dilation * (taps - 1);
            before = random.one_in(3) ? 0 : random.between(0, far);
            behind = random.one_in(3) ? std::min(before, far) : random.between(0, far);
        };
        if (open.window_at_call) {
            direction(open.kh, s.kh, s.stride_h, s.dilation_h, s.pad_top, s.pad_bottom);
            direction(open.kw, s.kw, s.stride_w, s.dilation_w, s.pad_left, s.pad_right);
        }
        if (s.check().ok()) return s;
    }
}
// What such a call gives.
inline std::vector<std::int64_t> values_of_call(const pool_shape& open, const pool_shape& s)
{
    std::vector<std::int64_t> values;
    const auto give = [&](const extent& e, std::int64_t value) {
        if (e.at_call) values.push_back(value);
    };
    give(open.n, s.n);
    give(open.h, s.h);
    give(open.w, s.w);
    give(open.c, s.c);
    if (!open.window_at_call) return values;
    for (const std::int64_t i : {s.kh.value, s.kw.value, s.stride_h, s.stride_w, s.pad_top, s.pad_left, s.pad_bottom,
                                 s.pad_right, s.dilation_h, s.dilation_w})
        values.push_back(i);
    return values;
}

} // namespace hone::test
