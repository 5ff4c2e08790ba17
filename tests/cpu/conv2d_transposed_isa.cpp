// SPDX-License-Identifier: BSL-1.0
// Compiled transposed convolutions: small shapes that divide by nothing, by default and with each knob at work that
// phases have a say in.
#include <doctest/doctest.h>

#include "kernel_trial.hpp"
#include "transposed.hpp"

using namespace hone;
using namespace hone::test;

namespace {

// Phases that fill y: 2x2 of U-Nets, 4x4 of generators, whose borders differ from phase to phase.
constexpr conv2d_transposed_shape doubled{.h = 5, .w = 9, .ic = 6, .oc = 19, .kh = 2, .kw = 2, .stride = 2};
constexpr conv2d_transposed_shape smooth{
    .n = 2, .h = 4, .w = 11, .ic = 5, .oc = 18, .kh = 4, .kw = 4, .stride = 2, .pad = 1};
// Phases of one and two taps, and of none; the last outputs of some are beyond y, or one more is in it.
constexpr conv2d_transposed_shape odd{
    .h = 5, .w = 7, .ic = 4, .oc = 17, .kh = 3, .kw = 3, .stride = 2, .pad = 1, .output_padding_w = 1};
constexpr conv2d_transposed_shape sparse{
    .h = 3, .w = 5, .ic = 3, .oc = 5, .kh = 2, .kw = 2, .stride = 3, .pad_left = 1, .output_padding = 1};
// Rests without taps, with phases beside them.
constexpr conv2d_transposed_shape dilated{
    .h = 3, .w = 6, .ic = 4, .oc = 6, .kh = 3, .kw = 3, .stride_h = 4, .stride_w = 2, .pad = 2, .dilation = 2};
constexpr conv2d_transposed_shape plain{
    .h = 6, .w = 20, .ic = 3, .oc = 5, .kh = 3, .kw = 3, .pad = 1, .layout = layout::nchw};
constexpr conv2d_transposed_shape grouped{
    .h = 4, .w = 6, .ic = 6, .oc = 12, .kh = 4, .kw = 4, .stride = 2, .pad = 1, .groups = 3};
constexpr conv2d_transposed_shape depthwise{
    .h = 5, .w = 5, .ic = 19, .oc = 19, .kh = 4, .kw = 4, .stride = 2, .pad = 1, .groups = 19};
constexpr conv2d_transposed_shape one_channel{.h = 4, .w = 5, .ic = 7, .kh = 3, .kw = 2, .stride = 2, .pad_right = 1};
constexpr conv2d_transposed_shape in_nchw(conv2d_transposed_shape s)
{
    s.layout = layout::nchw;
    return s;
}

template <conv2d_transposed_shape S, auto Knobs, class... E>
trial<conv2d_transposed_shape> trial_of()
{
    return trial_of_operator<Knobs, conv2d_transposed<S, f32, E...>, conv2d_transposed_shape, E...>(S);
}

std::vector<trial<conv2d_transposed_shape>> trials()
{
    constexpr by_default standard;
    return {
        trial_of<doubled, standard, bias, relu>(),
        trial_of<in_nchw(doubled), standard>(),
        trial_of<smooth, standard, bias, relu>(),
        trial_of<smooth, direct_knobs{.rows = 4, .vectors = 1, .row_block = 8, .pad = padding::copy}, residual>(),
        trial_of<smooth, direct_knobs{.rows = 11, .vectors = 1, .order = walk::rows_outer, .unroll_window = true}>(),
        trial_of<odd, standard, residual, bias>(),
        trial_of<odd, direct_knobs{.rows = 2, .vectors = 2, .reduce_block = 2, .pad = padding::copy}, residual>(),
        trial_of<in_nchw(odd), direct_knobs{.rows = 7, .vectors = 1, .reduce_unroll = 2}, bias>(),
        trial_of<sparse, standard, bias>(),
        trial_of<dilated, standard, bias, relu>(),
        trial_of<plain, standard, bias>(),
        trial_of<grouped, standard, bias>(),
        trial_of<depthwise, standard, bias, relu>(),
        trial_of<one_channel, standard, residual>(),
    };
}

} // namespace

TEST_CASE("transposed convolutions, compiled")
{
    std::uint64_t seed = 0;
    for (const trial<conv2d_transposed_shape>& t : trials()) {
        CAPTURE(t.kernel.signature);
        CHECK(t.kernel.set == compiled_isa());
        const call_data d = data_of(t.shape, ++seed);
        CHECK(wrong_kernel(t.kernel, d, reference(t.shape, d, t.epilogue)) == "");
    }
}

TEST_CASE("transposed convolutions of as many images as the call gives")
{
    constexpr conv2d_transposed_shape open = [] {
        conv2d_transposed_shape s = smooth;
        s.n = extent::up_to(4);
        return s;
    }();
    const trial<conv2d_transposed_shape> t = trial_of<open, by_default{}, bias>();
    for (const std::int64_t n : {1, 3, 4}) {
        conv2d_transposed_shape called = open;
        called.n = n;
        const call_data d = data_of(called, static_cast<std::uint64_t>(n));
        CHECK(wrong_kernel(t.kernel, d, reference(called, d, t.epilogue), &n) == "");
    }
}
