// SPDX-License-Identifier: BSL-1.0
// A device that owns its queue and memory: buffers that host and device see, runs with a deadline, and timing.
#include <hone/vulkan/device.hpp>

#include <chrono>
#include <string>
#include <utility>
#include <vector>

#include <doctest/doctest.h>

#include "vulkan_nests.hpp"
#include "vulkan_rig.hpp"

using namespace hone;
using namespace hone::test;

TEST_CASE("what cannot be opened gives no device, and its reason")
{
    vulkan::failure why;
    const std::string name = test_device().properties().deviceName;
    CHECK(vulkan::device::open({.device_name = "no such device"}, why) == nullptr);
    CHECK(why.found.what == fault::vulkan_device_missing);
    CHECK(why.detail == "no device is named like 'no such device'; found: " + name);
    CHECK(vulkan::device::open({.library = "libhone-has-no-such-loader.so"}, why) == nullptr);
    CHECK(why.found.what == fault::vulkan_loader_missing);
}

TEST_CASE("memory keeps what the host writes, goes with whoever moves it, and has the size that was asked for")
{
    vulkan::device& d = test_device();
    vulkan::failure why;
    vulkan::device_buffer first = d.make_buffer(100 * sizeof(float), why);
    REQUIRE_MESSAGE(why.ok(), why.text());
    CHECK(first);
    CHECK(first.floats().size() == 100);
    first.floats()[99] = 7;
    vulkan::device_buffer second = std::move(first);
    CHECK(second.floats()[99] == 7);
    CHECK(second.range().offset == 0);
    first = d.make_buffer(4, why); // less than a device allocates
    REQUIRE(why.ok());
    CHECK(first.floats().size() == 1);
    CHECK(first.range().buffer != second.range().buffer);
    second = std::move(first);
    CHECK(second.floats().size() == 1);
    CHECK_FALSE(vulkan::device_buffer());
    CHECK_MESSAGE(d.validation_messages() == 0, d.first_validation_message());
}

TEST_CASE("what is not recorded is not run")
{
    const auto refused = test_device().run([](VkCommandBuffer) { return status{.what = fault::vulkan_call_mismatch}; });
    CHECK(refused.found.what == fault::vulkan_call_mismatch);
    CHECK(test_device().run([](VkCommandBuffer) { return status{}; }).ok());
    CHECK_FALSE(test_device().is_lost());
}

TEST_CASE("timing")
{
    vulkan::device& d = test_device();
    const nest n = register_matmul({64, 96, 64});
    const spirv_result compiled = spirv_of(glsl_of(n));
    auto made = vulkan::pipeline::create(d.context(), compiled.words, launch_of(n));
    REQUIRE(made.ok());
    vulkan::failure why;
    const vulkan::device_buffer x = d.make_buffer(64 * 64 * sizeof(float), why);
    const vulkan::device_buffer weights = d.make_buffer(64 * 96 * sizeof(float), why);
    const vulkan::device_buffer y = d.make_buffer(64 * 96 * sizeof(float), why);
    const vulkan::buffer_range buffers[] = {x.range(), weights.range(), y.range()};
    vulkan::timing found;
    int recorded = 0;
    const auto timed = d.time(found,
                              [&](VkCommandBuffer to, int) {
                                  ++recorded;
                                  return made.value.record(to, buffers);
                              },
                              {.repeats = 3});
    REQUIRE_MESSAGE(timed.ok(), timed.text());
    CHECK(found.minimum.count() > 0);
    CHECK(found.median >= found.minimum);
    CHECK(found.dispatches >= 1);
    CHECK(recorded == 2 * 2 + 3 * (found.dispatches + 1));
    CHECK_MESSAGE(d.validation_messages() == 0, d.first_validation_message());
}

TEST_CASE("a missed deadline loses the device")
{
    // Of its own, as nothing can be run on it afterwards; without the layer, which complains at exit of what is left.
    vulkan::failure why;
    const auto d = vulkan::device::open({}, why);
    REQUIRE_MESSAGE(why.ok(), why.text());
    const nest n = naive_matmul({256, 256, 256});
    const spirv_result compiled = spirv_of(glsl_of(n));
    auto made = vulkan::pipeline::create(d->context(), compiled.words, launch_of(n));
    REQUIRE(made.ok());
    std::vector<vulkan::device_buffer> memory;
    for (int i = 0; i < 3; ++i) memory.push_back(d->make_buffer(256 * 256 * sizeof(float), why));
    const std::vector<vulkan::buffer_range> buffers{memory[0].range(), memory[1].range(), memory[2].range()};
    const auto record = [&](VkCommandBuffer to) { return made.value.record(to, buffers); };
    const auto late = d->run(record, std::chrono::microseconds{1});
    CHECK(late.found.what == fault::vulkan_call_failed);
    CHECK(late.found.found == VK_TIMEOUT);
    CHECK(d->is_lost());
    CHECK(d->run(record).found.found == VK_ERROR_DEVICE_LOST);
    made.value.abandon();
    // This process goes on to exit, where a software driver must not be running still.
    const auto get = vulkan::instance_function<PFN_vkGetDeviceProcAddr>(d->context(), "vkGetDeviceProcAddr");
    reinterpret_cast<PFN_vkDeviceWaitIdle>(get(d->context().device, "vkDeviceWaitIdle"))(d->context().device);
}
