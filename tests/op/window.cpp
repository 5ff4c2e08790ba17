// SPDX-License-Identifier: BSL-1.0
// Images and windows over them, apart from any operator: which field speaks for which direction and side, how many
// windows there are, and which number is named where there is none.
#include <hone/op/window.hpp>

#include <cstdint>
#include <initializer_list>
#include <limits>
#include <string>

#include <doctest/doctest.h>

#include <hone/op/image_shape.hpp>

using namespace hone;
using namespace hone::operators;

namespace {

// The fields that shapes of convolutions and pools have in common.
struct windowed {
    static constexpr std::int64_t as_above = -1;
    std::int64_t h = 9, w = 8, kh = 3, kw = 2;
    std::int64_t stride = 1, stride_h = as_above, stride_w = as_above;
    std::int64_t pad = 0, pad_h = as_above, pad_w = as_above;
    std::int64_t pad_top = as_above, pad_left = as_above, pad_bottom = as_above, pad_right = as_above;
    std::int64_t dilation = 1, dilation_h = as_above, dilation_w = as_above;
    constexpr image_window window() const { return window_of(*this); }
};

constexpr window_subjects subjects{"whole", "pad", "window", "h", "w"};
status found(const windowed& s) { return check_window(s, subjects); }

std::string text_of(const image_window& v)
{
    signature_text t;
    add_window(t, v);
    return t.c_str();
}
std::string sides(const image_window& v)
{
    std::string all;
    for (const std::int64_t p : {v.pad_top, v.pad_left, v.pad_bottom, v.pad_right}) all += std::to_string(p) + ' ';
    return all;
}

static_assert(!window_of(windowed{}).pads());
static_assert(window_of(windowed{.pad_right = 1}).pads());

} // namespace

TEST_CASE("a field of a direction goes before that of both, and one of a side before these")
{
    constexpr image_window one = window_of(windowed{.stride = 2, .pad = 3, .dilation = 4});
    CHECK(one.stride_h == 2);
    CHECK(one.stride_w == 2);
    CHECK(sides(one) == "3 3 3 3 ");
    CHECK(one.dilation_h == 4);
    CHECK(one.dilation_w == 4);
    constexpr image_window each = window_of(
        windowed{.stride = 2, .stride_w = 5, .pad = 3, .pad_h = 1, .pad_bottom = 0, .dilation = 4, .dilation_h = 6});
    CHECK(each.stride_h == 2);
    CHECK(each.stride_w == 5);
    CHECK(sides(each) == "1 3 0 3 ");
    CHECK(each.dilation_h == 6);
    CHECK(each.dilation_w == 4);
}

TEST_CASE("there are as many windows as a walk over the padded image counts")
{
    for (const std::int64_t h : {1, 5, 9})
        for (const std::int64_t kh : {1, 2, 3})
            for (const std::int64_t stride : {1, 2, 3})
                for (const std::int64_t pad : {0, 1, 2})
                    for (const std::int64_t dilation : {1, 2}) {
                        const windowed s{.h = h,
                                         .w = h,
                                         .kh = kh,
                                         .kw = kh,
                                         .stride = stride,
                                         .pad = 0,
                                         .pad_top = pad,
                                         .pad_right = pad,
                                         .dilation = dilation};
                        std::int64_t windows = 0;
                        for (std::int64_t first = -pad; first + dilation * (kh - 1) < h; first += stride) ++windows;
                        CAPTURE(h);
                        CAPTURE(kh);
                        CAPTURE(stride);
                        CAPTURE(pad);
                        CAPTURE(dilation);
                        CHECK(found(s).ok() == (windows > 0));
                        if (windows == 0) continue;
                        CHECK(s.window().outputs_down(h, kh) == windows);
                        CHECK(s.window().outputs_across(h, kh) == windows);
                    }
}

TEST_CASE("a window is one field for each of stride, padding and dilation, unless they differ")
{
    CHECK(text_of(window_of(windowed{.stride = 2, .pad = 1})) == "s2 p1 d1");
    CHECK(text_of(window_of(windowed{.stride_h = 2, .pad_w = 1, .dilation_w = 3})) ==
          "sh2 sw1 pt0 pl1 pb0 pr1 dh1 dw3");
    // However it is written.
    CHECK(text_of(window_of(windowed{.stride = 7, .stride_h = 2, .stride_w = 2})) == "s2 p0 d1");
}

TEST_CASE("what is no window is named by its number, with the most or the least that it may be")
{
    const auto is = [](const status& s, fault what, std::int64_t expected, std::int64_t number, const char* subject) {
        CHECK(s.what == what);
        CHECK(s.expected == expected);
        CHECK(s.found == number);
        CHECK(std::string{s.subject} == subject);
    };
    CHECK(found({}).ok());
    is(found({.kh = 0}), fault::extent_zero, 1, 0, "whole");
    is(found({.stride_w = 0}), fault::extent_zero, 1, 0, "whole");
    is(found({.dilation = -2}), fault::extent_zero, 1, -2, "whole");
    is(found({.pad_left = -3}), fault::shape_mismatch, 0, -3, "pad");
    is(found({.pad = most_of_window + 1}), fault::shape_mismatch, most_of_window, most_of_window + 1, "window");
    is(found({.stride = std::numeric_limits<std::int64_t>::max()}), fault::shape_mismatch, most_of_window,
       std::numeric_limits<std::int64_t>::max(), "window");
    is(found({.kh = 10}), fault::shape_mismatch, 10, 9, "h");
    is(found({.kw = 5, .dilation_w = 2}), fault::shape_mismatch, 9, 8, "w");
    CHECK(found({.kw = 5, .pad_right = 1, .dilation_w = 2}).ok());
}

TEST_CASE("a tap lies in the image where stride, dilation and padding put it")
{
    const dim_index index = along_window(3, 2, 5, 4, 1);
    REQUIRE(index.terms.size() == 2);
    CHECK(index.terms[0].axis == 3);
    CHECK(index.terms[0].coefficient == 2);
    CHECK(index.terms[1].axis == 5);
    CHECK(index.terms[1].coefficient == 4);
    CHECK(index.offset == -1);
}

namespace {

// n, h, w and c of an image, dense.
tensor image_of(layout l, std::int64_t n, std::int64_t h, std::int64_t w, std::int64_t c)
{
    tensor t;
    const bool nhwc = l == layout::nhwc;
    t.dims.push_back({.extent = n, .stride = h * w * c});
    t.dims.push_back({.extent = h, .stride = nhwc ? w * c : w});
    t.dims.push_back({.extent = w, .stride = nhwc ? c : 1});
    t.dims.push_back({.extent = c, .stride = nhwc ? 1 : h * w});
    return t;
}
void has_strides(const tensor& t, std::initializer_list<std::int64_t> strides)
{
    std::size_t i = 0;
    for (const std::int64_t s : strides) CHECK(t.dims[i++].stride == s);
}

} // namespace

TEST_CASE("pixels of NHWC and images of NCHW are as far apart as a shape says")
{
    definition d;
    tensor t = image_of(layout::nhwc, 2, 5, 6, 7);
    lay_out(d, t, image_shape{.n = 2, .h = 5, .w = 6, .c = 7, .ldx = 7}.x(), {0, 1, 2});
    has_strides(t, {210, 42, 7, 1});
    lay_out(d, t, image_shape{.n = 2, .h = 5, .w = 6, .c = 7, .ldx = 10}.x(), {0, 1, 2});
    has_strides(t, {300, 60, 10, 1});
    t = image_of(layout::nhwc, 2, 5, 6, 7);
    lay_out(d, t, image_shape{.n = 2, .h = 5, .w = 6, .c = 7, .ldy = leading::at_call()}.y(), {0, 1, 2});
    has_strides(t, {30, 6, 1, 1});
    for (int i = 0; i < 4; ++i) CHECK(t.dims[i].stride_parameter == (i < 3 ? 0 : -1));
    REQUIRE(d.parameters.size() == 1);
    CHECK(std::string(d.parameters[0].name) == "ldy");

    image_shape planes{.n = 2, .h = 5, .w = 6, .c = 7, .layout = layout::nchw, .batch_stride_x = 300};
    planes.batch_stride_y = leading::at_call();
    t = image_of(layout::nchw, 2, 5, 6, 7);
    lay_out(d, t, planes.x(), {0, 1, 2});
    has_strides(t, {300, 6, 1, 30});
    lay_out(d, t, planes.y(), {0, 1, 2});
    has_strides(t, {1, 6, 1, 30});
    CHECK(t.dims[0].stride_parameter == 1);
    CHECK(d.parameters[1].least == 210);
    CHECK(d.found.ok());
}

TEST_CASE("a distance of the other layout, or one that overlaps, is none")
{
    const auto is = [](const image_shape& s, std::int64_t expected, std::int64_t wrong, const char* name) {
        const status none = s.check("op");
        CHECK(none.what == fault::view_mismatch);
        CHECK(none.expected == expected);
        CHECK(none.found == wrong);
        CHECK(std::string(none.subject) == name);
    };
    is({.c = 7, .ldx = 6}, 7, 6, "ldx");
    is({.c = 7, .ldy = -8}, 7, -8, "ldy");
    is({.c = 7, .batch_stride_x = 90}, 0, 90, "batch_stride_x");
    is({.c = 7, .batch_stride_y = leading::at_call()}, 0, 1, "batch_stride_y");
    is({.h = 3, .w = 5, .c = 7, .layout = layout::nchw, .batch_stride_x = 104}, 105, 104, "batch_stride_x");
    is({.c = 7, .layout = layout::nchw, .ldx = 7}, 0, 7, "ldx");
    CHECK(image_shape{.c = 7, .ldx = 7, .ldy = 8}.check("op").ok());
    CHECK(image_shape{.h = 3, .w = 5, .c = 7, .layout = layout::nchw, .batch_stride_x = 105}.check("op").ok());
}

TEST_CASE("a distance that the call gives stands beside no extent of the image that it gives, too")
{
    const image_shape s{.n = 2, .h = 5, .w = 6, .c = 7, .ldx = leading::at_call(), .ldy = 9};
    definition d;
    d.parameters.push_back({.name = "w", .least = 1, .most = 6});
    tensor t = image_of(layout::nhwc, 2, 5, 6, 7);
    t.dims[0].extent_parameter = 0; // images may be
    lay_out(d, t, s.x(), {0, 1, 2});
    CHECK(d.found.ok());
    t = image_of(layout::nhwc, 2, 5, 6, 7);
    t.dims[2].extent_parameter = 0;
    t.dims[1].stride_parameter = 0;
    t.dims[1].stride = 7;
    lay_out(d, t, s.y(), {0, 1, 2}); // a known one stands
    CHECK(d.found.ok());
    CHECK(t.dims[1].stride == 9);
    lay_out(d, t, s.x(), {0, 1, 2});
    CHECK(d.found.what == fault::view_mismatch);
    CHECK(std::string(d.found.subject) == "ldx");
    // Channels that the call gives are the distance of pixels.
    d.found = {};
    t.dims[2].stride_parameter = 0;
    lay_out(d, t, s.y(), {0, 1, 2});
    CHECK(d.found.what == fault::view_mismatch);
}
