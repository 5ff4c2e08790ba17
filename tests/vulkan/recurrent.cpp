// SPDX-License-Identifier: BSL-1.0
// Recurrent cells on a device: nests of drawn cells, by default and by drawn knobs, printed, compiled and run under
// validation, against plain loops.
#include <cstdint>
#include <string>
#include <vector>

#include <doctest/doctest.h>

#include <hone/ir/check.hpp>
#include <hone/ir/print.hpp>
#include <hone/lower/lower.hpp>
#include <hone/schedule/vulkan_chain.hpp>

#include "recurrent.hpp"
#include "vulkan_rig.hpp"

using namespace hone;
using namespace hone::codegen;
using namespace hone::schedules;
using namespace hone::test;

namespace {

void run_on_device(const definition& d, const vulkan_chain_knobs& k, const cell_shape& s, cell which,
                   std::uint64_t seed, const std::vector<std::int64_t>& parameters = {})
{
    cell_data given = data_of(s, which, seed);
    const cell_state expected = step(s, which, true, given, state_of(given));
    const vulkan_limits limits = test_device().limits();
    const nest n = lower(vulkan_chain_schedule(d, k));
    INFO(print(n));
    REQUIRE(check(n, vulkan_target(limits)).ok());
    std::vector<floats> buffers{given.x, given.h};
    if (which == cell::lstm) buffers.push_back(given.c);
    for (std::size_t w = 0; w < 2; ++w) {
        floats& from = w == 0 ? given.weights : given.recurrent;
        floats packed = poisoned(vulkan_chain::packed(d, k, limits)[w].elements());
        const argument both[] = {{from.data(), static_cast<std::int64_t>(from.size())},
                                 {packed.data(), static_cast<std::int64_t>(packed.size())}};
        REQUIRE(interpret(lower(vulkan_chain::packing(d, k, limits, w)), both).ok());
        buffers.push_back(packed);
    }
    buffers.push_back(given.bias);
    if (which == cell::lstm) buffers.push_back(poisoned(s.m * s.n));
    buffers.push_back(poisoned(s.m * s.n));
    const auto after = run_on(test_device(), n, buffers, parameters);
    CHECK(after[1] == given.h);
    CHECK(far_from_state(after.back(), expected.h, 2e-5) == "");
    if (which == cell::lstm) CHECK(far_from_state(after[after.size() - 2], expected.c, 2e-5) == "");
}

} // namespace

TEST_CASE("drawn cells, by default and by drawn knobs, on the device")
{
    random_numbers random{71};
    for (int i = 0; i < 8; ++i) {
        const cell_shape s{
            .m = random.between(1, 6), .k = random.between(1, 20), .n = random.between(1, i % 2 == 0 ? 12 : 80)};
        const cell which = i % 4 < 2 ? cell::lstm : cell::gru;
        CAPTURE(signature_of(s, which, dtype::f32).c_str());
        const definition d = cell_definition(s, which, true);
        run_on_device(d, default_vulkan_chain(d), s, which, static_cast<std::uint64_t>(i));
        vulkan_chain_knobs k;
        for (const auto& own : knobs_of(k)) {
            const auto last = static_cast<std::int64_t>(own.values.size()) - 1;
            own.set(k, own.values[static_cast<std::size_t>(random.between(0, last))]);
        }
        k = fitted_vulkan_chain(d, k);
        if (check(lower(vulkan_chain_schedule(d, k)), vulkan_target(test_device().limits())).ok())
            run_on_device(d, k, s, which, static_cast<std::uint64_t>(i));
    }
}

TEST_CASE("cells of as many rows as a call gives, on the device")
{
    const definition d = cell_definition({.m = extent::up_to(9), .k = 7, .n = 36}, cell::lstm, true);
    for (const std::int64_t m : {1, 4, 9})
        run_on_device(d, default_vulkan_chain(d), {.m = m, .k = 7, .n = 36}, cell::lstm, 9, {m});
}
