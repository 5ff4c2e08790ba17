// SPDX-License-Identifier: BSL-1.0
// What hone::vulkan::kernel refuses, each named: entries that do not fit the operator or the device, and calls that
// lack something.
#include <hone/vulkan/kernel.hpp>

#include <cstdint>
#include <cstring>
#include <string>
#include <utility>

#include <doctest/doctest.h>

#include "reference.hpp"
#include "vulkan_kernel_rig.hpp"

using namespace hone;
using namespace hone::schedules;
using namespace hone::test;

namespace {

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

} // namespace

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
        return static_cast<std::uint32_t>(hone::schedules::packed_bytes(e.packed));
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
