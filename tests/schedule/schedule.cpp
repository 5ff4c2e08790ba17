// SPDX-License-Identifier: BSL-1.0
// Plans as data: what their steps note of the levels before them. And faults of a schedule that no template makes, each
// beside the schedule that is right.
#include <hone/schedule/schedule.hpp>

#include <doctest/doctest.h>

#include <hone/lower/lower.hpp>
#include <hone/op/gemm.hpp>
#include <hone/schedule/direct.hpp>

using namespace hone;
using namespace hone::schedules;

namespace {

using op = gemm<gemm_shape{.m = 8, .n = 16, .k = 8}, f32>;

schedule right() { return direct_schedule(op::definition(), {.rows = 4, .vectors = 1}, isa::avx512); }

constexpr stage_plan plan()
{
    stage_plan p;
    p.add(2, 8, binding::parallel, tail::guard, border::peel).add(1, 1).open_tile();
    p.add(0, 4).accumulate_apart().add(0, 1, binding::unroll).mask(1).mask(3);
    return p;
}
static_assert(plan().levels.size() == 4 && plan().tile_at == 2 && plan().apart_at == 3 && plan().masked == 0b1010);
static_assert(plan().levels[0].axis == 2 && plan().levels[0].step == 8 && plan().levels[0].bind == binding::parallel);
static_assert(plan().levels[0].tail == tail::guard && plan().levels[0].border == border::peel);
// What is not said: serial, and a step that divides.
static_assert(plan().levels[1].bind == binding::serial && plan().levels[1].tail == tail::exact &&
              plan().levels[1].border == border::none);
// A plan without steps has its tile outside of all, accumulates in one, and stands at the root.
static_assert(stage_plan{}.tile_at == 0 && stage_plan{}.apart_at == -1 && stage_plan{}.attach.stage == -1);

} // namespace

TEST_CASE("a plan of more levels than it holds is known to be, and is a fault")
{
    schedule s = right();
    CHECK(lower(s).ok());
    while (!s.plans[0].levels.overflowed()) s.plans[0].add(op::k, 1);
    CHECK(lower(s).found.what == fault::capacity);
}

TEST_CASE("each stage has a plan, and a fault of the schedule is the nest's")
{
    schedule s = right();
    s.plans.clear();
    CHECK(lower(s).found.what == fault::attach_unknown);
    s = right();
    s.found = {.what = fault::knob_value, .subject = "rows"};
    CHECK(lower(s).found.what == fault::knob_value);
}

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
        p.add(op::k, step, binding::serial, tail::peel);
        p.levels.back().parts = static_cast<std::int32_t>(parts);
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
