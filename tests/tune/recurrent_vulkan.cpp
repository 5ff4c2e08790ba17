// SPDX-License-Identifier: BSL-1.0
// Recurrent cells are tuned on a device, and what was found is verified there again.
#include <string>

#include <doctest/doctest.h>

#include <hone/tune/vulkan/tuning.hpp>

#include "cells.hpp"
#include "tuner_rig.hpp"
#include "vulkan_child.hpp"
#include "vulkan_rig.hpp"

using namespace hone;
using namespace hone::tune;
using namespace hone::test;

TEST_CASE("measure cells on a device in a child" * doctest::skip())
{
    static const tune::task tasks[] = {tune::task_of<recurrent_cells::lstm>("", ""),
                                       tune::task_of<recurrent_cells::gru>("", "")};
    measure_on_device(tasks);
}

TEST_CASE_TEMPLATE("recurrent cells are tuned on the device", Op, recurrent_cells::lstm, recurrent_cells::gru)
{
    vulkan::device& device = test_device();
    check_tuned_on_device<Op>("measure cells on a device in a child");
    CHECK_MESSAGE(device.validation_messages() == 0, device.first_validation_message());
}
