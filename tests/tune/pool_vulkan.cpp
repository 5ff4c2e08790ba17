// SPDX-License-Identifier: BSL-1.0
// Pools and element-wise operators are tuned on a device, and what was found is verified there again.
#include <string>

#include <doctest/doctest.h>

#include <hone/tune/vulkan/tuning.hpp>

#include "pooled.hpp"
#include "tuner_rig.hpp"
#include "vulkan_child.hpp"
#include "vulkan_rig.hpp"

using namespace hone;
using namespace hone::test;
using tune::verdict;

TEST_CASE("measure pools on a device in a child" * doctest::skip())
{
    static const tune::task tasks[] = {tune::task_of<pooled::largest>("", ""), tune::task_of<pooled::mean>("", ""),
                                       tune::task_of<pooled::apart>("", ""), tune::task_of<pooled::all>("", ""),
                                       tune::task_of<pooled::scaled>("", "")};
    measure_on_device(tasks);
}

TEST_CASE_TEMPLATE("pools and what becomes of each element are tuned on the device", Op, pooled::largest, pooled::mean,
                   pooled::apart, pooled::all, pooled::scaled)
{
    vulkan::device& device = test_device();
    const folder at;
    const tune::tuning_environment environment = environment_of(at, "measure pools on a device in a child");
    std::string why;
    const auto found = tune::find_vulkan(environment.self, why);
    REQUIRE_MESSAGE(found.has_value(), why);
    tune::vulkan_tuning tuning(tune::task_of<Op>("op", "pooled::op"), environment, *found);
    tuning.measure(tuning.propose(4), {});
    tuning.compare();
    for (const tune::record& r : tuning.records()) {
        INFO(tune::line_of(r));
        CHECK(r.found == verdict::ok);
        CHECK(r.max_rel_error < 1e-5);
    }
    const tune::standing s = tuning.standing();
    REQUIRE(s.chosen != nullptr);
    REQUIRE(s.standard != nullptr);
    CHECK(tuning.verify_on_twin(*s.chosen).found == verdict::ok);
    CHECK_MESSAGE(device.validation_messages() == 0, device.first_validation_message());
}
