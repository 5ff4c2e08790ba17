// SPDX-License-Identifier: BSL-1.0
// Operations are those of reductions, of all stages and of the largest extents.
#include <hone/op/flops.hpp>

#include <doctest/doctest.h>

#include <hone/op/elementwise.hpp>
#include <hone/op/gemm.hpp>
#include <hone/op/resize.hpp>
#include <hone/op/softmax.hpp>

using namespace hone;
using namespace hone::operators;

TEST_CASE("multiply-adds count twice, and what is no reduction not at all")
{
    CHECK(flops_of(gemm<gemm_shape{.batch = 2, .m = 3, .n = 5, .k = 7}, f32>::definition()) == 2.0 * 2 * 3 * 5 * 7);
    CHECK(flops_of(gemm<gemm_shape{.m = extent::up_to(3), .n = 5, .k = 7}, f32>::definition()) == 2.0 * 3 * 5 * 7);
    CHECK(flops_of(softmax<row_shape{.rows = 3, .n = 7}, f32>::definition()) == 2 * 2.0 * 3 * 7);
    CHECK(flops_of(elementwise<image_shape{.c = 5}, f32, relu>::definition()) == 0);
    CHECK(flops_of(definition{}) == 0);
    // Four pixels of each output, whatever the size of the image.
    constexpr resize_shape larger{.h = 7, .w = 9, .c = 3, .oh = 11, .ow = 13};
    CHECK(flops_of(resize<larger, f32>::definition()) == 2.0 * 3 * 11 * 13 * 4);
    constexpr resize_shape open{
        .h = extent::up_to(7), .w = 9, .c = 3, .oh = extent::up_to(11), .ow = extent::up_to(13)};
    CHECK(flops_of(resize<open, f32>::definition()) == 2.0 * 3 * 11 * 13 * 4);
}
