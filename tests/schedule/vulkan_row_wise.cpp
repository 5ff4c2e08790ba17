// SPDX-License-Identifier: BSL-1.0
// The row-wise template for Vulkan: its nests, of whatever knobs, compute what plain loops do, and no invocation reads
// what another has not written yet; what it chooses when nothing is tuned, and which operators it has room for.
#include <hone/schedule/vulkan_row_wise.hpp>

#include <cstdint>
#include <string>

#include <doctest/doctest.h>

#include <hone/ir/access_proof.hpp>
#include <hone/ir/check.hpp>
#include <hone/lower/lower.hpp>
#include <hone/model/random.hpp>
#include <hone/op/elementwise.hpp>
#include <hone/op/gemm.hpp>
#include <hone/schedule/vulkan_templates.hpp>

#include "row_wise.hpp"

using namespace hone;
using namespace hone::schedules;
using namespace hone::test;

namespace {

vulkan_row_wise_knobs drawn_knobs(tune::xoshiro256& bits)
{
    vulkan_row_wise_knobs k;
    for (const auto& own : knobs_of(k)) own.set(k, own.values[bits.below(own.values.size())]);
    return k;
}
definition shares(std::int64_t rows, std::int64_t n) { return softmax_definition<>({rows, n}, dtype::f32); }

} // namespace

TEST_CASE("nests of any knobs compute what plain loops do with rows, on a device")
{
    tune::xoshiro256 bits(8);
    int legal = 0, together = 0, early = 0;
    for (int i = 0; i < 120; ++i) {
        const auto rows = static_cast<std::int64_t>(1 + bits.below(16));
        const auto n = static_cast<std::int64_t>(1 + bits.below(i % 2 == 0 ? 12 : 120));
        const norm_shape of{rows, n};
        const int which = static_cast<int>(bits.below(3));
        const norm how = which == 1 ? norm::layer : norm::rms;
        const softmax_scale scale = i % 3 == 0 ? softmax_scale::logarithmic : softmax_scale::linear;
        const definition d = which == 0 ? softmax_definition<>({rows, n}, dtype::f32, scale)
                                        : norm_definition<with_gamma, with_beta>(of, how, dtype::f32);
        REQUIRE(vulkan_row_wise::applies(d));
        const vulkan_row_wise_knobs k =
            fitted_vulkan_row_wise(d, i % 4 == 0 ? default_vulkan_row_wise(d) : drawn_knobs(bits));
        CHECK(fitted_vulkan_row_wise(d, k) == k);
        CAPTURE(rows);
        CAPTURE(n);
        CAPTURE(which);
        CAPTURE(k.components);
        CAPTURE(k.lane_rows);
        CAPTURE(k.lane_vectors);
        CAPTURE(k.unroll);
        const nest made = lower(vulkan_row_wise_schedule(d, k));
        CHECK(std::string(made.found.message()) == message_of(fault::none));
        if (!check(made, vulkan_target({})).ok()) continue;
        ++legal;
        together += k.lane_rows > 1 ? 1 : 0;
        early += n % (k.components * k.lane_vectors) != 0 ? 1 : 0;
        CHECK(std::string(prove_accesses(made).message()) == message_of(fault::none));
        const auto seed = static_cast<std::uint64_t>(i);
        if (which == 0) {
            const rows_data given = data_of(row_shape{rows, n}, seed);
            const double absolute = scale == softmax_scale::linear ? 1e-37 : 1e-5;
            CHECK(wrong_rows(made, given, reference(row_shape{rows, n}, given, scale), 1e-5, absolute) == "");
        } else {
            const rows_data given = data_of(of, seed);
            CHECK(wrong_rows(made, given, reference(of, how, given), 1e-5, 1e-4) == "");
        }
    }
    CHECK(legal > 80);
    CHECK(together > 30);
    CHECK(early > 10);
}

TEST_CASE("as many rows as a call gives, each of a workgroup of its own")
{
    for (const std::int64_t n : {1, 50, 300}) {
        const definition d = checked(softmax_definition<>({.rows = extent::up_to(24), .n = n}, dtype::f32));
        REQUIRE(vulkan_row_wise::applies(d));
        for (int step = 0; step < vulkan_row_wise::default_steps; ++step) {
            const vulkan_row_wise_knobs k = default_vulkan_row_wise(d, step);
            CHECK(k.lane_rows == 1);
            const nest made = lower(vulkan_row_wise_schedule(d, k));
            REQUIRE(check(made, vulkan_target({})).ok());
            CHECK(std::string(prove_accesses(made).message()) == message_of(fault::none));
            check_open_rows(made, n, 24);
        }
    }
    const definition own = with_open_distance(shares(24, 50));
    REQUIRE(vulkan_row_wise::applies(own));
    check_distant_rows(lower(vulkan_row_wise_schedule(own, default_vulkan_row_wise(own))), 50);
}

TEST_CASE("of each reduction the parts are there before they are taken together, and those before they are read")
{
    const definition d = norm_definition<>({.rows = 8, .n = 64}, norm::layer, dtype::f32);
    const nest n = lower(vulkan_row_wise_schedule(d, default_vulkan_row_wise(d)));
    int barriers = 0;
    for (const node& x : n.nodes) barriers += x.kind == node_kind::barrier ? 1 : 0;
    CHECK(barriers == 4);
}

TEST_CASE("the default on a device is legal for rows, and steps down to sums in order")
{
    for (const std::int64_t n : {1, 3, 64, 1000, 30000, 1009}) {
        const definition d = shares(60, n);
        CHECK(default_config<vulkan_templates>(d, vulkan_limits{}).is<vulkan_row_wise>());
        for (int step = 0; step < vulkan_row_wise::default_steps; ++step) {
            const vulkan_row_wise_knobs k = default_vulkan_row_wise(d, step);
            CHECK(check(lower(vulkan_row_wise_schedule(d, k)), vulkan_target({})).ok());
            if (n > 1) CHECK((class_of(k) == error_class::exact_order) == (step == 1));
        }
    }
}

TEST_CASE("operators that are not of rows, or outgrow what the schedule adds, have another template or none")
{
    CHECK_FALSE(vulkan_row_wise::applies(gemm<gemm_shape{.m = 4, .n = 4, .k = 4}, f32>::definition()));
    CHECK_FALSE(vulkan_row_wise::applies(shares(0, 4)));
    // Rows as long as a call says are the CPU's.
    const definition open = checked(softmax_definition<>({.rows = 4, .n = extent::up_to(8)}, dtype::f32));
    CHECK(row_wise::applies(open));
    CHECK_FALSE(vulkan_row_wise::applies(open));
    row_stages::stages s({.rows = 4, .n = 8}, dtype::f32, "many");
    int last = s.x();
    for (int i = 0; i < 4; ++i) last = s.add("sum", reduction::add, {last == s.x() ? last : s.x(), last}, ex::load(1));
    const definition many = s.written<>("many", {s.x(), last}, ex::load(0) - ex::load(1));
    CHECK(row_wise::applies(many));
    CHECK_FALSE(vulkan_row_wise::applies(many)); // 9 stages
}
