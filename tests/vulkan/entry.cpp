// SPDX-License-Identifier: BSL-1.0
// The choice among the entries of a table: the nearest device whose entry the limits let run, whatever the order.
#include <hone/vulkan/entry.hpp>

#include <algorithm>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include <doctest/doctest.h>

using namespace hone;
using namespace hone::codegen;

namespace {

constexpr std::uint32_t ours = 0x10de, theirs = 0x1002, device = 7;

vulkan_entry entry_of(const char* signature, std::uint32_t vendor, std::uint32_t of_device, std::uint32_t lanes)
{
    return {.signature = signature, .vendor = vendor, .device = of_device, .launch = {.lanes = lanes}};
}

struct empty_set {};
struct full_set {
    static constexpr vulkan_entry vulkan_entries[] = {{.signature = "a"}, {.signature = "b"}};
};

} // namespace

TEST_CASE("the nearest entry that fits is chosen, in any order of the table")
{
    constexpr std::uint32_t few = 64, many = 256;
    const vulkan_limits limits{.max_workgroup_invocations = 128};
    // Every subset of these, with each of its entries within or beyond the limits, against the rule said in words.
    struct kind {
        std::uint32_t vendor, device;
    };
    constexpr kind kinds[] = {{ours, device}, {ours, device + 1}, {0, 0}, {theirs, device}};
    for (int code = 0; code < 81; ++code) {
        CAPTURE(code);
        std::vector<vulkan_entry> table{entry_of("other", ours, device, few), entry_of("other", 0, 0, few)};
        // The first three kinds are tried in turn, the last one never.
        std::uint32_t chosen_vendor = theirs, chosen_device = 0;
        bool is_chosen = false, is_there = false;
        for (int k = 0, digits = code; k < 4; ++k, digits /= 3) {
            const int state = digits % 3; // absent, within, beyond
            if (state == 0) continue;
            table.push_back(entry_of("wanted", kinds[k].vendor, kinds[k].device, state == 1 ? few : many));
            if (kinds[k].vendor == theirs) continue;
            is_there = true;
            if (state == 1 && !is_chosen) {
                is_chosen = true;
                chosen_vendor = kinds[k].vendor;
                chosen_device = kinds[k].device;
            }
        }
        std::sort(table.begin(), table.end(), [](const auto& a, const auto& b) {
            return std::pair(a.vendor, a.device) < std::pair(b.vendor, b.device);
        });
        do {
            const auto found = find_entry(table, "wanted", ours, device, limits);
            CHECK(found.ok() == is_chosen);
            if (is_chosen) {
                REQUIRE(found.value != nullptr);
                CHECK(std::string(found.value->signature) == "wanted");
                CHECK(found.value->vendor == chosen_vendor);
                CHECK(found.value->device == chosen_device);
                CHECK(found.value->launch.lanes == few);
            } else {
                CHECK(found.value == nullptr);
                CHECK(found.found.what == (is_there ? fault::workgroup_too_large : fault::vulkan_entry_missing));
                CHECK(found.found.found == (is_there ? many : 0));
            }
            // Without limits in the way both say the same.
            const vulkan_entry* nearest = find_entry(table, "wanted", ours, device);
            CHECK(find_entry(table, "wanted", ours, device,
                             {.max_workgroup_invocations = many, .max_workgroup_size_x = many})
                      .value == nearest);
        } while (std::next_permutation(table.begin(), table.end(), [](const auto& a, const auto& b) {
            return std::pair(a.vendor, a.device) < std::pair(b.vendor, b.device);
        }));
    }
}

TEST_CASE("where all entries exceed the limits, the default's limit is named")
{
    const vulkan_limits limits;
    std::vector<vulkan_entry> table{entry_of("a", ours, device, 512), entry_of("a", 0, 0, 256),
                                    entry_of("a", ours, 1, 1024)};
    const auto found = find_entry(table, "a", ours, device, limits);
    CHECK(found.found.what == fault::workgroup_too_large);
    CHECK(found.found.expected == limits.max_workgroup_invocations);
    CHECK(found.found.found == 256);
}

TEST_CASE("a set without Vulkan entries has none")
{
    static_assert(!has_vulkan_entries<empty_set> && has_vulkan_entries<full_set>);
    static_assert(vulkan_entries_of<empty_set>().empty() && vulkan_entries_of<full_set>().size() == 2);
    constexpr auto found = find_entry(vulkan_entries_of<full_set>(), "b", 1, 1, vulkan_limits{});
    static_assert(found.ok() && found.value == &full_set::vulkan_entries[1]);
    constexpr auto missing = find_entry(vulkan_entries_of<empty_set>(), "b", 1, 1, vulkan_limits{});
    CHECK(missing.found.what == fault::vulkan_entry_missing);
    CHECK(std::string(missing.found.subject) == "b");
}
