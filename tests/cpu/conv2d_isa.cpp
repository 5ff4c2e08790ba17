// SPDX-License-Identifier: BSL-1.0
// Compiled direct convolutions: small shapes that divide by nothing, and each knob at work.
#include <doctest/doctest.h>

#include "kernel_trial.hpp"

using namespace hone;
using namespace hone::test;

namespace {

// Shapes and knobs differ in what they name; each leaves tails in rows and vectors for lengths 4, 8 and 16.
constexpr conv2d_shape padded{.h = 7, .w = 9, .ic = 5, .oc = 19, .kh = 3, .kw = 3, .pad = 1};
constexpr conv2d_shape strided{.h = 9, .w = 8, .ic = 3, .oc = 17, .kh = 3, .kw = 3, .stride = 2, .pad = 1};
constexpr conv2d_shape dilated{.n = 2, .h = 8, .w = 7, .ic = 4, .oc = 6, .kh = 3, .kw = 3, .pad = 2, .dilation = 2};
constexpr conv2d_shape pointwise{.h = 5, .w = 10, .ic = 12, .oc = 33};
constexpr conv2d_shape grouped{.h = 6, .w = 7, .ic = 6, .oc = 27, .kh = 3, .kw = 3, .pad = 1, .groups = 3};
constexpr conv2d_shape depthwise{.h = 8, .w = 9, .ic = 19, .oc = 19, .kh = 3, .kw = 3, .pad = 1, .groups = 19};
constexpr conv2d_shape depthwise_strided{
    .h = 9, .w = 7, .ic = 35, .oc = 35, .kh = 3, .kw = 3, .stride = 2, .pad = 1, .groups = 35};
constexpr conv2d_shape oblong{.n = 2, .h = 6, .w = 5, .ic = 2, .oc = 5, .kh = 1, .kw = 4, .pad = 2};
constexpr conv2d_shape smaller_than_kernel{.h = 1, .w = 2, .ic = 3, .oc = 1, .kh = 5, .kw = 5, .pad = 3};
constexpr conv2d_shape in_nchw(conv2d_shape s)
{
    s.layout = layout::nchw;
    return s;
}

// Padding by side, as TensorFlow pads even images of stride 2; strides, dilations and padding by direction.
constexpr conv2d_shape same{
    .h = 8, .w = 10, .ic = 3, .oc = 18, .kh = 3, .kw = 3, .stride = 2, .pad = 0, .pad_bottom = 1, .pad_right = 1};
constexpr conv2d_shape flat{.h = 5, .w = 11, .ic = 4, .oc = 9, .kh = 1, .kw = 7, .pad_h = 0, .pad_w = 3};
constexpr conv2d_shape uneven{.n = 2,
                              .h = 11,
                              .w = 13,
                              .ic = 4,
                              .oc = 10,
                              .kh = 3,
                              .kw = 2,
                              .stride_h = 3,
                              .stride_w = 4,
                              .pad_top = 2,
                              .pad_left = 0,
                              .pad_bottom = 5,
                              .pad_right = 3,
                              .dilation_w = 2,
                              .groups = 2};
constexpr conv2d_shape uneven_depthwise{
    .h = 7, .w = 8, .ic = 21, .oc = 21, .kh = 3, .kw = 3, .stride_w = 2, .pad_top = 2, .pad_right = 1, .groups = 21};

// What the closed-form default would write out has more tile bodies, or nodes, than a nest may have.
constexpr conv2d_shape atrous{.h = 9, .w = 32, .ic = 4, .oc = 37, .kh = 3, .kw = 3, .pad = 6, .dilation = 6};
constexpr conv2d_shape positional{.w = 100, .ic = 6, .oc = 34, .kw = 128, .pad_left = 64, .pad_right = 64, .groups = 2};

std::vector<trial<conv2d_shape>> trials()
{
    constexpr by_default standard;
    return {
        trial_of<padded, standard, bias, relu>(),
        trial_of<padded, direct_knobs{.rows = 4, .vectors = 2, .order = walk::rows_outer}, residual, relu6>(),
        trial_of<padded, direct_knobs{.rows = 4, .vectors = 1, .row_block = 8, .pad = padding::copy}, bias>(),
        trial_of<strided, standard, bias, relu6>(),
        trial_of<strided, direct_knobs{.rows = 3, .vectors = 2, .unroll_window = true}>(),
        trial_of<strided,
                 direct_knobs{
                     .rows = 3, .vectors = 1, .reduce_unroll = 2, .pad = padding::copy, .order = walk::rows_outer},
                 bias, residual, relu>(),
        trial_of<dilated, direct_knobs{.rows = 2, .vectors = 1, .reduce_unroll = 3}, relu>(),
        trial_of<dilated, direct_knobs{.rows = 5, .vectors = 2, .reduce_block = 2, .pad = padding::copy}, bias>(),
        trial_of<pointwise, direct_knobs{.rows = 4, .vectors = 2, .reduce_block = 5, .row_block = 4}, bias, residual,
                 relu>(),
        trial_of<pointwise, direct_knobs{.rows = 3, .vectors = 1, .reduce_unroll = 5, .order = walk::rows_outer}>(),
        trial_of<grouped, standard, residual, bias>(),
        trial_of<grouped, direct_knobs{.rows = 2, .vectors = 2, .pad = padding::copy, .unroll_window = true}, relu6>(),
        trial_of<depthwise, standard, bias, relu6>(),
        trial_of<depthwise, direct_knobs{.rows = 4, .vectors = 1, .pad = padding::copy, .order = walk::rows_outer}>(),
        trial_of<depthwise_strided, direct_knobs{.rows = 3, .vectors = 2}, bias, relu>(),
        trial_of<in_nchw(padded), standard, bias, residual, relu>(),
        trial_of<in_nchw(strided), direct_knobs{.rows = 3, .vectors = 1, .pad = padding::copy}, relu6>(),
        trial_of<in_nchw(depthwise), standard, bias>(),
        trial_of<oblong, direct_knobs{.rows = 4, .vectors = 1, .reduce_unroll = 2, .unroll_window = true}, bias>(),
        trial_of<smaller_than_kernel, standard, residual, bias>(),
        trial_of<same, standard, bias, relu>(),
        trial_of<flat, direct_knobs{.rows = 4, .vectors = 1, .pad = padding::copy}, residual>(),
        trial_of<uneven, standard, bias>(),
        trial_of<in_nchw(uneven), direct_knobs{.rows = 2, .vectors = 1, .pad = padding::copy}, bias, residual>(),
        trial_of<uneven_depthwise, standard, bias>(),
        trial_of<atrous, standard, bias, relu>(),
        trial_of<positional, standard, bias>(),
    };
}

constexpr conv2d_shape with_images(conv2d_shape s, const extent& images)
{
    s.n = images;
    return s;
}

std::vector<trial<conv2d_shape>> trials_of_open_batches()
{
    constexpr by_default standard;
    constexpr extent images = extent::up_to(4);
    return {
        trial_of<with_images(padded, images), standard, bias, relu>(),
        trial_of<with_images(padded, images), direct_knobs{.rows = 4, .vectors = 1, .pad = padding::copy}, residual>(),
        trial_of<with_images(padded, images), direct_knobs{.rows = 3, .vectors = 2, .order = walk::rows_outer}>(),
        trial_of<in_nchw(with_images(strided, images)), standard, bias>(),
        trial_of<with_images(depthwise, images), standard, bias, relu6>(),
        // Images are the rows of the tile.
        trial_of<conv2d_shape{.n = extent::up_to(11), .h = 1, .w = 1, .ic = 9, .oc = 20}, standard, bias, residual>(),
    };
}

} // namespace

TEST_CASE("direct convolutions, compiled") { CHECK(wrong_kernel_of(trials()) == ""); }

TEST_CASE("convolutions of as many images as the call gives")
{
    std::uint64_t seed = 100;
    for (const trial<conv2d_shape>& t : trials_of_open_batches())
        for (std::int64_t n = 1; n <= t.shape.n; ++n) {
            const conv2d_shape called = with_images(t.shape, n);
            const call_data d = data_of(called, ++seed);
            const std::string wrong = wrong_kernel(t.kernel, d, reference(called, d, t.epilogue), &n);
            CHECK_MESSAGE(wrong.empty(), wrong, "\n  n = ", n, ": ", t.kernel.signature);
        }
}
