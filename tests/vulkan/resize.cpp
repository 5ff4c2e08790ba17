// SPDX-License-Identifier: BSL-1.0
// Resized images on a device: nests of drawn sizes, by default and by drawn knobs, printed, compiled and run under
// validation, against plain loops.
#include <cstdint>
#include <string>
#include <vector>

#include <doctest/doctest.h>

#include <hone/ir/check.hpp>
#include <hone/ir/print.hpp>
#include <hone/lower/lower.hpp>
#include <hone/schedule/vulkan_templates.hpp>

#include "resizes.hpp"
#include "vulkan_rig.hpp"

using namespace hone;
using namespace hone::schedules;
using namespace hone::test;

namespace {

void run_on_device(const resize_shape& s, const nest& n, const call_data& given, const doubles& expected)
{
    INFO(print(n));
    REQUIRE(check(n, vulkan_target(test_device().limits())).ok());
    const auto after = run_on(test_device(), n, {given.x, given.residual, given.y});
    CHECK(after[0] == given.x);
    CHECK(difference_of(s, after[2], expected) == "");
}

} // namespace

TEST_CASE("drawn sizes, by default and by drawn knobs, on the device")
{
    random_numbers random{61};
    for (int i = 0; i < 40; ++i) {
        const resize_shape s = drawn_resize(random);
        CAPTURE(signature_of(s, dtype::f32).c_str());
        const definition d = checked(resize_definition<residual>(s, dtype::f32));
        const call_data given = data_of(s, static_cast<std::uint64_t>(i));
        const doubles expected = reference(s, given, {step::residual});
        const vulkan_limits limits = test_device().limits();
        run_on_device(s, lower(schedule_for(d, default_config<vulkan_templates>(d, limits), limits)), given, expected);
        vulkan_knobs k;
        for (const auto& own : knobs_of(k))
            own.set(k, own.values[static_cast<std::size_t>(
                           random.between(0, static_cast<std::int64_t>(own.values.size()) - 1))]);
        const nest n = lower(vulkan_schedule(d, fitted(d, k)));
        if (check(n, vulkan_target(limits)).ok()) run_on_device(s, n, given, expected);
    }
}
