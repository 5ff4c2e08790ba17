// SPDX-License-Identifier: BSL-1.0
// The engine's own Vulkan, which knows nothing of hone: one device, one buffer that host and device both see, one
// command buffer that is recorded once and submitted for each image.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <vector>

#include <vulkan/vulkan.h>

namespace engine {

inline void must(VkResult r, const char* call)
{
    if (r == VK_SUCCESS) return;
    std::printf("%s: VkResult %d\n", call, static_cast<int>(r));
    std::exit(1);
}

class gpu {
public:
    using milliseconds = std::chrono::duration<double, std::milli>;
    static constexpr std::uint32_t most_marks = 8;

    gpu(const gpu&) = delete;
    gpu& operator=(const gpu&) = delete;

    // Without a device is_there() is false, and nothing else may be called.
    explicit gpu(VkDeviceSize bytes)
    {
        VkApplicationInfo application{};
        application.sType = VK_STRUCTURE_TYPE_APPLICATION_INFO;
        application.pApplicationName = "vulkan_engine";
        application.apiVersion = VK_API_VERSION_1_1;
        VkInstanceCreateInfo info{};
        info.sType = VK_STRUCTURE_TYPE_INSTANCE_CREATE_INFO;
        info.pApplicationInfo = &application;
        if (vkCreateInstance(&info, nullptr, &instance_) != VK_SUCCESS || !choose_device()) return;
        make_device();
        make_memory(bytes);
        make_commands();
    }
    ~gpu()
    {
        if (device_ != VK_NULL_HANDLE) {
            vkDeviceWaitIdle(device_);
            vkDestroyQueryPool(device_, marks_, nullptr);
            vkDestroyFence(device_, fence_, nullptr);
            vkDestroyCommandPool(device_, pool_, nullptr);
            vkDestroyBuffer(device_, buffer_, nullptr);
            vkFreeMemory(device_, memory_, nullptr);
            vkDestroyDevice(device_, nullptr);
        }
        if (instance_ != VK_NULL_HANDLE) vkDestroyInstance(instance_, nullptr);
    }

    bool is_there() const { return device_ != VK_NULL_HANDLE; }
    VkInstance instance() const { return instance_; }
    VkPhysicalDevice physical_device() const { return physical_; }
    VkDevice device() const { return device_; }
    std::uint32_t queue_family() const { return queue_family_; }
    const char* name() const { return properties_.deviceName; }

    VkBuffer buffer() const { return buffer_; }
    // The next part of the buffer, which no other part shares a cache line with.
    VkDeviceSize take(VkDeviceSize bytes)
    {
        const VkDeviceSize at = taken_;
        taken_ += (bytes + alignment - 1) / alignment * alignment;
        if (taken_ <= bytes_) return at;
        std::printf("the buffer has %llu bytes, and %llu are needed\n", static_cast<unsigned long long>(bytes_),
                    static_cast<unsigned long long>(taken_));
        std::exit(1);
    }
    float* host(VkDeviceSize at) const { return reinterpret_cast<float*>(static_cast<std::byte*>(mapped_) + at); }

    VkCommandBuffer begin()
    {
        VkCommandBufferBeginInfo info{};
        info.sType = VK_STRUCTURE_TYPE_COMMAND_BUFFER_BEGIN_INFO;
        must(vkBeginCommandBuffer(commands_, &info), "vkBeginCommandBuffer");
        if (marks_ != VK_NULL_HANDLE) vkCmdResetQueryPool(commands_, marks_, 0, most_marks);
        return commands_;
    }
    // The device's clock, when all that was recorded before is done.
    void mark(std::uint32_t i)
    {
        if (marks_ != VK_NULL_HANDLE) vkCmdWriteTimestamp(commands_, VK_PIPELINE_STAGE_BOTTOM_OF_PIPE_BIT, marks_, i);
    }
    // What was recorded is read by the host when it is done.
    void end()
    {
        VkMemoryBarrier b{};
        b.sType = VK_STRUCTURE_TYPE_MEMORY_BARRIER;
        b.srcAccessMask = VK_ACCESS_SHADER_WRITE_BIT;
        b.dstAccessMask = VK_ACCESS_HOST_READ_BIT;
        vkCmdPipelineBarrier(commands_, VK_PIPELINE_STAGE_COMPUTE_SHADER_BIT, VK_PIPELINE_STAGE_HOST_BIT, 0, 1, &b, 0,
                             nullptr, 0, nullptr);
        must(vkEndCommandBuffer(commands_), "vkEndCommandBuffer");
    }
    // One submission of what was recorded, as the host sees it.
    milliseconds submit()
    {
        const auto begin = std::chrono::steady_clock::now();
        VkSubmitInfo info{};
        info.sType = VK_STRUCTURE_TYPE_SUBMIT_INFO;
        info.commandBufferCount = 1;
        info.pCommandBuffers = &commands_;
        must(vkQueueSubmit(queue_, 1, &info, fence_), "vkQueueSubmit");
        constexpr std::uint64_t ten_seconds = 10'000'000'000;
        must(vkWaitForFences(device_, 1, &fence_, VK_TRUE, ten_seconds), "vkWaitForFences");
        must(vkResetFences(device_, 1, &fence_), "vkResetFences");
        return std::chrono::steady_clock::now() - begin;
    }
    // From one mark to another in the last submission; 0 where the queue has no clock.
    milliseconds between(std::uint32_t from, std::uint32_t to) const
    {
        if (marks_ == VK_NULL_HANDLE) return {};
        std::uint64_t ticks[2]{};
        const std::uint32_t marks[] = {from, to};
        for (int i = 0; i < 2; ++i)
            must(vkGetQueryPoolResults(device_, marks_, marks[i], 1, sizeof ticks[i], &ticks[i], sizeof ticks[i],
                                       VK_QUERY_RESULT_64_BIT | VK_QUERY_RESULT_WAIT_BIT),
                 "vkGetQueryPoolResults");
        const std::uint64_t mask = clock_bits_ >= 64 ? ~std::uint64_t{0} : (std::uint64_t{1} << clock_bits_) - 1;
        return std::chrono::duration<double, std::nano>(static_cast<double>((ticks[1] - ticks[0]) & mask) *
                                                        static_cast<double>(properties_.limits.timestampPeriod));
    }

private:
    static constexpr VkDeviceSize alignment = 256; // the most that Vulkan lets a device ask for

    bool choose_device()
    {
        std::uint32_t count = 1;
        const VkResult r = vkEnumeratePhysicalDevices(instance_, &count, &physical_);
        if ((r != VK_SUCCESS && r != VK_INCOMPLETE) || count == 0) return false;
        vkGetPhysicalDeviceProperties(physical_, &properties_);
        vkGetPhysicalDeviceQueueFamilyProperties(physical_, &count, nullptr);
        std::vector<VkQueueFamilyProperties> families(count);
        vkGetPhysicalDeviceQueueFamilyProperties(physical_, &count, families.data());
        for (std::uint32_t i = 0; i < count; ++i)
            if ((families[i].queueFlags & VK_QUEUE_COMPUTE_BIT) != 0) {
                queue_family_ = i;
                clock_bits_ = families[i].timestampValidBits;
                return true;
            }
        return false;
    }
    void make_device()
    {
        const float priority = 1.0f;
        VkDeviceQueueCreateInfo queue{};
        queue.sType = VK_STRUCTURE_TYPE_DEVICE_QUEUE_CREATE_INFO;
        queue.queueFamilyIndex = queue_family_;
        queue.queueCount = 1;
        queue.pQueuePriorities = &priority;
        VkDeviceCreateInfo info{};
        info.sType = VK_STRUCTURE_TYPE_DEVICE_CREATE_INFO;
        info.queueCreateInfoCount = 1;
        info.pQueueCreateInfos = &queue;
        must(vkCreateDevice(physical_, &info, nullptr, &device_), "vkCreateDevice");
        vkGetDeviceQueue(device_, queue_family_, 0, &queue_);
    }
    // The first memory that the host sees; an engine for a GPU copies its weights to memory of the device's own.
    void make_memory(VkDeviceSize bytes)
    {
        bytes_ = bytes;
        VkBufferCreateInfo info{};
        info.sType = VK_STRUCTURE_TYPE_BUFFER_CREATE_INFO;
        info.size = bytes;
        info.usage = VK_BUFFER_USAGE_STORAGE_BUFFER_BIT;
        info.sharingMode = VK_SHARING_MODE_EXCLUSIVE;
        must(vkCreateBuffer(device_, &info, nullptr, &buffer_), "vkCreateBuffer");
        VkMemoryRequirements needs{};
        vkGetBufferMemoryRequirements(device_, buffer_, &needs);
        VkPhysicalDeviceMemoryProperties types{};
        vkGetPhysicalDeviceMemoryProperties(physical_, &types);
        constexpr VkMemoryPropertyFlags wanted =
            VK_MEMORY_PROPERTY_HOST_VISIBLE_BIT | VK_MEMORY_PROPERTY_HOST_COHERENT_BIT;
        VkMemoryAllocateInfo allocate{};
        allocate.sType = VK_STRUCTURE_TYPE_MEMORY_ALLOCATE_INFO;
        allocate.allocationSize = needs.size;
        while ((needs.memoryTypeBits >> allocate.memoryTypeIndex & 1) == 0 ||
               (types.memoryTypes[allocate.memoryTypeIndex].propertyFlags & wanted) != wanted)
            ++allocate.memoryTypeIndex; // Vulkan promises one
        must(vkAllocateMemory(device_, &allocate, nullptr, &memory_), "vkAllocateMemory");
        must(vkBindBufferMemory(device_, buffer_, memory_, 0), "vkBindBufferMemory");
        must(vkMapMemory(device_, memory_, 0, VK_WHOLE_SIZE, 0, &mapped_), "vkMapMemory");
    }
    void make_commands()
    {
        VkCommandPoolCreateInfo pool{};
        pool.sType = VK_STRUCTURE_TYPE_COMMAND_POOL_CREATE_INFO;
        pool.queueFamilyIndex = queue_family_;
        must(vkCreateCommandPool(device_, &pool, nullptr, &pool_), "vkCreateCommandPool");
        VkCommandBufferAllocateInfo commands{};
        commands.sType = VK_STRUCTURE_TYPE_COMMAND_BUFFER_ALLOCATE_INFO;
        commands.commandPool = pool_;
        commands.level = VK_COMMAND_BUFFER_LEVEL_PRIMARY;
        commands.commandBufferCount = 1;
        must(vkAllocateCommandBuffers(device_, &commands, &commands_), "vkAllocateCommandBuffers");
        VkFenceCreateInfo fence{};
        fence.sType = VK_STRUCTURE_TYPE_FENCE_CREATE_INFO;
        must(vkCreateFence(device_, &fence, nullptr, &fence_), "vkCreateFence");
        if (clock_bits_ == 0) return;
        VkQueryPoolCreateInfo marks{};
        marks.sType = VK_STRUCTURE_TYPE_QUERY_POOL_CREATE_INFO;
        marks.queryType = VK_QUERY_TYPE_TIMESTAMP;
        marks.queryCount = most_marks;
        must(vkCreateQueryPool(device_, &marks, nullptr, &marks_), "vkCreateQueryPool");
    }

    VkInstance instance_ = VK_NULL_HANDLE;
    VkPhysicalDevice physical_ = VK_NULL_HANDLE;
    VkPhysicalDeviceProperties properties_{};
    std::uint32_t queue_family_ = 0;
    std::uint32_t clock_bits_ = 0;
    VkDevice device_ = VK_NULL_HANDLE;
    VkQueue queue_ = VK_NULL_HANDLE;
    VkBuffer buffer_ = VK_NULL_HANDLE;
    VkDeviceMemory memory_ = VK_NULL_HANDLE;
    VkDeviceSize bytes_ = 0;
    VkDeviceSize taken_ = 0;
    void* mapped_ = nullptr;
    VkCommandPool pool_ = VK_NULL_HANDLE;
    VkCommandBuffer commands_ = VK_NULL_HANDLE;
    VkFence fence_ = VK_NULL_HANDLE;
    VkQueryPool marks_ = VK_NULL_HANDLE;
};

} // namespace engine
