// SPDX-License-Identifier: BSL-1.0
// hone::vulkan::kernel as an engine uses it, under the validation layer: which entry it takes on this device, what it
// computes, two kernels in one command buffer, each fault, and that recording allocates nothing.
#include <hone/vulkan/kernel.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <deque>
#include <new>
#include <string>
#include <utility>
#include <vector>

#include <doctest/doctest.h>

#include <hone/lower/lower.hpp>
#include <hone/op/conv2d.hpp>
#include <hone/op/gemm.hpp>
#include <hone/schedule/vulkan_direct.hpp>

#include "reference.hpp"
#include "vulkan_rig.hpp"

using namespace hone;
using namespace hone::test;

namespace {

// Allocations of this thread from the heap of C++, see operator new below.
thread_local int heap_allocations = 0;

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
struct matrices_at_call
    : gemm<gemm_shape{.batch = 3, .m = 12, .n = 10, .k = 9, .ldy = 11, .batch_stride_y = leading::at_call()}, f32> {};

const vulkan_knobs small_tile{.rows = 2, .vectors = 1, .components = 2, .lane_rows = 4, .lane_vectors = 2};
const vulkan_knobs staged_tile{
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

template <class Kernel>
stored packed_on(vulkan::device& d, const Kernel& k, const floats& weights)
{
    stored r(d, floats(k.packed_bytes() / sizeof(float), poison));
    k.pack(weights.data(), r.memory.floats().data());
    return r;
}

// The tensors of a call on the device, and the call.
struct call_on_device {
    stored x, weights, bias, residual, y;

    template <class Kernel>
    call_on_device(vulkan::device& d, const Kernel& k, const call_data& data)
        : x(d, data.x), weights(packed_on(d, k, data.weights)), bias(d, data.bias), residual(d, data.residual),
          y(d, data.y)
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

void check_is_clean(const vulkan::device& d)
{
    CHECK_MESSAGE(d.validation_messages() == 0, d.first_validation_message());
}

// One call of the kernel that Configs gives on this device, against the loops of reference.hpp.
template <class Op, class Configs>
void check_result(const conv2d_shape& shape, const steps& epilogue)
{
    vulkan::device& d = test_device();
    auto k = vulkan::kernel<Op, Configs>::create(d.context());
    REQUIRE_MESSAGE(k.ok(), text_of(k));
    const call_data data = data_of(shape, 3);
    const call_on_device call(d, k.value, data);
    const auto ran = d.run([&](VkCommandBuffer to) { return k->record(to, call.arguments()); });
    REQUIRE_MESSAGE(ran.ok(), ran.text());
    CHECK(difference(call.y.now(), reference(shape, data, epilogue)) == "");
    CHECK(call.x.now() == data.x);
    CHECK(call.bias.now() == data.bias);
    check_is_clean(d);
}

const steps first_epilogue{step::bias, step::residual, step::relu6};
const steps second_epilogue{step::bias, step::relu};

// ---- an engine's loader that notes what is called ----

struct calls_noted {
    int commands = 0; // recorded
    int updates = 0;  // of descriptor sets
};
calls_noted noted;

// The functions that recording calls do nothing here, so that what allocates is hone.
PFN_vkVoidFunction VKAPI_CALL device_function(VkDevice device, const char* name);
PFN_vkGetInstanceProcAddr real_loader = nullptr;
VkInstance real_instance = VK_NULL_HANDLE;

PFN_vkVoidFunction VKAPI_CALL noting_loader(VkInstance instance, const char* name)
{
    if (std::strcmp(name, "vkGetDeviceProcAddr") == 0) return reinterpret_cast<PFN_vkVoidFunction>(device_function);
    return real_loader(instance, name);
}
PFN_vkVoidFunction VKAPI_CALL device_function(VkDevice device, const char* name)
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
vulkan::context noting_context()
{
    vulkan::context c = test_device().context();
    real_loader = c.get_instance_proc_addr;
    real_instance = c.instance;
    c.get_instance_proc_addr = noting_loader;
    noted = {};
    return c;
}

// ---- a device that has less than this one ----

VkPhysicalDeviceLimits pretended{};

PFN_vkVoidFunction VKAPI_CALL pretending_loader(VkInstance instance, const char* name)
{
    if (std::strcmp(name, "vkGetPhysicalDeviceProperties") != 0) return real_loader(instance, name);
    return reinterpret_cast<PFN_vkVoidFunction>(+[](VkPhysicalDevice of, VkPhysicalDeviceProperties* p) -> void {
        vulkan::instance_function<PFN_vkGetPhysicalDeviceProperties>(
            {.instance = real_instance, .get_instance_proc_addr = real_loader}, "vkGetPhysicalDeviceProperties")(of, p);
        p->limits = pretended;
    });
}
// The limits of the real device, as far as `change` does not lower them.
template <class Change>
vulkan::context pretending(Change&& change)
{
    vulkan::context c = test_device().context();
    real_loader = c.get_instance_proc_addr;
    real_instance = c.instance;
    pretended = test_device().properties().limits;
    change(pretended);
    c.get_instance_proc_addr = pretending_loader;
    return c;
}

// ---- an engine's allocator that counts ----

struct counting_allocator {
    int allocations = 0;
    int living = 0;

    VkAllocationCallbacks callbacks()
    {
        VkAllocationCallbacks r{};
        r.pUserData = this;
        r.pfnAllocation = [](void* self, std::size_t bytes, std::size_t alignment, VkSystemAllocationScope) {
            auto* counter = static_cast<counting_allocator*>(self);
            ++counter->allocations;
            ++counter->living;
            return std::aligned_alloc(alignment, (bytes + alignment - 1) / alignment * alignment);
        };
        r.pfnReallocation = [](void* self, void* from, std::size_t bytes, std::size_t, VkSystemAllocationScope) {
            auto* counter = static_cast<counting_allocator*>(self);
            ++counter->allocations;
            if (from == nullptr) ++counter->living;
            return std::realloc(from, bytes);
        };
        r.pfnFree = [](void* self, void* p) {
            if (p != nullptr) --static_cast<counting_allocator*>(self)->living;
            std::free(p);
        };
        return r;
    }
};

} // namespace

// The whole program's; it counts beside what the standard one does. g++ 12 takes them for a mismatch where it inlines
// one.
[[gnu::noinline]] void* operator new(std::size_t bytes)
{
    ++heap_allocations;
    if (void* p = std::malloc(bytes == 0 ? 1 : bytes)) return p;
    throw std::bad_alloc();
}
[[gnu::noinline]] void operator delete(void* p) noexcept { std::free(p); }
[[gnu::noinline]] void operator delete(void* p, std::size_t) noexcept { std::free(p); }

TEST_CASE("on this device the kernel that was tuned for it runs, elsewhere the default")
{
    const auto& here = test_device().properties();
    using configs = entries_of_test<1>;
    const auto chosen = [] { return vulkan::kernel<first, configs>::create(test_device().context()); };
    const vulkan_entry standard = entry_of<first>({}), other_vendor = entry_of<first>(small_tile, here.vendorID + 1, 1);

    configs::vulkan_entries = {other_vendor, standard};
    auto k = chosen();
    REQUIRE_MESSAGE(k.ok(), text_of(k));
    CHECK(&k->entry() == &configs::vulkan_entries[1]);
    check_result<first, configs>(first_shape, first_epilogue);

    configs::vulkan_entries = {standard, entry_of<first>(small_tile, here.vendorID, here.deviceID + 1), other_vendor};
    CHECK(&chosen()->entry() == &configs::vulkan_entries[1]);
    check_result<first, configs>(first_shape, first_epilogue);

    configs::vulkan_entries.push_back(entry_of<first>(staged_tile, here.vendorID, here.deviceID));
    k = chosen();
    CHECK(&k->entry() == &configs::vulkan_entries[3]);
    CHECK(k->packed_bytes() == hone::packed_bytes(k->entry().packed));
    CHECK(k->layout_id() == k->entry().layout_id);
    check_result<first, configs>(first_shape, first_epilogue);

    // What this device cannot run makes way for what it can.
    configs::vulkan_entries[3].launch.lanes = test_device().limits().max_workgroup_invocations + 1;
    CHECK(&chosen()->entry() == &configs::vulkan_entries[1]);
    configs::vulkan_entries[1].launch.shared_bytes = test_device().limits().max_shared_bytes + 4;
    CHECK(&chosen()->entry() == &configs::vulkan_entries[0]);
    check_result<first, configs>(first_shape, first_epilogue);

    // One entry by name, as for an engine that measures them.
    k = vulkan::kernel<first, configs>::create(test_device().context(), other_vendor);
    REQUIRE_MESSAGE(k.ok(), text_of(k));
    CHECK(&k->entry() == &other_vendor);
}

TEST_CASE("create names why there is no kernel")
{
    const vulkan::context c = test_device().context();
    const vulkan_limits limits = test_device().limits();
    const auto& here = test_device().properties();
    using configs = entries_of_test<2>;
    using kernel = vulkan::kernel<first, configs>;
    const vulkan_entry good = entry_of<first>({});

    configs::vulkan_entries = {entry_of<second>({})};
    auto k = kernel::create(c);
    CHECK(k.found.what == fault::vulkan_entry_missing);
    CHECK(std::string(k.found.subject) == first::signature().c_str());
    CHECK(!k.value);
    configs::vulkan_entries = {entry_of<first>({}, here.vendorID + 1, 1)};
    CHECK(kernel::create(c).found.what == fault::vulkan_entry_missing);

    configs::vulkan_entries = {good};
    configs::vulkan_entries[0].launch.shared_bytes = limits.max_shared_bytes + 4;
    k = kernel::create(c);
    CHECK(k.found.what == fault::shared_memory_exceeded);
    CHECK(k.found.expected == limits.max_shared_bytes);
    CHECK(k.found.found == limits.max_shared_bytes + 4);

    configs::vulkan_entries = {good};
    configs::vulkan_entries[0].word_count -= 1;
    CHECK(kernel::create(c).found.what == fault::shader_rejected);

    vulkan::context no_functions = c;
    no_functions.get_instance_proc_addr = nullptr;
    configs::vulkan_entries = {good};
    CHECK(kernel::create(no_functions).found.what == fault::vulkan_feature_missing);
    CHECK(kernel::create(c).ok());
    check_is_clean(test_device());
}

TEST_CASE("every limit of a device that an entry exceeds makes it give way, or is named")
{
    using limits = VkPhysicalDeviceLimits;
    using configs = entries_of_test<9>;
    using kernel = vulkan::kernel<first, configs>;
    const auto& here = test_device().properties();
    // Tuned for this device, with more padding of its weights and more lanes; and the default.
    const vulkan_entry tuned = entry_of<first>(
        {.rows = 3, .vectors = 4, .lane_rows = 2, .lane_vectors = 1, .reduce_block = 3, .stage = staging::shared},
        here.vendorID, here.deviceID);
    const vulkan_entry standard =
        entry_of<first>({.rows = 2, .vectors = 1, .components = 1, .lane_rows = 1, .lane_vectors = 1});
    configs::vulkan_entries = {tuned, standard};
    const auto packed_bytes = [](const vulkan_entry& e) {
        return static_cast<std::uint32_t>(hone::packed_bytes(e.packed));
    };
    REQUIRE(packed_bytes(tuned) > packed_bytes(standard));
    REQUIRE(tuned.launch.lanes > standard.launch.lanes);
    REQUIRE(tuned.launch.shared_bytes > 0);

    // Just enough for the tuned one, then for the default only.
    struct fall_back {
        const char* name;
        std::uint32_t enough, less;
        void (*set)(limits&, std::uint32_t);
    };
    const fall_back falls[] = {
        {"maxStorageBufferRange", packed_bytes(tuned), packed_bytes(tuned) - 1,
         [](limits& l, std::uint32_t v) { l.maxStorageBufferRange = v; }},
        {"maxComputeWorkGroupInvocations", tuned.launch.lanes, tuned.launch.lanes - 1,
         [](limits& l, std::uint32_t v) { l.maxComputeWorkGroupInvocations = v; }},
        {"maxComputeWorkGroupSize", tuned.launch.lanes, tuned.launch.lanes - 1,
         [](limits& l, std::uint32_t v) { l.maxComputeWorkGroupSize[0] = v; }},
        {"maxComputeSharedMemorySize", tuned.launch.shared_bytes, tuned.launch.shared_bytes - 1,
         [](limits& l, std::uint32_t v) { l.maxComputeSharedMemorySize = v; }},
    };
    for (const fall_back& f : falls) {
        CAPTURE(std::string(f.name));
        auto k = kernel::create(pretending([&](limits& l) { f.set(l, f.enough); }));
        REQUIRE_MESSAGE(k.ok(), text_of(k));
        CHECK(&k->entry() == &configs::vulkan_entries[0]);
        k = kernel::create(pretending([&](limits& l) { f.set(l, f.less); }));
        REQUIRE_MESSAGE(k.ok(), text_of(k));
        CHECK(&k->entry() == &configs::vulkan_entries[1]);
    }

    // Too little for any.
    const auto found = [](auto change) { return kernel::create(pretending(change)).found; };
    status s = found([&](limits& l) { l.maxStorageBufferRange = packed_bytes(standard) - 1; });
    CHECK(s.what == fault::buffer_too_large);
    CHECK(s.expected == packed_bytes(standard) - 1);
    CHECK(s.found == packed_bytes(standard));
    CHECK(std::string(s.subject) == "weights");
    s = found([](limits& l) { l.maxComputeWorkGroupCount[0] = 1; });
    CHECK(s.what == fault::too_many_workgroups);
    CHECK(s.expected == 1);
    CHECK(s.found == standard.launch.groups_x);
    for (auto set : {+[](limits& l) { l.maxPerStageDescriptorStorageBuffers = 4; },
                     +[](limits& l) { l.maxDescriptorSetStorageBuffers = 4; }}) {
        s = found(set);
        CHECK(s.what == fault::too_many_buffers);
        CHECK(s.expected == 4);
        CHECK(s.found == 5);
    }

    // What no entry changes: the tensors of the operator itself.
    using wide = vulkan::kernel<second, entries_of_test<10>>;
    const vulkan_entry second_entry = entry_of<second>({});
    constexpr auto x_bytes = static_cast<std::uint32_t>(5 * 6 * 13 * 4);
    CHECK(wide::create(pretending([](limits& l) { l.maxStorageBufferRange = x_bytes; }), second_entry).ok());
    s = wide::create(pretending([](limits& l) { l.maxStorageBufferRange = x_bytes - 1; }), second_entry).found;
    CHECK(s.what == fault::buffer_too_large);
    CHECK(s.found == x_bytes);
    CHECK(std::string(s.subject) == "x");

    // Push constants, and offsets.
    using rows = vulkan::kernel<rows_at_call, entries_of_test<10>>;
    const vulkan_entry rows_entry = entry_of<rows_at_call>({});
    s = rows::create(pretending([](limits& l) { l.maxPushConstantsSize = 0; }), rows_entry).found;
    CHECK(s.what == fault::vulkan_feature_missing);
    CHECK(std::string(s.subject) == "maxPushConstantsSize");
    auto k = kernel::create(pretending([](limits& l) { l.minStorageBufferOffsetAlignment = 256; }));
    REQUIRE_MESSAGE(k.ok(), text_of(k));
    const call_on_device call(test_device(), k.value, data_of(first_shape, 1));
    vulkan::arguments a = call.arguments();
    a.y.offset = 128;
    s = k->record(VK_NULL_HANDLE, a);
    CHECK(s.what == fault::vulkan_call_mismatch);
    CHECK(s.expected == 256);
    CHECK(s.found == 128);
    check_is_clean(test_device());
}

TEST_CASE("a call whose run-time extents need more than the device binds is refused")
{
    vulkan::device& d = test_device();
    using kernel = vulkan::kernel<rows_at_call, entries_of_test<11>>;
    const vulkan_entry entry = entry_of<rows_at_call>({});
    const auto y_bytes = [](std::uint32_t m) { return m * 10 * 4; };
    auto k =
        kernel::create(pretending([&](VkPhysicalDeviceLimits& l) { l.maxStorageBufferRange = y_bytes(20); }), entry);
    REQUIRE_MESSAGE(k.ok(), text_of(k));
    const call_on_device call(d, k.value, data_of(rows_shape, call_of(rows_shape, 21, 0, 0), 1));
    const auto record = [&](std::int64_t m) {
        vulkan::arguments a = call.arguments();
        a.parameters = {&m, 1};
        return d.run([&](VkCommandBuffer to) { return k->record(to, a); }).found;
    };
    CHECK(record(20).ok());
    const status s = record(21);
    CHECK(s.what == fault::buffer_too_large);
    CHECK(s.expected == y_bytes(20));
    CHECK(s.found == y_bytes(21));
    check_is_clean(d);
}

TEST_CASE("an entry of another definition is refused")
{
    const vulkan::context c = test_device().context();
    using kernel = vulkan::kernel<first, entries_of_test<3>>;
    const vulkan_entry good = entry_of<first>({});
    const auto found = [&](auto change) {
        vulkan_entry e = good;
        change(e);
        return kernel::create(c, e).found;
    };
    CHECK(found([](vulkan_entry&) {}).ok());
    CHECK(found([](vulkan_entry& e) { e.signature = "another"; }).what == fault::vulkan_entry_mismatch);
    status s = found([](vulkan_entry& e) { --e.launch.buffers; });
    CHECK(s.what == fault::vulkan_entry_mismatch);
    CHECK(s.expected == 5);
    CHECK(s.found == 4);
    CHECK(found([](vulkan_entry& e) { e.launch.push_constant_bytes = 4; }).what == fault::vulkan_entry_mismatch);
    CHECK(found([](vulkan_entry& e) { e.launch.group_divisor = 0; }).what == fault::vulkan_entry_mismatch);
    CHECK(found([](vulkan_entry& e) { e.launch.group_parameter = 3; }).what == fault::vulkan_entry_mismatch);
    CHECK(found([](vulkan_entry& e) { e.launch.lanes = 0; }).what == fault::shader_rejected);
    CHECK(found([](vulkan_entry& e) { e.packed[0].dims.resize(2); }).what == fault::vulkan_entry_mismatch);
    s = found([](vulkan_entry& e) { ++e.packed[0].dims[4].extent; });
    CHECK(s.what == fault::vulkan_entry_mismatch);
    CHECK(s.found == s.expected + 1);
}

TEST_CASE("tensors of the engine's own, and rows known at the call")
{
    vulkan::device& d = test_device();
    {
        using configs = entries_of_test<4>;
        configs::vulkan_entries = {entry_of<gated>(small_tile)};
        auto k = vulkan::kernel<gated, configs>::create(d.context());
        REQUIRE_MESSAGE(k.ok(), text_of(k));
        const call_data data = data_of(second_shape, 5);
        const call_on_device call(d, k.value, data);
        vulkan::arguments a = call.arguments();
        const vulkan::buffer_range operands[] = {a.residual};
        CHECK(k->record(VK_NULL_HANDLE, a).what == fault::vulkan_buffer_missing);
        a.operands = operands;
        const auto ran = d.run([&](VkCommandBuffer to) { return k->record(to, a); });
        REQUIRE_MESSAGE(ran.ok(), ran.text());
        doubles expected = reference(second_shape, data, {step::bias});
        for (std::size_t i = 0; i < expected.size(); ++i) expected[i] *= static_cast<double>(data.residual[i]);
        CHECK(difference(call.y.now(), expected) == "");
    }
    using configs = entries_of_test<5>;
    configs::vulkan_entries = {entry_of<rows_at_call>(staged_tile)};
    auto k = vulkan::kernel<rows_at_call, configs>::create(d.context());
    REQUIRE_MESSAGE(k.ok(), text_of(k));
    for (const std::int64_t m : {std::int64_t{1}, std::int64_t{7}, std::int64_t{21}}) {
        CAPTURE(m);
        const gemm_call shape = call_of(rows_shape, m, 0, 0);
        const call_data data = data_of(rows_shape, shape, 7); // buffers of m rows only
        const call_on_device call(d, k.value, data);
        vulkan::arguments a = call.arguments();
        a.parameters = {&m, 1};
        const auto ran = d.run([&](VkCommandBuffer to) { return k->record(to, a); });
        REQUIRE_MESSAGE(ran.ok(), ran.text());
        k->recycle();
        CHECK(difference(call.y.now(), reference(rows_shape, shape, data, {step::bias})) == "");
    }
    check_is_clean(d);
}

TEST_CASE("record names what a call lacks, and records nothing then")
{
    vulkan::device& d = test_device();
    using configs = entries_of_test<6>;
    configs::vulkan_entries = {entry_of<first>({}), entry_of<rows_at_call>({}), entry_of<matrices_at_call>({})};
    auto k = vulkan::kernel<first, configs>::create(noting_context(), 2);
    REQUIRE_MESSAGE(k.ok(), text_of(k));
    const call_on_device call(d, k.value, data_of(first_shape, 1));
    const auto found = [&](auto change) {
        vulkan::arguments a = call.arguments();
        change(a);
        return k->record(VK_NULL_HANDLE, a);
    };
    using range_of = vulkan::buffer_range vulkan::arguments::*;
    constexpr std::pair<range_of, const char*> tensors[] = {{&vulkan::arguments::x, "x"},
                                                            {&vulkan::arguments::weights, "weights"},
                                                            {&vulkan::arguments::bias, "bias"},
                                                            {&vulkan::arguments::residual, "residual"},
                                                            {&vulkan::arguments::y, "y"}};
    for (const auto& [part, name] : tensors) {
        CAPTURE(std::string(name));
        status s = found([&](vulkan::arguments& a) { a.*part = {}; });
        CHECK(s.what == fault::vulkan_buffer_missing);
        CHECK(std::string(s.subject) == name);
        CHECK(s.found == 0);
        s = found([&](vulkan::arguments& a) { (a.*part).bytes -= 1; });
        CHECK(s.what == fault::vulkan_buffer_missing);
        CHECK(std::string(s.subject) == name);
        CHECK(s.found == s.expected - 1);
        CHECK(found([&](vulkan::arguments& a) { (a.*part).offset = 4; }).what == fault::vulkan_call_mismatch);
    }
    CHECK(found([&](vulkan::arguments& a) { a.weights_layout = k->layout_id() + 1; }).what ==
          fault::packed_layout_mismatch);
    const std::int64_t one = 1;
    CHECK(found([&](vulkan::arguments& a) { a.parameters = {&one, 1}; }).what == fault::vulkan_call_mismatch);
    CHECK(noted.commands == 0);
    CHECK(noted.updates == 0);

    // Different buffers take bindings, and the same ones none.
    CHECK(found([&](vulkan::arguments& a) { a.weights_layout = k->layout_id(); }).ok());
    CHECK(found([](vulkan::arguments&) {}).ok());
    // A range to the end of its buffer is bound as far as the tensor goes.
    CHECK(found([](vulkan::arguments& a) { a.x.bytes = VK_WHOLE_SIZE; }).ok());
    CHECK(noted.updates == 1);
    const auto aligned = vulkan::offset_alignment(d.context());
    CHECK(found([&](vulkan::arguments& a) { a.x.offset = aligned; }).ok());
    CHECK(noted.commands == 4 * 3);
    CHECK(noted.updates == 2);
    const auto third = [&](vulkan::arguments& a) { a.y.offset = aligned; };
    CHECK(found(third).what == fault::vulkan_bindings_exhausted);
    CHECK(noted.commands == 4 * 3);
    k->recycle();
    CHECK(found(third).ok());

    auto rows = vulkan::kernel<rows_at_call, configs>::create(noting_context());
    REQUIRE_MESSAGE(rows.ok(), text_of(rows));
    const call_on_device row_call(d, rows.value, data_of(rows_shape, call_of(rows_shape, 21, 0, 0), 1));
    for (const std::int64_t m : {std::int64_t{-1}, std::int64_t{22}, std::int64_t{1} << 32}) {
        vulkan::arguments a = row_call.arguments();
        a.parameters = {&m, 1};
        const status s = rows->record(VK_NULL_HANDLE, a);
        CHECK(s.what == fault::parameter_out_of_range);
        CHECK(s.expected == (m < 0 ? 1 : 21));
        CHECK(s.found == m);
    }
    CHECK(rows->record(VK_NULL_HANDLE, row_call.arguments()).what == fault::vulkan_call_mismatch);
    // Matrices of y that would overlap; where they do not, the buffers are asked for.
    auto matrices = vulkan::kernel<matrices_at_call, configs>::create(noting_context());
    REQUIRE_MESSAGE(matrices.ok(), text_of(matrices));
    for (const std::int64_t apart : {std::int64_t{-1}, std::int64_t{0}, std::int64_t{10}, std::int64_t{130}}) {
        const status s = matrices->record(VK_NULL_HANDLE, {.parameters = {&apart, 1}});
        CHECK(s.what == fault::parameter_out_of_range);
        CHECK(std::string(s.subject) == "batch_stride_y");
        CHECK(s.expected == 131);
        CHECK(s.found == apart);
    }
    const std::int64_t far_enough = 131;
    CHECK(matrices->record(VK_NULL_HANDLE, {.parameters = {&far_enough, 1}}).what == fault::vulkan_buffer_missing);
    // No rows are no work, and need no buffers.
    const std::int64_t none = 0;
    CHECK(rows->record(VK_NULL_HANDLE, {.parameters = {&none, 1}}).ok());
    // As many rows as the call has must be there.
    const std::int64_t most = 21;
    vulkan::arguments short_call = row_call.arguments();
    short_call.parameters = {&most, 1};
    short_call.x.bytes -= 4;
    const status too_short = rows->record(VK_NULL_HANDLE, short_call);
    CHECK(too_short.what == fault::vulkan_buffer_missing);
    CHECK(too_short.expected == 21 * 9 * 4);
    CHECK(noted.commands == 0);
    check_is_clean(d);
}

TEST_CASE("two dependent kernels in one command buffer, and a forgotten barrier")
{
    using configs = entries_of_test<7>;
    configs::vulkan_entries = {entry_of<first>(small_tile), entry_of<second>(staged_tile)};
    const call_data data = data_of(first_shape, 1);
    call_data next = data_of(second_shape, 9);
    const doubles between = reference(first_shape, data, first_epilogue);
    for (std::size_t i = 0; i < between.size(); ++i) next.x[i] = static_cast<float>(between[i]);
    const doubles expected = reference(second_shape, next, second_epilogue);

    // Of its own, as the layer is to complain of it.
    for (const auto descriptors : {vulkan::descriptors::sets, vulkan::descriptors::push})
        for (const bool with_barrier : {true, false}) {
            CAPTURE(with_barrier);
            CAPTURE(static_cast<int>(descriptors));
            vulkan::failure why;
            const auto d =
                vulkan::device::open({.validation = vulkan::validation::on, .descriptors = descriptors}, why);
            if (d == nullptr && why.found.what == fault::vulkan_feature_missing) {
                MESSAGE("skipped: ", why.text());
                continue;
            }
            REQUIRE_MESSAGE(why.ok(), why.text());
            auto one = vulkan::kernel<first, configs>::create(d->context());
            auto two = vulkan::kernel<second, configs>::create(d->context());
            REQUIRE_MESSAGE(one.ok(), text_of(one));
            REQUIRE_MESSAGE(two.ok(), text_of(two));
            const call_on_device call(*d, one.value, data), next_call(*d, two.value, next);
            vulkan::arguments a = next_call.arguments();
            a.x = call.y.range();
            const auto ran = d->run([&](VkCommandBuffer to) {
                if (const status s = one->record(to, call.arguments()); !s.ok()) return s;
                if (with_barrier) one->barrier(to);
                return two->record(to, a);
            });
            REQUIRE_MESSAGE(ran.ok(), ran.text());
            if (with_barrier) {
                CHECK(difference(next_call.y.now(), expected) == "");
                check_is_clean(*d);
            } else {
                CHECK(d->first_validation_message().find("SYNC-HAZARD") != std::string::npos);
            }
        }
}

TEST_CASE("recording allocates nothing")
{
    vulkan::device& d = test_device();
    using configs = entries_of_test<8>;
    configs::vulkan_entries = {entry_of<first>({}), entry_of<rows_at_call>({})};
    SUBCASE("from the allocator that the engine lends")
    {
        counting_allocator counter;
        const VkAllocationCallbacks callbacks = counter.callbacks();
        vulkan::context c = d.context();
        c.allocator = &callbacks;
        {
            auto k = vulkan::kernel<first, configs>::create(c);
            REQUIRE_MESSAGE(k.ok(), text_of(k));
            const call_on_device call(d, k.value, data_of(first_shape, 1));
            const int before = counter.allocations;
            CHECK(before > 0);
            const auto ran = d.run([&](VkCommandBuffer to) {
                for (int i = 0; i < 3; ++i) {
                    if (const status s = k->record(to, call.arguments()); !s.ok()) return s;
                    k->barrier(to);
                }
                return status{};
            });
            REQUIRE_MESSAGE(ran.ok(), ran.text());
            CHECK(counter.allocations == before);
        }
        CHECK(counter.living == 0);
    }
    SUBCASE("from the heap")
    {
        auto k = vulkan::kernel<first, configs>::create(noting_context());
        auto rows = vulkan::kernel<rows_at_call, configs>::create(noting_context());
        REQUIRE((k.ok() && rows.ok()));
        const call_on_device call(d, k.value, data_of(first_shape, 1));
        const call_on_device row_call(d, rows.value, data_of(rows_shape, call_of(rows_shape, 21, 0, 0), 1));
        const std::int64_t m = 20;
        vulkan::arguments a = row_call.arguments();
        a.parameters = {&m, 1};
        const int before = heap_allocations;
        CHECK(before > 0);
        bool recorded = true;
        for (int i = 0; i < 3; ++i)
            recorded =
                recorded && k->record(VK_NULL_HANDLE, call.arguments()).ok() && rows->record(VK_NULL_HANDLE, a).ok();
        const int after = heap_allocations;
        CHECK(recorded);
        CHECK(after == before);
        CHECK(noted.commands == 3 * (3 + 4));
    }
    check_is_clean(d);
}
