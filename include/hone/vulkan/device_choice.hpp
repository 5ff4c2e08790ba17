// SPDX-License-Identifier: BSL-1.0
// Which of an instance's devices is taken, and what is known of it before it is opened: its properties, its memory
// and the first queue family that computes.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include <hone/vulkan/instance.hpp>

#ifndef HONE_SHOW_WARNINGS // see core/config.hpp
#pragma GCC system_header
#endif

namespace hone::vulkan {

struct device_choice {
    VkPhysicalDevice handle = VK_NULL_HANDLE;
    VkPhysicalDeviceProperties properties{};
    VkPhysicalDeviceMemoryProperties memory_types{};
    std::uint32_t queue_family = 0;
    std::uint32_t timestamp_bits = 0; // 0: the queue has no timestamps
};

// The first device whose name holds the given one, or that of HONE_VULKAN_DEVICE; without either, the first one.
// Faults: vulkan_device_missing, vulkan_feature_missing (Vulkan 1.1, a queue that computes), vulkan_call_failed.
inline failure choose_device(device_choice& to, const instance& from, const std::string& name)
{
    const auto list = from.call<PFN_vkEnumeratePhysicalDevices>("vkEnumeratePhysicalDevices");
    std::uint32_t count = 0;
    if (const VkResult r = list(from.handle(), &count, nullptr); r != VK_SUCCESS)
        return failed_call(r, "vkEnumeratePhysicalDevices");
    std::vector<VkPhysicalDevice> devices(count);
    list(from.handle(), &count, devices.data());
    const std::string wanted = or_environment(name, "HONE_VULKAN_DEVICE", "");
    const auto properties = from.call<PFN_vkGetPhysicalDeviceProperties>("vkGetPhysicalDeviceProperties");
    std::string seen;
    for (VkPhysicalDevice d : devices) {
        properties(d, &to.properties);
        if (std::string(to.properties.deviceName).find(wanted) != std::string::npos) {
            to.handle = d;
            break;
        }
        seen += std::string(seen.empty() ? "" : ", ") + to.properties.deviceName;
    }
    if (to.handle == VK_NULL_HANDLE)
        return {{.what = fault::vulkan_device_missing, .subject = "vkEnumeratePhysicalDevices"},
                wanted.empty() ? "the loader lists no device"
                               : "no device is named like '" + wanted + "'; found: " + (seen.empty() ? "none" : seen)};
    if (to.properties.apiVersion < VK_API_VERSION_1_1)
        return {{.what = fault::vulkan_feature_missing, .subject = "Vulkan 1.1"}, to.properties.deviceName};
    from.call<PFN_vkGetPhysicalDeviceMemoryProperties>("vkGetPhysicalDeviceMemoryProperties")(to.handle,
                                                                                              &to.memory_types);
    const auto families =
        from.call<PFN_vkGetPhysicalDeviceQueueFamilyProperties>("vkGetPhysicalDeviceQueueFamilyProperties");
    families(to.handle, &count, nullptr);
    std::vector<VkQueueFamilyProperties> queues(count);
    families(to.handle, &count, queues.data());
    for (std::uint32_t i = 0; i < count; ++i) {
        if ((queues[i].queueFlags & VK_QUEUE_COMPUTE_BIT) == 0) continue;
        to.queue_family = i;
        to.timestamp_bits = queues[i].timestampValidBits;
        return {};
    }
    return {{.what = fault::vulkan_feature_missing, .subject = "VK_QUEUE_COMPUTE_BIT"}, to.properties.deviceName};
}

} // namespace hone::vulkan
