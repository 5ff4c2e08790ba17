// SPDX-License-Identifier: BSL-1.0
// The kernels of a device in a space: none that its limits do not let it run. No device is asked.
#include <hone/tune/vulkan/space.hpp>

#include <cstdint>
#include <string>

#include <doctest/doctest.h>

#include <hone/op/gemm.hpp>

using namespace hone;
using namespace hone::codegen;
using tune::vulkan_space;

TEST_CASE("an operator with a tensor that a device cannot bind has no kernel there, and the tensor is named")
{
    using wide = gemm<gemm_shape{.m = 1, .n = 11008, .k = 4096}, f32>;
    constexpr std::int64_t bytes = std::int64_t{11008} * 4096 * 4;
    const definition d = wide::definition();
    const vulkan_limits floor;
    const vulkan_space on_floor(d, floor);
    status why;
    CHECK_FALSE(on_floor.nest_of(on_floor.standard(), why));
    for (const status& s : {why, tune::reason_against(d, floor)}) {
        CHECK(s.what == fault::buffer_too_large);
        CHECK(s.expected == floor.max_buffer_bytes);
        CHECK(s.found == bytes);
        CHECK(std::string(s.subject) == "weights");
    }
    vulkan_limits enough = floor;
    enough.max_buffer_bytes = bytes;
    const vulkan_space on_enough(d, enough);
    CHECK(on_enough.nest_of(on_enough.standard(), why));
    CHECK(tune::reason_against(d, enough).ok());
}

TEST_CASE("a workgroup that a device does not launch is no kernel of it, and is one of a larger device")
{
    using product = gemm<gemm_shape{.m = 64, .n = 128, .k = 32}, f32>;
    vulkan_limits few;
    const vulkan_space on_floor(product::definition(), few);
    const auto standard = on_floor.standard();
    status why;
    REQUIRE(on_floor.nest_of(standard, why));
    few.max_workgroup_invocations = few.max_workgroup_size_x = 1;
    const vulkan_space on_one_lane(product::definition(), few);
    CHECK_FALSE(on_one_lane.nest_of(standard, why));
    CHECK(why.expected == 1);
    CHECK(why.found > 1);
}
