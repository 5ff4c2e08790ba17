// SPDX-License-Identifier: BSL-1.0
// The constraints of each template by name: what its fitted knobs must meet before a search lowers them. They take
// nanoseconds where lowering takes microseconds, and say by what a space is cut down.
#pragma once

#include <cstdint>

#include <hone/core/fault.hpp>
#include <hone/core/target.hpp>
#include <hone/schedule/cpu.hpp>
#include <hone/schedule/vulkan.hpp>
#include <hone/schedule/winograd.hpp>

#ifndef HONE_SHOW_WARNINGS // see core/config.hpp
#pragma GCC system_header
#endif

namespace hone {

// Target: isa of a CPU, limits of a Vulkan device.
template <class Knobs, class Target>
struct constraint {
    const char* name = "";
    status (*found)(const Knobs&, const Target&) = nullptr; // ok: it is met
};

// A status that is ok where `found` is at most `most`.
constexpr status at_most(fault what, std::int64_t most, std::int64_t found, const char* subject)
{
    if (found <= most) return {};
    return {what, most, found, subject};
}

inline constexpr constraint<direct_knobs, isa> direct_constraints[] = {
    // A smaller block would cut every register tile.
    {"row_block",
     [](const direct_knobs& k, const isa&) {
         return k.row_block == 0 ? status{} : at_most(fault::factor_does_not_divide, k.row_block, k.rows, "row_block");
     }},
    {"registers",
     [](const direct_knobs& k, const isa& set) {
         return at_most(fault::too_many_live_registers, vector_registers(set), registers_of(k, set), "tile");
     }},
};

inline constexpr constraint<winograd_knobs, isa> winograd_constraints[] = {
    {"registers",
     [](const winograd_knobs& k, const isa& set) {
         const direct_knobs tile{.rows = k.rows, .vectors = k.vectors};
         return at_most(fault::too_many_live_registers, vector_registers(set), registers_of(tile, set), "tile");
     }},
};

inline constexpr constraint<vulkan_knobs, vulkan_limits> vulkan_constraints[] = {
    {"workgroup",
     [](const vulkan_knobs& k, const vulkan_limits& limits) {
         const std::int64_t lanes = std::int64_t{k.lane_rows} * k.lane_vectors;
         const status s = at_most(fault::workgroup_too_large, limits.max_workgroup_invocations, lanes,
                                  "maxComputeWorkGroupInvocations");
         return s.ok() ? at_most(fault::workgroup_too_large, limits.max_workgroup_size_x, lanes,
                                 "maxComputeWorkGroupSize[0]")
                       : s;
     }},
    // What copies pad their tiles with comes on top; the launch is checked with it.
    {"shared_memory",
     [](const vulkan_knobs& k, const vulkan_limits& limits) {
         const std::int64_t rows = std::int64_t{k.rows} * k.lane_rows;
         const std::int64_t columns = std::int64_t{k.vectors} * k.components * k.lane_vectors;
         const std::int64_t x = k.stage == staging::shared || k.stage == staging::x ? rows : 0;
         const std::int64_t weights = k.stage == staging::shared || k.stage == staging::weights ? columns : 0;
         return at_most(fault::shared_memory_exceeded, limits.max_shared_bytes, (x + weights) * k.reduce_block * 4,
                        "maxComputeSharedMemorySize");
     }},
    // Accumulators, and what one step multiplies. No device has more than 256 registers for an invocation.
    {"registers",
     [](const vulkan_knobs& k, const vulkan_limits&) {
         const std::int64_t columns = std::int64_t{k.vectors} * k.components;
         return at_most(fault::too_many_live_registers, 256, k.rows * columns + columns + k.rows, "invocation");
     }},
};

} // namespace hone
