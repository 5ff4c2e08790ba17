// SPDX-License-Identifier: BSL-1.0
// The row-wise template: its nests, of whatever knobs, compute what plain loops do; which operators are its business;
// what it chooses when nothing is tuned; and how many rows pass its stages together.
#include <hone/schedule/row_wise.hpp>

#include <algorithm>
#include <cstdint>
#include <string>
#include <vector>

#include <doctest/doctest.h>

#include <hone/ir/access_proof.hpp>
#include <hone/ir/check.hpp>
#include <hone/lower/lower.hpp>
#include <hone/model/random.hpp>
#include <hone/op/gemm.hpp>
#include <hone/op/pool.hpp>
#include <hone/schedule/staged_templates.hpp>

#include "row_wise.hpp"

using namespace hone;
using namespace hone::schedules;
using namespace hone::test;

namespace {

constexpr isa sets[] = {isa::baseline, isa::avx2, isa::avx512, isa::neon};

row_wise_knobs drawn_knobs(tune::xoshiro256& bits)
{
    row_wise_knobs k;
    for (const auto& own : knobs_of(k)) own.set(k, own.values[bits.below(own.values.size())]);
    return k;
}
definition shares(std::int64_t rows, std::int64_t n) { return softmax_definition<>({rows, n}, dtype::f32); }

} // namespace

TEST_CASE("neighbouring rows are lanes where the elements of one are apart, in blocks that divide them")
{
    tune::xoshiro256 bits(8);
    int blocks = 0;
    for (int i = 0; i < 150; ++i) {
        const auto below = [&](std::uint64_t most) { return static_cast<std::int64_t>(bits.below(most)); };
        const row_shape s{.rows = 1 + below(3), .n = 1 + below(20), .inner = 2 + below(100)};
        const isa set = sets[bits.below(4)];
        const definition d = softmax_definition<>(s, dtype::f32);
        REQUIRE(has_shared_rows(d));
        CHECK(has_rows_as_lanes(d));
        const row_wise_knobs k = fitted_row_wise(d, i % 4 == 0 ? default_row_wise(d, set) : drawn_knobs(bits), set);
        CHECK(fitted_row_wise(d, k, set) == k);
        CHECK(class_of(k) == error_class::exact_order);
        if (k.row_block > 0) CHECK(s.inner % k.row_block == 0);
        const nest made = lower(row_wise_schedule(d, k, set));
        CAPTURE(signature_of(s, dtype::f32).c_str());
        CAPTURE(k.row_block);
        REQUIRE(check(made, cpu_target(set)).ok());
        blocks += k.row_block > 0 ? 1 : 0;
        CHECK(std::string(prove_accesses(made).message()) == message_of(fault::none));
        const rows_data given = data_of(s, static_cast<std::uint64_t>(i));
        CHECK(wrong_rows(made, given, reference(s, given), 1e-5, 1e-37) == "");
    }
    CHECK(blocks > 20);
    CHECK_FALSE(has_rows_as_lanes(shares(3, 7)));
    // Of 65 x 65 pixels a block is rows of whole vectors, nearly; a prime has none.
    CHECK(block_of_lanes(65 * 65, 1560, 16) == 845);
    CHECK(block_of_lanes(65 * 65, 4, 16) == 5);
    CHECK(block_of_lanes(7919, 128, 16) == 7919);
    CHECK(block_of_lanes(64, 0, 16) == 64);
}

TEST_CASE("nests of any knobs compute what plain loops do with rows, and touch nothing else")
{
    tune::xoshiro256 bits(7);
    int legal = 0, together = 0, kept = 0, blocks = 0;
    for (int i = 0; i < 300; ++i) {
        const auto rows = static_cast<std::int64_t>(1 + bits.below(24));
        const auto n = static_cast<std::int64_t>(1 + bits.below(i % 2 == 0 ? 12 : 150));
        const isa set = sets[bits.below(4)];
        const norm_shape of{rows, n};
        const int which = static_cast<int>(bits.below(3));
        const softmax_scale scale = i % 3 == 0 ? softmax_scale::logarithmic : softmax_scale::linear;
        const definition d =
            which == 0 ? softmax_definition<>({rows, n}, dtype::f32, scale)
                       : norm_definition<with_gamma, with_beta>(of, which == 1 ? norm::layer : norm::rms, dtype::f32);
        REQUIRE(has_shared_rows(d));
        const row_wise_knobs k = fitted_row_wise(d, i % 4 == 0 ? default_row_wise(d, set) : drawn_knobs(bits), set);
        CHECK(fitted_row_wise(d, k, set) == k);
        CAPTURE(name_of(set));
        CAPTURE(rows);
        CAPTURE(n);
        CAPTURE(which);
        CAPTURE(k.rows);
        CAPTURE(k.vectors);
        CAPTURE(k.step_vectors);
        CAPTURE(k.row_block);
        CAPTURE(static_cast<int>(k.sums));
        const nest made = lower(row_wise_schedule(d, k, set));
        if (!check(made, cpu_target(set)).ok()) continue;
        ++legal;
        together += k.rows > 1 ? 1 : 0;
        kept += k.sums == row_sums::kept ? 1 : 0;
        blocks += k.row_block > 0 ? 1 : 0;
        CHECK(std::string(prove_accesses(made).message()) == message_of(fault::none));
        const auto seed = static_cast<std::uint64_t>(i);
        if (which == 0) {
            const rows_data given = data_of(row_shape{rows, n}, seed);
            const double absolute = scale == softmax_scale::linear ? 1e-37 : 1e-5;
            CHECK(wrong_rows(made, given, reference(row_shape{rows, n}, given, scale), 1e-5, absolute) == "");
        } else {
            const rows_data given = data_of(of, seed);
            CHECK(wrong_rows(made, given, reference(of, which == 1 ? norm::layer : norm::rms, given), 1e-5, 1e-4) ==
                  "");
        }
    }
    CHECK(legal > 200);
    CHECK(together > 40);
    CHECK(kept > 40);
    CHECK(blocks > 40);
}

TEST_CASE("operators of one stage, with weights, or whose rows differ, are none of its business")
{
    CHECK(row_wise::applies(shares(3, 5)));
    CHECK_FALSE(row_wise::applies(gemm<gemm_shape{.m = 4, .n = 4, .k = 4}, f32>::definition()));
    CHECK_FALSE(row_wise::applies(max_pool<pool_shape{.h = 4, .w = 4, .c = 4, .kh = 2, .kw = 2}, f32>::definition()));
    CHECK_FALSE(row_wise::applies(softmax_definition<>({0, 5}, dtype::f32)));
    const auto changed = [](auto change) {
        definition d = shares(3, 5);
        change(d);
        return row_wise::applies(d);
    };
    CHECK(changed([](definition&) {}));
    CHECK_FALSE(changed([](definition& d) { d.stages[1].axes[0].extent = 2; }));
    CHECK_FALSE(changed([](definition& d) { d.stages[2].axes[1].extent = 4; }));
    CHECK_FALSE(changed([](definition& d) { d.stages[0].operands[0].may_leave = true; }));
    CHECK_FALSE(changed([](definition& d) { d.stages[0].operands[0].index[1] = along(1, 2); }));
    CHECK_FALSE(changed([](definition& d) { d.tensors[0].role = role::weights; }));
    CHECK_FALSE(changed([](definition& d) { d.tensors[1].memory = memory::argument; }));
    // Another template has none of those that it has.
    for (const isa set : sets) {
        const auto c = default_config<staged_templates>(shares(3, 5), set);
        CHECK(c.is<row_wise>());
    }
    CHECK(check_config(shares(3, 5), cpu_config(direct_knobs{})).what == fault::template_missing);
    CHECK(check_config(gemm<gemm_shape{.m = 4, .n = 4, .k = 4}, f32>::definition(),
                       config_in<staged_templates>(row_wise_knobs{}))
              .what == fault::template_missing);
}

TEST_CASE("rows that pass together divide all rows and those of a block")
{
    const auto rows = [](std::int64_t all, std::int32_t together, std::int32_t block) {
        return fitted_row_wise(shares(all, 100), {.rows = together, .vectors = 2, .row_block = block}, isa::avx2).rows;
    };
    CHECK(rows(24, 4, 0) == 4);
    CHECK(rows(25, 4, 0) == 1);
    CHECK(rows(27, 4, 0) == 3);
    CHECK(rows(24, 4, 16) == 4);
    CHECK(rows(24, 6, 16) == 4);
    CHECK(rows(2, 8, 16) == 2);
    CHECK(rows(50, 4, 128) == 2); // one thread takes them all
}

TEST_CASE("as many rows as a call gives")
{
    const definition d = checked(softmax_definition<>({.rows = extent::up_to(24), .n = 50}, dtype::f32));
    REQUIRE(has_shared_rows(d));
    for (const std::int32_t block : {0, 5}) {
        const nest n = lower(row_wise_schedule(d, {.rows = 4, .row_block = block}, isa::avx2));
        REQUIRE(check(n, cpu_target(isa::avx2)).ok());
        check_open_rows(n, 50, 24);
    }
    for (const isa set : sets) check_open_rows(lower(row_wise_schedule(d, default_row_wise(d, set), set)), 50, 24);
}

TEST_CASE("rows as long as a call gives, and as many: nests of any knobs compute what plain loops do")
{
    tune::xoshiro256 bits(9);
    int legal = 0, together = 0, kept = 0;
    for (int i = 0; i < 160; ++i) {
        const auto between = [&](std::int64_t least, std::int64_t most) {
            return least + static_cast<std::int64_t>(bits.below(static_cast<std::uint64_t>(most - least + 1)));
        };
        const isa set = sets[bits.below(4)];
        const std::int64_t largest_rows = between(1, 12), most_n = i % 4 == 0 ? between(1, 12) : between(1, 300);
        const extent rows = bits.below(3) == 0 ? extent(largest_rows) : extent::up_to(largest_rows);
        const row_shape open{.rows = rows, .n = extent::up_to(most_n)};
        const norm_shape of{.rows = rows, .n = open.n};
        const int which = static_cast<int>(bits.below(4));
        const auto scale = which == 0 ? softmax_scale::linear : softmax_scale::logarithmic;
        const norm how = which == 2 ? norm::layer : norm::rms;
        const definition d = checked(which < 2 ? softmax_definition<>(open, dtype::f32, scale)
                                               : norm_definition<with_gamma, with_beta>(of, how, dtype::f32));
        REQUIRE(has_shared_rows(d));
        const row_wise_knobs k = fitted_row_wise(
            d, i % 3 == 0 ? default_row_wise(d, set, static_cast<int>(bits.below(2))) : drawn_knobs(bits), set);
        CHECK(fitted_row_wise(d, k, set) == k);
        CAPTURE(name_of(set));
        const std::string text = signature_of(open, dtype::f32).c_str();
        CAPTURE(text);
        CAPTURE(which);
        CAPTURE(k.rows);
        CAPTURE(k.vectors);
        CAPTURE(k.step_vectors);
        CAPTURE(k.row_block);
        CAPTURE(static_cast<int>(k.sums));
        const nest made = lower(row_wise_schedule(d, k, set));
        if (!check(made, cpu_target(set)).ok()) continue;
        ++legal;
        together += k.rows > 1 ? 1 : 0;
        kept += k.sums == row_sums::kept ? 1 : 0;
        CHECK(std::string(prove_accesses(made).message()) == message_of(fault::none));
        const std::int64_t lanes = lanes_of(set, d);
        for (const std::int64_t wanted : {std::int64_t{1}, lanes - 1, lanes, lanes + 1, most_n, between(1, most_n)}) {
            const std::int64_t n = std::clamp<std::int64_t>(wanted, 1, most_n),
                               called = open.rows.at_call ? between(1, largest_rows) : largest_rows;
            CAPTURE(n);
            CAPTURE(called);
            std::vector<std::int64_t> call;
            if (open.rows.at_call) call.push_back(called);
            call.push_back(n);
            if (open.rows.at_call) call.push_back(called * n);
            const auto seed = static_cast<std::uint64_t>(i);
            const row_shape s{called, n};
            const norm_shape t{called, n};
            const rows_data given = which < 2 ? data_of(s, seed) : data_of(t, seed);
            const doubles expected = which < 2 ? reference(s, given, scale) : reference(t, how, given);
            const double absolute = which == 0 ? 1e-37 : which == 1 ? 1e-5 : 1e-4;
            CHECK(wrong_rows(made, given, expected, 1e-5, absolute, call) == "");
        }
    }
    CHECK(legal > 100);
    CHECK(together > 3);
    CHECK(kept > 20);
}

TEST_CASE("as many rows as a call gives, as far apart as it says, in an operator of a user's own")
{
    const definition d = with_open_distance(shares(24, 50));
    REQUIRE(has_shared_rows(d));
    check_distant_rows(lower(row_wise_schedule(d, default_row_wise(d, isa::avx2), isa::avx2)), 50);
}

TEST_CASE("the default steps down to sums in order, which are of the strictest class")
{
    for (const isa set : sets)
        for (const std::int64_t n : {3, 64, 1000, 30000}) {
            const definition d = shares(100, n);
            for (int step = 0; step < row_wise::default_steps; ++step) {
                const row_wise_knobs k = default_row_wise(d, set, step);
                CHECK(check(lower(row_wise_schedule(d, k, set)), cpu_target(set)).ok());
                CHECK((class_of(k) == error_class::exact_order) == (step == 1));
                CHECK((n >= 4096) == (k.row_block == 0));
            }
            if (n == 3) CHECK(default_row_wise(d, set).rows > 1);
            if (n >= 1000) CHECK(default_row_wise(d, set).rows == 1);
        }
}

TEST_CASE("knobs that no schedule can take are named")
{
    const auto found = [](const row_wise_knobs& k) { return row_wise_schedule(shares(3, 5), k, isa::avx2).found; };
    CHECK(found({}).ok());
    CHECK(found({.rows = 0}).what == fault::knob_value);
    CHECK(std::string(found({.vectors = -1}).subject) == "vectors");
    CHECK_FALSE(lower(row_wise_schedule(shares(3, 5), {.step_vectors = 99}, isa::avx2)).ok());
    const row_wise_knobs hungry{.rows = 8, .vectors = 8};
    bool is_named = false;
    for (const auto& c : row_wise_constraints)
        is_named = is_named || c.found(hungry, isa::avx2).what == fault::too_many_live_registers;
    CHECK(is_named);
}
