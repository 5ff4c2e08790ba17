// SPDX-License-Identifier: BSL-1.0
// Targets: which are of which kind, and that a device of which nothing is known has what every Vulkan 1.1 device has.
#include <hone/core/target.hpp>

#include <cstdint>

#include <doctest/doctest.h>

using namespace hone;
using namespace hone::core;

namespace {

static_assert(cpu_target().set == compiled_isa());
static_assert(cpu_target(isa::avx2).set == isa::avx2);
static_assert(target{}.set == isa::baseline && !target{}.is_vulkan());

} // namespace

TEST_CASE("a target without an instruction set is a device, and no other is")
{
    CHECK(vulkan_target().is_vulkan());
    CHECK(vulkan_target().set == isa::none);
    for_each_isa([](const isa_row& r) {
        CAPTURE(r.name);
        CHECK_FALSE(cpu_target(r.set).is_vulkan());
    });
}

TEST_CASE("the limits of a device are those that it is given")
{
    vulkan_limits large;
    large.max_shared_bytes = 1 << 16;
    large.storage_16bit = true;
    CHECK(vulkan_target(large).limits.max_shared_bytes == 1 << 16);
    CHECK(vulkan_target(large).limits.storage_16bit);
    CHECK_FALSE(vulkan_target().limits.storage_16bit);
}

// Vulkan 1.1, table "Required Limits".
TEST_CASE("initial limits are no more than what the specification requires")
{
    const vulkan_limits floor;
    CHECK(floor.max_workgroup_invocations <= 128);           // maxComputeWorkGroupInvocations
    CHECK(floor.max_workgroup_size_x <= 128);                // maxComputeWorkGroupSize[0]
    CHECK(floor.max_workgroup_count_x <= 65535);             // maxComputeWorkGroupCount[0]
    CHECK(floor.max_shared_bytes <= 16384);                  // maxComputeSharedMemorySize
    CHECK(floor.max_storage_buffers <= 4);                   // maxPerStageDescriptorStorageBuffers
    CHECK(floor.max_push_constant_bytes <= 128);             // maxPushConstantsSize
    CHECK(floor.max_buffer_bytes <= std::uint32_t{1} << 27); // maxStorageBufferRange
    // An invocation of each workgroup lies along x, so a whole workgroup fits.
    CHECK(floor.max_workgroup_size_x >= floor.max_workgroup_invocations);
}
