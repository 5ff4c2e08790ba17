// SPDX-License-Identifier: BSL-1.0
// Default kernels of pools, compiled, against plain loops: in both layouts, with windows that are cut, and means of as
// many pixels as the image has there, known for a whole vector or for each lane.
#include <cmath>
#include <cstdint>
#include <limits>
#include <string>
#include <type_traits>

#include <doctest/doctest.h>

#include <hone/cpu/kernel.hpp>
#include <hone/op/pool.hpp>

#include "kernel_trial.hpp"
#include "pools.hpp"

using namespace hone;
using namespace hone::operators;
using namespace hone::test;

namespace {

// On one thread and on two, into poisoned memory.
template <class Op>
std::string wrong(pooling how, const call_data& given, const steps& epilogue)
{
    using own = kernel<Op>;
    const doubles expected = reference(Op::shape, how, given, epilogue);
    const auto run = [&](auto&& executor) -> std::string {
        guarded y(expected.size() * sizeof(float));
        guarded workspace(own::workspace_bytes(executor.slots()));
        const status found = own::run(
            executor, {.x = given.x.data(), .bias = given.bias.data(), .y = y.data(), .workspace = workspace.data()});
        if (!found.ok()) return std::string(found.message()) + ", " + found.subject;
        if (!y.is_intact() || !workspace.is_intact()) return "writes beside its buffers";
        return difference_of(y.values(), expected);
    };
    const std::string one = run(serial_executor());
    return one.empty() ? run(eager_pool(2)) : one;
}

// Of windows that are cut below, and at the right where the stride lets them.
constexpr pool_shape stem{
    .n = 2, .h = 8, .w = 10, .c = 21, .kh = 3, .kw = 2, .stride = 2, .pad = 1, .last = last_window::cut};
constexpr pool_shape wide{
    .h = 9, .w = 37, .c = 3, .kh = 3, .kw = 3, .stride_h = 2, .pad = 1, .pad_bottom = 0, .layout = layout::nchw};
// Vectors of pixels that lie two and three apart, of which the last tap has one lane fewer: that stands in padding.
constexpr pool_shape second_pixels{
    .h = 9, .w = 9, .c = 3, .kh = 3, .kw = 3, .stride = 2, .pad = 1, .layout = layout::nchw};
constexpr pool_shape third_pixels{
    .h = 8, .w = 28, .c = 2, .kh = 3, .kw = 3, .stride = 3, .pad = 1, .layout = layout::nchw};
constexpr pool_shape dilated{.h = 9, .w = 9, .c = 5, .kh = 3, .kw = 2, .pad = 1, .dilation_h = 2};

} // namespace

TEST_CASE("largest pixels of windows, of which NaN is none")
{
    using pool = max_pool<stem, f32, bias, relu>;
    CHECK(wrong<pool>(pooling::max, data_of(stem, 1), {step::bias, step::relu}) == "");
    using planes = max_pool<wide, f32>;
    call_data given = data_of(wide, 2);
    for (std::size_t i = 0; i < given.x.size(); i += 3) given.x[i] = std::numeric_limits<float>::quiet_NaN();
    for (std::size_t i = 0; i < 100; ++i) given.x[i] = std::numeric_limits<float>::quiet_NaN(); // of NaN alone
    CHECK(wrong<planes>(pooling::max, given, {}) == "");
    given = data_of(wide, 3);
    for (float& x : given.x) x -= 5; // below padding that were zeros
    CHECK(wrong<planes>(pooling::max, given, {}) == "");
}

TEST_CASE("means of the pixels that are there")
{
    CHECK(wrong<average_pool<stem, f32, relu>>(pooling::average, data_of(stem, 3), {step::relu}) == "");
    CHECK(wrong<average_pool<wide, f32>>(pooling::average, data_of(wide, 4), {}) == "");
    CHECK(wrong<average_pool<dilated, f32>>(pooling::average, data_of(dilated, 5), {}) == "");
    CHECK(wrong<average_pool<second_pixels, f32>>(pooling::average, data_of(second_pixels, 10), {}) == "");
    CHECK(wrong<average_pool<third_pixels, f32>>(pooling::average, data_of(third_pixels, 11), {}) == "");
    call_data given = data_of(wide, 6);
    given.x[40] = std::numeric_limits<float>::quiet_NaN();
    CHECK(wrong<average_pool<wide, f32>>(pooling::average, given, {}) == "");
}

TEST_CASE("the whole image, in both layouts")
{
    using channels = global_average_pool<image_shape{.h = 7, .w = 7, .c = 40}, f32>;
    CHECK(wrong<channels>(pooling::average, data_of(channels::shape, 7), {}) == "");
    using planes = global_average_pool<image_shape{.n = 2, .h = 5, .w = 7, .c = 3, .layout = layout::nchw}, f32>;
    CHECK(wrong<planes>(pooling::average, data_of(planes::shape, 8), {}) == "");
    using largest = global_max_pool<image_shape{.h = 5, .w = 7, .c = 6, .layout = layout::nchw}, f32>;
    CHECK(wrong<largest>(pooling::max, data_of(largest::shape, 9), {}) == "");
}
