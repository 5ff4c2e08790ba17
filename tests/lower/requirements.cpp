// SPDX-License-Identifier: BSL-1.0
// The conditions that keep leaves inside axes and tensors, and what makes them unneeded.
#include <hone/lower/requirements.hpp>

#include <sstream>
#include <string>

#include <doctest/doctest.h>

#include <hone/ir/interpret.hpp>
#include <hone/ir/print.hpp>

#include "lower/worked_example.hpp"

using namespace hone;
using namespace hone::schedules;
using namespace hone::test;

namespace {

class opened_requirements : public lowering_requirements {
public:
    using lowering_requirements::clip_step;
    using lowering_requirements::is_clipped;
    using lowering_requirements::may_skip;
    using lowering_requirements::requirements_;

    opened_requirements(const schedule& s, nest& n) : lowering_requirements(s, n)
    {
        for (int t = 0; t < tensors(); ++t) add_buffer(t);
        for (int st = 0; st < stages(); ++st) add_variables(st);
        for (int st = 0; st < stages(); ++st) add_requirements(st);
    }
};

stage_plan tiled_plan()
{
    stage_plan p;
    p.add(axis_i, 4, binding::parallel, tail::guard).open_tile();
    p.add(axis_t, 1).add(axis_i, 1, binding::unroll);
    return p;
}

// Whether the stage of d may leave out taps of x.
bool skips_x(const definition& d)
{
    nest n;
    const schedule s = planned(d, tiled_plan());
    return opened_requirements(s, n).may_skip(0, 0);
}

} // namespace

// Of all points: x is inside its tensor where the conditions of its borders hold, and i where its own does.
TEST_CASE("conditions hold at the points that are inside, and at no others")
{
    nest n;
    const schedule s = planned(three_taps(), tiled_plan());
    const opened_requirements own(s, n);
    REQUIRE(n.ok());
    int of_axes = 0, of_borders = 0;
    for (const auto& q : own.requirements_) (q.axis >= 0 ? of_axes : of_borders)++;
    CHECK(of_axes == 2);
    CHECK(of_borders == 2); // below and above; the output and w do not leave their tensors
    for (std::int64_t outer = 0; outer < 3; ++outer)
        for (std::int64_t t = 0; t < 3; ++t)
            for (std::int64_t inner = 0; inner < 4; ++inner) {
                const std::int64_t at[] = {outer, t, inner};
                const std::int64_t i = 4 * outer + inner;
                bool is_inside_x = true, is_inside_axes = true;
                for (const auto& q : own.requirements_)
                    (q.axis >= 0 ? is_inside_axes : is_inside_x) &= value_of(n, q.value, at, nullptr) >= 0;
                CHECK(is_inside_axes == (i < 10));
                CHECK(is_inside_x == (i + t >= 1 && i + t < 11));
            }
}

TEST_CASE("a leaf may be left out where padding adds nothing to its reduction, and it is not read again")
{
    constexpr float infinity = __builtin_huge_valf();
    const auto changed = [](auto change) {
        definition d = three_taps();
        change(d.stages[0]);
        return skips_x(d);
    };
    CHECK(changed([](stage&) {}));
    CHECK_FALSE(changed([](stage& s) { s.operands[0].outside = 1; }));
    CHECK_FALSE(changed([](stage& s) { s.body = ex::load(0) + ex::load(1); }));
    CHECK_FALSE(changed([](stage& s) { s.epilogue = ex::acc() + ex::load(0); }));
    CHECK(changed([](stage& s) { s.body = ex::load(0); }));
    CHECK_FALSE(changed([](stage& s) {
        s.reduce = reduction::max;
        s.body = ex::load(0);
    }));
    CHECK(changed([](stage& s) {
        s.reduce = reduction::max;
        s.body = ex::load(0);
        s.operands[0].outside = -infinity;
    }));
    CHECK_FALSE(changed([](stage& s) {
        s.reduce = reduction::max; // 0 is no neutral factor of a maximum of products
        s.operands[0].outside = -infinity;
    }));
}

TEST_CASE("a level of one step can bound what moves with it, where all else is open")
{
    stage_plan p;
    p.add(axis_i, 1).open_tile();
    p.add(axis_t, 1, binding::serial, tail::exact, border::clip);
    nest n;
    const schedule s = planned(three_taps(), p);
    const opened_requirements own(s, n);
    for (const auto& q : own.requirements_) {
        if (q.operand != 0) continue;
        CAPTURE(q.upper);
        CHECK(own.clip_step(0, 1, 0b01, q) == (q.upper ? -1 : 1)); // t.0 inside i.0
        CHECK(own.clip_step(0, 1, 0b00, q) == 0);
        CHECK(own.is_clipped(0, q));
    }
    nest other;
    const schedule unclipped = planned(three_taps(), tiled_plan());
    const opened_requirements tested(unclipped, other);
    for (const auto& q : tested.requirements_) CHECK_FALSE(tested.is_clipped(0, q));
}
