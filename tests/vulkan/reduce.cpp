// SPDX-License-Identifier: BSL-1.0
// The reduce template on a device: nests of random operators and knobs, printed, compiled and run under validation,
// against plain loops; invocations along the reduction and a barrier between, among them.
#include <cstdint>
#include <limits>
#include <string>
#include <vector>

#include <doctest/doctest.h>

#include <hone/ir/check.hpp>
#include <hone/ir/print.hpp>
#include <hone/lower/lower.hpp>
#include <hone/model/random.hpp>
#include <hone/schedule/vulkan_reduce.hpp>

#include "reduction_draw.hpp"
#include "vulkan_rig.hpp"

using namespace hone;
using namespace hone::schedules;
using namespace hone::test;
using namespace reductions;

namespace {

// What a device makes of it, against what is expected.
void run_on_device(const drawn_reduction& r, const vulkan_reduce_knobs& k)
{
    const nest n = lower(vulkan_reduce_schedule(r.d, k));
    INFO(print(n));
    REQUIRE(check(n, vulkan_target(test_device().limits())).ok());
    std::vector<floats> given;
    for (const tensor& t : r.d.tensors)
        given.push_back(t.role == role::input      ? r.x
                        : t.role == role::bias     ? r.bias
                        : t.role == role::residual ? r.residual
                                                   : poisoned(r.outputs));
    const auto after = run_on(test_device(), n, given, r.parameters);
    for (std::size_t i = 0; i + 1 < given.size(); ++i) CHECK(after[i] == given[i]);
    CHECK(difference(after.back(), r.expected) == "");
}

} // namespace

TEST_CASE("random operators without weights, by default and by drawn knobs, on the device")
{
    tune::xoshiro256 bits(9);
    int shared = 0, alone = 0;
    for (int i = 0; i < 60; ++i) {
        const drawn_reduction r = drawn(bits);
        vulkan_reduce_knobs k;
        for (const auto& own : knobs_of(k)) own.set(k, own.values[bits.below(own.values.size())]);
        k = fitted_vulkan_reduce(r.d, i % 3 == 0 ? default_vulkan_reduce(r.d) : k);
        CAPTURE(r.text);
        if (!check(lower(vulkan_reduce_schedule(r.d, k)), vulkan_target(test_device().limits())).ok()) continue;
        if (k.lanes != spread::outputs) ++(k.lane_vectors > 1 ? shared : alone);
        run_on_device(r, k);
    }
    CHECK(shared > 5);
    CHECK(alone > 3);
}
