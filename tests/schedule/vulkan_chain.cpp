// SPDX-License-Identifier: BSL-1.0
// The chain template for Vulkan: its nests, of whatever knobs, compute what plain loops do, and no invocation reads
// what another has not written yet; which operators are its business, and what it chooses when nothing is tuned.
#include <hone/schedule/vulkan_chain.hpp>

#include <cstdint>
#include <string>

#include <doctest/doctest.h>

#include <hone/ir/access_proof.hpp>
#include <hone/ir/check.hpp>
#include <hone/lower/lower.hpp>
#include <hone/model/random.hpp>
#include <hone/op/gemm.hpp>
#include <hone/schedule/vulkan_templates.hpp>

#include "recurrent.hpp"

using namespace hone;
using namespace hone::schedules;
using namespace hone::test;

namespace {

constexpr vulkan_limits device{.max_storage_buffers = 8};

vulkan_chain_knobs drawn_knobs(tune::xoshiro256& bits)
{
    vulkan_chain_knobs k;
    for (const auto& own : knobs_of(k)) own.set(k, own.values[bits.below(own.values.size())]);
    return k;
}

} // namespace

TEST_CASE("nests of any knobs compute a step of a cell as plain loops do, on a device")
{
    tune::xoshiro256 bits(10);
    int legal = 0, together = 0, early = 0;
    for (int i = 0; i < 80; ++i) {
        const cell_shape s{.m = static_cast<std::int64_t>(1 + bits.below(i % 3 == 0 ? 1 : 12)),
                           .k = static_cast<std::int64_t>(1 + bits.below(20)),
                           .n = static_cast<std::int64_t>(1 + bits.below(i % 2 == 0 ? 12 : 60))};
        const cell which = bits.below(2) == 0 ? cell::lstm : cell::gru;
        const definition d = cell_definition(s, which, bits.below(3) != 0);
        REQUIRE(vulkan_chain::applies(d));
        const vulkan_chain_knobs k = fitted_vulkan_chain(d, i % 4 == 1 ? default_vulkan_chain(d) : drawn_knobs(bits));
        CHECK(fitted_vulkan_chain(d, k) == k);
        CAPTURE(signature_of(s, which, dtype::f32).c_str());
        CAPTURE(k.components);
        CAPTURE(k.lane_rows);
        CAPTURE(k.lane_vectors);
        CAPTURE(k.reduce_unroll);
        const nest made = lower(vulkan_chain_schedule(d, k));
        CHECK(std::string(made.found.message()) == message_of(fault::none));
        const status found = check(made, vulkan_target(device));
        CHECK((i % 4 != 1 || found.ok()));
        if (!found.ok()) continue;
        ++legal;
        together += k.lane_rows > 1 ? 1 : 0;
        early += s.n % (k.components * k.lane_vectors) != 0 ? 1 : 0;
        CHECK(std::string(prove_accesses(made).message()) == message_of(fault::none));
        CHECK(wrong_step<vulkan_chain>(d, k, device, s, which, static_cast<std::uint64_t>(i), false) == "");
    }
    MESSAGE(legal, " legal, ", together, " of rows together, ", early, " that end early");
    CHECK(legal > 40);
    CHECK(together > 10);
    CHECK(early > 10);
}

TEST_CASE("as many rows as a call gives, each of a workgroup of its own")
{
    for (const cell which : {cell::lstm, cell::gru})
        for (const std::int64_t n : {5, 64}) {
            const definition d = cell_definition({.m = extent::up_to(9), .k = 7, .n = n}, which, true);
            REQUIRE(vulkan_chain::applies(d));
            const vulkan_chain_knobs k = default_vulkan_chain(d);
            CHECK(k.lane_rows == 1);
            const nest made = lower(vulkan_chain_schedule(d, k));
            REQUIRE(check(made, vulkan_target(device)).ok());
            CHECK(std::string(prove_accesses(made).message()) == message_of(fault::none));
            for (const std::int64_t m : {1, 4, 9})
                CHECK(wrong_step<vulkan_chain>(d, k, device, {.m = m, .k = 7, .n = n}, which, 3, false, {m}) == "");
        }
}

TEST_CASE("the default on a device is legal for cells of all sizes, at each step")
{
    for (const cell which : {cell::lstm, cell::gru})
        for (const cell_shape& s :
             {cell_shape{.m = 1, .k = 512, .n = 512}, {.m = 33, .k = 100, .n = 202}, {.m = 64, .k = 1024, .n = 1000}}) {
            const definition d = cell_definition(s, which, true);
            CHECK(default_config<vulkan_templates>(d, device).is<vulkan_chain>());
            for (int step = 0; step < vulkan_chain::default_steps; ++step)
                CHECK(
                    check(lower(vulkan_chain_schedule(d, default_vulkan_chain(d, step))), vulkan_target(device)).ok());
        }
}

TEST_CASE(
    "operators whose stages have other rows or columns, or that end with a product, have another template or none")
{
    CHECK_FALSE(vulkan_chain::applies(gemm<gemm_shape{.m = 4, .n = 4, .k = 4}, f32>::definition()));
    const auto changed = [](auto change) {
        definition d = cell_definition({.m = 4, .k = 6, .n = 10}, cell::gru, true);
        change(d);
        return vulkan_chain::applies(d);
    };
    CHECK(changed([](definition&) {}));
    CHECK_FALSE(changed([](definition& d) { d.stages[0].axes[0].extent = 3; }));
    CHECK_FALSE(changed([](definition& d) { d.stages[2].axes[2].extent = 9; }));
    CHECK_FALSE(changed([](definition& d) { d.stages[3].operands[0].index[2] = along(0); }));
    CHECK_FALSE(changed([](definition& d) {
        d.stages.resize(2);
        d.stages[1].output = d.stages[0].output;
        d.tensors[d.stages[1].output.tensor].memory = memory::argument;
    }));
}
