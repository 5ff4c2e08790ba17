// SPDX-License-Identifier: BSL-1.0
// Pools on a device: nests of drawn shapes, by default and by drawn knobs, printed, compiled and run under validation,
// against plain loops. Data are below zero, so that padding which counted would be the largest.
#include <cmath>
#include <cstdint>
#include <string>
#include <vector>

#include <doctest/doctest.h>

#include <hone/ir/check.hpp>
#include <hone/ir/print.hpp>
#include <hone/lower/lower.hpp>
#include <hone/schedule/vulkan_reduce.hpp>

#include "pools.hpp"
#include "vulkan_rig.hpp"

using namespace hone;
using namespace hone::schedules;
using namespace hone::test;

namespace {

void run_on_device(const definition& d, const vulkan_reduce_knobs& k, const call_data& given, const doubles& expected)
{
    const nest n = lower(vulkan_reduce_schedule(d, k));
    INFO(print(n));
    REQUIRE(check(n, vulkan_target(test_device().limits())).ok());
    const auto after = run_on(test_device(), n, {given.x, given.residual, given.y});
    CHECK(after[0] == given.x);
    REQUIRE(after[2].size() == expected.size());
    // Devices divide less exactly than they add.
    for (std::size_t i = 0; i < expected.size(); ++i)
        CHECK(static_cast<double>(after[2][i]) == doctest::Approx(expected[i]).epsilon(1e-6));
}

} // namespace

TEST_CASE("drawn pools, by default and by drawn knobs, on the device")
{
    random_numbers random{21};
    for (int i = 0; i < 40; ++i) {
        const pool_shape s = drawn_pool(random);
        const pooling how = i % 3 == 0 ? pooling::max : pooling::average;
        CAPTURE(text_of(s, how));
        const definition d = checked(pool_definition<residual>(s, how, dtype::f32));
        call_data given = data_of(s, static_cast<std::uint64_t>(i));
        for (float& x : given.x) x -= 5;
        const doubles expected = reference(s, how, given, {step::residual});
        run_on_device(d, default_vulkan_reduce(d), given, expected);
        vulkan_reduce_knobs k;
        for (const auto& own : knobs_of(k))
            own.set(k, own.values[static_cast<std::size_t>(
                           random.between(0, static_cast<std::int64_t>(own.values.size()) - 1))]);
        k = fitted_vulkan_reduce(d, k);
        if (check(lower(vulkan_reduce_schedule(d, k)), vulkan_target(test_device().limits())).ok())
            run_on_device(d, k, given, expected);
    }
}

TEST_CASE("NaN is never the largest, and makes a mean NaN, on the device")
{
    constexpr pool_shape s{.h = 5, .w = 9, .c = 8, .kh = 3, .kw = 3, .pad = 1};
    call_data given = data_of(s, 1);
    for (std::size_t i = 0; i < given.x.size(); i += 3) given.x[i] = std::numeric_limits<float>::quiet_NaN();
    for (const pooling how : {pooling::max, pooling::average}) {
        const definition d = checked(pool_definition<>(s, how, dtype::f32));
        const nest n = lower(vulkan_reduce_schedule(d, default_vulkan_reduce(d)));
        const auto after = run_on(test_device(), n, {given.x, given.y});
        const doubles expected = reference(s, how, given, {});
        for (std::size_t i = 0; i < expected.size(); ++i) {
            const auto found = static_cast<double>(after[1][i]);
            const bool is_same =
                std::isnan(expected[i]) ? std::isnan(found) : found == doctest::Approx(expected[i]).epsilon(1e-6);
            CHECK_MESSAGE(is_same, i << ": " << found << ", expected " << expected[i]);
        }
    }
}
