// SPDX-License-Identifier: BSL-1.0
// What a machine offers to a kernel: vector length and registers of an instruction set, limits of a Vulkan
// device. Schedules are checked against these before anything is compiled.
#pragma once

#include <cstdint>

#ifndef HONE_SHOW_WARNINGS // see core/config.hpp
#pragma GCC system_header
#endif

namespace hone {

// The instruction sets that have a code generator. `none` is a Vulkan device.
enum class isa : std::uint8_t { none, baseline, avx2, avx512 };

constexpr const char* name_of(isa i)
{
    switch (i) {
    case isa::none: return "none";
    case isa::baseline: return "baseline";
    case isa::avx2: return "avx2";
    case isa::avx512: return "avx512";
    }
    return "?";
}

// Floats in the widest vector register.
constexpr int vector_length(isa i) { return i == isa::avx512 ? 16 : i == isa::avx2 ? 8 : i == isa::baseline ? 4 : 1; }

constexpr int vector_registers(isa i) { return i == isa::avx512 ? 32 : 16; }

// The instruction set that this translation unit is compiled for. Not a property of the machine it runs on.
constexpr isa compiled_isa()
{
#if defined(__AVX512F__) && defined(__AVX512VL__) && defined(__AVX512DQ__) && defined(__AVX512BW__)
    return isa::avx512;
#elif defined(__AVX2__) && defined(__FMA__)
    return isa::avx2;
#else
    return isa::baseline;
#endif
}

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
};

struct target {
    isa set = isa::baseline;
    vulkan_limits limits{};

    constexpr bool is_vulkan() const { return set == isa::none; }
};

constexpr target cpu_target(isa set = compiled_isa()) { return {.set = set}; }
constexpr target vulkan_target(const vulkan_limits& limits = {}) { return {.set = isa::none, .limits = limits}; }

} // namespace hone
