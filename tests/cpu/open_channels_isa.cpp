// SPDX-License-Identifier: BSL-1.0
// Compiled convolutions whose channels the call gives, and groups of them: one kernel, channels that fill no vector and
// several tiles, and pages beside them that nothing may touch.
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

constexpr conv2d_shape all{.n = up_to(2),
                           .h = up_to(6),
                           .w = up_to(19),
                           .ic = up_to(7),
                           .oc = up_to(37),
                           .kh = 3,
                           .kw = 3,
                           .stride_w = 2,
                           .pad = 1};
constexpr conv2d_shape pointwise{.h = up_to(4), .w = up_to(21), .ic = up_to(20), .oc = up_to(33)};
constexpr conv2d_shape of_image{
    .n = 2, .h = 5, .w = 11, .ic = up_to(9), .oc = up_to(50), .kh = 3, .kw = 3, .pad = 1, .dilation_h = 2};
constexpr conv2d_shape outputs{
    .h = up_to(7), .w = up_to(9), .ic = 3, .oc = up_to(40), .kh = 5, .kw = 5, .stride = 2, .pad = 2};
constexpr conv2d_shape inputs{.h = 6, .w = up_to(13), .ic = up_to(6), .oc = 21, .kh = 2, .kw = 3, .pad_right = 4};
constexpr conv2d_shape depthwise{.n = up_to(2),
                                 .h = up_to(8),
                                 .w = up_to(17),
                                 .ic = up_to(71),
                                 .oc = up_to(71),
                                 .kh = 3,
                                 .kw = 3,
                                 .pad = 1,
                                 .groups = up_to(71)};
constexpr conv2d_shape depthwise_of_image{
    .h = 9, .w = 14, .ic = up_to(35), .oc = up_to(35), .kh = 5, .kw = 5, .stride = 2, .pad = 2, .groups = up_to(35)};

constexpr conv2d_shape grouped{.n = up_to(2),
                               .h = up_to(6),
                               .w = up_to(11),
                               .ic = up_to(24),
                               .oc = up_to(72),
                               .kh = 3,
                               .kw = 3,
                               .stride_w = 2,
                               .pad = 1,
                               .groups = up_to(12)};
constexpr conv2d_shape in_two{
    .h = up_to(6), .w = up_to(11), .ic = up_to(14), .oc = up_to(66), .kh = 2, .kw = 3, .pad = 1, .groups = 2};
constexpr conv2d_shape grouped_of_image{
    .n = 2, .h = 5, .w = 7, .ic = up_to(24), .oc = up_to(72), .kh = 3, .kw = 3, .pad = 1, .groups = up_to(24)};
constexpr conv2d_shape outputs_of_groups{
    .h = up_to(7), .w = 5, .ic = 9, .oc = up_to(75), .kh = 3, .kw = 3, .groups = 3};
constexpr conv2d_shape inputs_of_groups{
    .h = 6, .w = up_to(9), .ic = up_to(20), .oc = 40, .kh = 2, .kw = 3, .pad_right = 4, .groups = 4};
// One output for each of them: vectors lie along nothing else.
constexpr conv2d_shape one_of_each{
    .h = 6, .w = up_to(9), .ic = up_to(20), .oc = 5, .kh = 3, .kw = 3, .pad = 1, .groups = 5};

std::vector<trial<conv2d_shape>> trials_of_groups()
{
    constexpr by_default standard;
    return {
        trial_of<grouped, standard, bias, residual, relu>(),
        trial_of<in_two, direct_knobs{.rows = 4, .vectors = 2, .reduce_unroll = 2, .reduce_block = 4}, residual>(),
        trial_of<grouped_of_image, standard, bias>(),
        trial_of<outputs_of_groups, standard, bias, relu>(),
        trial_of<inputs_of_groups, direct_knobs{.rows = 4, .order = walk::rows_outer}, residual>(),
        trial_of<one_of_each, standard, bias>(),
    };
}

std::vector<trial<conv2d_shape>> trials()
{
    constexpr by_default standard;
    return {
        trial_of<all, standard, bias, residual, relu>(),
        trial_of<pointwise, direct_knobs{.rows = 4, .vectors = 2, .reduce_unroll = 2, .reduce_block = 8}, residual>(),
        trial_of<of_image, direct_knobs{.rows = 4, .pad = padding::copy, .order = walk::rows_outer}, bias>(),
        trial_of<outputs, standard>(),
        trial_of<inputs, standard, relu>(),
        trial_of<depthwise, standard, bias, relu6>(),
        trial_of<depthwise_of_image, standard, residual>(),
    };
}

} // namespace

TEST_CASE("convolutions of as many channels as the call gives")
{
    const tried_extents some{.h = {3}, .w = {8, 15}, .ic = {2, 5, 8, 16, 33, 40, 64}, .oc = {7, 16, 31, 32, 36}};
    CHECK(check_calls(trials(), some) > 500);
}

TEST_CASE("convolutions of as many groups as the call gives, and of as many channels in groups")
{
    const tried_extents some{.h = {3},
                             .w = {8},
                             .ic = {2, 4, 5, 6, 8, 9, 10, 12, 16},
                             .oc = {3, 4, 6, 10, 12, 24, 30, 33, 48, 60, 64},
                             .groups = {2, 3, 4, 5, 6, 8}};
    CHECK(check_calls(trials_of_groups(), some) > 500);
}

TEST_CASE("no channels are out of range where they are summed, and no work where they are outputs")
{
    const std::vector<trial<conv2d_shape>> kernels = trials();
    std::vector<float> any(4096);
    serial_executor serial;
    const auto called = [&](const entry& kernel, const std::vector<std::int64_t>& parameters, float* y) {
        return kernel.run(reference_to(serial), {.x = any.data(),
                                                 .weights = any.data(),
                                                 .bias = any.data(),
                                                 .residual = any.data(),
                                                 .y = y,
                                                 .workspace = any.data(),
                                                 .parameters = parameters.data()});
    };
    const entry &dense = kernels[0].kernel, &each = kernels[5].kernel;
    CHECK(called(dense, {1, 2, 3, 4, 5}, any.data()).ok());
    const status none = called(dense, {1, 2, 3, 0, 5}, any.data());
    CHECK(none.what == fault::parameter_out_of_range);
    CHECK(std::string(none.subject) == "ic");
    CHECK(none.expected == 1);
    CHECK(called(dense, {1, 2, 3, 8, 5}, any.data()).expected == 7);
    CHECK(std::string(called(dense, {1, 2, 3, 4, 38}, any.data()).subject) == "oc");
    CHECK(called(dense, {1, 2, 3, 4, -1}, any.data()).what == fault::parameter_out_of_range);
    CHECK(called(dense, {1, 2, 3, 4, 0}, nullptr).ok());
    CHECK(called(each, {1, 2, 3, 0}, nullptr).ok());
    CHECK(called(each, {1, 2, 3, 72}, any.data()).expected == 71);

    // Packing looks at channels alone.
    const std::int64_t channels[] = {0, 0, 0, 4, 17};
    std::vector<float> packed(dense.packed_bytes_of(channels) / sizeof(float));
    CHECK(packed.size() >= 17 * 3 * 3 * 4);
    CHECK(packed.size() < dense.packed_bytes / sizeof(float));
    CHECK(dense.pack_for(any.data(), packed.data(), channels).ok());
    const std::int64_t too_many[] = {1, 2, 3, 8, 17};
    CHECK(dense.packed_bytes_of(too_many) == 0);
    CHECK(dense.pack_for(any.data(), packed.data(), too_many).what == fault::parameter_out_of_range);
}
