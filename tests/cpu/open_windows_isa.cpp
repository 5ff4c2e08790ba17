// SPDX-License-Identifier: BSL-1.0
// Compiled convolutions whose calls give all there is of a shape: images, channels, groups, and the window with its
// strides, paddings and dilations. One kernel, windows that reach beyond each side of an image, and pages beside the
// tensors that nothing may touch.
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
constexpr conv2d_shape grouped{.n = up_to(2),
                               .h = up_to(12),
                               .w = up_to(23),
                               .ic = up_to(18),
                               .oc = up_to(79),
                               .kh = 4,
                               .kw = 5,
                               .groups = up_to(9),
                               .window_at_call = true};
constexpr conv2d_shape in_three{.h = up_to(9),
                                .w = up_to(17),
                                .ic = up_to(15),
                                .oc = up_to(120),
                                .kh = 3,
                                .kw = 5,
                                .groups = 3,
                                .window_at_call = true};
// Of 16 groups of 2 channels, whose lanes walk several groups, and of 5 with 4 outputs for each input.
constexpr conv2d_shape of_twos{
    .h = up_to(9), .w = up_to(17), .ic = 32, .oc = 32, .kh = 3, .kw = 5, .groups = 16, .window_at_call = true};
constexpr conv2d_shape multiplied{
    .h = up_to(9), .w = up_to(17), .ic = 5, .oc = 20, .kh = 3, .kw = 5, .groups = 5, .window_at_call = true};
constexpr conv2d_shape depthwise_of_channels{
    .h = up_to(9), .w = up_to(17), .ic = 21, .oc = 21, .kh = 3, .kw = 5, .groups = 21, .window_at_call = true};

std::vector<trial<conv2d_shape>> trials()
{
    constexpr by_default standard;
    return {
        trial_of<all, standard, bias, residual, relu>(),
        trial_of<all, direct_knobs{.rows = 3, .vectors = 1, .reduce_unroll = 2, .order = walk::rows_outer}, bias>(),
        trial_of<of_channels, standard, relu>(),
        trial_of<depthwise, standard, bias, relu6>(),
        trial_of<grouped, standard, bias, residual, relu>(),
        trial_of<in_three, standard, bias, relu>(),
        trial_of<of_twos, standard, bias, residual>(),
        trial_of<multiplied, standard, bias, relu6>(),
        trial_of<depthwise_of_channels, standard, bias>(),
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

TEST_CASE("channels that the groups of a call do not divide are refused, by pack() too")
{
    std::vector<float> any(65536), packed(65536);
    serial_executor serial;
    const auto called = [&](const entry& kernel, std::vector<std::int64_t> parameters) {
        return kernel.run(reference_to(serial), {.x = any.data(),
                                                 .weights = packed.data(),
                                                 .bias = any.data(),
                                                 .residual = any.data(),
                                                 .y = any.data(),
                                                 .workspace = any.data(),
                                                 .parameters = parameters.data()});
    };
    const auto is_refused = [&](const entry& kernel, std::vector<std::int64_t> parameters, fault what,
                                const char* subject, std::int64_t expected, std::int64_t found) {
        for (const status& s :
             {called(kernel, parameters), kernel.pack_for(any.data(), packed.data(), parameters.data())}) {
            CHECK(s.what == what);
            CHECK(std::string(s.subject) == subject);
            CHECK(s.expected == expected);
            CHECK(s.found == found);
        }
        CHECK(kernel.packed_bytes_of(parameters.data()) == 0);
    };
    const entry any_groups = trials()[4].kernel, three = trials()[5].kernel;
    //                          n, h, w, ic, oc, taps, strides, pads,   dilations, groups
    CHECK(called(any_groups, {1, 5, 6, 6, 9, 3, 3, 1, 1, 0, 0, 0, 0, 1, 1, 3}).ok());
    CHECK(called(any_groups, {1, 5, 6, 6, 9, 3, 3, 1, 1, 0, 0, 0, 0, 1, 1, 1}).ok());
    is_refused(any_groups, {1, 5, 6, 6, 9, 3, 3, 1, 1, 0, 0, 0, 0, 1, 1, 4}, fault::shape_mismatch, "ic", 4, 6);
    is_refused(any_groups, {1, 5, 6, 6, 9, 3, 3, 1, 1, 0, 0, 0, 0, 1, 1, 2}, fault::shape_mismatch, "oc", 2, 9);
    is_refused(any_groups, {1, 5, 6, 3, 9, 3, 3, 1, 1, 0, 0, 0, 0, 1, 1, 9}, fault::shape_mismatch, "ic", 9, 3);
    is_refused(any_groups, {1, 5, 6, 6, 9, 3, 3, 1, 1, 0, 0, 0, 0, 1, 1, 0}, fault::parameter_out_of_range, "groups", 1,
               0);
    is_refused(any_groups, {1, 5, 6, 10, 10, 3, 3, 1, 1, 0, 0, 0, 0, 1, 1, 10}, fault::parameter_out_of_range, "groups",
               9, 10);
    is_refused(any_groups, {1, 5, 6, 0, 9, 3, 3, 1, 1, 0, 0, 0, 0, 1, 1, 3}, fault::parameter_out_of_range, "ic", 1, 0);
    // No outputs are no work.
    CHECK(called(any_groups, {1, 5, 6, 6, 0, 3, 3, 1, 1, 0, 0, 0, 0, 1, 1, 3}).ok());
    CHECK(called(any_groups, {0, 5, 6, 6, 9, 3, 3, 1, 1, 0, 0, 0, 0, 1, 1, 3}).ok());

    CHECK(called(three, {5, 6, 6, 9, 3, 3, 1, 1, 0, 0, 0, 0, 1, 1}).ok());
    is_refused(three, {5, 6, 7, 9, 3, 3, 1, 1, 0, 0, 0, 0, 1, 1}, fault::shape_mismatch, "ic", 3, 7);
    is_refused(three, {5, 6, 6, 10, 3, 3, 1, 1, 0, 0, 0, 0, 1, 1}, fault::shape_mismatch, "oc", 3, 10);
    is_refused(three, {5, 6, 2, 9, 3, 3, 1, 1, 0, 0, 0, 0, 1, 1}, fault::parameter_out_of_range, "ic", 3, 2);
    CHECK(called(three, {5, 6, 6, 0, 3, 3, 1, 1, 0, 0, 0, 0, 1, 1}).ok());
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
