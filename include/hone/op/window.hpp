// SPDX-License-Identifier: BSL-1.0
// Images, how they lie in memory, and how a window moves over one: stride and dilation per direction, padding per side,
// from the fields that the shapes of convolutions and pools have in common.
#pragma once

#include <cstdint>
#include <initializer_list>

#include <hone/core/fault.hpp>
#include <hone/op/definition.hpp>
#include <hone/op/definition_check.hpp>
#include <hone/op/leading.hpp>
#include <hone/op/operator.hpp>

#ifndef HONE_SHOW_WARNINGS // see core/config.hpp
#pragma GCC system_header
#endif

namespace hone::operators {

enum class layout : std::uint8_t { nhwc, nchw };
constexpr const char* name_of(layout l) { return l == layout::nhwc ? "nhwc" : "nchw"; }

// How images lie in memory. Some channels of a larger tensor are a view of it, whose pixels are farther apart than
// dense in NHWC, and whose images are in NCHW; the other distance is none of the layout's.
struct image_view {
    operators::layout layout;
    std::int64_t channels, elements; // of a pixel, of an image
    leading pixels, images;
    const char *pixels_name, *images_name, *images_word; // the last one in signatures

    constexpr bool is_nhwc() const { return layout == operators::layout::nhwc; }
    constexpr const leading& distance() const { return is_nhwc() ? pixels : images; }
    constexpr std::int64_t least() const { return is_nhwc() ? channels : elements; }
    constexpr const char* name() const { return is_nhwc() ? pixels_name : images_name; }
    constexpr bool is_dense() const { return distance().is_dense(least()); }
    constexpr status check() const
    {
        const leading& other = is_nhwc() ? images : pixels;
        if (other.is_at_call || other.value != 0)
            return {fault::view_mismatch, 0, other.is_at_call ? 1 : other.value, is_nhwc() ? images_name : pixels_name};
        return distance().check(least(), name());
    }
    // What a shape names: tables are asked by it for kernels whose calls give any distance.
    constexpr void add_to(signature_text& t) const { add_named(t, is_nhwc() ? pixels_name : images_word, distance()); }
};
template <class Shape>
constexpr image_view view_of_x(const Shape& s, std::int64_t channels, std::int64_t pixels)
{
    return {s.layout,         channels, saturated_product(channels, pixels), s.ldx, s.batch_stride_x, "ldx",
            "batch_stride_x", "bsx"};
}
template <class Shape>
constexpr image_view view_of_y(const Shape& s, std::int64_t channels, std::int64_t pixels)
{
    return {s.layout,         channels, saturated_product(channels, pixels), s.ldy, s.batch_stride_y, "ldy",
            "batch_stride_y", "bsy"};
}

constexpr status check_views(const image_view& x, const image_view& y)
{
    const status found = x.check();
    return found.ok() ? y.check() : found;
}
// Of a shape that may have any fault.
template <class Shape>
constexpr void add_views(signature_text& t, const Shape& s)
{
    if (!s.check().ok()) return;
    s.x().add_to(t);
    s.y().add_to(t);
}

// Lays a tensor that is dense so far out as a view. `pixels`: its dimensions of images, rows and columns, images first.
// A distance that the call gives is its last parameter; beside one that is computed there is no place for it.
constexpr void lay_out(definition& d, tensor& t, const image_view& v, std::initializer_list<int> pixels)
{
    if (v.is_dense() || !d.found.ok()) return;
    const bool is_at_call = v.distance().is_at_call;
    bool is_refused = is_at_call && given_parameters(d.parameters) != d.parameters.size();
    for (const int i : pixels) {
        const dimension& own = t.dims[i];
        const bool is_open = own.stride_parameter >= 0 || (own.extent_parameter >= 0 && i != *pixels.begin());
        // Rows of as many pixels as the call gives are multiples of a known distance; pixels of so many channels are
        // not.
        const bool is_pixel = i == *(pixels.end() - 1);
        is_refused = is_refused || (is_open && is_at_call) || (v.is_nhwc() && is_pixel && own.stride_parameter >= 0);
    }
    if (is_refused) {
        d.found = {fault::view_mismatch, 0, 1, v.name()};
        return;
    }
    const std::int16_t parameter = add_distance(d, v.distance(), v.least(), v.name());
    if (v.is_nhwc()) {
        for (const int i : pixels) set_distance(t.dims[i], v.distance(), v.channels, parameter);
    } else {
        t.dims[*pixels.begin()].stride = v.elements;
        t.dims[*pixels.begin()].stride_parameter = -1;
        set_distance(t.dims[*pixels.begin()], v.distance(), v.elements, parameter);
    }
}

// The largest that a call may give of a window.
inline constexpr std::int64_t most_stride = 64, most_dilation = 64, most_padding = 256;

// The largest number of a window: indices are sums of products of these, in 32 bits.
inline constexpr std::int64_t most_of_window = std::int64_t{1} << 24;

struct image_window {
    std::int64_t stride_h, stride_w;
    std::int64_t pad_top, pad_left, pad_bottom, pad_right;
    std::int64_t dilation_h, dilation_w;

    friend constexpr bool operator==(const image_window&, const image_window&) = default;
    constexpr bool pads() const { return pad_top > 0 || pad_left > 0 || pad_bottom > 0 || pad_right > 0; }
    // Rows and columns from the first tap to the last.
    constexpr std::int64_t rows(std::int64_t kh) const { return dilation_h * (kh - 1) + 1; }
    constexpr std::int64_t columns(std::int64_t kw) const { return dilation_w * (kw - 1) + 1; }
    // Windows that lie in the padded image.
    constexpr std::int64_t outputs_down(std::int64_t h, std::int64_t kh) const
    {
        return (h + pad_top + pad_bottom - rows(kh)) / stride_h + 1;
    }
    constexpr std::int64_t outputs_across(std::int64_t w, std::int64_t kw) const
    {
        return (w + pad_left + pad_right - columns(kw)) / stride_w + 1;
    }
};

// `stride`, `pad` and `dilation` speak for both directions and all sides; those of a direction go before them, those of
// a side before these. However it is written, one shape has one window, and with it one signature.
template <class Shape>
constexpr image_window window_of(const Shape& s)
{
    constexpr auto either = [](std::int64_t own, std::int64_t wider) { return own == Shape::as_above ? wider : own; };
    const std::int64_t rows = either(s.pad_h, s.pad), columns = either(s.pad_w, s.pad);
    return {.stride_h = either(s.stride_h, s.stride),
            .stride_w = either(s.stride_w, s.stride),
            .pad_top = either(s.pad_top, rows),
            .pad_left = either(s.pad_left, columns),
            .pad_bottom = either(s.pad_bottom, rows),
            .pad_right = either(s.pad_right, columns),
            .dilation_h = either(s.dilation_h, s.dilation),
            .dilation_w = either(s.dilation_w, s.dilation)};
}

// What a fault names of an operator: "conv2d", "conv2d: pad", and so on.
struct window_subjects {
    const char *whole, *pad, *window, *h, *w;
};
// extent_zero and shape_mismatch of the numbers of a window with kh x kw taps, whatever image it moves over.
template <class Shape>
constexpr status check_numbers(const Shape& s, const window_subjects& name)
{
    const image_window v = s.window();
    const std::int64_t kh = s.kh, kw = s.kw;
    for (std::int64_t e : {kh, kw, v.stride_h, v.stride_w, v.dilation_h, v.dilation_w})
        if (e < 1) return {fault::extent_zero, 1, e, name.whole};
    for (std::int64_t p : {v.pad_top, v.pad_left, v.pad_bottom, v.pad_right})
        if (p < 0) return {fault::shape_mismatch, 0, p, name.pad};
    for (std::int64_t e :
         {kh, kw, v.stride_h, v.stride_w, v.dilation_h, v.dilation_w, v.pad_top, v.pad_left, v.pad_bottom, v.pad_right})
        if (e > most_of_window) return {fault::shape_mismatch, most_of_window, e, name.window};
    return {};
}
// The same over an image of h x w pixels, which are at least 1.
template <class Shape>
constexpr status check_window(const Shape& s, const window_subjects& name)
{
    const status found = check_numbers(s, name);
    if (!found.ok()) return found;
    const image_window v = s.window();
    const std::int64_t rows = v.rows(s.kh), columns = v.columns(s.kw);
    if (s.h + v.pad_top + v.pad_bottom < rows) return {fault::shape_mismatch, rows, s.h, name.h};
    if (s.w + v.pad_left + v.pad_right < columns) return {fault::shape_mismatch, columns, s.w, name.w};
    return {};
}

// One field where all are alike, which is what most shapes are.
constexpr void add_window(signature_text& t, const image_window& v)
{
    if (v.stride_h == v.stride_w)
        t.field("s", v.stride_h);
    else
        t.field("sh", v.stride_h).field("sw", v.stride_w);
    if (v.pad_top == v.pad_left && v.pad_top == v.pad_bottom && v.pad_top == v.pad_right)
        t.field("p", v.pad_top);
    else
        t.field("pt", v.pad_top).field("pl", v.pad_left).field("pb", v.pad_bottom).field("pr", v.pad_right);
    if (v.dilation_h == v.dilation_w)
        t.field("d", v.dilation_h);
    else
        t.field("dh", v.dilation_h).field("dw", v.dilation_w);
}

// Where tap `tap` of output `spatial` lies in the image.
constexpr dim_index along_window(int spatial, std::int64_t stride, int tap, std::int64_t dilation, std::int64_t pad)
{
    return along(spatial, static_cast<std::int32_t>(stride), tap, static_cast<std::int32_t>(dilation),
                 -static_cast<std::int32_t>(pad));
}

} // namespace hone::operators

namespace hone { // API
using operators::layout, operators::name_of;
} // namespace hone
