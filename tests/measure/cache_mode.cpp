// SPDX-License-Identifier: BSL-1.0
// Weights that take turns: each copy is the packed weights, and all have been used before one is used again.
#include <cstdint>
#include <filesystem>
#include <fstream>
#include <set>
#include <vector>

#include <doctest/doctest.h>

#include <hone/measure/cache_mode.hpp>

#include "tuner_rig.hpp"

using namespace hone;
using hone::test::folder;
using tune::cache_mode;
using tune::measuring::last_level_cache;
using tune::measuring::weight_rotation;

namespace {

std::vector<float> numbered(std::size_t count, float first)
{
    std::vector<float> v(count);
    for (std::size_t i = 0; i < count; ++i) v[i] = first + static_cast<float>(i % 1000);
    return v;
}

} // namespace

TEST_CASE("copies of cold weights exceed the caches twice, and hold what was packed")
{
    weight_rotation weights;
    // Sizes that are no multiple of a cache line, and the memory is used again.
    for (const std::size_t floats : {100'003, 7, 1'000'000, 33}) {
        const auto packed = numbered(floats, static_cast<float>(floats % 10));
        weights.fill(packed.data(), floats, cache_mode::cold_weights);
        CAPTURE(floats);
        const std::size_t bytes = floats * sizeof(float), padded = (bytes + 63) / 64 * 64;
        CHECK(weights.count() * padded > 2 * last_level_cache());
        CHECK((weights.count() - 1) * padded <= 2 * last_level_cache());
        std::vector<const float*> order;
        bool holds = true, aligned = true;
        for (std::size_t i = 0; i < weights.count(); ++i) {
            order.push_back(weights.next());
            holds = holds && std::equal(packed.begin(), packed.end(), order.back());
            aligned = aligned && reinterpret_cast<std::uintptr_t>(order.back()) % 64 == 0;
        }
        CHECK(holds);
        CHECK(aligned);
        CHECK(std::set<const float*>(order.begin(), order.end()).size() == order.size());
        bool again = true;
        for (const float* p : order) again = again && weights.next() == p;
        CHECK(again);
    }
}

TEST_CASE("hot weights, no weights, and weights beyond the caches stay where they are")
{
    weight_rotation weights;
    const auto packed = numbered(2 * last_level_cache() / sizeof(float) + 1, 0);
    const auto stays = [&](std::size_t floats, cache_mode cache) {
        weights.fill(packed.data(), floats, cache);
        return weights.count() == 1 && weights.next() == packed.data() && weights.next() == packed.data();
    };
    CHECK_FALSE(stays(10, cache_mode::cold_weights));
    CHECK(stays(10, cache_mode::hot));
    CHECK(stays(0, cache_mode::cold_weights));
    CHECK(stays(packed.size(), cache_mode::cold_weights));
}

TEST_CASE("the size that cold weights exceed is part of the key where the system's files do not give it")
{
    const folder at; // a system of no files
    constexpr auto none = [](std::uint32_t, std::uint32_t) { return tune::cpuid_registers{}; };
    // 96 MiB
    const auto large = [](std::uint32_t leaf, std::uint32_t subleaf) {
        return leaf == 4 && subleaf == 0 ? tune::cpuid_registers{0x0003c163, 0x03c0003f, 98303, 1}
                                         : tune::cpuid_registers{};
    };
    CHECK(tune::cache_key(tune::cache_mode::cold_weights, at.path(), large) == "cold for 96 MiB");
    CHECK(tune::cache_key(tune::cache_mode::cold_weights, at.path(), none) == "cold for 32 MiB");
    CHECK(tune::cache_key(tune::cache_mode::hot, at.path(), none) == "hot");
    // As earlier records have it.
    std::filesystem::create_directories(at.path() / "sys/devices/system/cpu/cpu0/cache/index0");
    std::ofstream(at / "sys/devices/system/cpu/cpu0/cache/index0/size") << "32768K\n";
    CHECK(tune::cache_key(tune::cache_mode::cold_weights, at.path(), large) == "cold");
}
