// SPDX-License-Identifier: BSL-1.0
// Convolutions whose calls give the window, and calls of them whose padded images hold at least one.
#pragma once

#include <algorithm>
#include <cstdint>
#include <vector>

#include <hone/op/conv2d.hpp>

#include "reference.hpp"

namespace hone::test {

// Images, and channels in one group, in some that the shape or the call says, or of a depthwise convolution, are left
// open in turn.
inline conv2d_shape drawn_open_windows(random_numbers& random)
{
    const auto maybe_open = [&](std::int64_t most) {
        return random.one_in(2) ? extent::up_to(most) : extent(random.between(1, most));
    };
    conv2d_shape s{.n = maybe_open(2),
                   .h = extent::up_to(random.between(1, 9)),
                   .w = extent::up_to(random.between(1, 12)),
                   .ic = maybe_open(9),
                   .oc = maybe_open(40),
                   .kh = random.between(1, 4),
                   .kw = random.between(1, 4),
                   .window_at_call = true};
    const std::int64_t kind = random.between(0, 4);
    if (kind == 0) s.ic = s.oc = s.groups = extent::up_to(random.between(2, 39));
    if (kind == 1) {
        s.ic = extent::up_to(random.between(2, 12));
        s.oc = extent::up_to(random.between(2, 60));
        s.groups = extent::up_to(random.between(2, 9));
    }
    if (kind == 2) {
        s.groups = random.between(2, 5);
        s.ic.value *= s.groups;
        s.oc.value *= s.groups;
    }
    return s;
}

// The shape of a call of that one.
inline conv2d_shape drawn_call(const conv2d_shape& open, random_numbers& random)
{
    const auto any = [&](const extent& e) {
        if (!e.at_call) return extent(e.value);
        return extent(random.one_in(3) ? e.value : random.between(1, e.value));
    };
    conv2d_shape s{.n = any(open.n), .h = any(open.h), .w = any(open.w), .ic = any(open.ic), .oc = any(open.oc)};
    s.groups = open.groups.value;
    if (open.is_each()) {
        s.oc = s.groups = s.ic;
    } else if (open.groups.at_call) {
        const std::int64_t most = std::min({open.groups.value, open.ic.value, open.oc.value});
        s.groups = random.one_in(4) ? most : random.between(1, most);
    }
    if (s.groups > 1 && !open.is_each()) {
        const auto whole = [&](const extent& all) {
            return extent(std::max(all / s.groups * s.groups, s.groups.value));
        };
        s.ic = whole(s.ic);
        s.oc = whole(s.oc);
    }
    const auto direction = [&](std::int64_t image, std::int64_t most, std::int64_t& taps, std::int64_t& stride,
                               std::int64_t& dilation, std::int64_t& before, std::int64_t& behind) {
        taps = random.between(1, most);
        stride = random.between(1, 3);
        dilation = random.one_in(2) ? 1 : random.between(1, 3);
        before = random.one_in(3) ? 0 : random.between(0, 9);
        behind = random.one_in(3) ? before : random.between(0, 9);
        const std::int64_t missing = dilation * (taps - 1) + 1 - image - before - behind;
        before += std::max<std::int64_t>(missing, 0);
    };
    direction(s.h, open.kh, s.kh, s.stride_h, s.dilation_h, s.pad_top, s.pad_bottom);
    direction(s.w, open.kw, s.kw, s.stride_w, s.dilation_w, s.pad_left, s.pad_right);
    return s;
}
// What such a call gives.
inline std::vector<std::int64_t> values_of_call(const conv2d_shape& open, const conv2d_shape& s)
{
    std::vector<std::int64_t> values;
    const auto give = [&](const extent& e, std::int64_t value) {
        if (e.at_call) values.push_back(value);
    };
    give(open.n, s.n);
    give(open.h, s.h);
    give(open.w, s.w);
    give(open.ic, s.ic);
    if (!open.is_each()) give(open.oc, s.oc);
    for (const std::int64_t i : {s.kh, s.kw, s.stride_h, s.stride_w, s.pad_top, s.pad_left, s.pad_bottom, s.pad_right,
                                 s.dilation_h, s.dilation_w})
        values.push_back(i);
    if (!open.is_each()) give(open.groups, s.groups);
    return values;
}

} // namespace hone::test
