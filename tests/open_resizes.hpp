// SPDX-License-Identifier: BSL-1.0
// Resized images whose calls give sizes and channels, and legal calls of them.
#pragma once

#include <cstdint>
#include <vector>

#include <hone/op/resize.hpp>

#include "resizes.hpp"

namespace hone::test {

// Odd and small, with at least one extent of the call; sizes of x and y in turn.
inline resize_shape drawn_open_resize(random_numbers& random)
{
    for (;;) {
        resize_shape s = drawn_resize(random);
        s.layout = layout::nhwc;
        if (random.one_in(2)) s.nearest = nearest_pixel::usual;
        bool is_open = false;
        for (extent* e : {&s.n, &s.h, &s.w, &s.c, &s.oh, &s.ow}) {
            if (random.one_in(3)) continue;
            *e = extent::up_to(e->value);
            is_open = true;
        }
        if (is_open && s.check().ok()) return s;
    }
}

// The shape of a call of that one: a size that stays, and of one pixel, among others.
inline resize_shape drawn_call(const resize_shape& open, random_numbers& random)
{
    for (;;) {
        resize_shape s = open;
        for (extent* e : {&s.n, &s.h, &s.w, &s.c, &s.oh, &s.ow})
            if (e->at_call) *e = extent(random.one_in(3) ? e->value : random.between(1, e->value));
        if (open.oh.at_call && s.h <= open.oh && random.one_in(5)) s.oh = s.h;
        if (open.ow.at_call && s.w <= open.ow && random.one_in(5)) s.ow = s.w;
        if (s.check().ok()) return s;
    }
}
// What such a call gives.
inline std::vector<std::int64_t> values_of_call(const resize_shape& open, const resize_shape& s)
{
    std::vector<std::int64_t> values;
    const auto give = [&](const extent& e, std::int64_t value) {
        if (e.at_call) values.push_back(value);
    };
    give(open.n, s.n);
    give(open.h, s.h);
    give(open.w, s.w);
    give(open.c, s.c);
    give(open.oh, s.oh);
    give(open.ow, s.ow);
    return values;
}

} // namespace hone::test
