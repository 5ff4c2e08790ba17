// SPDX-License-Identifier: BSL-1.0
// The engine's Vulkan half: SPIR-V and launch geometry come from the generated header, so there is no shader compiler
// here. Each result is compared with that of the CPU.
#include <algorithm>
#include <chrono>
#include <cstdio>

#include <hone/cpu/kernel.hpp>
#include <hone/vulkan/device.hpp>
#include <hone/vulkan/entry.hpp>
#include <hone/vulkan/kernel.hpp>

#include <resnet18.hpp>

#include "engine.hpp"
#include "layers.hpp"

namespace {

namespace vk = hone::vulkan;

// Milliseconds of a call, and its result in `y`; below 0 where the device fails.
template <class Kernel>
double run(vk::device& device, hone::result<Kernel> made, const engine::operands& in, engine::floats& y)
{
    if (!made.ok()) {
        std::printf("%s [%s]\n", made.found.message(), made.found.subject);
        return -1;
    }
    engine::floats packed(made->packed_bytes() / sizeof(float));
    made->pack(in.weights.data(), packed.data());
    vk::failure why;
    const auto stored = [&](const engine::floats& contents) {
        auto memory = device.make_buffer(contents.size() * sizeof(float), why);
        if (memory) std::copy(contents.begin(), contents.end(), memory.floats().begin());
        return memory;
    };
    const vk::device_buffer x = stored(in.x), weights = stored(packed), bias = stored(in.bias), to = stored(y);
    if (!x || !weights || !bias || !to) return -1;
    const vk::arguments call{.x = x.range(), .weights = weights.range(), .bias = bias.range(), .y = to.range()};
    vk::timing t;
    why = device.time(t, [&](VkCommandBuffer commands, int) { return made->record(commands, call); });
    if (!why.ok()) {
        std::printf("%s\n", why.text().c_str());
        return -1;
    }
    std::copy_n(to.floats().begin(), y.size(), y.begin());
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

    // A header that was tuned without a Vulkan device has no entries.
    const auto* standard =
        hone::find_entry(hone::vulkan_entries_of<resnet18_configs>(), Layer::signature().c_str(), 0, 0);
    if constexpr (hone::has_vulkan_entries<resnet18_configs>)
        if (standard != nullptr) {
            using on_device = vk::kernel<Layer, resnet18_configs>;
            const double standard_ms = run(device, on_device::create(device.context(), *standard), in, y);
            const double chosen_ms = run(device, on_device::create(device.context()), in, tuned);
            if (standard_ms < 0 || chosen_ms < 0) return false;
            return engine::report(name, "vulkan", standard_ms, chosen_ms,
                                  std::max(engine::difference(expected, y), engine::difference(expected, tuned)));
        }
    std::printf("%-9s vulkan  not in the header\n", name);
    return true;
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
