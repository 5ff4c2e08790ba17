// SPDX-License-Identifier: BSL-1.0
// A device that owns its queue and memory: buffers that host and device see, what is run, and how it is
// timed. A missed deadline: pipeline.cpp.
#include <hone/vulkan/device.hpp>

#include <algorithm>
#include <chrono>
#include <string>
#include <utility>

#include <doctest/doctest.h>

#include "vulkan_device.hpp"

using namespace hone;
using namespace hone::test;

TEST_CASE("what cannot be opened gives no device, and its reason")
{
    vulkan::failure why;
    const std::string name = test_device().properties().deviceName;
    CHECK(vulkan::device::open({.device_name = "no such device"}, why) == nullptr);
    CHECK(why.found.what == fault::vulkan_device_missing);
    CHECK(why.detail == "no device is named like 'no such device'; found: " + name);
    CHECK(vulkan::device::open({.library = "libhone-has-no-such-loader.so"}, why) == nullptr);
    CHECK(why.found.what == fault::vulkan_loader_missing);
}

TEST_CASE("memory keeps what the host writes, goes with whoever moves it, and has the size that was asked for")
{
    vulkan::device& d = test_device();
    vulkan::failure why;
    vulkan::device_buffer first = d.make_buffer(100 * sizeof(float), why);
    REQUIRE_MESSAGE(why.ok(), why.text());
    CHECK(first);
    CHECK(first.floats().size() == 100);
    first.floats()[99] = 7;
    vulkan::device_buffer second = std::move(first);
    CHECK(second.floats()[99] == 7);
    CHECK(second.range().offset == 0);
    first = d.make_buffer(4, why); // less than a device allocates
    REQUIRE(why.ok());
    CHECK(first.floats().size() == 1);
    CHECK(first.range().buffer != second.range().buffer);
    second = std::move(first);
    CHECK(second.floats().size() == 1);
    CHECK_FALSE(vulkan::device_buffer());
    CHECK_MESSAGE(d.validation_messages() == 0, d.first_validation_message());
}

TEST_CASE("what is not recorded is not run")
{
    const auto refused = test_device().run([](VkCommandBuffer) { return status{.what = fault::vulkan_call_mismatch}; });
    CHECK(refused.found.what == fault::vulkan_call_mismatch);
    CHECK(test_device().run([](VkCommandBuffer) { return status{}; }).ok());
    CHECK_FALSE(test_device().is_lost());
}

TEST_CASE("timing records a warm dispatch before those that it counts, and drops what compiles")
{
    vulkan::device& d = test_device();
    for (const int repeats : {1, 2, 5}) {
        vulkan::timing found;
        int recorded = 0, largest = 0;
        const auto timed = d.time(found,
                                  [&](VkCommandBuffer, int i) {
                                      ++recorded;
                                      largest = std::max(largest, i);
                                      return status{};
                                  },
                                  {.repeats = repeats, .region = std::chrono::microseconds{50}});
        REQUIRE_MESSAGE(timed.ok(), timed.text());
        CHECK(found.dispatches >= 1);
        CHECK(recorded == 2 * 2 + repeats * (found.dispatches + 1)); // the first submission, the pilot, the repeats
        CHECK(largest == found.dispatches - 1);
        CHECK(found.median >= found.minimum);
    }
    vulkan::timing none;
    const auto refused = d.time(none, [](VkCommandBuffer, int) { return status{.what = fault::vulkan_call_mismatch}; });
    CHECK(refused.found.what == fault::vulkan_call_mismatch);
    CHECK(none.dispatches == 0);
    CHECK_MESSAGE(d.validation_messages() == 0, d.first_validation_message());
}
