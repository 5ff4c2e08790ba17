// SPDX-License-Identifier: BSL-1.0
// Vulkan kernels inside an engine: a pipeline made from SPIR-V words and a launch, which records itself into the
// engine's command buffer. The engine owns instance, device, queue, command buffer and memory.
//
// Needs the types of vulkan_core.h only; every function is fetched through the engine's vkGetInstanceProcAddr, so
// nothing is linked. Nothing is submitted or waited for, and recording allocates nothing.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>
#include <type_traits>
#include <utility>
#include <vector>

#include <vulkan/vulkan_core.h>

#include <hone/core/fault.hpp>
#include <hone/core/result.hpp>
#include <hone/core/target.hpp>
#include <hone/vulkan/launch.hpp>

#ifndef HONE_SHOW_WARNINGS // see core/config.hpp
#pragma GCC system_header
#endif

namespace hone::vulkan {

// How a recording names its buffers.
enum class descriptors : std::uint8_t {
    sets, // from a pool of the pipeline. Always legal; a pipeline holds a fixed number of different bindings.
    push, // in the command buffer. Legal where the device was created with VK_KHR_push_descriptor; no limit.
};

// What the engine lends. All of it must outlive the pipelines made with it.
struct context {
    VkInstance instance = VK_NULL_HANDLE;
    VkPhysicalDevice physical_device = VK_NULL_HANDLE;
    VkDevice device = VK_NULL_HANDLE;
    std::uint32_t queue_family = 0;
    PFN_vkGetInstanceProcAddr get_instance_proc_addr = nullptr;
    const VkAllocationCallbacks* allocator = nullptr;
    VkPipelineCache pipeline_cache = VK_NULL_HANDLE;
    vulkan::descriptors descriptors = vulkan::descriptors::sets;
};

// A part of one of the engine's buffers; the offset must be a multiple of offset_alignment(context).
struct buffer_range {
    VkBuffer buffer = VK_NULL_HANDLE;
    VkDeviceSize offset = 0;
    VkDeviceSize bytes = VK_WHOLE_SIZE;
    friend constexpr bool operator==(const buffer_range&, const buffer_range&) = default;
};

constexpr std::size_t most_buffers = 16;
constexpr std::size_t most_parameters = 32;

// The functions that a pipeline calls.
struct functions {
    PFN_vkCreateShaderModule create_shader_module = nullptr;
    PFN_vkDestroyShaderModule destroy_shader_module = nullptr;
    PFN_vkCreateDescriptorSetLayout create_descriptor_set_layout = nullptr;
    PFN_vkDestroyDescriptorSetLayout destroy_descriptor_set_layout = nullptr;
    PFN_vkCreatePipelineLayout create_pipeline_layout = nullptr;
    PFN_vkDestroyPipelineLayout destroy_pipeline_layout = nullptr;
    PFN_vkCreateComputePipelines create_compute_pipelines = nullptr;
    PFN_vkDestroyPipeline destroy_pipeline = nullptr;
    PFN_vkCreateDescriptorPool create_descriptor_pool = nullptr;
    PFN_vkDestroyDescriptorPool destroy_descriptor_pool = nullptr;
    PFN_vkAllocateDescriptorSets allocate_descriptor_sets = nullptr;
    PFN_vkUpdateDescriptorSets update_descriptor_sets = nullptr;
    PFN_vkCmdBindPipeline bind_pipeline = nullptr;
    PFN_vkCmdBindDescriptorSets bind_descriptor_sets = nullptr;
    PFN_vkCmdPushDescriptorSetKHR push_descriptor_set = nullptr; // descriptors::push only
    PFN_vkCmdPushConstants push_constants = nullptr;
    PFN_vkCmdDispatch dispatch = nullptr;
    PFN_vkCmdPipelineBarrier pipeline_barrier = nullptr;
};

// The function `name`, null where the engine's loader does not have it.
template <class Function>
Function instance_function(const context& c, const char* name)
{
    return reinterpret_cast<Function>(c.get_instance_proc_addr(c.instance, name));
}

// Names the function that is missing.
inline result<functions> functions_of(const context& c)
{
    result<functions> r;
    const auto device_function = c.get_instance_proc_addr == nullptr
                                     ? nullptr
                                     : instance_function<PFN_vkGetDeviceProcAddr>(c, "vkGetDeviceProcAddr");
    const auto fetch = [&](auto& to, const char* name) {
        using function = std::remove_reference_t<decltype(to)>;
        to = device_function == nullptr ? nullptr : reinterpret_cast<function>(device_function(c.device, name));
        if (to == nullptr && r.ok()) r.found = {.what = fault::vulkan_feature_missing, .subject = name};
    };
    functions& f = r.value;
    fetch(f.create_shader_module, "vkCreateShaderModule");
    fetch(f.destroy_shader_module, "vkDestroyShaderModule");
    fetch(f.create_descriptor_set_layout, "vkCreateDescriptorSetLayout");
    fetch(f.destroy_descriptor_set_layout, "vkDestroyDescriptorSetLayout");
    fetch(f.create_pipeline_layout, "vkCreatePipelineLayout");
    fetch(f.destroy_pipeline_layout, "vkDestroyPipelineLayout");
    fetch(f.create_compute_pipelines, "vkCreateComputePipelines");
    fetch(f.destroy_pipeline, "vkDestroyPipeline");
    fetch(f.create_descriptor_pool, "vkCreateDescriptorPool");
    fetch(f.destroy_descriptor_pool, "vkDestroyDescriptorPool");
    fetch(f.allocate_descriptor_sets, "vkAllocateDescriptorSets");
    fetch(f.update_descriptor_sets, "vkUpdateDescriptorSets");
    fetch(f.bind_pipeline, "vkCmdBindPipeline");
    fetch(f.bind_descriptor_sets, "vkCmdBindDescriptorSets");
    fetch(f.push_constants, "vkCmdPushConstants");
    fetch(f.dispatch, "vkCmdDispatch");
    fetch(f.pipeline_barrier, "vkCmdPipelineBarrier");
    if (c.descriptors == descriptors::push) fetch(f.push_descriptor_set, "vkCmdPushDescriptorSetKHR");
    return r;
}

inline VkPhysicalDeviceProperties properties_of(const context& c)
{
    VkPhysicalDeviceProperties p{};
    instance_function<PFN_vkGetPhysicalDeviceProperties>(c, "vkGetPhysicalDeviceProperties")(c.physical_device, &p);
    return p;
}

// Whether shaders may read 16-bit elements of storage buffers. It is a feature of Vulkan 1.1, which the engine switches
// on where it creates its device (VkPhysicalDevice16BitStorageFeatures); whether it did cannot be asked.
inline bool has_16bit_storage(const context& c)
{
    const auto features_of = instance_function<PFN_vkGetPhysicalDeviceFeatures2>(c, "vkGetPhysicalDeviceFeatures2");
    if (features_of == nullptr) return false;
    VkPhysicalDevice16BitStorageFeatures storage{};
    storage.sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_16BIT_STORAGE_FEATURES;
    VkPhysicalDeviceFeatures2 features{};
    features.sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_FEATURES_2;
    features.pNext = &storage;
    features_of(c.physical_device, &features);
    return storage.storageBuffer16BitAccess == VK_TRUE;
}

// The limits that nests and launches are checked against.
inline vulkan_limits limits_of(const context& c)
{
    const VkPhysicalDeviceProperties p = properties_of(c);
    const VkPhysicalDeviceLimits& l = p.limits;
    vulkan_limits r;
    r.max_workgroup_invocations = l.maxComputeWorkGroupInvocations;
    r.max_workgroup_size_x = l.maxComputeWorkGroupSize[0];
    r.max_workgroup_count_x = l.maxComputeWorkGroupCount[0];
    r.max_shared_bytes = l.maxComputeSharedMemorySize;
    r.max_storage_buffers = l.maxPerStageDescriptorStorageBuffers < l.maxDescriptorSetStorageBuffers
                                ? l.maxPerStageDescriptorStorageBuffers
                                : l.maxDescriptorSetStorageBuffers;
    if (r.max_storage_buffers > most_buffers) r.max_storage_buffers = most_buffers;
    r.max_push_constant_bytes = l.maxPushConstantsSize;
    constexpr std::uint32_t most_constants = most_parameters * sizeof(std::int32_t);
    if (r.max_push_constant_bytes > most_constants) r.max_push_constant_bytes = most_constants;
    r.max_buffer_bytes = l.maxStorageBufferRange;
    r.storage_16bit = p.apiVersion >= VK_API_VERSION_1_1 && has_16bit_storage(c);
    // Mesa's software device silently ends every invocation after 65535 iterations of all its loops.
    r.max_loop_iterations = std::strstr(p.deviceName, "llvmpipe") != nullptr ? 65535 : 0;
    return r;
}

// What the offsets of buffer ranges must be multiples of: the device's rule, and that of vectors of 4 floats.
inline VkDeviceSize offset_alignment(const context& c)
{
    const VkDeviceSize least = properties_of(c).limits.minStorageBufferOffsetAlignment;
    return least < 16 ? 16 : least;
}

// Whether well-formed SPIR-V words declare a capability.
inline bool declares(std::span<const std::uint32_t> words, std::uint32_t capability)
{
    constexpr std::uint32_t declaration = 17 | 2 << 16; // they come first
    for (std::size_t at = 5; at + 1 < words.size() && words[at] == declaration; at += 2)
        if (words[at + 1] == capability) return true;
    return false;
}

// The first dimension of the workgroup that SPIR-V words declare; 0 where they are not a well-formed compute module.
inline std::uint32_t local_size_of(std::span<const std::uint32_t> words)
{
    // Drivers and validation layers trust their words: what was cut short crashes them.
    constexpr std::uint32_t magic = 0x07230203, execution_mode = 16, local_size = 17, function_end = 56;
    if (words.size() < 5 || words[0] != magic) return 0;
    std::uint32_t lanes = 0, last = 0;
    for (std::size_t at = 5; at < words.size();) {
        const std::size_t count = words[at] >> 16;
        if (count == 0 || count > words.size() - at) return 0;
        last = words[at] & 0xffff;
        if (last == execution_mode && count == 6 && words[at + 2] == local_size) lanes = words[at + 3];
        at += count;
    }
    return last == function_end ? lanes : 0;
}

// A kernel on one device. Recording needs external synchronization, as the command buffer does.
class pipeline {
public:
    pipeline() = default;
    pipeline(pipeline&& other) noexcept { swap(other); }
    pipeline& operator=(pipeline&& other) noexcept
    {
        pipeline moved(std::move(other));
        swap(moved);
        return *this;
    }
    // The device must be done with everything that was recorded.
    ~pipeline() { destroy(); }

    // The kernel of `words` (entry main), or the fault: a limit that the launch exceeds (launch.hpp), shader_rejected
    // where the words are no compute module with the launch's lanes, vulkan_call_failed with the VkResult in `found`.
    // With descriptors::sets, `bindings` is how many different lists of buffers may be recorded and not yet done.
    // Costs the driver's compilation; some drivers compile at the first dispatch.
    static result<pipeline> create(const context& c, std::span<const std::uint32_t> words, const launch& l,
                                   std::uint32_t bindings = 4)
    {
        result<pipeline> r;
        r.found = r.value.make(c, words, l, bindings);
        if (!r.ok()) r.value.destroy();
        return r;
    }

    explicit operator bool() const { return pipeline_ != VK_NULL_HANDLE; }
    const codegen::launch& launch() const { return launch_; }

    // Binds, pushes and dispatches one call: buffers by position, the workspaces last; parameters in the nest's
    // order. Nothing is recorded on a fault: vulkan_call_mismatch, vulkan_buffer_missing, buffer_too_large,
    // parameter_out_of_range, vulkan_bindings_exhausted. How long a range to the end of its buffer (VK_WHOLE_SIZE) is,
    // is not known here: such a buffer must not exceed the device's maxStorageBufferRange.
    status record(VkCommandBuffer to, std::span<const buffer_range> buffers,
                  std::span<const std::int64_t> parameters = {})
    {
        if (buffers.size() != launch_.buffers)
            return {fault::vulkan_call_mismatch, launch_.buffers, static_cast<std::int64_t>(buffers.size()), "buffers"};
        const std::size_t parameter_count = launch_.push_constant_bytes / sizeof(std::int32_t);
        if (parameters.size() != parameter_count)
            return {fault::vulkan_call_mismatch, static_cast<std::int64_t>(parameter_count),
                    static_cast<std::int64_t>(parameters.size()), "parameters"};
        for (const buffer_range& b : buffers) {
            if (b.buffer == VK_NULL_HANDLE || b.bytes == 0) return {fault::vulkan_buffer_missing, 1, 0, "buffers"};
            if (b.bytes != VK_WHOLE_SIZE && b.bytes > limits_.max_buffer_bytes)
                return {fault::buffer_too_large, limits_.max_buffer_bytes, static_cast<std::int64_t>(b.bytes),
                        "maxStorageBufferRange"};
            if (b.offset % offset_alignment_ != 0)
                return {fault::vulkan_call_mismatch, static_cast<std::int64_t>(offset_alignment_),
                        static_cast<std::int64_t>(b.offset), "alignment of a buffer's offset"};
        }
        // Shaders take them as ints.
        for (const std::int64_t p : parameters)
            if (p < INT32_MIN || p > INT32_MAX) return {fault::parameter_out_of_range, INT32_MAX, p, "parameters"};
        const std::int64_t groups = groups_of(launch_, parameters.data());
        if (groups < 0 || groups > launch_.groups_x)
            return {fault::parameter_out_of_range, launch_.groups_x, groups, "workgroups"};

        VkDescriptorBufferInfo infos[most_buffers]{};
        VkWriteDescriptorSet writes[most_buffers]{};
        for (std::size_t i = 0; i < buffers.size(); ++i) {
            infos[i] = {buffers[i].buffer, buffers[i].offset, buffers[i].bytes};
            writes[i].sType = VK_STRUCTURE_TYPE_WRITE_DESCRIPTOR_SET;
            writes[i].dstBinding = static_cast<std::uint32_t>(i);
            writes[i].descriptorCount = 1;
            writes[i].descriptorType = VK_DESCRIPTOR_TYPE_STORAGE_BUFFER;
            writes[i].pBufferInfo = &infos[i];
        }
        const auto count = static_cast<std::uint32_t>(buffers.size());
        VkDescriptorSet set = VK_NULL_HANDLE;
        if (context_.descriptors == descriptors::sets && count != 0) {
            set = set_of(buffers, writes);
            if (set == VK_NULL_HANDLE)
                return {fault::vulkan_bindings_exhausted, static_cast<std::int64_t>(sets_.size()),
                        static_cast<std::int64_t>(sets_.size()) + 1, "bindings"};
        }
        if (groups == 0) return {};

        call_.bind_pipeline(to, VK_PIPELINE_BIND_POINT_COMPUTE, pipeline_);
        if (set != VK_NULL_HANDLE)
            call_.bind_descriptor_sets(to, VK_PIPELINE_BIND_POINT_COMPUTE, layout_, 0, 1, &set, 0, nullptr);
        else if (count != 0)
            call_.push_descriptor_set(to, VK_PIPELINE_BIND_POINT_COMPUTE, layout_, 0, count, writes);
        if (parameter_count != 0) {
            std::int32_t values[most_parameters]{};
            for (std::size_t i = 0; i < parameter_count; ++i) values[i] = static_cast<std::int32_t>(parameters[i]);
            call_.push_constants(to, layout_, VK_SHADER_STAGE_COMPUTE_BIT, 0, launch_.push_constant_bytes, values);
        }
        call_.dispatch(to, static_cast<std::uint32_t>(groups), 1, 1);
        return {};
    }

    // Makes what earlier dispatches of the command buffer wrote visible to later ones.
    void barrier(VkCommandBuffer to) const
    {
        VkMemoryBarrier b{};
        b.sType = VK_STRUCTURE_TYPE_MEMORY_BARRIER;
        b.srcAccessMask = VK_ACCESS_SHADER_WRITE_BIT;
        b.dstAccessMask = VK_ACCESS_SHADER_READ_BIT | VK_ACCESS_SHADER_WRITE_BIT;
        call_.pipeline_barrier(to, VK_PIPELINE_STAGE_COMPUTE_SHADER_BIT, VK_PIPELINE_STAGE_COMPUTE_SHADER_BIT, 0, 1, &b,
                               0, nullptr, 0, nullptr);
    }

    // Says that the device is done with all recordings: their bindings may be overwritten. To be called also before
    // a recorded buffer is destroyed, whose handle may come back for another one.
    void recycle() { used_sets_ = 0; }

    // Forgets the kernel without destroying it, where the device never became done with it.
    void abandon() { context_.device = VK_NULL_HANDLE; }

private:
    struct bound_set {
        VkDescriptorSet set = VK_NULL_HANDLE;
        buffer_range buffers[most_buffers]{};
    };

    static status failed(VkResult r, const char* call)
    {
        return {.what = fault::vulkan_call_failed, .expected = VK_SUCCESS, .found = r, .subject = call};
    }

    status make(const context& c, std::span<const std::uint32_t> words, const codegen::launch& l,
                std::uint32_t bindings)
    {
        auto fetched = functions_of(c);
        if (!fetched.ok()) return fetched.found;
        call_ = fetched.value;
        context_ = c;
        launch_ = l;
        if (properties_of(c).apiVersion < VK_API_VERSION_1_1)
            return {.what = fault::vulkan_feature_missing, .subject = "Vulkan 1.1"};
        limits_ = limits_of(c);
        if (const status s = fits(l, limits_); !s.ok()) return s;
        const std::uint32_t lanes = local_size_of(words);
        if (lanes == 0 || lanes != l.lanes)
            return {fault::shader_rejected, l.lanes, lanes, "the SPIR-V is no compute module with the launch's lanes"};
        constexpr std::uint32_t storage_buffer_16bit_access = 4433;
        if (declares(words, storage_buffer_16bit_access) && !limits_.storage_16bit)
            return {fault::vulkan_feature_missing, 1, 0, "storageBuffer16BitAccess"};
        offset_alignment_ = offset_alignment(c);
        if (const status s = make_layout(); !s.ok()) return s;
        if (const status s = make_pipeline(words); !s.ok()) return s;
        if (c.descriptors == descriptors::sets && l.buffers != 0) return make_sets(bindings == 0 ? 1 : bindings);
        return {};
    }

    status make_layout()
    {
        VkDescriptorSetLayoutBinding bindings[most_buffers]{};
        for (std::uint32_t i = 0; i < launch_.buffers; ++i) {
            bindings[i].binding = i;
            bindings[i].descriptorType = VK_DESCRIPTOR_TYPE_STORAGE_BUFFER;
            bindings[i].descriptorCount = 1;
            bindings[i].stageFlags = VK_SHADER_STAGE_COMPUTE_BIT;
        }
        VkDescriptorSetLayoutCreateInfo set{};
        set.sType = VK_STRUCTURE_TYPE_DESCRIPTOR_SET_LAYOUT_CREATE_INFO;
        if (context_.descriptors == descriptors::push)
            set.flags = VK_DESCRIPTOR_SET_LAYOUT_CREATE_PUSH_DESCRIPTOR_BIT_KHR;
        set.bindingCount = launch_.buffers;
        set.pBindings = bindings;
        if (const VkResult r =
                call_.create_descriptor_set_layout(context_.device, &set, context_.allocator, &set_layout_);
            r != VK_SUCCESS)
            return failed(r, "vkCreateDescriptorSetLayout");

        const VkPushConstantRange constants{VK_SHADER_STAGE_COMPUTE_BIT, 0, launch_.push_constant_bytes};
        VkPipelineLayoutCreateInfo layout{};
        layout.sType = VK_STRUCTURE_TYPE_PIPELINE_LAYOUT_CREATE_INFO;
        layout.setLayoutCount = 1;
        layout.pSetLayouts = &set_layout_;
        layout.pushConstantRangeCount = launch_.push_constant_bytes != 0 ? 1 : 0;
        layout.pPushConstantRanges = &constants;
        if (const VkResult r = call_.create_pipeline_layout(context_.device, &layout, context_.allocator, &layout_);
            r != VK_SUCCESS)
            return failed(r, "vkCreatePipelineLayout");
        return {};
    }

    status make_pipeline(std::span<const std::uint32_t> words)
    {
        VkShaderModuleCreateInfo module{};
        module.sType = VK_STRUCTURE_TYPE_SHADER_MODULE_CREATE_INFO;
        module.codeSize = words.size_bytes();
        module.pCode = words.data();
        VkShaderModule shader = VK_NULL_HANDLE;
        if (const VkResult r = call_.create_shader_module(context_.device, &module, context_.allocator, &shader);
            r != VK_SUCCESS)
            return failed(r, "vkCreateShaderModule");

        VkComputePipelineCreateInfo info{};
        info.sType = VK_STRUCTURE_TYPE_COMPUTE_PIPELINE_CREATE_INFO;
        info.stage.sType = VK_STRUCTURE_TYPE_PIPELINE_SHADER_STAGE_CREATE_INFO;
        info.stage.stage = VK_SHADER_STAGE_COMPUTE_BIT;
        info.stage.module = shader;
        info.stage.pName = "main";
        info.layout = layout_;
        const VkResult r = call_.create_compute_pipelines(context_.device, context_.pipeline_cache, 1, &info,
                                                          context_.allocator, &pipeline_);
        call_.destroy_shader_module(context_.device, shader, context_.allocator);
        if (r != VK_SUCCESS) return failed(r, "vkCreateComputePipelines");
        return {};
    }

    status make_sets(std::uint32_t count)
    {
        const VkDescriptorPoolSize size{VK_DESCRIPTOR_TYPE_STORAGE_BUFFER, count * launch_.buffers};
        VkDescriptorPoolCreateInfo pool{};
        pool.sType = VK_STRUCTURE_TYPE_DESCRIPTOR_POOL_CREATE_INFO;
        pool.maxSets = count;
        pool.poolSizeCount = 1;
        pool.pPoolSizes = &size;
        if (const VkResult r = call_.create_descriptor_pool(context_.device, &pool, context_.allocator, &pool_);
            r != VK_SUCCESS)
            return failed(r, "vkCreateDescriptorPool");
        sets_.resize(count);
        for (bound_set& s : sets_) {
            VkDescriptorSetAllocateInfo info{};
            info.sType = VK_STRUCTURE_TYPE_DESCRIPTOR_SET_ALLOCATE_INFO;
            info.descriptorPool = pool_;
            info.descriptorSetCount = 1;
            info.pSetLayouts = &set_layout_;
            if (const VkResult r = call_.allocate_descriptor_sets(context_.device, &info, &s.set); r != VK_SUCCESS)
                return failed(r, "vkAllocateDescriptorSets");
        }
        return {};
    }

    // The set that already names these buffers, or one that is free; none where all are in use.
    VkDescriptorSet set_of(std::span<const buffer_range> buffers, VkWriteDescriptorSet* writes)
    {
        for (std::size_t i = 0; i < used_sets_; ++i) {
            bool same = true;
            for (std::size_t b = 0; b < buffers.size(); ++b) same = same && sets_[i].buffers[b] == buffers[b];
            if (same) return sets_[i].set;
        }
        if (used_sets_ == sets_.size()) return VK_NULL_HANDLE;
        bound_set& s = sets_[used_sets_++];
        for (std::size_t b = 0; b < buffers.size(); ++b) {
            s.buffers[b] = buffers[b];
            writes[b].dstSet = s.set;
        }
        call_.update_descriptor_sets(context_.device, launch_.buffers, writes, 0, nullptr);
        return s.set;
    }

    void destroy()
    {
        if (context_.device == VK_NULL_HANDLE) return;
        if (pool_ != VK_NULL_HANDLE) call_.destroy_descriptor_pool(context_.device, pool_, context_.allocator);
        if (pipeline_ != VK_NULL_HANDLE) call_.destroy_pipeline(context_.device, pipeline_, context_.allocator);
        if (layout_ != VK_NULL_HANDLE) call_.destroy_pipeline_layout(context_.device, layout_, context_.allocator);
        if (set_layout_ != VK_NULL_HANDLE)
            call_.destroy_descriptor_set_layout(context_.device, set_layout_, context_.allocator);
        pool_ = VK_NULL_HANDLE;
        pipeline_ = VK_NULL_HANDLE;
        layout_ = VK_NULL_HANDLE;
        set_layout_ = VK_NULL_HANDLE;
        sets_.clear();
        used_sets_ = 0;
    }

    void swap(pipeline& other) noexcept
    {
        std::swap(context_, other.context_);
        std::swap(call_, other.call_);
        std::swap(launch_, other.launch_);
        std::swap(offset_alignment_, other.offset_alignment_);
        std::swap(limits_, other.limits_);
        std::swap(set_layout_, other.set_layout_);
        std::swap(layout_, other.layout_);
        std::swap(pipeline_, other.pipeline_);
        std::swap(pool_, other.pool_);
        std::swap(sets_, other.sets_);
        std::swap(used_sets_, other.used_sets_);
    }

    context context_{};
    functions call_{};
    codegen::launch launch_{};
    VkDeviceSize offset_alignment_ = 16;
    vulkan_limits limits_{};
    VkDescriptorSetLayout set_layout_ = VK_NULL_HANDLE;
    VkPipelineLayout layout_ = VK_NULL_HANDLE;
    VkPipeline pipeline_ = VK_NULL_HANDLE;
    VkDescriptorPool pool_ = VK_NULL_HANDLE;
    std::vector<bound_set> sets_;
    std::size_t used_sets_ = 0;
};

} // namespace hone::vulkan
