// SPDX-License-Identifier: BSL-1.0
// Shapes of images: which are none, and where their elements lie.
#include <hone/op/image_shape.hpp>

#include <cstdint>
#include <limits>
#include <string>

#include <doctest/doctest.h>

using namespace hone;
using namespace hone::operators;

TEST_CASE("an image has an element at least in each direction, and no more than indices count")
{
    CHECK(image_shape{}.check("op").ok());
    for (const image_shape& s : {image_shape{.n = 0}, image_shape{.h = 0}, image_shape{.w = 0}, image_shape{.c = 0}}) {
        CHECK(s.check("op").what == fault::extent_zero);
        CHECK(std::string{s.check("op").subject} == "op");
    }
    CHECK(image_shape{.h = most_elements}.check("op").ok());
    CHECK(image_shape{.h = most_elements, .c = 2}.check("op").what == fault::extent_too_large);
    // No product overflows on the way.
    constexpr std::int64_t huge = std::numeric_limits<std::int64_t>::max();
    CHECK(image_shape{.n = huge, .h = huge, .w = huge, .c = huge}.check("op").what == fault::extent_too_large);
    CHECK(image_shape{.h = extent::up_to(7)}.check("op").what == fault::extents_at_call);
    CHECK(std::string{name_of(layout::nhwc)} == "nhwc");
    CHECK(std::string{name_of(layout::nchw)} == "nchw");
}

TEST_CASE("dense images have no gaps, whatever their layout")
{
    constexpr image_shape s{.n = 2, .h = 3, .w = 5, .c = 7};
    const tensor nhwc = dense_images("x", dtype::f32, role::input, s);
    CHECK(nhwc.elements() == 2 * 3 * 5 * 7);
    CHECK(nhwc.dims[1].stride == 1); // n, c, h, w
    CHECK(nhwc.dims[3].stride == 7);
    const tensor nchw =
        dense_images("x", dtype::f32, role::input, {.n = 2, .h = 3, .w = 5, .c = 7, .layout = layout::nchw});
    CHECK(nchw.elements() == 2 * 3 * 5 * 7);
    CHECK(nchw.dims[1].stride == 3 * 5);
    CHECK(nchw.dims[3].stride == 1);
}

TEST_CASE("dense images of a call are as far apart as it says")
{
    const image_shape s{.n = extent::up_to(2), .h = extent::up_to(3), .w = 5, .c = extent::up_to(7)};
    // Parameters: n, h, c, and h * c; rows of five pixels.
    const tensor t = dense_images("x", dtype::f32, role::input, s, 0, {.h = 1, .c = 2, .row = 2, .image = 3});
    const std::int64_t strides[] = {5, 1, 5, 1};
    const std::int16_t extents[] = {0, 2, 1, -1}, by[] = {3, -1, 2, 2};
    for (std::size_t i = 0; i < 4; ++i) {
        CHECK(t.dims[i].stride == strides[i]);
        CHECK(t.dims[i].extent_parameter == extents[i]);
        CHECK(t.dims[i].stride_parameter == by[i]);
    }
}
