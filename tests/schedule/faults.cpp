// SPDX-License-Identifier: BSL-1.0
// Faults of a schedule that no template makes, each beside the schedule that is right.
#include <doctest/doctest.h>

#include <hone/lower/lower.hpp>
#include <hone/op/gemm.hpp>
#include <hone/schedule/direct.hpp>

using namespace hone;

namespace {

using op = gemm<gemm_shape{.m = 8, .n = 16, .k = 8}, f32>;

schedule right() { return direct_schedule(op::definition(), {.rows = 4, .vectors = 1}, isa::avx512); }

} // namespace

TEST_CASE("a factor below 1")
{
    CHECK(lower(right()).ok());
    schedule s = right();
    s.plans[0].levels[0].step = 0;
    CHECK(lower(s).found.what == fault::factor_not_positive);
}

TEST_CASE("two reduction levels outside the register tile")
{
    schedule once = direct_schedule(op::definition(), {.rows = 4, .vectors = 1, .reduce_block = 4}, isa::avx512);
    CHECK(lower(once).ok());
    schedule twice = once;
    stage_plan& p = twice.plans[0];
    // The block of 4 is split again, still outside.
    p.levels.push_back({});
    int at = 0;
    while (!(p.levels[static_cast<std::size_t>(at)].axis == op::k)) ++at;
    for (int l = static_cast<int>(p.levels.size()) - 1; l > at; --l)
        p.levels[static_cast<std::size_t>(l)] = p.levels[static_cast<std::size_t>(l) - 1];
    p.levels[static_cast<std::size_t>(at) + 1].step = 2;
    ++p.tile_at;
    CHECK(lower(twice).found.what == fault::reduction_split_twice);
}

TEST_CASE("parts that do not fit into their axis, or are walked by nothing")
{
    const auto found = [](std::int64_t parts, std::int64_t length, std::int64_t step = 1) {
        schedule s = right();
        stage_plan p;
        p.add(op::m, 1, binding::parallel).add(op::n, 16).open_tile();
        p.add(op::k, step, binding::serial, tail::peel).in_parts(parts);
        if (length > 0) p.add(op::k, length, binding::unroll);
        if (step > 1) p.add(op::k, 1, binding::unroll);
        p.add(op::n, 1, binding::vectorize);
        s.plans[0] = p;
        return lower(s).found.what;
    };
    constexpr std::int64_t steps = op::definition().stages[0].axes[op::k].extent;
    CHECK(found(1, 0) == fault::none);
    CHECK(found(3, steps / 3) == fault::none);
    CHECK(found(3, steps / 3 + 1) == fault::axis_not_covered);
    CHECK(found(2, 0) == fault::axis_not_covered);
    CHECK(found(0, 1) == fault::axis_not_covered);
    CHECK(found(2, 3, 2) == fault::factor_does_not_divide);
}
