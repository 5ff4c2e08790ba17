// SPDX-License-Identifier: BSL-1.0
// What a Vulkan nest asks of a device, as numbers: workgroups, lanes, bindings, push constants, shared memory, loops.
// Read from the nest, kept beside the SPIR-V, and checked against the limits before anything is compiled or created.
#pragma once

#include <cstdint>

#include <hone/core/fault.hpp>
#include <hone/core/target.hpp>
#include <hone/ir/visit.hpp>

#ifndef HONE_SHOW_WARNINGS // see core/config.hpp
#pragma GCC system_header
#endif

namespace hone::codegen {

struct launch {
    std::uint32_t groups_x = 1; // for the largest parameters
    std::uint32_t lanes = 1;    // local_size_x
    std::uint32_t buffers = 0;  // bindings 0 .. buffers - 1 of set 0: the arguments by position, then the workspaces
    std::uint32_t push_constant_bytes = 0; // one int per parameter
    std::uint32_t shared_bytes = 0;
    std::int64_t loop_iterations = 0; // most of one invocation, all loops summed; unrolled copies count nothing

    // With a run-time extent: groups = group_stride * floor((constant + coefficient * parameter) / divisor).
    // No parameter: always groups_x; lanes of groups past a run-time extent are idle.
    std::int32_t group_stride = 1;
    std::int32_t group_parameter = -1;
    std::int64_t group_constant = 0;
    std::int64_t group_coefficient = 0;
    std::int64_t group_divisor = 1;

    friend constexpr bool operator==(const launch&, const launch&) = default;
};

// Workgroups of one call with these parameters. Outside 0 .. groups_x the parameters are outside their bounds.
constexpr std::int64_t groups_of(const launch& l, const std::int64_t* parameters)
{
    if (l.group_parameter < 0) return l.groups_x;
    const std::int64_t value = l.group_constant + l.group_coefficient * parameters[l.group_parameter];
    return floor_div(value, l.group_divisor) * l.group_stride;
}

// Most iterations of all loops below `at` in one invocation, as a driver counts them that stops runaway loops.
template <class Nest>
constexpr std::int64_t loop_iterations(const Nest& n, int at, interval* variables)
{
    std::int64_t sum = 0;
    for (; at >= 0; at = n.nodes[at].next) {
        const node& x = n.nodes[at];
        std::int64_t times = 1;
        bool looped = false;
        if (x.kind == node_kind::loop) {
            const interval i = interval_of(n, x, variables);
            if (i.most < i.least) continue;
            variables[x.variable] = i;
            const bool once = i.constant() && has_constant_bounds(n, x);
            looped = x.bind == binding::serial && !once;
            const std::int64_t runs = runs_for_quotient(n, x);
            if (looped || x.bind == binding::unroll) times = runs > 0 ? runs : i.most - i.least + 1;
        }
        sum += times * ((looped ? 1 : 0) + loop_iterations(n, x.child, variables));
    }
    return sum;
}

template <class Nest>
constexpr void add_groups(const Nest& n, int at, interval* variables, launch& l, int& chains)
{
    for (; at >= 0; at = n.nodes[at].next) {
        const node& x = n.nodes[at];
        if (x.kind == node_kind::loop) {
            const interval i = interval_of(n, x, variables);
            variables[x.variable] = i;
            if (x.bind == binding::grid && x.outermost) {
                ++chains;
                const std::int64_t groups = i.most < i.least ? 0 : (i.most - i.least + 1) * x.radix_stride;
                if (groups > l.groups_x)
                    l.groups_x = groups > UINT32_MAX ? UINT32_MAX : static_cast<std::uint32_t>(groups);
                // The bound that hangs on the call; others are as far away as the largest of it.
                int open = -1, count = 0;
                for (int b = x.upper.first; b < x.upper.first + x.upper.count; ++b)
                    if (n.bounds[b].value.count > 0) open = b, ++count;
                const affine upper = count == 1 ? n.bounds[open].value : affine{};
                const affine_term t = upper.count == 1 ? n.terms[upper.first] : affine_term{};
                if (i.least == 0 && t.parameter >= 0 && t.variable < 0) {
                    l.group_stride = x.radix_stride;
                    l.group_parameter = t.parameter;
                    l.group_constant = upper.constant;
                    l.group_coefficient = t.coefficient;
                    l.group_divisor = n.bounds[open].divisor;
                }
            }
        }
        add_groups(n, x.child, variables, l, chains);
    }
}

// The launch of a nest for any parameters within their bounds.
template <class Nest>
constexpr launch launch_of(const Nest& n)
{
    launch l;
    interval variables[decltype(n.variables)::capacity + 1]{};
    l.lanes = static_cast<std::uint32_t>(n.lanes);
    int chains = 0;
    add_groups(n, n.root, variables, l, chains);
    if (chains != 1) l.group_parameter = -1; // the formula is of one grid; several share the largest launch
    l.push_constant_bytes = static_cast<std::uint32_t>(n.parameters.size() * sizeof(std::int32_t));
    for (const buffer& b : n.buffers) {
        if (b.memory == memory::argument && static_cast<std::uint32_t>(b.position) + 1 > l.buffers)
            l.buffers = static_cast<std::uint32_t>(b.position) + 1;
        // Whole vectors: a shared array that is read by vectors is declared as an array of vectors.
        if (b.memory == memory::workgroup)
            l.shared_bytes += static_cast<std::uint32_t>((interval_of(n, b.elements, nullptr).most + 3) / 4 * 4) *
                              static_cast<std::uint32_t>(bytes_of(b.type));
    }
    for (const buffer& b : n.buffers)
        if (b.memory == memory::workspace) ++l.buffers;
    l.loop_iterations = loop_iterations(n, n.root, variables);
    return l;
}

// The same for one call: groups_x is that of these parameters.
template <class Nest>
constexpr launch launch_of(const Nest& n, const std::int64_t* parameters)
{
    launch l = launch_of(n);
    const std::int64_t groups = groups_of(l, parameters);
    l.groups_x = groups < 0 ? 0 : static_cast<std::uint32_t>(groups);
    return l;
}

// The first buffer of a nest that is larger than the device binds, as far as strides given at the call let it be known.
// Indices of what a device binds fit the 32 bits that shaders count with: a range has less than 4 GiB of 4-byte floats.
template <class Nest>
constexpr status buffers_fit(const Nest& n, const vulkan_limits& limits)
{
    for (const buffer& b : n.buffers) {
        if (b.memory != memory::argument && b.memory != memory::workspace) continue;
        const std::int64_t bytes =
            interval_of(n, b.elements, nullptr).least * static_cast<std::int64_t>(bytes_of(b.type));
        if (bytes > limits.max_buffer_bytes) return {fault::buffer_too_large, limits.max_buffer_bytes, bytes, b.name};
    }
    return {};
}

// The first limit of the device that the launch exceeds; expected is the limit, found what the launch needs.
constexpr status fits(const launch& l, const vulkan_limits& limits)
{
    constexpr auto over = [](fault f, std::int64_t limit, std::int64_t found, const char* subject) {
        return status{.what = f, .expected = limit, .found = found, .subject = subject};
    };
    if (l.lanes > limits.max_workgroup_invocations)
        return over(fault::workgroup_too_large, limits.max_workgroup_invocations, l.lanes,
                    "maxComputeWorkGroupInvocations");
    if (l.lanes > limits.max_workgroup_size_x)
        return over(fault::workgroup_too_large, limits.max_workgroup_size_x, l.lanes, "maxComputeWorkGroupSize[0]");
    if (l.groups_x > limits.max_workgroup_count_x)
        return over(fault::too_many_workgroups, limits.max_workgroup_count_x, l.groups_x,
                    "maxComputeWorkGroupCount[0]");
    if (l.shared_bytes > limits.max_shared_bytes)
        return over(fault::shared_memory_exceeded, limits.max_shared_bytes, l.shared_bytes,
                    "maxComputeSharedMemorySize");
    if (l.buffers > limits.max_storage_buffers)
        return over(fault::too_many_buffers, limits.max_storage_buffers, l.buffers,
                    "maxPerStageDescriptorStorageBuffers");
    if (l.push_constant_bytes > limits.max_push_constant_bytes)
        return over(fault::vulkan_feature_missing, limits.max_push_constant_bytes, l.push_constant_bytes,
                    "maxPushConstantsSize");
    // Data that somebody edited.
    const auto parameters = static_cast<std::int64_t>(l.push_constant_bytes / sizeof(std::int32_t));
    if (l.group_divisor < 1) return over(fault::vulkan_entry_mismatch, 1, l.group_divisor, "divisor of the workgroups");
    if (l.group_parameter >= parameters)
        return over(fault::vulkan_entry_mismatch, parameters - 1, l.group_parameter, "parameter of the workgroups");
    if (limits.max_loop_iterations != 0 && l.loop_iterations > limits.max_loop_iterations)
        return over(fault::too_many_loop_iterations, limits.max_loop_iterations, l.loop_iterations,
                    "loop iterations of one invocation");
    return {};
}

} // namespace hone::codegen
