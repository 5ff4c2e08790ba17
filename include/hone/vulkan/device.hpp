// SPDX-License-Identifier: BSL-1.0
// A Vulkan device that owns its instance, queue and memory, for tests, the tuner and examples: runs a recording with
// a deadline, and times one by the protocol below. Engines bring their own and need vulkan/pipeline.hpp only.
//
// Timing: one command buffer holds a warm dispatch, a barrier, a timestamp, n dispatches with a barrier after each,
// a timestamp; n comes from a pilot. The first submission is dropped: some drivers compile then.
#pragma once

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <cstring>
#include <memory>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include <hone/vulkan/device_choice.hpp>
#include <hone/vulkan/instance.hpp>
#include <hone/vulkan/pipeline.hpp>

#ifndef HONE_SHOW_WARNINGS // see core/config.hpp
#pragma GCC system_header
#endif

namespace hone::vulkan {

// Empty texts are filled from the environment.
struct device_options {
    std::string library{};     // of the loader; HONE_VULKAN_LIBRARY, else libvulkan.so.1
    std::string device_name{}; // a part of it; HONE_VULKAN_DEVICE, else the first device
    vulkan::validation validation = vulkan::validation::off;
    vulkan::descriptors descriptors = vulkan::descriptors::sets;
};

struct timing {
    using duration = std::chrono::duration<double, std::nano>;
    duration minimum{}; // of one dispatch with its barrier, over the repeats; the figure for a software device
    duration median{};  // the figure for a GPU
    int dispatches = 0; // in each repeat
};

struct timing_options {
    int repeats = 7;
    std::chrono::duration<double, std::milli> region{2.0}; // least time between the timestamps
    std::chrono::duration<double> deadline{10.0};          // of each submission, the driver's compilation included
};

class device;

// Memory that host and device both see.
class device_buffer {
public:
    device_buffer() = default;
    device_buffer(device_buffer&& other) noexcept { swap(other); }
    device_buffer& operator=(device_buffer&& other) noexcept
    {
        device_buffer moved(std::move(other));
        swap(moved);
        return *this;
    }
    inline ~device_buffer();

    explicit operator bool() const { return buffer_ != VK_NULL_HANDLE; }
    std::span<float> floats() const { return {static_cast<float*>(data_), bytes_ / sizeof(float)}; }
    buffer_range range() const { return {buffer_, 0, VK_WHOLE_SIZE}; }

private:
    friend class device;
    void swap(device_buffer& other) noexcept
    {
        std::swap(owner_, other.owner_);
        std::swap(buffer_, other.buffer_);
        std::swap(memory_, other.memory_);
        std::swap(data_, other.data_);
        std::swap(bytes_, other.bytes_);
    }

    device* owner_ = nullptr;
    VkBuffer buffer_ = VK_NULL_HANDLE;
    VkDeviceMemory memory_ = VK_NULL_HANDLE;
    void* data_ = nullptr;
    std::size_t bytes_ = 0;
};

// Buffers and pipelines made with a device must be destroyed before it.
class device {
public:
    device(const device&) = delete;
    device& operator=(const device&) = delete;

    // Null on a fault, which `why` then holds: vulkan_loader_missing, vulkan_device_missing, vulkan_feature_missing
    // (Vulkan 1.1, the validation layer, push descriptors), vulkan_call_failed.
    static std::unique_ptr<device> open(const device_options& options, failure& why)
    {
        std::unique_ptr<device> d(new device);
        why = d->start(options);
        if (!why.ok()) d.reset();
        return d;
    }

    ~device()
    {
        // A queue that missed its deadline never becomes idle, and destroying its device would wait for it.
        if (abandoned_) {
            instance_.leave_open();
            return;
        }
        // A driver without these was refused when it was opened.
        if (device_ != VK_NULL_HANDLE && call_.device_wait_idle != nullptr && call_.destroy_device != nullptr) {
            call_.device_wait_idle(device_);
            if (queries_ != VK_NULL_HANDLE) call_.destroy_query_pool(device_, queries_, nullptr);
            if (fence_ != VK_NULL_HANDLE) call_.destroy_fence(device_, fence_, nullptr);
            if (command_pool_ != VK_NULL_HANDLE) call_.destroy_command_pool(device_, command_pool_, nullptr);
            call_.destroy_device(device_, nullptr);
        }
    }

    vulkan::context context() const
    {
        vulkan::context c;
        c.instance = instance_.handle();
        c.physical_device = chosen_.handle;
        c.device = device_;
        c.queue_family = chosen_.queue_family;
        c.get_instance_proc_addr = instance_.get_proc_addr();
        c.descriptors = descriptors_;
        return c;
    }
    vulkan_limits limits() const { return limits_of(context()); }
    const VkPhysicalDeviceProperties& properties() const { return chosen_.properties; }
    bool is_software() const { return chosen_.properties.deviceType == VK_PHYSICAL_DEVICE_TYPE_CPU; }
    // Warnings and errors of the validation layer so far, and the text of the first.
    int validation_messages() const { return instance_.validation_messages(); }
    const std::string& first_validation_message() const { return instance_.first_validation_message(); }
    // Whether a submission missed its deadline or lost the device. Nothing can be run then, and nothing is cleaned up;
    // the process should end by _exit, as exit handlers of a software driver race with its threads.
    bool is_lost() const { return abandoned_; }

    // Device-local where the host can see such memory. An empty buffer and `why` on a fault.
    device_buffer make_buffer(std::size_t bytes, failure& why)
    {
        device_buffer b;
        why = {};
        VkBufferCreateInfo info{};
        info.sType = VK_STRUCTURE_TYPE_BUFFER_CREATE_INFO;
        info.size = std::max<std::size_t>(bytes, 16);
        info.usage = VK_BUFFER_USAGE_STORAGE_BUFFER_BIT;
        info.sharingMode = VK_SHARING_MODE_EXCLUSIVE;
        b.owner_ = this;
        b.bytes_ = bytes;
        if (const VkResult r = call_.create_buffer(device_, &info, nullptr, &b.buffer_); r != VK_SUCCESS) {
            why = failed_call(r, "vkCreateBuffer");
            return {};
        }
        VkMemoryRequirements needs{};
        call_.get_buffer_memory_requirements(device_, b.buffer_, &needs);
        constexpr VkMemoryPropertyFlags visible =
            VK_MEMORY_PROPERTY_HOST_VISIBLE_BIT | VK_MEMORY_PROPERTY_HOST_COHERENT_BIT;
        VkResult r = VK_ERROR_OUT_OF_DEVICE_MEMORY;
        for (const VkMemoryPropertyFlags wanted : {visible | VK_MEMORY_PROPERTY_DEVICE_LOCAL_BIT, visible})
            for (std::uint32_t i = 0; i < chosen_.memory_types.memoryTypeCount && r != VK_SUCCESS; ++i) {
                if ((needs.memoryTypeBits >> i & 1) == 0) continue;
                if ((chosen_.memory_types.memoryTypes[i].propertyFlags & wanted) != wanted) continue;
                VkMemoryAllocateInfo allocate{};
                allocate.sType = VK_STRUCTURE_TYPE_MEMORY_ALLOCATE_INFO;
                allocate.allocationSize = needs.size;
                allocate.memoryTypeIndex = i;
                r = call_.allocate_memory(device_, &allocate, nullptr, &b.memory_);
            }
        if (r != VK_SUCCESS) {
            why = failed_call(r, "vkAllocateMemory");
            return {};
        }
        r = call_.bind_buffer_memory(device_, b.buffer_, b.memory_, 0);
        if (r == VK_SUCCESS) r = call_.map_memory(device_, b.memory_, 0, VK_WHOLE_SIZE, 0, &b.data_);
        if (r != VK_SUCCESS) {
            why = failed_call(r, "vkMapMemory");
            return {};
        }
        return b;
    }

    // Runs what `record(command buffer)` records, and waits. A missed deadline or a lost device is a
    // vulkan_call_failed, and is_lost() holds from then on.
    template <class Record>
    failure run(Record&& record, std::chrono::duration<double> deadline = std::chrono::seconds{30})
    {
        return submit(
            [&](VkCommandBuffer to) {
                const status s = record(to);
                end_writes(to);
                return s;
            },
            deadline);
    }

    // Times what `record(command buffer, i)` records, the call of the i-th dispatch; see the protocol above.
    // Rotate buffers by i to time with cold caches.
    template <class Record>
    failure time(timing& to, Record&& record, const timing_options& options = {})
    {
        if (chosen_.timestamp_bits == 0)
            return {{.what = fault::vulkan_feature_missing, .subject = "timestampValidBits"},
                    "the queue has no timestamps"};
        int n = 1;
        double pilot = 0;
        // The first submission compiles; the second is the pilot.
        for (int i = 0; i < 2; ++i)
            if (const failure f = measure(pilot, 1, record, options); !f.ok()) return f;
        const double region = std::chrono::duration<double, std::nano>(options.region).count();
        if (pilot < region) n = static_cast<int>(std::min(region / std::max(pilot, 1.0) + 1.0, 10000.0));
        std::vector<double> times(static_cast<std::size_t>(std::max(options.repeats, 1)));
        for (double& t : times)
            if (const failure f = measure(t, n, record, options); !f.ok()) return f;
        std::sort(times.begin(), times.end());
        const std::size_t half = times.size() / 2;
        const double median = times.size() % 2 != 0 ? times[half] : (times[half - 1] + times[half]) / 2;
        to = {timing::duration{times[0] / n}, timing::duration{median / n}, n};
        return {};
    }

private:
    friend class device_buffer;

    struct device_functions {
        PFN_vkDestroyDevice destroy_device = nullptr;
        PFN_vkGetDeviceQueue get_device_queue = nullptr;
        PFN_vkDeviceWaitIdle device_wait_idle = nullptr;
        PFN_vkCreateBuffer create_buffer = nullptr;
        PFN_vkDestroyBuffer destroy_buffer = nullptr;
        PFN_vkGetBufferMemoryRequirements get_buffer_memory_requirements = nullptr;
        PFN_vkAllocateMemory allocate_memory = nullptr;
        PFN_vkFreeMemory free_memory = nullptr;
        PFN_vkBindBufferMemory bind_buffer_memory = nullptr;
        PFN_vkMapMemory map_memory = nullptr;
        PFN_vkCreateCommandPool create_command_pool = nullptr;
        PFN_vkDestroyCommandPool destroy_command_pool = nullptr;
        PFN_vkAllocateCommandBuffers allocate_command_buffers = nullptr;
        PFN_vkBeginCommandBuffer begin_command_buffer = nullptr;
        PFN_vkEndCommandBuffer end_command_buffer = nullptr;
        PFN_vkCreateFence create_fence = nullptr;
        PFN_vkDestroyFence destroy_fence = nullptr;
        PFN_vkResetFences reset_fences = nullptr;
        PFN_vkWaitForFences wait_for_fences = nullptr;
        PFN_vkQueueSubmit queue_submit = nullptr;
        PFN_vkCreateQueryPool create_query_pool = nullptr;
        PFN_vkDestroyQueryPool destroy_query_pool = nullptr;
        PFN_vkCmdResetQueryPool reset_query_pool = nullptr;
        PFN_vkCmdWriteTimestamp write_timestamp = nullptr;
        PFN_vkGetQueryPoolResults get_query_pool_results = nullptr;
        PFN_vkCmdPipelineBarrier pipeline_barrier = nullptr;
    };

    device() = default;

    failure start(const device_options& options)
    {
        if (failure f = instance_.open(options.library, options.validation); !f.ok()) return f;
        if (failure f = choose_device(chosen_, instance_, options.device_name); !f.ok()) return f;
        if (failure f = make_device(options); !f.ok()) return f;
        return make_queue_objects();
    }

    failure make_device(const device_options& options)
    {
        descriptors_ = options.descriptors;
        const char* extensions[] = {VK_KHR_PUSH_DESCRIPTOR_EXTENSION_NAME};
        if (descriptors_ == descriptors::push) {
            const auto list =
                instance_.call<PFN_vkEnumerateDeviceExtensionProperties>("vkEnumerateDeviceExtensionProperties");
            std::uint32_t count = 0;
            list(chosen_.handle, nullptr, &count, nullptr);
            std::vector<VkExtensionProperties> all(count);
            list(chosen_.handle, nullptr, &count, all.data());
            if (std::none_of(all.begin(), all.end(), [&](const VkExtensionProperties& e) {
                    return std::strcmp(e.extensionName, extensions[0]) == 0;
                }))
                return {{.what = fault::vulkan_feature_missing, .subject = extensions[0]},
                        chosen_.properties.deviceName};
        }
        VkPhysicalDevice16BitStorageFeatures storage{};
        storage.sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_16BIT_STORAGE_FEATURES;
        storage.storageBuffer16BitAccess = VK_TRUE;
        const float priority = 1.0f;
        VkDeviceQueueCreateInfo queue{};
        queue.sType = VK_STRUCTURE_TYPE_DEVICE_QUEUE_CREATE_INFO;
        queue.queueFamilyIndex = chosen_.queue_family;
        queue.queueCount = 1;
        queue.pQueuePriorities = &priority;
        VkDeviceCreateInfo info{};
        info.sType = VK_STRUCTURE_TYPE_DEVICE_CREATE_INFO;
        info.queueCreateInfoCount = 1;
        info.pQueueCreateInfos = &queue;
        if (has_16bit_storage(context())) info.pNext = &storage;
        info.enabledExtensionCount = descriptors_ == descriptors::push ? 1 : 0;
        info.ppEnabledExtensionNames = extensions;
        const VkResult r =
            instance_.call<PFN_vkCreateDevice>("vkCreateDevice")(chosen_.handle, &info, nullptr, &device_);
        return r == VK_SUCCESS ? failure{} : failed_call(r, "vkCreateDevice");
    }

    failure make_queue_objects()
    {
        const auto get = instance_.call<PFN_vkGetDeviceProcAddr>("vkGetDeviceProcAddr");
        const char* missing = nullptr;
        const auto fetch = [&](auto& to, const char* name) {
            to = reinterpret_cast<std::remove_reference_t<decltype(to)>>(get(device_, name));
            if (to == nullptr && missing == nullptr) missing = name;
        };
        fetch(call_.destroy_device, "vkDestroyDevice");
        fetch(call_.get_device_queue, "vkGetDeviceQueue");
        fetch(call_.device_wait_idle, "vkDeviceWaitIdle");
        fetch(call_.create_buffer, "vkCreateBuffer");
        fetch(call_.destroy_buffer, "vkDestroyBuffer");
        fetch(call_.get_buffer_memory_requirements, "vkGetBufferMemoryRequirements");
        fetch(call_.allocate_memory, "vkAllocateMemory");
        fetch(call_.free_memory, "vkFreeMemory");
        fetch(call_.bind_buffer_memory, "vkBindBufferMemory");
        fetch(call_.map_memory, "vkMapMemory");
        fetch(call_.create_command_pool, "vkCreateCommandPool");
        fetch(call_.destroy_command_pool, "vkDestroyCommandPool");
        fetch(call_.allocate_command_buffers, "vkAllocateCommandBuffers");
        fetch(call_.begin_command_buffer, "vkBeginCommandBuffer");
        fetch(call_.end_command_buffer, "vkEndCommandBuffer");
        fetch(call_.create_fence, "vkCreateFence");
        fetch(call_.destroy_fence, "vkDestroyFence");
        fetch(call_.reset_fences, "vkResetFences");
        fetch(call_.wait_for_fences, "vkWaitForFences");
        fetch(call_.queue_submit, "vkQueueSubmit");
        fetch(call_.create_query_pool, "vkCreateQueryPool");
        fetch(call_.destroy_query_pool, "vkDestroyQueryPool");
        fetch(call_.reset_query_pool, "vkCmdResetQueryPool");
        fetch(call_.write_timestamp, "vkCmdWriteTimestamp");
        fetch(call_.get_query_pool_results, "vkGetQueryPoolResults");
        fetch(call_.pipeline_barrier, "vkCmdPipelineBarrier");
        if (missing != nullptr)
            return {{.what = fault::vulkan_feature_missing, .subject = missing}, chosen_.properties.deviceName};
        call_.get_device_queue(device_, chosen_.queue_family, 0, &queue_);

        VkCommandPoolCreateInfo pool{};
        pool.sType = VK_STRUCTURE_TYPE_COMMAND_POOL_CREATE_INFO;
        pool.flags = VK_COMMAND_POOL_CREATE_RESET_COMMAND_BUFFER_BIT;
        pool.queueFamilyIndex = chosen_.queue_family;
        VkResult r = call_.create_command_pool(device_, &pool, nullptr, &command_pool_);
        if (r != VK_SUCCESS) return failed_call(r, "vkCreateCommandPool");
        VkCommandBufferAllocateInfo buffer{};
        buffer.sType = VK_STRUCTURE_TYPE_COMMAND_BUFFER_ALLOCATE_INFO;
        buffer.commandPool = command_pool_;
        buffer.level = VK_COMMAND_BUFFER_LEVEL_PRIMARY;
        buffer.commandBufferCount = 1;
        r = call_.allocate_command_buffers(device_, &buffer, &commands_);
        if (r != VK_SUCCESS) return failed_call(r, "vkAllocateCommandBuffers");
        VkFenceCreateInfo fence{};
        fence.sType = VK_STRUCTURE_TYPE_FENCE_CREATE_INFO;
        r = call_.create_fence(device_, &fence, nullptr, &fence_);
        if (r != VK_SUCCESS) return failed_call(r, "vkCreateFence");
        if (chosen_.timestamp_bits == 0) return {};
        VkQueryPoolCreateInfo queries{};
        queries.sType = VK_STRUCTURE_TYPE_QUERY_POOL_CREATE_INFO;
        queries.queryType = VK_QUERY_TYPE_TIMESTAMP;
        queries.queryCount = 2;
        r = call_.create_query_pool(device_, &queries, nullptr, &queries_);
        return r == VK_SUCCESS ? failure{} : failed_call(r, "vkCreateQueryPool");
    }

    void memory_barrier(VkCommandBuffer to, VkPipelineStageFlags stage, VkAccessFlags access) const
    {
        VkMemoryBarrier b{};
        b.sType = VK_STRUCTURE_TYPE_MEMORY_BARRIER;
        b.srcAccessMask = VK_ACCESS_SHADER_WRITE_BIT;
        b.dstAccessMask = access;
        call_.pipeline_barrier(to, VK_PIPELINE_STAGE_COMPUTE_SHADER_BIT, stage, 0, 1, &b, 0, nullptr, 0, nullptr);
    }
    void end_writes(VkCommandBuffer to) const
    {
        memory_barrier(to, VK_PIPELINE_STAGE_HOST_BIT, VK_ACCESS_HOST_READ_BIT);
    }
    void between_dispatches(VkCommandBuffer to) const
    {
        memory_barrier(to, VK_PIPELINE_STAGE_COMPUTE_SHADER_BIT,
                       VK_ACCESS_SHADER_READ_BIT | VK_ACCESS_SHADER_WRITE_BIT);
    }

    template <class Record>
    failure submit(Record&& record, std::chrono::duration<double> deadline)
    {
        if (abandoned_) return failed_call(VK_ERROR_DEVICE_LOST, "an earlier submission");
        VkCommandBufferBeginInfo begin{};
        begin.sType = VK_STRUCTURE_TYPE_COMMAND_BUFFER_BEGIN_INFO;
        begin.flags = VK_COMMAND_BUFFER_USAGE_ONE_TIME_SUBMIT_BIT;
        VkResult r = call_.begin_command_buffer(commands_, &begin);
        if (r != VK_SUCCESS) return failed_call(r, "vkBeginCommandBuffer");
        const status recorded = record(commands_);
        r = call_.end_command_buffer(commands_);
        if (!recorded.ok()) return {recorded, ""};
        if (r != VK_SUCCESS) return failed_call(r, "vkEndCommandBuffer");
        VkSubmitInfo submit{};
        submit.sType = VK_STRUCTURE_TYPE_SUBMIT_INFO;
        submit.commandBufferCount = 1;
        submit.pCommandBuffers = &commands_;
        r = call_.queue_submit(queue_, 1, &submit, fence_);
        if (r != VK_SUCCESS) {
            abandoned_ = r == VK_ERROR_DEVICE_LOST;
            return failed_call(r, "vkQueueSubmit");
        }
        const auto limit = std::chrono::duration_cast<std::chrono::nanoseconds>(deadline).count();
        r = call_.wait_for_fences(device_, 1, &fence_, VK_TRUE, static_cast<std::uint64_t>(limit));
        if (r != VK_SUCCESS) {
            abandoned_ = true;
            failure f = failed_call(r, "vkWaitForFences");
            if (r == VK_TIMEOUT) f.detail = "not done after " + std::to_string(deadline.count()) + " s";
            return f;
        }
        r = call_.reset_fences(device_, 1, &fence_);
        return r == VK_SUCCESS ? failure{} : failed_call(r, "vkResetFences");
    }

    // Nanoseconds of n dispatches.
    template <class Record>
    failure measure(double& nanoseconds, int n, Record& record, const timing_options& options)
    {
        const failure f = submit(
            [&](VkCommandBuffer to) {
                call_.reset_query_pool(to, queries_, 0, 2);
                status s = record(to, 0);
                between_dispatches(to);
                call_.write_timestamp(to, VK_PIPELINE_STAGE_COMPUTE_SHADER_BIT, queries_, 0);
                for (int i = 0; i < n && s.ok(); ++i) {
                    s = record(to, i);
                    between_dispatches(to);
                }
                call_.write_timestamp(to, VK_PIPELINE_STAGE_COMPUTE_SHADER_BIT, queries_, 1);
                end_writes(to);
                return s;
            },
            options.deadline);
        if (!f.ok()) return f;
        std::uint64_t ticks[2]{};
        const VkResult r = call_.get_query_pool_results(device_, queries_, 0, 2, sizeof ticks, ticks, sizeof ticks[0],
                                                        VK_QUERY_RESULT_64_BIT | VK_QUERY_RESULT_WAIT_BIT);
        if (r != VK_SUCCESS) return failed_call(r, "vkGetQueryPoolResults");
        const std::uint64_t mask =
            chosen_.timestamp_bits >= 64 ? ~std::uint64_t{0} : (std::uint64_t{1} << chosen_.timestamp_bits) - 1;
        nanoseconds = static_cast<double>((ticks[1] - ticks[0]) & mask) *
                      static_cast<double>(chosen_.properties.limits.timestampPeriod);
        return {};
    }

    vulkan::instance instance_;
    device_choice chosen_{};
    vulkan::descriptors descriptors_ = vulkan::descriptors::sets;
    VkDevice device_ = VK_NULL_HANDLE;
    device_functions call_{};
    VkQueue queue_ = VK_NULL_HANDLE;
    VkCommandPool command_pool_ = VK_NULL_HANDLE;
    VkCommandBuffer commands_ = VK_NULL_HANDLE;
    VkFence fence_ = VK_NULL_HANDLE;
    VkQueryPool queries_ = VK_NULL_HANDLE;
    bool abandoned_ = false;
};

inline device_buffer::~device_buffer()
{
    if (owner_ == nullptr || owner_->is_lost()) return;
    if (buffer_ != VK_NULL_HANDLE) owner_->call_.destroy_buffer(owner_->device_, buffer_, nullptr);
    if (memory_ != VK_NULL_HANDLE) owner_->call_.free_memory(owner_->device_, memory_, nullptr);
}

} // namespace hone::vulkan
