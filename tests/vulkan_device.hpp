// SPDX-License-Identifier: BSL-1.0
// The Vulkan device of the test run, under the validation layer with synchronization validation.
#pragma once

#include <cstdlib>
#include <iostream>
#include <string>

#include <hone/vulkan/device.hpp>

namespace hone::test {

// The device that all tests share. Without one the run is skipped (exit status 77), and fails where the environment
// says HONE_EXPECT_VULKAN=1.
inline vulkan::device& test_device()
{
    // Never destroyed: at the end of the process layers and drivers have gone before.
    static vulkan::device* const shared = [] {
        vulkan::failure why;
        auto d = vulkan::device::open({.validation = vulkan::validation::on}, why);
        if (d == nullptr) {
            const char* expected = std::getenv("HONE_EXPECT_VULKAN");
            const bool fails = expected != nullptr && (std::string(expected) == "1" || std::string(expected) == "ON");
            const bool absent =
                why.found.what == fault::vulkan_loader_missing || why.found.what == fault::vulkan_device_missing;
            std::cout << (fails || !absent ? "failed: " : "skipped: ") << why.text() << std::endl;
            std::exit(fails || !absent ? 1 : 77);
        }
        return d.release();
    }();
    return *shared;
}

} // namespace hone::test
