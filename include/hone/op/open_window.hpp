// SPDX-License-Identifier: BSL-1.0
// Parameters of operators that move a window over images: what each call gives of an image and of the window, and what
// comes of them. Convolutions and pools share them.
#pragma once

#include <cstdint>

#include <hone/core/fault.hpp>
#include <hone/core/inline_vector.hpp>
#include <hone/ir/nest.hpp>
#include <hone/op/operator.hpp>
#include <hone/op/window.hpp>

#ifndef HONE_SHOW_WARNINGS // see core/config.hpp
#pragma GCC system_header
#endif

namespace hone::operators {

// Parameters of an image that a call gives: rows, columns, and channels, which are the distance of pixels of NHWC. What
// comes of them: the distances of rows, w * c, and of images, h * w * c, as far as the call gives these. -1: none.
struct image_parameters {
    std::int16_t h = -1, w = -1, c = -1, row = -1, image = -1;
};
// What a call gives of a window in one direction, and products of these with the distance of rows or pixels of x.
struct direction_parameters {
    std::int16_t taps = -1, stride = -1, before = -1, behind = -1, dilation = -1;
};

// Those of a shape: n, h, w and channels where it leaves them open, those of the window, and what comes of them. They
// are added in the order of the functions. An image holds a window.
struct window_parameters {
    std::int16_t n = -1;
    image_parameters x, y;
    direction_parameters down, across;
    inline_vector<parameter, 40> all{};

    constexpr std::int16_t add(const parameter& own) { return static_cast<std::int16_t>(all.push_back(own)); }
    constexpr std::int16_t open(const extent& e, const char* name, std::int64_t least = 1)
    {
        const parameter own{.name = name, .least = least < 1 ? 1 : least, .most = e.value, .typical = e.typical};
        return e.at_call ? add(own) : std::int16_t{-1};
    }
    constexpr std::int16_t times(std::int16_t a, std::int16_t b, const char* name)
    {
        const std::int16_t known = a < 0 ? b : b < 0 ? a : ir::find_product(all, a, b);
        return known < 0 && a >= 0 ? add(product_of(all, name, a, b)) : known;
    }
    template <class Shape>
    constexpr void add_image(const Shape& s)
    {
        const image_window v = s.window();
        n = open(s.n, "n");
        x.h = open(s.h, "h", s.window_at_call ? 1 : v.rows(s.kh) - v.pad_top - v.pad_bottom);
        x.w = open(s.w, "w", s.window_at_call ? 1 : v.columns(s.kw) - v.pad_left - v.pad_right);
    }
    // What a call gives of a window.
    template <class Shape>
    constexpr void add_window(const Shape& s, std::int64_t dilations = most_dilation)
    {
        if (!s.window_at_call) return;
        const auto given = [&](const char* name, std::int64_t least, std::int64_t most, std::int64_t typical = 0) {
            return add({.name = name, .least = least, .most = most, .typical = typical});
        };
        // Most windows are of 3 x 3.
        const auto is_3 = [](std::int64_t taps) { return taps >= 3 ? 1 : 0; };
        down.taps = given("kh", 1, s.kh, 3 * is_3(s.kh));
        across.taps = given("kw", 1, s.kw, 3 * is_3(s.kw));
        down.stride = given("stride_h", 1, most_stride);
        across.stride = given("stride_w", 1, most_stride);
        down.before = given("pad_top", 0, most_padding, is_3(s.kh));
        across.before = given("pad_left", 0, most_padding, is_3(s.kw));
        down.behind = given("pad_bottom", 0, most_padding, is_3(s.kh));
        across.behind = given("pad_right", 0, most_padding, is_3(s.kw));
        down.dilation = given("dilation_h", 1, dilations);
        across.dilation = given("dilation_w", 1, dilations);
    }
    // Nothing that a call gives is added behind it. `meets`: whether each window has a pixel of the image.
    template <class Shape>
    constexpr void count_windows(const Shape& s, bool meets = false)
    {
        const image_window v = s.window();
        const auto windows = [&](std::int16_t of, const char* name, const direction_parameters& d, std::int64_t rest,
                                 std::int64_t stride) {
            if (s.window_at_call)
                return add(windows_of(all, name, {of, d.before, d.behind, d.taps, d.dilation, d.stride, -1, meets}));
            return of < 0 ? of : add(quotient_of(all, name, of, rest + stride, stride));
        };
        y.h = windows(x.h, "oh", down, v.pad_top + v.pad_bottom - v.rows(s.kh), v.stride_h);
        y.w = windows(x.w, "ow", across, v.pad_left + v.pad_right - v.columns(s.kw), v.stride_w);
    }
    // The channels are known by then. Behind the distances, what indices of a window of the call are made of.
    constexpr void add_distances()
    {
        x.row = times(x.w, x.c, "row");
        x.image = times(x.h, x.row, "image");
        y.row = times(y.w, y.c, "row of y");
        y.image = times(y.h, y.row, "image of y");
        times(down.stride, x.row, "stride_h * row");
        times(down.dilation, x.row, "dilation_h * row");
        times(down.before, x.row, "pad_top * row");
        times(across.stride, x.c, "stride_w * pixel");
        times(across.dilation, x.c, "dilation_w * pixel");
        times(across.before, x.c, "pad_left * pixel");
    }
};

// Where tap `tap` of output `spatial` lies in the image, with stride, dilation and padding of the call.
constexpr dim_index along_open_window(int spatial, int tap, const direction_parameters& p)
{
    dim_index i = along(spatial, 1, tap, 1, -1);
    i.terms[0].parameter = p.stride;
    i.terms[1].parameter = p.dilation; // -1: 1
    i.offset_parameter = p.before;
    return i;
}

// window_at_call where the call cannot give the window of a shape. `layout`, `sizes`, `numbers`: what is wrong then.
template <class Shape>
constexpr status check_open_window(const Shape& s, const char* layout, const char* sizes, const char* numbers)
{
    if (!s.window_at_call) return {};
    if (s.layout != operators::layout::nhwc) return {fault::window_at_call, 0, 0, layout};
    if (!s.h.at_call || !s.w.at_call) return {fault::window_at_call, 0, s.h.at_call ? s.w : s.h, sizes};
    return s.window() != window_of(Shape{}) ? status{fault::window_at_call, 0, 0, numbers} : status{};
}

} // namespace hone::operators
