// SPDX-License-Identifier: BSL-1.0
// Compiled pools whose calls give all there is of a shape: images, channels that fill no vectors, and the window with
// its strides, paddings and dilations, or the image as the window. One kernel, windows that reach beyond each side of
// an image, and pages beside the tensors that nothing may touch.
#include <cstdint>
#include <string>
#include <vector>

#include <doctest/doctest.h>

#include <hone/op/pool.hpp>

#include "image_calls.hpp"
#include "kernel_trial.hpp"
#include "open_pools.hpp"

using namespace hone;
using namespace hone::test;

namespace {

constexpr extent up_to(std::int64_t most) { return extent::up_to(most); }

constexpr pool_shape all{
    .n = up_to(2), .h = up_to(12), .w = up_to(23), .c = up_to(150), .kh = 5, .kw = 6, .window_at_call = true};
constexpr pool_shape counted{.n = up_to(2),
                             .h = up_to(12),
                             .w = up_to(23),
                             .c = up_to(150),
                             .kh = 5,
                             .kw = 6,
                             .count_padding = count_padding::yes,
                             .window_at_call = true};
constexpr pool_shape few{.h = up_to(9), .w = up_to(17), .c = 18, .kh = 3, .kw = 5, .window_at_call = true};
constexpr pool_shape known{
    .n = 2, .h = up_to(9), .w = up_to(14), .c = up_to(70), .kh = 3, .kw = 2, .stride = 2, .pad = 1};
constexpr image_shape image{.n = up_to(3), .h = up_to(9), .w = up_to(7), .c = up_to(300)};

struct pool_trial {
    trial<pool_shape> of;
    pooling how;
};
template <class Op, class... E>
pool_trial trial_of_pool(pooling how)
{
    constexpr by_default standard;
    return {trial_of_operator<standard, Op, pool_shape, E...>(Op::shape), how};
}
// A mean is rounded before a bias is.
std::vector<pool_trial> trials()
{
    return {
        trial_of_pool<max_pool<all, f32, bias, relu>, bias, relu>(pooling::max),
        trial_of_pool<average_pool<all, f32>>(pooling::average),
        trial_of_pool<average_pool<counted, f32, relu>, relu>(pooling::average),
        trial_of_pool<max_pool<few, f32, residual>, residual>(pooling::max),
        trial_of_pool<average_pool<known, f32>>(pooling::average),
        trial_of_pool<global_average_pool<image, f32, relu>, relu>(pooling::average),
        trial_of_pool<global_max_pool<image, f32>>(pooling::max),
    };
}

} // namespace

TEST_CASE("pools of any window")
{
    random_numbers random{9};
    std::uint64_t seed = 0;
    for (const pool_trial& p : trials())
        for (int i = 0; i < 120; ++i) {
            const trial<pool_shape>& t = p.of;
            const pool_shape s = drawn_call(t.shape, p.how, random);
            const std::vector<std::int64_t> parameters = values_of_call(t.shape, s);
            const call_data d = data_of(s, ++seed);
            const doubles expected = reference(s, p.how, d, t.epilogue);
            std::string wrong = wrong_kernel(t.kernel, d, expected, parameters.data());
            if (wrong.empty()) wrong = wrong_among_pages(t.kernel, parameters, d, expected);
            CHECK_MESSAGE(wrong.empty(), wrong, "\n  ", text_of(s, p.how), ": ", t.kernel.signature);
        }
}

TEST_CASE("a call whose windows are none, or none of the image, is out of range")
{
    const std::vector<pool_trial> kernels = trials();
    floats x(65536), y(65536);
    serial_executor serial;
    const auto called = [&](std::size_t kernel, std::vector<std::int64_t> parameters) {
        return kernels[kernel].of.kernel.run(
            reference_to(serial), {.x = x.data(), .bias = x.data(), .y = y.data(), .parameters = parameters.data()});
    };
    const auto wrong = [&](std::size_t kernel, const std::vector<std::int64_t>& parameters) -> std::string {
        const status s = called(kernel, parameters);
        if (s.ok()) return "";
        return s.what == fault::parameter_out_of_range ? s.subject : s.message();
    };
    for (const std::size_t k : {0, 1, 2}) {
        CAPTURE(k);
        //               n, h, w, c, taps, strides, pads,       dilations
        CHECK(wrong(k, {1, 5, 6, 20, 3, 3, 1, 1, 0, 0, 0, 0, 1, 1}) == "");
        CHECK(wrong(k, {0, 5, 6, 20, 3, 3, 1, 1, 0, 0, 0, 0, 1, 1}) == "");
        CHECK(wrong(k, {1, 5, 6, 0, 3, 3, 1, 1, 0, 0, 0, 0, 1, 1}) == "");
        CHECK(wrong(k, {1, 0, 6, 20, 3, 3, 1, 1, 0, 0, 0, 0, 1, 1}) == "h");
        CHECK(wrong(k, {1, 2, 6, 20, 3, 3, 1, 1, 0, 0, 0, 0, 1, 1}) == "h");
        CHECK(wrong(k, {1, 2, 6, 20, 3, 3, 1, 1, 1, 0, 0, 0, 1, 1}) == "");
        CHECK(wrong(k, {1, 5, 2, 20, 3, 3, 1, 1, 0, 0, 0, 0, 1, 1}) == "w");
        CHECK(called(k, {1, 2, 6, 20, 5, 3, 1, 1, 0, 0, 0, 0, 1, 1}).expected == 5);
        CHECK(wrong(k, {1, 5, 6, 151, 3, 3, 1, 1, 0, 0, 0, 0, 1, 1}) == "c");
        CHECK(wrong(k, {1, 5, 6, 20, 6, 3, 1, 1, 0, 0, 0, 0, 1, 1}) == "kh");
        CHECK(wrong(k, {1, 5, 6, 20, 3, 0, 1, 1, 0, 0, 0, 0, 1, 1}) == "kw");
        CHECK(wrong(k, {1, 5, 6, 20, 3, 3, 0, 1, 0, 0, 0, 0, 1, 1}) == "stride_h");
        CHECK(wrong(k, {1, 5, 6, 20, 3, 3, 1, 1, 0, -1, 0, 0, 1, 1}) == "pad_left");
        CHECK(wrong(k, {1, 5, 6, 20, 3, 3, 1, 1, 0, 0, 0, 0, 1, 0}) == "dilation_w");
        // Padding of which a window is made.
        CHECK(wrong(k, {1, 5, 6, 20, 3, 3, 1, 1, 2, 2, 2, 2, 1, 1}) == "");
        CHECK(wrong(k, {1, 5, 6, 20, 3, 3, 1, 1, 3, 2, 2, 2, 1, 1}) == "pad_top");
        CHECK(called(k, {1, 5, 6, 20, 3, 3, 1, 1, 3, 2, 2, 2, 1, 1}).expected == 2);
        CHECK(wrong(k, {1, 5, 6, 20, 3, 3, 1, 1, 2, 3, 2, 2, 1, 1}) == "pad_left");
        CHECK(wrong(k, {1, 5, 6, 20, 3, 3, 1, 1, 2, 2, 3, 2, 1, 1}) == "pad_bottom");
        CHECK(wrong(k, {1, 5, 6, 20, 3, 3, 1, 1, 2, 2, 2, 3, 1, 1}) == "pad_right");
        CHECK(wrong(k, {1, 5, 6, 20, 3, 3, 4, 4, 2, 2, 3, 2, 1, 1}) == ""); // which no window reaches
    }
    // Means are not dilated; a maximum is, as long as no window's taps leap over the image.
    CHECK(wrong(0, {1, 5, 6, 20, 3, 3, 1, 1, 0, 0, 0, 0, 2, 2}) == "");
    CHECK(wrong(1, {1, 5, 6, 20, 3, 3, 1, 1, 0, 0, 0, 0, 2, 1}) == "dilation_h");
    CHECK(wrong(2, {1, 5, 6, 20, 3, 3, 1, 1, 0, 0, 0, 0, 1, 2}) == "dilation_w");
    CHECK(wrong(0, {1, 3, 6, 20, 3, 3, 1, 1, 3, 0, 3, 0, 3, 1}) == "");
    CHECK(wrong(0, {1, 3, 6, 20, 3, 3, 1, 1, 4, 0, 4, 0, 4, 1}) == "");
    CHECK(wrong(0, {1, 3, 6, 20, 3, 3, 1, 1, 5, 0, 4, 0, 4, 1}) == "dilation_h");
    CHECK(wrong(0, {1, 3, 6, 20, 3, 3, 5, 1, 5, 0, 8, 0, 4, 1}) == "dilation_h");
    CHECK(wrong(0, {1, 3, 6, 20, 2, 3, 1, 1, 6, 0, 0, 0, 8, 1}) == "");
    CHECK(wrong(5, {1, 9, 7, 300}) == "");
    CHECK(wrong(5, {1, 0, 7, 300}) == "h");
    CHECK(wrong(5, {1, 9, 8, 300}) == "w");
    CHECK(wrong(5, {0, 9, 7, 300}) == "");
}
