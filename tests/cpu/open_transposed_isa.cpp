// SPDX-License-Identifier: BSL-1.0
// Compiled transposed convolutions whose calls give images and channels, and with them the window, its strides and
// paddings, and how many outputs there are. One kernel, outputs that are cut at each side or have no tap, and pages
// beside the tensors that nothing may touch.
#include <cstdint>
#include <string>
#include <vector>

#include <doctest/doctest.h>

#include "image_calls.hpp"
#include "kernel_trial.hpp"
#include "open_transposed.hpp"

using namespace hone;
using namespace hone::test;

namespace {

constexpr extent up_to(std::int64_t most) { return extent::up_to(most); }

constexpr conv2d_transposed_shape all{.n = up_to(2),
                                      .h = up_to(7),
                                      .w = up_to(17),
                                      .ic = up_to(5),
                                      .oc = up_to(37),
                                      .kh = 4,
                                      .kw = 5,
                                      .window_at_call = true,
                                      .most_outputs = 96};
constexpr conv2d_transposed_shape of_channels{
    .h = up_to(5), .w = up_to(19), .ic = 3, .oc = 18, .kh = 3, .kw = 4, .window_at_call = true, .most_outputs = 99};
// Windows that are known: of a U-Net, of generators, with phases of one tap and of two, and dilated.
constexpr conv2d_transposed_shape doubled{
    .n = up_to(2), .h = up_to(5), .w = up_to(17), .ic = up_to(6), .oc = up_to(37), .kh = 2, .kw = 2, .stride = 2};
constexpr conv2d_transposed_shape smooth{
    .h = up_to(5), .w = up_to(19), .ic = up_to(6), .oc = up_to(37), .kh = 4, .kw = 4, .stride = 2, .pad = 1};
constexpr conv2d_transposed_shape odd{
    .h = up_to(4), .w = up_to(16), .ic = 4, .oc = 17, .kh = 3, .kw = 3, .stride = 2, .pad = 1, .output_padding_w = 1};
constexpr conv2d_transposed_shape sparse{.h = 3,
                                         .w = up_to(11),
                                         .ic = up_to(3),
                                         .oc = 5,
                                         .kh = 2,
                                         .kw = 2,
                                         .stride = 3,
                                         .pad_left = 4,
                                         .pad_right = 2,
                                         .output_padding = 1};
constexpr conv2d_transposed_shape dilated{.h = up_to(4),
                                          .w = 6,
                                          .ic = 4,
                                          .oc = up_to(20),
                                          .kh = 3,
                                          .kw = 3,
                                          .stride_h = 4,
                                          .stride_w = 2,
                                          .pad = 2,
                                          .dilation = 2};
constexpr conv2d_transposed_shape depthwise{
    .h = up_to(5), .w = up_to(9), .ic = 19, .oc = 19, .kh = 4, .kw = 4, .stride = 2, .pad = 1, .groups = 19};

template <conv2d_transposed_shape S, auto Knobs, class... E>
trial<conv2d_transposed_shape> trial_of()
{
    return trial_of_operator<Knobs, conv2d_transposed<S, f32, E...>, conv2d_transposed_shape, E...>(S);
}

std::vector<trial<conv2d_transposed_shape>> trials()
{
    constexpr by_default standard;
    return {
        trial_of<all, standard, bias, residual, relu>(),
        trial_of<all, direct_knobs{.rows = 3, .vectors = 1, .reduce_unroll = 2, .order = walk::rows_outer}, bias>(),
        trial_of<of_channels, standard, relu>(),
        trial_of<doubled, standard, bias, relu>(),
        trial_of<smooth, standard, residual>(),
        trial_of<smooth, direct_knobs{.rows = 5, .vectors = 1, .order = walk::rows_outer}, bias>(),
        trial_of<odd, standard, bias, residual>(),
        trial_of<odd, direct_knobs{.rows = 2, .vectors = 2, .reduce_block = 2}, bias>(),
        trial_of<sparse, standard, bias>(),
        trial_of<dilated, standard, bias, relu>(),
        trial_of<depthwise, standard, bias>(),
    };
}

} // namespace

TEST_CASE("transposed convolutions of any image, and of any window")
{
    random_numbers random{9};
    std::uint64_t seed = 0;
    for (const trial<conv2d_transposed_shape>& t : trials())
        for (int i = 0; i < (t.shape.window_at_call ? 90 : 25); ++i) {
            const conv2d_transposed_shape s = drawn_call(t.shape, random);
            REQUIRE(s.check().ok());
            const std::vector<std::int64_t> parameters = values_of_call(t.shape, s);
            const call_data d = data_of(s, ++seed);
            const doubles expected = reference(s, d, t.epilogue);
            std::string wrong = wrong_kernel(t.kernel, d, expected, parameters.data());
            if (wrong.empty()) wrong = wrong_among_pages(t.kernel, parameters, d, expected);
            CHECK_MESSAGE(wrong.empty(), wrong, "\n  ", text_of(s), ": ", t.kernel.signature);
        }
}

TEST_CASE("a call that has no outputs, or more than taps and a stride have, is out of range")
{
    const std::vector<trial<conv2d_transposed_shape>> kernels = trials();
    std::vector<float> any(1 << 17);
    serial_executor serial;
    const auto called = [&](std::size_t kernel, std::vector<std::int64_t> parameters) {
        return kernels[kernel].kernel.run(reference_to(serial), {.x = any.data(),
                                                                 .weights = any.data(),
                                                                 .bias = any.data(),
                                                                 .residual = any.data(),
                                                                 .y = any.data(),
                                                                 .workspace = any.data(),
                                                                 .parameters = parameters.data()});
    };
    const auto wrong = [&](std::size_t kernel, const std::vector<std::int64_t>& parameters) -> std::string {
        const status s = called(kernel, parameters);
        if (s.ok()) return "";
        return s.what == fault::parameter_out_of_range ? s.subject : s.message();
    };
    //              n, h, w, ic, oc, taps, strides, pads, outputs
    CHECK(wrong(0, {1, 5, 6, 2, 3, 4, 4, 2, 2, 1, 1, 10, 12}) == "");
    CHECK(wrong(0, {1, 5, 6, 2, 3, 4, 4, 2, 2, 1, 1, 1, 1}) == "");
    // Of 5 rows with 4 taps there are 12, and one more as output padding.
    CHECK(wrong(0, {1, 5, 6, 2, 3, 4, 4, 2, 2, 0, 0, 13, 12}) == "");
    CHECK(wrong(0, {1, 5, 6, 2, 3, 4, 4, 2, 2, 0, 0, 14, 12}) == "oh");
    CHECK(called(0, {1, 5, 6, 2, 3, 4, 4, 2, 2, 0, 0, 14, 12}).expected == 13);
    CHECK(wrong(0, {1, 5, 6, 2, 3, 4, 4, 2, 2, 1, 1, 12, 15}) == "ow");
    CHECK(wrong(0, {1, 5, 6, 2, 3, 4, 4, 2, 2, 12, 1, 1, 12}) == "");
    CHECK(wrong(0, {1, 5, 6, 2, 3, 4, 4, 2, 2, 12, 1, 2, 12}) == "oh");
    CHECK(wrong(0, {1, 5, 6, 2, 3, 4, 4, 2, 2, 13, 1, 1, 12}) == "pad_top");
    CHECK(called(0, {1, 5, 6, 2, 3, 4, 4, 2, 2, 13, 1, 1, 12}).expected == 12);
    CHECK(wrong(0, {1, 5, 6, 2, 3, 4, 4, 2, 2, 1, 15, 1, 1}) == "pad_left");
    CHECK(wrong(0, {1, 5, 6, 2, 3, 4, 4, 2, 2, 1, 1, 0, 12}) == "oh");
    CHECK(wrong(0, {1, 0, 6, 2, 3, 4, 4, 2, 2, 1, 1, 10, 12}) == "h");
    CHECK(wrong(0, {1, 5, 18, 2, 3, 4, 4, 2, 2, 1, 1, 10, 12}) == "w");
    CHECK(wrong(0, {1, 5, 6, 0, 3, 4, 4, 2, 2, 1, 1, 10, 12}) == "ic");
    CHECK(wrong(0, {1, 5, 6, 2, 3, 5, 4, 2, 2, 1, 1, 10, 12}) == "kh");
    CHECK(wrong(0, {1, 5, 6, 2, 3, 4, 0, 2, 2, 1, 1, 10, 12}) == "kw");
    CHECK(wrong(0, {1, 5, 6, 2, 3, 4, 4, 0, 2, 1, 1, 10, 12}) == "stride_h");
    CHECK(wrong(0, {1, 5, 6, 2, 3, 4, 4, 2, 65, 1, 1, 10, 12}) == "stride_w");
    CHECK(wrong(0, {1, 5, 6, 2, 3, 4, 4, 2, 2, 1, -1, 10, 12}) == "pad_left");
    CHECK(wrong(0, {1, 5, 6, 2, 3, 4, 4, 2, 2, 1, 1, 97, 12}) == "oh");
    CHECK(wrong(0, {0, 5, 6, 2, 3, 4, 4, 2, 2, 1, 1, 10, 12}) == "");
    CHECK(wrong(0, {1, 5, 6, 2, 0, 4, 4, 2, 2, 1, 1, 10, 12}) == "");
    // A window that is known cuts all of few columns: of 2 there are 6 outputs, and 6 are cut.
    CHECK(wrong(8, {3, 1}) == "");
    CHECK(wrong(8, {2, 1}) == "w");
    CHECK(called(8, {2, 1}).expected == 3);
}
