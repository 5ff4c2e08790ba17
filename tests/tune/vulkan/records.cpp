// SPDX-License-Identifier: BSL-1.0
// Entries of kernels on Vulkan: the default for any device, once, and what is faster for its own.
#include <cstddef>
#include <string>
#include <vector>

#include <doctest/doctest.h>

#include <hone/tune/vulkan/records.hpp>

#include "tuner_rig.hpp"

using namespace hone;
using namespace hone::test;

TEST_CASE("the default of a workload stands once, for any device")
{
    const auto times = [](const std::string& text, const std::string& part) {
        int count = 0;
        for (auto at = text.find(part); at != std::string::npos; at = text.find(part, at + 1)) ++count;
        return count;
    };
    const tune::record standard = tiny_record_on_vulkan(0), first = tiny_record_on_vulkan(5),
                       second = tiny_record_on_vulkan(7);
    const std::vector<tune::standing> chosen{{.chosen = &first, .standard = &standard},
                                             {.chosen = &second, .standard = &standard},
                                             {.chosen = &standard, .standard = &standard}};
    const tune::header_part part = tune::on_vulkan.header_of("k", chosen);
    CHECK(part.includes == "#include <hone/vulkan/entry.hpp>\n");
    CHECK(times(part.declarations, "inline constexpr std::uint32_t k_spirv_") == 3);
    CHECK(times(part.members, "{.signature = ") == 3);
    CHECK(times(part.members, ".vendor = 0x0,") == 1);
    CHECK(times(part.members, ".vendor = 0x5,") == 1);
    CHECK(times(part.members, ".vendor = 0x7,") == 1);
}

TEST_CASE("what has no SPIR-V has no entry, and without entries there is nothing")
{
    tune::record bare = tiny_record_on_vulkan(5);
    bare.code = nullptr;
    const std::vector<tune::standing> chosen{{.chosen = &bare}};
    const tune::header_part part = tune::on_vulkan.header_of("k", chosen);
    CHECK(part.includes + part.declarations + part.members == "");
}
