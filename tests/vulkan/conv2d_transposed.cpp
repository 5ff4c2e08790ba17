// SPDX-License-Identifier: BSL-1.0
// Transposed convolutions on a device: nests of drawn shapes, by default and by drawn knobs, compiled and run under
// validation, against plain loops that spread each pixel.
#include <string>
#include <vector>

#include <doctest/doctest.h>

#include <hone/ir/check.hpp>
#include <hone/ir/interpret.hpp>
#include <hone/ir/print.hpp>
#include <hone/lower/lower.hpp>
#include <hone/schedule/vulkan_direct.hpp>

#include "transposed.hpp"
#include "vulkan_rig.hpp"

using namespace hone;
using namespace hone::schedules;
using namespace hone::test;

namespace {

void run_on_device(const definition& d, const vulkan_knobs& k, const call_data& given, const doubles& expected)
{
    const schedule packing = vulkan_packing(d, k);
    floats weights = given.weights, packed = poisoned(packing.definition.tensors[1].elements());
    const std::vector<argument> arguments{{weights.data(), static_cast<std::int64_t>(weights.size())},
                                          {packed.data(), static_cast<std::int64_t>(packed.size())}};
    REQUIRE(interpret(lower(packing), arguments, {}).ok());
    const nest n = lower(vulkan_schedule(d, k));
    INFO(print(n));
    REQUIRE(check(n, vulkan_target(test_device().limits())).ok());
    const auto after = run_on(test_device(), n, {given.x, packed, given.bias, given.residual, given.y});
    CHECK(difference(after[4], expected) == "");
}

} // namespace

TEST_CASE("drawn transposed convolutions, by default and by drawn knobs, on the device")
{
    random_numbers random{21};
    for (int i = 0; i < 30; ++i) {
        const conv2d_transposed_shape s = drawn_transposed(random);
        CAPTURE(text_of(s));
        const definition d = checked(conv2d_transposed_definition<bias, residual>(s, dtype::f32));
        const call_data given = data_of(s, static_cast<std::uint64_t>(i));
        const doubles expected = reference(s, given, {step::bias, step::residual});
        run_on_device(d, default_vulkan(d), given, expected);
        vulkan_knobs k;
        for (const auto& own : knobs_of(k))
            own.set(k, own.values[static_cast<std::size_t>(
                           random.between(0, static_cast<std::int64_t>(own.values.size()) - 1))]);
        k = fitted(d, k);
        if (check(lower(vulkan_schedule(d, k)), vulkan_target(test_device().limits())).ok())
            run_on_device(d, k, given, expected);
    }
}
