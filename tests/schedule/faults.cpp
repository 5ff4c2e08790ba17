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
