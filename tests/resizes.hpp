// SPDX-License-Identifier: BSL-1.0
// Resized images as plain loops in double, written from the formulas of their positions alone. Products and quotients
// of such small sizes are exact where it is a whole number or a half that decides.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <string>

#include <hone/op/resize.hpp>

#include "reference.hpp"

namespace hone::test {

using namespace operators;

// Where output o of `outputs` stands among `pixels`.
inline double place_of(const resize_shape& s, std::int64_t pixels, std::int64_t outputs, std::int64_t o)
{
    const auto h = static_cast<double>(pixels), oh = static_cast<double>(outputs), at = static_cast<double>(o);
    switch (s.coordinates) {
    case coordinates::half_pixel: return (at + 0.5) * h / oh - 0.5;
    case coordinates::align_corners: return outputs > 1 ? at * (h - 1) / (oh - 1) : 0;
    case coordinates::asymmetric: break;
    }
    return at * h / oh;
}
inline std::int64_t nearest_of(const resize_shape& s, std::int64_t pixels, double place)
{
    nearest_pixel how = s.nearest;
    if (how == nearest_pixel::usual)
        how = s.coordinates == coordinates::asymmetric   ? nearest_pixel::floor
              : s.coordinates == coordinates::half_pixel ? nearest_pixel::half_up
                                                         : nearest_pixel::half_down;
    const double rounded = how == nearest_pixel::floor       ? std::floor(place)
                           : how == nearest_pixel::half_down ? std::ceil(place - 0.5)
                                                             : std::floor(place + 0.5);
    return std::clamp<std::int64_t>(static_cast<std::int64_t>(rounded), 0, pixels - 1);
}
// The pixels that an output lies between, and how far behind the first one.
struct neighbours {
    std::int64_t first, second;
    double part;
};
inline neighbours neighbours_of(std::int64_t pixels, double place)
{
    const double inside = std::clamp(place, 0.0, static_cast<double>(pixels - 1));
    const auto first = static_cast<std::int64_t>(std::floor(inside));
    return {first, std::min(first + 1, pixels - 1), inside - std::floor(inside)};
}

inline std::size_t place_in(const resize_shape& s, std::int64_t h, std::int64_t w, std::int64_t in, std::int64_t ih,
                            std::int64_t iw, std::int64_t ic)
{
    return static_cast<std::size_t>(s.layout == layout::nhwc ? ((in * h + ih) * w + iw) * s.c + ic
                                                             : ((in * s.c + ic) * h + ih) * w + iw);
}

inline call_data data_of(const resize_shape& s, std::uint64_t seed)
{
    const std::int64_t outputs = s.n * s.oh * s.ow * s.c;
    return {.x = small_integers(s.n * s.h * s.w * s.c, seed),
            .weights = {},
            .bias = small_integers(s.c, seed + 2),
            .residual = small_integers(outputs, seed + 3),
            .y = poisoned(outputs)};
}
inline doubles reference(const resize_shape& s, const call_data& d, const steps& epilogue)
{
    doubles y(d.y.size());
    for (std::int64_t n = 0; n < s.n; ++n)
        for (std::int64_t r = 0; r < s.oh; ++r)
            for (std::int64_t q = 0; q < s.ow; ++q)
                for (std::int64_t c = 0; c < s.c; ++c) {
                    const auto x = [&](std::int64_t h, std::int64_t w) {
                        return static_cast<double>(d.x[place_in(s, s.h, s.w, n, h, w, c)]);
                    };
                    const double down = place_of(s, s.h, s.oh, r), across = place_of(s, s.w, s.ow, q);
                    double value = 0;
                    if (s.mode == resize_mode::nearest) {
                        value = x(nearest_of(s, s.h, down), nearest_of(s, s.w, across));
                    } else {
                        const neighbours h = neighbours_of(s.h, down), w = neighbours_of(s.w, across);
                        const auto row = [&](std::int64_t i) {
                            return w.part == 0 ? x(i, w.first) : x(i, w.first) * (1 - w.part) + x(i, w.second) * w.part;
                        };
                        value = h.part == 0 ? row(h.first) : row(h.first) * (1 - h.part) + row(h.second) * h.part;
                    }
                    const std::size_t at = place_in(s, s.oh, s.ow, n, r, q, c);
                    y[at] = finished(value, epilogue, static_cast<double>(d.bias[static_cast<std::size_t>(c)]),
                                     static_cast<double>(d.residual[at]));
                }
    return y;
}

// Empty where each is as near as sums of four products in floats are; of copies there is no other number.
inline std::string difference_of(const resize_shape& s, const floats& found, const doubles& expected)
{
    for (std::size_t i = 0; i < expected.size(); ++i) {
        const auto f = static_cast<double>(found[i]);
        const double bound = s.mode == resize_mode::nearest ? 0 : 4e-6;
        const bool is_right = std::isnan(expected[i])   ? std::isnan(f) && !is_poison(found[i])
                              : std::isinf(expected[i]) ? f == expected[i]
                                                        : std::fabs(f - expected[i]) <= bound;
        if (!is_right)
            return "[" + std::to_string(i) + "] is " + std::to_string(f) + ", expected " + std::to_string(expected[i]);
    }
    return {};
}

// Small, odd and all legal: sizes that stay, are multiples or have nothing to do with each other.
inline resize_shape drawn_resize(random_numbers& random)
{
    for (;;) {
        resize_shape s{.n = random.between(1, 2),
                       .h = random.between(1, 9),
                       .w = random.between(1, 9),
                       .c = random.one_in(2) ? random.between(1, 5) : random.between(6, 40)};
        const auto outputs = [&](std::int64_t pixels) {
            switch (random.between(0, 4)) {
            case 0: return pixels;
            case 1: return pixels * random.between(2, 4);
            case 2: return std::max<std::int64_t>(pixels / 2, 1);
            default: return random.between(1, 19);
            }
        };
        s.oh = outputs(s.h);
        s.ow = outputs(s.w);
        s.mode = random.one_in(2) ? resize_mode::nearest : resize_mode::bilinear;
        s.coordinates = static_cast<coordinates>(random.between(0, 2));
        if (s.mode == resize_mode::nearest) s.nearest = static_cast<nearest_pixel>(random.between(0, 3));
        if (random.one_in(2)) s.layout = layout::nchw;
        if (s.check().ok()) return s;
    }
}

} // namespace hone::test
