// SPDX-License-Identifier: BSL-1.0
// What a machine offers to a kernel: an instruction set (core/isa.hpp), or the limits of a Vulkan device. Schedules are
// checked against these before anything is compiled.
#pragma once

#include <cstdint>

#include <hone/core/isa.hpp>
#include <hone/core/rooms.hpp>

#ifndef HONE_SHOW_WARNINGS // see core/config.hpp
#pragma GCC system_header
#endif

namespace hone::core {

// Limits of a Vulkan device that decide whether a nest is legal (names as in VkPhysicalDeviceLimits).
// The initial values are the floor that every Vulkan 1.1 device meets.
struct vulkan_limits {
    std::uint32_t max_workgroup_invocations = 128;
    std::uint32_t max_workgroup_size_x = 128;
    std::uint32_t max_workgroup_count_x = 65535;
    std::uint32_t max_shared_bytes = 16384;
    std::uint32_t max_storage_buffers = 4;
    std::uint32_t max_push_constant_bytes = 128;
    // Iterations of all loops of one invocation; lavapipe silently stops at 65535. 0: unlimited.
    std::uint32_t max_loop_iterations = 65535;
    std::uint32_t max_buffer_bytes = 1 << 27; // maxStorageBufferRange
    bool storage_16bit = false;               // storageBuffer16BitAccess: tensors of 16-bit elements
};

struct target {
    isa set = isa::baseline;
    vulkan_limits limits{};

    constexpr bool is_vulkan() const { return set == isa::none; }
};

constexpr target cpu_target(isa set = compiled_isa()) { return {.set = set}; }
constexpr target vulkan_target(const vulkan_limits& limits = {}) { return {.set = isa::none, .limits = limits}; }

} // namespace hone::core

namespace hone { // API
using core::vulkan_limits;
} // namespace hone
