// SPDX-License-Identifier: BSL-1.0
// Resized images are tuned on a device, and what was found is verified there again.
#include <string>

#include <doctest/doctest.h>

#include <hone/tune/vulkan/tuning.hpp>

#include "resized.hpp"
#include "tuner_rig.hpp"
#include "vulkan_child.hpp"
#include "vulkan_rig.hpp"

using namespace hone;
using namespace hone::operators;
using namespace hone::test;

TEST_CASE("measure resized images on a device in a child" * doctest::skip())
{
    static const tune::task tasks[] = {tune::task_of<resized::between>("", ""), tune::task_of<resized::heads>("", ""),
                                       tune::task_of<resized::nearest>("", "")};
    measure_on_device(tasks);
}

TEST_CASE_TEMPLATE("resized images are tuned on the device", Op, resized::between, resized::heads, resized::nearest)
{
    vulkan::device& device = test_device();
    check_tuned_on_device<Op>("measure resized images on a device in a child");
    CHECK_MESSAGE(device.validation_messages() == 0, device.first_validation_message());
}
