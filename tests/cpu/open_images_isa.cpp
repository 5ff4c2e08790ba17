// SPDX-License-Identifier: BSL-1.0
// Compiled convolutions of images whose height and width the call gives: one kernel, images of all sizes, and pages
// beside them that nothing may touch.
#include <cstdint>
#include <string>
#include <vector>

#include <doctest/doctest.h>

#include "image_calls.hpp"
#include "kernel_trial.hpp"

using namespace hone;
using namespace hone::test;

namespace {

constexpr extent up_to(std::int64_t most) { return extent::up_to(most); }

// Each leaves tails in rows and vectors for lengths 4, 8 and 16, and images of many sizes several tiles of rows.
constexpr conv2d_shape padded{
    .n = up_to(3), .h = up_to(7), .w = up_to(29), .ic = 5, .oc = 19, .kh = 3, .kw = 3, .pad = 1};
constexpr conv2d_shape strided{
    .h = up_to(9), .w = up_to(33), .ic = 3, .oc = 34, .kh = 3, .kw = 3, .stride = 2, .pad = 1};
constexpr conv2d_shape pointwise{.n = up_to(2), .h = up_to(5), .w = up_to(31), .ic = 12, .oc = 33};
constexpr conv2d_shape depthwise{
    .h = up_to(8), .w = up_to(23), .ic = 35, .oc = 35, .kh = 3, .kw = 3, .pad = 1, .groups = 35};
// Padding by side, strides and dilations by direction, lanes of several groups.
constexpr conv2d_shape uneven{.n = 2,
                              .h = up_to(13),
                              .w = up_to(40),
                              .ic = 4,
                              .oc = 10,
                              .kh = 3,
                              .kw = 2,
                              .stride_h = 3,
                              .stride_w = 2,
                              .pad_top = 2,
                              .pad_left = 0,
                              .pad_bottom = 5,
                              .pad_right = 7,
                              .dilation_w = 5,
                              .groups = 2};
constexpr conv2d_shape of_rows{.n = up_to(2), .h = up_to(9), .w = 6, .ic = 4, .oc = 9, .kh = 5, .kw = 3, .pad_w = 1};
constexpr conv2d_shape of_columns{.h = 4, .w = up_to(21), .ic = 4, .oc = 9, .kh = 3, .kw = 3, .stride = 3};

std::vector<trial<conv2d_shape>> trials()
{
    constexpr by_default standard;
    return {
        trial_of<padded, standard, bias, residual, relu>(),
        trial_of<padded, direct_knobs{.rows = 3, .vectors = 1, .row_block = 6, .pad = padding::copy}, bias>(),
        trial_of<strided, direct_knobs{.rows = 4, .vectors = 1, .order = walk::rows_outer, .unroll_window = true}>(),
        trial_of<pointwise, standard, bias>(),
        trial_of<depthwise, standard, bias, relu6>(),
        trial_of<uneven, standard, bias>(),
        trial_of<of_rows, standard, residual>(),
        trial_of<of_columns, standard, relu>(),
    };
}

} // namespace

TEST_CASE("convolutions of images of the size that the call gives")
{
    CHECK(check_calls(trials(), {.h = {2, 3, 6}, .w = {2, 3, 4, 5, 7, 8, 12, 15, 16, 17, 20}}) > 300);
}

TEST_CASE("images that hold no window are out of range, and none at all are no work")
{
    const entry kernel = trials()[5].kernel; // uneven
    std::vector<float> any(4096);
    serial_executor serial;
    const auto found = [&](std::int64_t h, std::int64_t w) {
        const std::int64_t parameters[] = {h, w};
        return kernel.run(
            reference_to(serial),
            {.x = any.data(), .weights = any.data(), .bias = any.data(), .y = any.data(), .parameters = parameters});
    };
    // Taps of 3 rows with 7 of padding, and 6 columns with 7.
    CHECK(found(1, 1).ok());
    CHECK(found(0, 1).what == fault::parameter_out_of_range);
    CHECK(found(1, 0).what == fault::parameter_out_of_range);
    CHECK(std::string(found(1, 0).subject) == "w");
    CHECK(found(14, 1).what == fault::parameter_out_of_range);
    CHECK(found(14, 1).expected == 13);
    CHECK(found(1, -1).what == fault::parameter_out_of_range);

    const entry of_pixels = trials()[6].kernel; // of_rows
    const std::int64_t no_images[] = {0, 0}, too_low[] = {1, 4}, lowest[] = {1, 5};
    const auto called = [&](const std::int64_t* parameters, float* y) {
        return of_pixels.run(
            reference_to(serial),
            {.x = any.data(), .weights = any.data(), .residual = any.data(), .y = y, .parameters = parameters});
    };
    CHECK(called(no_images, nullptr).ok());
    CHECK(called(too_low, any.data()).what == fault::parameter_out_of_range);
    CHECK(called(too_low, any.data()).expected == 5);
    CHECK(std::string(called(too_low, any.data()).subject) == "h");
    CHECK(called(lowest, any.data()).ok());
}
