// SPDX-License-Identifier: BSL-1.0
// The engine's Vulkan half: SPIR-V and launch geometry come from the generated header, so there is no shader compiler
// here. Each result is compared with that of the CPU.
#include <algorithm>
#include <cstdio>
#include <span>
#include <type_traits>
#include <vector>

#include <hone/run/kernel.hpp>
#include <hone/run/vulkan_device.hpp>
#include <hone/run/vulkan_entry.hpp>

#include <resnet18.hpp>

#include "engine.hpp"
#include "layers.hpp"

namespace {

namespace vk = hone::vulkan;

// A header that was written without a Vulkan device has no table.
template <class Configs>
std::span<const hone::vulkan_entry> entries_of()
{
    if constexpr (requires { Configs::vulkan_entries; })
        return Configs::vulkan_entries;
    else
        return {};
}

// Milliseconds of a call, and its result in `y`; below 0 where the device fails.
double run(vk::device& device, const hone::definition& d, const hone::vulkan_entry& entry, const engine::operands& in,
           engine::floats& y)
{
    auto made = vk::pipeline::create(device.context(), entry.spirv(), entry.launch);
    if (!made.ok()) {
        std::printf("%s [%s]\n", made.found.message(), made.found.subject);
        return -1;
    }
    engine::floats packed(static_cast<std::size_t>(entry.packed.elements()));
    hone::pack_into(d.tensors[static_cast<std::size_t>(d.tensor_of(hone::role::weights))], entry.packed,
                    in.weights.data(), packed.data());
    // Buffers are bound in the order of the operator's tensors.
    std::vector<vk::device_buffer> memory;
    std::vector<vk::buffer_range> ranges;
    vk::failure why;
    for (const hone::tensor& t : d.tensors) {
        const engine::floats& contents = t.role == hone::role::input     ? in.x
                                         : t.role == hone::role::weights ? packed
                                         : t.role == hone::role::bias    ? in.bias
                                                                         : y;
        memory.push_back(device.make_buffer(contents.size() * sizeof(float), why));
        if (!why.ok()) return -1;
        std::copy(contents.begin(), contents.end(), memory.back().floats().begin());
        ranges.push_back(memory.back().range());
    }
    vk::timing t;
    why = device.time(t, [&](VkCommandBuffer to, int) { return made.value.record(to, ranges); });
    if (!why.ok()) {
        std::printf("%s\n", why.text().c_str());
        return -1;
    }
    const auto floats = memory.back().floats();
    std::copy(floats.begin(), floats.end(), y.begin());
    return std::chrono::duration<double, std::milli>(device.is_software() ? t.minimum : t.median).count();
}

template <class Layer>
bool compare(const char* name, vk::device& device)
{
    const hone::definition d = Layer::definition();
    const auto in = engine::operands_of(d);
    const auto outputs = engine::elements_of(d, hone::role::output);
    using on_cpu = hone::kernel<Layer>;
    engine::floats packed(on_cpu::packed_bytes / sizeof(float)), expected(outputs), y(outputs), tuned(outputs);
    engine::floats workspace(on_cpu::workspace_bytes(1) / sizeof(float));
    on_cpu::pack(in.weights.data(), packed.data());
    if (!on_cpu::run({.x = in.x.data(),
                      .weights = packed.data(),
                      .bias = in.bias.data(),
                      .y = expected.data(),
                      .workspace = workspace.data()})
             .ok())
        return false;

    const auto entries = entries_of<resnet18_configs>();
    const auto signature = Layer::signature();
    const auto& p = device.properties();
    const auto* standard = hone::find_entry(entries, signature.c_str(), 0, 0);
    const auto* chosen = hone::find_entry(entries, signature.c_str(), p.vendorID, p.deviceID);
    if (standard == nullptr || chosen == nullptr) {
        std::printf("%-9s vulkan  not in the header\n", name);
        return true;
    }
    const double standard_ms = run(device, d, *standard, in, y);
    const double chosen_ms = run(device, d, *chosen, in, tuned);
    if (standard_ms < 0 || chosen_ms < 0) return false;
    return engine::report(name, "vulkan", standard_ms, chosen_ms,
                          std::max(engine::difference(expected, y), engine::difference(expected, tuned)));
}

} // namespace

bool engine::compare_vulkan()
{
    vk::failure why;
    const auto device = vk::device::open({}, why);
    if (device == nullptr) {
        std::printf("no Vulkan: %s\n", why.text().c_str());
        return true;
    }
    bool same = compare<resnet18::c3>("c3", *device);
    same = compare<resnet18::c6>("c6", *device) && same;
    same = compare<resnet18::c12>("c12", *device) && same;
    return compare<resnet18::gemm_256>("gemm_256", *device) && same;
}
