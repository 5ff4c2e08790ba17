// SPDX-License-Identifier: BSL-1.0
// What is asked of children that have a device, answered by shells here, and the program of a config. Kernels are
// verified and timed on a device where operators are tuned (pool_vulkan.cpp and others).
#include <hone/tune/vulkan/measure.hpp>

#include <optional>
#include <string>
#include <vector>

#include <doctest/doctest.h>

#include <hone/ir/hash.hpp>
#include <hone/tune/vulkan/space.hpp>

#include "tuner_rig.hpp"

using namespace hone;
using namespace hone::codegen;
using namespace hone::test;
using tune::verdict;

namespace {

// What is found where a child runs this.
std::optional<tune::vulkan_facts> found_by_shell(const std::string& script, std::string& why)
{
    return tune::find_vulkan({"/bin/sh", "-c", script}, why);
}
std::string why_none(const std::string& script)
{
    std::string why;
    CHECK_FALSE(found_by_shell(script, why).has_value());
    return why;
}

} // namespace

TEST_CASE("the device is what the first line of a child says, with its limits")
{
    std::string why;
    const auto found = found_by_shell(
        R"(echo '{"name": "a device", "vendor": 4318, "device": 7, "limits": [256, 255, 65535, 49152, 8, 128, 65536, 1024, 1]}'; echo more)",
        why);
    REQUIRE_MESSAGE(found.has_value(), why);
    CHECK(found->name == "a device");
    CHECK(found->vendor == 4318);
    CHECK(found->device == 7);
    CHECK(found->limits.max_workgroup_invocations == 256);
    CHECK(found->limits.max_workgroup_size_x == 255);
    CHECK(found->limits.max_workgroup_count_x == 65535);
    CHECK(found->limits.max_shared_bytes == 49152);
    CHECK(found->limits.max_storage_buffers == 8);
    CHECK(found->limits.max_push_constant_bytes == 128);
    CHECK(found->limits.max_loop_iterations == 65536);
    CHECK(found->limits.max_buffer_bytes == 1024);
    CHECK(found->limits.storage_16bit);
}

TEST_CASE("without a device the reason is the child's, or how its driver ended it")
{
    CHECK(why_none(R"(echo '{"why": "there is no driver"}'; exit 1)") == "there is no driver");
    CHECK(why_none("echo no words >&2; exit 1") == "no words\n");
    CHECK(why_none("kill -9 $$").starts_with("the driver ended its process by signal 9 ("));
    CHECK(why_none("exit 3") == "the driver ended its process with status 3");
}

TEST_CASE("the program of a config is its nest's, with the launch and the layouts that its entry needs")
{
    const auto space = tune::vulkan_space_of(tiny::definition(), {}, error_class::reassociated, nullptr);
    const tune::named_config c = space->standard();
    const tune::vulkan_program p = tune::program_of(*space, c);
    CHECK(nest_hash(p.nest) == nest_hash(space->lowered(c)));
    CHECK(p.launch == launch_of(p.nest));
    CHECK(layout_id(p.packed) == layout_id(space->packed(c)));
    CHECK_FALSE(tune::wrong_spirv(p.words, p.launch).has_value());
}

TEST_CASE("a job that no child can do says nothing of its variants")
{
    const tune::vulkan_job job{.signature = "s", .variants = {"direct", "direct"}};
    for (const auto& m : tune::measure(job, {"/nowhere/program"})) CHECK(m.found == verdict::untried);
    CHECK(tune::measure(job, {"/nowhere/program"}).size() == 2);
}
