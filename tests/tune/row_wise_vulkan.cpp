// SPDX-License-Identifier: BSL-1.0
// Softmax and normalisations are tuned on a device, and what was found is verified there again.
#include <string>

#include <doctest/doctest.h>

#include <hone/tune/vulkan/tuning.hpp>

#include "normalised.hpp"
#include "tuner_rig.hpp"
#include "vulkan_child.hpp"
#include "vulkan_rig.hpp"

using namespace hone;
using namespace hone::tune;
using namespace hone::test;

TEST_CASE("measure rows on a device in a child" * doctest::skip())
{
    static const tune::task tasks[] = {
        tune::task_of<normalised::shares>("", ""), tune::task_of<normalised::layer>("", ""),
        tune::task_of<normalised::root>("", ""), tune::task_of<normalised::apart>("", "")};
    measure_on_device(tasks);
}

TEST_CASE_TEMPLATE("softmax and normalisations are tuned on the device", Op, normalised::shares, normalised::layer,
                   normalised::root, normalised::apart)
{
    vulkan::device& device = test_device();
    check_tuned_on_device<Op>("measure rows on a device in a child");
    CHECK_MESSAGE(device.validation_messages() == 0, device.first_validation_message());
}
