// SPDX-License-Identifier: BSL-1.0
// Products of two activations are tuned on a device, and what was found is verified there again.
#include <string>

#include <doctest/doctest.h>

#include <hone/tune/vulkan/tuning.hpp>

#include "attention.hpp"
#include "tuner_rig.hpp"
#include "vulkan_child.hpp"
#include "vulkan_rig.hpp"

using namespace hone;
using namespace hone::tune;
using namespace hone::test;

TEST_CASE("measure products on a device in a child" * doctest::skip())
{
    static const tune::task tasks[] = {
        tune::task_of<attention::scores>("", ""), tune::task_of<attention::context>("", ""),
        tune::task_of<attention::next_scores>("", ""), tune::task_of<attention::next_context>("", "")};
    measure_on_device(tasks);
}

TEST_CASE_TEMPLATE("the products of attention are tuned on the device", Op, attention::scores, attention::context,
                   attention::next_scores, attention::next_context)
{
    vulkan::device& device = test_device();
    check_tuned_on_device<Op>("measure products on a device in a child");
    CHECK_MESSAGE(device.validation_messages() == 0, device.first_validation_message());
}
