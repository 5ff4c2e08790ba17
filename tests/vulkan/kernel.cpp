// SPDX-License-Identifier: BSL-1.0
// hone::vulkan::kernel as an engine uses it, under the validation layer: which entry it takes on this device, what it
// computes, two kernels in one command buffer, and that recording allocates nothing. What it refuses:
// kernel_refusals.cpp.
#include <hone/vulkan/kernel.hpp>

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <new>
#include <string>

#include <doctest/doctest.h>

#include "reference.hpp"
#include "vulkan_kernel_rig.hpp"

using namespace hone;
using namespace hone::schedules;
using namespace hone::test;

namespace {

// Allocations of this thread from the heap of C++, see operator new below.
thread_local int heap_allocations = 0;

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
    CHECK(k->packed_bytes() == hone::schedules::packed_bytes(k->entry().packed));
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

TEST_CASE("weights of the extents that calls give, in buffers of just these")
{
    vulkan::device& d = test_device();
    using configs = entries_of_test<6>;
    configs::vulkan_entries = {entry_of<all_at_call>(small_tile)};
    auto k = vulkan::kernel<all_at_call, configs>::create(d.context());
    REQUIRE_MESSAGE(k.ok(), text_of(k));
    const std::int64_t calls[][3] = {{1, 1, 1}, {7, 30, 5}, {21, 17, 19}};
    for (const auto& sizes : calls) {
        const gemm_call shape = call_of(open_shape, sizes[0], 0, 0, 0, sizes[1], sizes[2]);
        const call_data data = data_of(open_shape, shape, 7);
        const call_on_device call(d, k.value, data, sizes);
        vulkan::arguments a = call.arguments();
        a.parameters = sizes;
        const auto ran = d.run([&](VkCommandBuffer to) { return k->record(to, a); });
        REQUIRE_MESSAGE(ran.ok(), ran.text());
        k->recycle();
        CHECK(difference(call.y.now(), reference(open_shape, shape, data, {step::bias})) == "");
        CHECK(k->packed_bytes(sizes) <= k->packed_bytes());
        a.weights.bytes -= sizeof(float);
        CHECK(k->record(VK_NULL_HANDLE, a).what == fault::vulkan_buffer_missing);
    }
    const floats weights(30 * 19);
    floats packed(k->packed_bytes() / sizeof(float));
    CHECK(k->pack(weights.data(), packed.data()).what == fault::parameter_out_of_range);
    const std::int64_t too_long[] = {1, 30, 20};
    CHECK(std::string{k->pack(weights.data(), packed.data(), too_long).subject} == "k");
    CHECK(k->packed_bytes(too_long) == 0);
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
