// SPDX-License-Identifier: BSL-1.0
// The reduce template for Vulkan: its nests, of whatever knobs, compute what plain loops do, with invocations of a
// workgroup along the reduction and without; and what it chooses when nothing is tuned.
#include <cstdint>
#include <string>

#include <doctest/doctest.h>

#include <hone/ir/access_proof.hpp>
#include <hone/ir/check.hpp>
#include <hone/lower/lower.hpp>
#include <hone/model/random.hpp>
#include <hone/op/gemm.hpp>
#include <hone/schedule/vulkan_reduce.hpp>
#include <hone/schedule/vulkan_templates.hpp>

#include "reduction_draw.hpp"

using namespace hone;
using namespace hone::schedules;
using namespace hone::test;
using namespace reductions;

namespace {

vulkan_reduce_knobs drawn_knobs(tune::xoshiro256& bits)
{
    vulkan_reduce_knobs k;
    for (const auto& own : knobs_of(k)) own.set(k, own.values[bits.below(own.values.size())]);
    return k;
}

} // namespace

TEST_CASE("nests of any knobs compute what plain loops do, on a device")
{
    tune::xoshiro256 bits(4);
    int shared = 0, legal = 0;
    for (int i = 0; i < 400; ++i) {
        const drawn_reduction r = drawn(bits);
        const vulkan_reduce_knobs k =
            fitted_vulkan_reduce(r.d, i % 4 == 0 ? default_vulkan_reduce(r.d) : drawn_knobs(bits));
        CHECK(fitted_vulkan_reduce(r.d, k) == k);
        const nest n = lower(vulkan_reduce_schedule(r.d, k));
        CAPTURE(r.text);
        for (const auto& own : knobs_of(k)) {
            CAPTURE(own.name);
            CAPTURE(own.get(k));
        }
        CHECK(std::string(n.found.message()) == message_of(fault::none));
        if (!check(n, vulkan_target({})).ok()) continue;
        ++legal;
        shared += k.lanes != spread::outputs && k.lane_vectors > 1 ? 1 : 0;
        CHECK(std::string(prove_accesses(n).message()) == message_of(fault::none));
        CHECK(r.wrong(n) == "");
    }
    CHECK(legal > 300);
    CHECK(shared > 40);
}

TEST_CASE("the default on a device is legal, and has invocations along the terms where x lies along them")
{
    tune::xoshiro256 bits(6);
    for (int i = 0; i < 200; ++i) {
        const drawn_reduction r = drawn(bits);
        CAPTURE(r.text);
        CHECK(check(lower(vulkan_reduce_schedule(r.d, default_vulkan_reduce(r.d))), vulkan_target({})).ok());
        CHECK(default_config<vulkan_templates>(r.d, vulkan_limits{}).is<vulkan_reduce>());
    }
    const vulkan_reduce_knobs k = default_vulkan_reduce(reductions::definition_of(rows_shape{.rows = 40, .n = 100}));
    CHECK(k.lanes == spread::extremes);
    CHECK(k.lane_vectors > 1);
    CHECK(default_vulkan_reduce(reductions::definition_of(global({.h = 9, .w = 11, .c = 40}))).lanes ==
          spread::outputs);
    const definition product = gemm<gemm_shape{.m = 9, .n = 20, .k = 5}, f32>::definition();
    CHECK_FALSE(vulkan_reduce::applies(product));
    CHECK(default_config<vulkan_templates>(product, vulkan_limits{}).is<vulkan_direct>());
}
