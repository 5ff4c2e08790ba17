// SPDX-License-Identifier: BSL-1.0
// Which device is taken: the first, one whose name holds what is asked for, or none with those that there are.
#include <hone/vulkan/device_choice.hpp>

#include <cstdint>
#include <cstdlib>
#include <optional>
#include <string>
#include <vector>

#include <doctest/doctest.h>

#include "vulkan_device.hpp"

using namespace hone;
using namespace hone::test;

TEST_CASE("a device is chosen by a part of its name; a queue that computes comes with it")
{
    const std::string name = test_device().properties().deviceName; // the run ends here where there is none
    vulkan::instance from;
    REQUIRE(from.open("", vulkan::validation::off).ok());
    const auto chosen = [&](const std::string& wanted, vulkan::device_choice& to) {
        return vulkan::choose_device(to, from, wanted);
    };
    for (const std::string& wanted : {name, name.substr(1), name.substr(0, 3)}) {
        vulkan::device_choice to;
        const vulkan::failure why = chosen(wanted, to);
        REQUIRE_MESSAGE(why.ok(), why.text());
        CHECK(std::string(to.properties.deviceName).find(wanted) != std::string::npos);
        CHECK(to.properties.apiVersion >= VK_API_VERSION_1_1);
        CHECK(to.memory_types.memoryTypeCount > 0);
        const auto families =
            from.call<PFN_vkGetPhysicalDeviceQueueFamilyProperties>("vkGetPhysicalDeviceQueueFamilyProperties");
        std::uint32_t count = 0;
        families(to.handle, &count, nullptr);
        std::vector<VkQueueFamilyProperties> queues(count);
        families(to.handle, &count, queues.data());
        REQUIRE(to.queue_family < count);
        CHECK((queues[to.queue_family].queueFlags & VK_QUEUE_COMPUTE_BIT) != 0);
        CHECK(to.timestamp_bits == queues[to.queue_family].timestampValidBits);
        for (std::uint32_t before = 0; before < to.queue_family; ++before)
            CHECK((queues[before].queueFlags & VK_QUEUE_COMPUTE_BIT) == 0);
    }

    vulkan::device_choice none;
    const vulkan::failure why = chosen("no such device", none);
    CHECK(why.found.what == fault::vulkan_device_missing);
    CHECK(why.detail.starts_with("no device is named like 'no such device'; found: "));
    CHECK(why.detail.find(name) != std::string::npos);
    CHECK(none.handle == VK_NULL_HANDLE);

    // The environment names one where nothing is asked for.
    const char* before = std::getenv("HONE_VULKAN_DEVICE");
    const std::optional<std::string> kept = before == nullptr ? std::optional<std::string>{} : before;
    setenv("HONE_VULKAN_DEVICE", "no device of the environment", 1);
    vulkan::device_choice by_environment, given;
    CHECK(chosen("", by_environment).found.what == fault::vulkan_device_missing);
    CHECK(chosen(name, given).ok());
    unsetenv("HONE_VULKAN_DEVICE");
    if (kept) setenv("HONE_VULKAN_DEVICE", kept->c_str(), 1);
}
