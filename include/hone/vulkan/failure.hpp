// SPDX-License-Identifier: BSL-1.0
// A fault of the Vulkan runtime of tests, the tuner and examples, with what is known beyond its sentence: the name of
// a call's result, or the words of whatever could not be loaded.
#pragma once

#include <string>

#include <hone/vulkan/pipeline.hpp>

#ifndef HONE_SHOW_WARNINGS // see core/config.hpp
#pragma GCC system_header
#endif

namespace hone::vulkan {

struct failure {
    status found{};
    std::string detail{};

    bool ok() const { return found.ok(); }
    // The sentence, the subject, and the detail.
    std::string text() const
    {
        std::string r = found.message();
        if (found.subject[0] != '\0') r += std::string(" [") + found.subject + "]";
        if (!detail.empty()) r += ": " + detail;
        return r;
    }
};

inline std::string name_of(VkResult r)
{
    switch (r) {
    case VK_TIMEOUT: return "VK_TIMEOUT";
    case VK_ERROR_OUT_OF_HOST_MEMORY: return "VK_ERROR_OUT_OF_HOST_MEMORY";
    case VK_ERROR_OUT_OF_DEVICE_MEMORY: return "VK_ERROR_OUT_OF_DEVICE_MEMORY";
    case VK_ERROR_INITIALIZATION_FAILED: return "VK_ERROR_INITIALIZATION_FAILED";
    case VK_ERROR_DEVICE_LOST: return "VK_ERROR_DEVICE_LOST";
    case VK_ERROR_MEMORY_MAP_FAILED: return "VK_ERROR_MEMORY_MAP_FAILED";
    case VK_ERROR_LAYER_NOT_PRESENT: return "VK_ERROR_LAYER_NOT_PRESENT";
    case VK_ERROR_EXTENSION_NOT_PRESENT: return "VK_ERROR_EXTENSION_NOT_PRESENT";
    case VK_ERROR_INCOMPATIBLE_DRIVER: return "VK_ERROR_INCOMPATIBLE_DRIVER";
    default: return "VkResult " + std::to_string(static_cast<int>(r));
    }
}

// A call of Vulkan that did not succeed.
inline failure failed_call(VkResult r, const char* call)
{
    return {{.what = fault::vulkan_call_failed, .expected = VK_SUCCESS, .found = r, .subject = call}, name_of(r)};
}

} // namespace hone::vulkan
