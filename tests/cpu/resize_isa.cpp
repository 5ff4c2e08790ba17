// SPDX-License-Identifier: BSL-1.0
// Default kernels of resized images, compiled, against plain loops: in both layouts, between pixels and at the edges,
// and pixels that are not finite.
#include <cmath>
#include <cstdint>
#include <string>

#include <doctest/doctest.h>

#include <hone/cpu/kernel.hpp>
#include <hone/op/resize.hpp>

#include "kernel_trial.hpp"
#include "resizes.hpp"

using namespace hone;
using namespace hone::operators;
using namespace hone::test;

namespace {

// On one thread and on two, into poisoned memory.
template <class Op>
std::string wrong(const call_data& given, const steps& epilogue = {})
{
    using own = kernel<Op>;
    const doubles expected = reference(Op::shape, given, epilogue);
    const auto run = [&](auto&& executor) -> std::string {
        guarded y(expected.size() * sizeof(float));
        guarded workspace(own::workspace_bytes(executor.slots()));
        const status found = own::run(
            executor, {.x = given.x.data(), .bias = given.bias.data(), .y = y.data(), .workspace = workspace.data()});
        if (!found.ok()) return std::string(found.message()) + ", " + found.subject;
        if (!y.is_intact() || !workspace.is_intact()) return "writes beside its buffers";
        return difference_of(Op::shape, y.values(), expected);
    };
    const std::string one = run(serial_executor());
    return one.empty() ? run(eager_pool(2)) : one;
}

constexpr resize_shape up{.n = 2, .h = 4, .w = 5, .c = 37, .oh = 8, .ow = 11};
constexpr resize_shape heads{
    .h = 5, .w = 6, .c = 21, .oh = 33, .ow = 41, .coordinates = coordinates::align_corners, .layout = layout::nchw};
constexpr resize_shape halved{.h = 10, .w = 18, .c = 3, .oh = 5, .ow = 9, .layout = layout::nchw};
constexpr resize_shape down{.h = 13, .w = 11, .c = 1, .oh = 5, .ow = 6};
constexpr resize_shape copies{
    .h = 3, .w = 5, .c = 24, .oh = 9, .ow = 10, .mode = resize_mode::nearest, .coordinates = coordinates::asymmetric};
constexpr resize_shape plane{.h = 4, .w = 37, .c = 3, .oh = 9, .ow = 74, .layout = layout::nchw};
constexpr resize_shape twice{
    .h = 3, .w = 19, .c = 3, .oh = 5, .ow = 38, .mode = resize_mode::nearest, .layout = layout::nchw};

} // namespace

TEST_CASE("between pixels and at the edges, in both layouts")
{
    CHECK(wrong<resize<up, f32>>(data_of(up, 1)) == "");
    CHECK(wrong<resize<heads, f32>>(data_of(heads, 2)) == "");
    CHECK(wrong<resize<halved, f32>>(data_of(halved, 3)) == "");
    CHECK(wrong<resize<down, f32>>(data_of(down, 4)) == "");
    CHECK(wrong<resize<plane, f32, bias, relu>>(data_of(plane, 9), {step::bias, step::relu}) == "");
}

TEST_CASE("the nearest pixels are copies, whatever they are")
{
    call_data given = data_of(copies, 5);
    given.x[7] = INFINITY;
    given.x[30] = NAN;
    given.x[31] = -0.0f;
    CHECK(wrong<resize<copies, f32>>(given) == "");
    CHECK(wrong<resize<twice, f32>>(data_of(twice, 8)) == "");
}

TEST_CASE("an infinity reaches the outputs beside it, and no others")
{
    call_data given = data_of(up, 7);
    given.x[0] = INFINITY; // of channel 0 of the first pixel
    floats y = poisoned(static_cast<std::int64_t>(given.y.size()));
    REQUIRE(kernel<resize<up, f32>>::run({.x = given.x.data(), .y = y.data()}).ok());
    for (std::size_t i = 0; i < y.size(); ++i) {
        const std::size_t column = i / 37 % 11, row = i / 37 / 11;
        const bool is_beside = i % 37 == 0 && row < 3 && column < 3;
        CHECK(std::isfinite(y[i]) != is_beside);
    }
}
