// SPDX-License-Identifier: BSL-1.0
// Compiled convolutions of NCHW images, whose vectors lie along the output: rows shorter than a vector and longer than
// a tile, borders on each side, strides, rows of channels, planes that are one row; by default and by knobs.
#include <doctest/doctest.h>

#include <limits>

#include "kernel_trial.hpp"

using namespace hone;
using namespace hone::codegen;
using namespace hone::test;

namespace {

constexpr conv2d_shape planes(conv2d_shape s)
{
    s.layout = layout::nchw;
    return s;
}
constexpr conv2d_shape depthwise(std::int64_t h, std::int64_t w, std::int64_t k, std::int64_t stride = 1,
                                 std::int64_t dilation = 1)
{
    return planes({.h = h,
                   .w = w,
                   .ic = 3,
                   .oc = 3,
                   .kh = k,
                   .kw = k,
                   .stride = stride,
                   .pad = dilation * (k - 1) / 2,
                   .dilation = dilation,
                   .groups = 3});
}

constexpr conv2d_shape sides = planes({.n = 2,
                                       .h = 5,
                                       .w = 37,
                                       .ic = 4,
                                       .oc = 4,
                                       .kh = 2,
                                       .kw = 4,
                                       .stride_h = 2,
                                       .stride_w = 3,
                                       .pad_top = 0,
                                       .pad_left = 5,
                                       .pad_bottom = 2,
                                       .pad_right = 1,
                                       .groups = 4});
constexpr conv2d_shape multiplied =
    planes({.h = 6, .w = 21, .ic = 3, .oc = 9, .kh = 3, .kw = 3, .pad = 1, .groups = 3});
constexpr conv2d_shape few = planes({.h = 9, .w = 41, .ic = 3, .oc = 7, .kh = 3, .kw = 5, .stride = 2, .pad = 2});
constexpr conv2d_shape pointwise = planes({.n = 2, .h = 5, .w = 9, .ic = 6, .oc = 13});
constexpr conv2d_shape apart = planes({.h = 5, .w = 19, .ic = 6, .oc = 5, .stride = 2});
constexpr conv2d_shape far = planes({.h = 3, .w = 40, .ic = 2, .oc = 4, .kw = 3, .stride = 5});
constexpr conv2d_shape single{.h = 7, .w = 40, .ic = 1, .oc = 1, .kh = 3, .kw = 3, .pad = 1}; // of either layout

// Of this operator the default, and some knobs.
static_assert(default_direct(conv2d<depthwise(7, 7, 3), f32>::definition(), compiled_isa()).vector ==
              vector_axis::output);
static_assert(default_direct(conv2d<few, f32>::definition(), compiled_isa()).vector == vector_axis::output);
constexpr direct_knobs of(std::int32_t rows, std::int32_t vectors, bool unroll_window = false,
                          walk order = walk::weights_outer)
{
    return {.rows = rows,
            .vectors = vectors,
            .order = order,
            .unroll_window = unroll_window,
            .vector = vector_axis::output};
}

std::vector<trial<conv2d_shape>> trials()
{
    constexpr by_default standard;
    return {
        trial_of<depthwise(7, 7, 3), standard, bias, relu6>(),
        trial_of<depthwise(6, 14, 3), standard, bias>(),
        trial_of<depthwise(5, 50, 3), standard, residual>(),
        trial_of<depthwise(3, 133, 3), standard>(),
        trial_of<depthwise(9, 33, 3, 2), standard, bias, relu>(),
        trial_of<depthwise(14, 7, 3, 2), standard>(),
        trial_of<depthwise(8, 31, 5), standard, bias>(),
        trial_of<depthwise(4, 18, 5, 2, 2), standard>(),
        trial_of<depthwise(7, 19, 3, 3), of(2, 1, true)>(),
        trial_of<depthwise(6, 38, 3, 1, 2), of(3, 2, true), bias>(),
        trial_of<depthwise(4, 38, 3), of(4, 2), bias>(),
        trial_of<sides, standard, bias>(),
        trial_of<multiplied, standard, residual, relu>(),
        trial_of<few, standard, bias, relu>(),
        trial_of<few, of(3, 2, true, walk::rows_outer), residual>(),
        trial_of<pointwise, standard, bias, residual>(),
        trial_of<pointwise, direct_knobs{.rows = 2, .vectors = 1, .reduce_unroll = 4, .vector = vector_axis::output}>(),
        trial_of<apart, standard>(),
        trial_of<far, standard>(),
        trial_of<single, standard, bias>(),
    };
}

} // namespace

TEST_CASE("convolutions of planes, compiled")
{
    std::uint64_t seed = 500;
    for (const trial<conv2d_shape>& t : trials()) {
        const call_data d = data_of(t.shape, ++seed);
        const std::string wrong = wrong_kernel(t.kernel, d, reference(t.shape, d, t.epilogue));
        CHECK_MESSAGE(wrong.empty(), wrong, "\n  trial ", seed, ": ", t.kernel.signature);
    }
}

// A tap that reads padding is no term of a sum, whatever its weight.
TEST_CASE("an infinite weight makes no NaN of padding")
{
    constexpr conv2d_shape shape = depthwise(4, 40, 3);
    const trial<conv2d_shape> t = trial_of<shape, by_default{}>();
    call_data d = data_of(shape, 7);
    for (float& x : d.x) x = 1;
    for (float& w : d.weights) w = 1;
    for (std::size_t channel = 0; channel < 3; ++channel)
        d.weights[channel * 9] = d.weights[channel * 9 + 8] = std::numeric_limits<float>::infinity();
    std::vector<char> packed(t.kernel.packed_bytes);
    REQUIRE(t.kernel.pack(d.weights.data(), packed.data()).ok());
    serial_executor serial;
    REQUIRE(t.kernel.run(reference_to(serial), {.x = d.x.data(), .weights = packed.data(), .y = d.y.data()}).ok());
    for (float y : d.y) CHECK((y == 4 || y == std::numeric_limits<float>::infinity()));
    CHECK(d.y[39] == 4); // the corner whose taps are neither the first nor the last
}
