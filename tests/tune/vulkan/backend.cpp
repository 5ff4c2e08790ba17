// SPDX-License-Identifier: BSL-1.0
// Vulkan has one set and spaces in every build; where nothing can be tuned, it says why.
#include <string>
#include <vector>

#include <doctest/doctest.h>

#include <hone/tune/vulkan/backend.hpp>

#include "tuner_rig.hpp"

using namespace hone;
using namespace hone::test;

TEST_CASE("without a child that finds a device there is no group, and a sentence says so")
{
    const tune::backend& vulkan = tune::vulkan_that_tunes;
    CHECK(vulkan.sets({}) == std::vector<std::string>{"none"});
    const tune::task task = tune::task_of<tiny>("tiny", "tiny");
    CHECK(vulkan.space_of(task, "none", error_class::winograd_6)->standard().name == "direct");

    const tune::tuner_options options{};
    const tune::tuning_environment environment{.self = {"/bin/false"}};
    std::vector<std::string> said;
    const tune::tuner_run run{options, environment, {&task}, [&](const std::string& line) { said.push_back(line); }};
    CHECK(vulkan.groups(run).empty());
    REQUIRE(said.size() == 1);
    CHECK(said[0].starts_with("hone: Vulkan is left out: "));
    const auto device = vulkan.device(environment.self);
    REQUIRE(device.has_value());
    CHECK(device->name == "");
    CHECK(device->why != "");
}
