// SPDX-License-Identifier: BSL-1.0
// What the tests of hone::vulkan::kernel share: operators, entries as a generated header holds them, tensors on the
// device, and an engine's loader that notes what is called.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <deque>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include <doctest/doctest.h>

#include <hone/lower/lower.hpp>
#include <hone/op/conv2d.hpp>
#include <hone/op/gemm.hpp>
#include <hone/schedule/vulkan_direct.hpp>
#include <hone/vulkan/kernel.hpp>

#include "reference.hpp"
#include "vulkan_rig.hpp"

namespace hone::test {

using namespace schedules;

// y = y * gate, a tensor of the engine's own.
struct gate {
    static constexpr const char* name = "gate";
    static constexpr role operand_role = role::operand;
    static constexpr expr apply(const expr& acc, const expr& g) { return acc * g; }
};

constexpr conv2d_shape first_shape{.h = 9, .w = 11, .ic = 6, .oc = 13, .kh = 3, .kw = 3, .stride = 2, .pad = 1};
constexpr conv2d_shape second_shape{.h = 5, .w = 6, .ic = 13, .oc = 10};
struct first : conv2d<first_shape, f32, bias, residual, relu6> {};
struct second : conv2d<second_shape, f32, bias, relu> {};
struct gated : conv2d<second_shape, f32, bias, gate> {};
constexpr gemm_shape rows_shape{.m = extent::up_to(21), .n = 10, .k = 9};
struct rows_at_call : gemm<rows_shape, f32, bias> {};
constexpr gemm_shape open_shape{.m = extent::up_to(21), .n = extent::up_to(30), .k = extent::up_to(19)};
struct all_at_call : gemm<open_shape, f32, bias> {};
struct matrices_at_call
    : gemm<gemm_shape{.batch = 3, .m = 12, .n = 10, .k = 9, .ldy = 11, .batch_stride_y = leading::at_call()}, f32> {};

inline const vulkan_knobs small_tile{.rows = 2, .vectors = 1, .components = 2, .lane_rows = 4, .lane_vectors = 2};
inline const vulkan_knobs staged_tile{
    .rows = 3, .vectors = 2, .lane_rows = 4, .lane_vectors = 2, .reduce_block = 3, .stage = staging::shared};

// An entry as a generated header holds it, made here.
template <class Op>
vulkan_entry entry_of(const vulkan_knobs& k, std::uint32_t vendor = 0, std::uint32_t device = 0)
{
    static constexpr signature_text signature = Op::signature();
    static std::deque<std::vector<std::uint32_t>> words; // stay where they are
    const definition d = Op::definition();
    const nest n = lower(vulkan_schedule(d, k));
    REQUIRE(n.ok());
    spirv_result compiled = spirv_of(glsl_of(n));
    REQUIRE(compiled.ok());
    words.push_back(std::move(compiled.words));
    const packed_tensors packed = vulkan_weights(d, k);
    return {.signature = signature.c_str(),
            .vendor = vendor,
            .device = device,
            .words = words.back().data(),
            .word_count = words.back().size(),
            .launch = launch_of(n),
            .packed = packed,
            .layout_id = layout_id(packed)};
}

// A config set for each test, filled by it.
template <int Test>
struct entries_of_test {
    static inline std::vector<vulkan_entry> vulkan_entries{};
};

// A buffer of the engine with these floats, and the same range as a kernel may see it: not one byte longer.
struct stored {
    vulkan::device_buffer memory;
    std::size_t count = 0;

    stored(vulkan::device& d, const floats& contents) : count(contents.size())
    {
        vulkan::failure why;
        memory = d.make_buffer(count * sizeof(float), why);
        REQUIRE_MESSAGE(why.ok(), why.text());
        std::copy(contents.begin(), contents.end(), memory.floats().begin());
    }
    vulkan::buffer_range range() const { return {memory.range().buffer, 0, count * sizeof(float)}; }
    floats now() const { return {memory.floats().begin(), memory.floats().end()}; }
};

// `parameters`: of the call, where weights hang on some.
template <class Kernel>
stored packed_on(vulkan::device& d, const Kernel& k, const floats& weights,
                 std::span<const std::int64_t> parameters = {})
{
    stored r(d, floats((parameters.empty() ? k.packed_bytes() : k.packed_bytes(parameters)) / sizeof(float), poison));
    k.pack(weights.data(), r.memory.floats().data(), parameters);
    return r;
}

// The tensors of a call on the device, and the call.
struct call_on_device {
    stored x, weights, bias, residual, y;

    template <class Kernel>
    call_on_device(vulkan::device& d, const Kernel& k, const call_data& data,
                   std::span<const std::int64_t> parameters = {})
        : x(d, data.x), weights(packed_on(d, k, data.weights, parameters)), bias(d, data.bias),
          residual(d, data.residual), y(d, data.y)
    {
    }
    vulkan::arguments arguments() const
    {
        return {.x = x.range(),
                .weights = weights.range(),
                .bias = bias.range(),
                .residual = residual.range(),
                .y = y.range()};
    }
};

template <class Result>
std::string text_of(const Result& r)
{
    return vulkan::failure{r.found}.text();
}

inline void check_is_clean(const vulkan::device& d)
{
    CHECK_MESSAGE(d.validation_messages() == 0, d.first_validation_message());
}

// ---- an engine's loader that notes what is called ----

struct calls_noted {
    int commands = 0; // recorded
    int updates = 0;  // of descriptor sets
};
inline calls_noted noted;

// The functions that recording calls do nothing here, so that what allocates is hone.
inline PFN_vkVoidFunction VKAPI_CALL device_function(VkDevice device, const char* name);
inline PFN_vkGetInstanceProcAddr real_loader = nullptr;
inline VkInstance real_instance = VK_NULL_HANDLE;

inline PFN_vkVoidFunction VKAPI_CALL noting_loader(VkInstance instance, const char* name)
{
    if (std::strcmp(name, "vkGetDeviceProcAddr") == 0) return reinterpret_cast<PFN_vkVoidFunction>(device_function);
    return real_loader(instance, name);
}
inline PFN_vkVoidFunction VKAPI_CALL device_function(VkDevice device, const char* name)
{
    const auto is = [&](const char* other) { return std::strcmp(name, other) == 0; };
    const auto as_void = [](auto* f) { return reinterpret_cast<PFN_vkVoidFunction>(f); };
    if (is("vkCmdBindPipeline"))
        return as_void(+[](VkCommandBuffer, VkPipelineBindPoint, VkPipeline) -> void { ++noted.commands; });
    if (is("vkCmdBindDescriptorSets"))
        return as_void(+[](VkCommandBuffer, VkPipelineBindPoint, VkPipelineLayout, std::uint32_t, std::uint32_t,
                           const VkDescriptorSet*, std::uint32_t, const std::uint32_t*) -> void { ++noted.commands; });
    if (is("vkCmdPushConstants"))
        return as_void(+[](VkCommandBuffer, VkPipelineLayout, VkShaderStageFlags, std::uint32_t, std::uint32_t,
                           const void*) -> void { ++noted.commands; });
    if (is("vkCmdDispatch"))
        return as_void(+[](VkCommandBuffer, std::uint32_t, std::uint32_t, std::uint32_t) -> void { ++noted.commands; });
    if (is("vkUpdateDescriptorSets"))
        return as_void(+[](VkDevice, std::uint32_t, const VkWriteDescriptorSet*, std::uint32_t,
                           const VkCopyDescriptorSet*) -> void { ++noted.updates; });
    return vulkan::instance_function<PFN_vkGetDeviceProcAddr>(
        {.instance = real_instance, .get_instance_proc_addr = real_loader}, "vkGetDeviceProcAddr")(device, name);
}
inline vulkan::context noting_context()
{
    vulkan::context c = test_device().context();
    real_loader = c.get_instance_proc_addr;
    real_instance = c.instance;
    c.get_instance_proc_addr = noting_loader;
    noted = {};
    return c;
}

} // namespace hone::test
