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
using namespace hone::operators;
using namespace hone::test;

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
    check_tuned_on_device<Op>("measure pools on a device in a child");
    CHECK_MESSAGE(device.validation_messages() == 0, device.first_validation_message());
}
