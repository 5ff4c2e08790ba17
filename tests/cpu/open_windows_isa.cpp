// SPDX-License-Identifier: BSL-1.0
// Compiled convolutions whose calls give all there is of a shape: images, channels, and the window with its strides,
// paddings and dilations. One kernel, windows that reach beyond each side of an image, and pages beside the tensors
// that nothing may touch.
#include <cstdint>
#include <string>
#include <vector>

#include <doctest/doctest.h>

#include "image_calls.hpp"
#include "kernel_trial.hpp"
#include "open_windows.hpp"

using namespace hone;
using namespace hone::test;

namespace {

constexpr extent up_to(std::int64_t most) { return extent::up_to(most); }

constexpr conv2d_shape all{.n = up_to(2),
                           .h = up_to(12),
                           .w = up_to(23),
                           .ic = up_to(5),
                           .oc = up_to(37),
                           .kh = 4,
                           .kw = 7,
                           .window_at_call = true};
constexpr conv2d_shape of_channels{
    .h = up_to(9), .w = up_to(17), .ic = 3, .oc = 18, .kh = 3, .kw = 5, .window_at_call = true};
constexpr conv2d_shape depthwise{.n = up_to(2),
                                 .h = up_to(12),
                                 .w = up_to(23),
                                 .ic = up_to(39),
                                 .oc = up_to(39),
                                 .kh = 5,
                                 .kw = 5,
                                 .groups = up_to(39),
                                 .window_at_call = true};

std::vector<trial<conv2d_shape>> trials()
{
    constexpr by_default standard;
    return {
        trial_of<all, standard, bias, residual, relu>(),
        trial_of<all, direct_knobs{.rows = 3, .vectors = 1, .reduce_unroll = 2, .order = walk::rows_outer}, bias>(),
        trial_of<of_channels, standard, relu>(),
        trial_of<depthwise, standard, bias, relu6>(),
    };
}

} // namespace

TEST_CASE("convolutions of any window")
{
    random_numbers random{9};
    std::uint64_t seed = 0;
    for (const trial<conv2d_shape>& t : trials())
        for (int i = 0; i < 150; ++i) {
            const conv2d_shape s = drawn_call(t.shape, random);
            REQUIRE(s.check().ok());
            const call_of_images c{s, values_of_call(t.shape, s)};
            const call_data d = data_of(s, ++seed);
            const doubles expected = reference(s, d, t.epilogue);
            std::string wrong = wrong_kernel(t.kernel, d, expected, c.parameters.data());
            if (wrong.empty()) wrong = wrong_among_pages(t.kernel, c.parameters, d, expected);
            CHECK_MESSAGE(wrong.empty(), wrong, "\n  ", signature_of(s, dtype::f32).c_str(), ": ", t.kernel.signature);
        }
}

TEST_CASE("a window that the padded image does not hold is out of range")
{
    const entry kernel = trials()[0].kernel;
    std::vector<float> any(65536);
    serial_executor serial;
    const auto called = [&](std::vector<std::int64_t> parameters) {
        return kernel.run(reference_to(serial), {.x = any.data(),
                                                 .weights = any.data(),
                                                 .bias = any.data(),
                                                 .residual = any.data(),
                                                 .y = any.data(),
                                                 .workspace = any.data(),
                                                 .parameters = parameters.data()});
    };
    //               n, h, w, ic, oc, taps, strides, pads,       dilations
    CHECK(called({1, 5, 6, 2, 3, 3, 3, 1, 1, 0, 0, 0, 0, 1, 1}).ok());
    CHECK(called({1, 5, 6, 2, 3, 3, 3, 1, 1, 0, 0, 0, 0, 2, 1}).ok());
    const status rows = called({1, 5, 6, 2, 3, 3, 3, 1, 1, 0, 0, 0, 0, 3, 1});
    CHECK(rows.what == fault::parameter_out_of_range);
    CHECK(std::string(rows.subject) == "h");
    CHECK(rows.expected == 7);
    CHECK(called({1, 5, 6, 2, 3, 3, 3, 1, 1, 1, 0, 1, 0, 3, 1}).ok());
    CHECK(std::string(called({1, 5, 6, 2, 3, 3, 7, 1, 1, 0, 0, 0, 0, 1, 1}).subject) == "w");
    CHECK(std::string(called({1, 5, 6, 2, 3, 5, 3, 1, 1, 0, 0, 0, 0, 1, 1}).subject) == "kh");
    CHECK(std::string(called({1, 5, 6, 2, 3, 3, 0, 1, 1, 0, 0, 0, 0, 1, 1}).subject) == "kw");
    CHECK(std::string(called({1, 5, 6, 2, 3, 3, 3, 0, 1, 0, 0, 0, 0, 1, 1}).subject) == "stride_h");
    CHECK(std::string(called({1, 5, 6, 2, 3, 3, 3, 1, -1, 0, 0, 0, 0, 1, 1}).subject) == "stride_w");
    CHECK(std::string(called({1, 5, 6, 2, 3, 3, 3, 1, 1, -1, 0, 0, 0, 1, 1}).subject) == "pad_top");
    CHECK(std::string(called({1, 5, 6, 2, 3, 3, 3, 1, 1, 0, 0, 0, 257, 1, 1}).subject) == "pad_right");
    CHECK(std::string(called({1, 5, 6, 2, 3, 3, 3, 1, 1, 0, 0, 0, 0, 1, 65}).subject) == "dilation_w");
    CHECK(called({0, 5, 6, 2, 3, 3, 3, 1, 1, 0, 0, 0, 0, 1, 1}).ok());
    CHECK(called({1, 5, 6, 2, 0, 3, 3, 1, 1, 0, 0, 0, 0, 1, 1}).ok());
    CHECK(std::string(called({1, 5, 6, 0, 3, 3, 3, 1, 1, 0, 0, 0, 0, 1, 1}).subject) == "ic");
}
