// SPDX-License-Identifier: BSL-1.0
// What levels mean: their variables and iterations, how they move axes and indices, and what they leave of an axis.
#include <hone/lower/levels.hpp>

#include <algorithm>
#include <string>
#include <vector>

#include <doctest/doctest.h>

#include "lower/worked_example.hpp"

using namespace hone;
using namespace hone::schedules;
using namespace hone::test;

namespace {

// With the parts that lowering uses in reach, and the variables of all stages made.
class opened_levels : public lowering_levels {
public:
    using lowering_levels::context;
    using lowering_levels::contributions;
    using lowering_levels::count_of;
    using lowering_levels::has_base;
    using lowering_levels::index_interval;
    using lowering_levels::is_apart;
    using lowering_levels::is_outside;
    using lowering_levels::is_reduction;
    using lowering_levels::rest_of;
    using lowering_levels::trivial;
    using lowering_levels::variable_of;

    opened_levels(const schedule& s, nest& n) : lowering_levels(s, n)
    {
        for (int t = 0; t < tensors(); ++t) add_buffer(t);
        for (int st = 0; st < stages(); ++st) add_variables(st);
    }
};

stage_plan guarded_plan()
{
    stage_plan p;
    p.add(axis_i, 4, binding::parallel, tail::guard).add(axis_t, 1).add(axis_i, 1, binding::unroll);
    return p;
}

status fault_of(const stage_plan& p)
{
    nest n;
    const schedule s = planned(three_taps(), p);
    opened_levels{s, n};
    return n.found;
}

} // namespace

TEST_CASE("the worked example is what levels say")
{
    nest n;
    const schedule s = planned(three_taps(), guarded_plan());
    const opened_levels own(s, n);
    REQUIRE(n.ok());
    std::string table;
    for (int l = 0; l < 3; ++l) {
        const variable& v = n.variables[static_cast<std::size_t>(own.variable_of(0, l))];
        std::int64_t step = 0;
        for (const int a : {axis_i, axis_t})
            own.contributions(0, a, 1, 3, [&](int moved, std::int64_t by, int, int) {
                if (moved == own.variable_of(0, l)) step += by;
            });
        table += std::string{v.name} + '.' + std::to_string(v.level) + "  " + std::to_string(own.count_of(0, l)) +
                 " times  " + std::to_string(step) + '\n';
    }
    CHECK(examples_in("lower/levels.hpp").find(table) != std::string::npos);

    const dim_index& index = s.definition.stages[0].operands[0].index[0];
    CHECK(own.index_interval(0, index, nullptr) == interval{-1, 10});
    opened_levels::context c;
    CHECK(own.index_interval(0, index, &c) == interval{-1, 10});
    c.axes[axis_i].guarded = true;
    CHECK(own.index_interval(0, index, &c) == interval{-1, 12});
}

TEST_CASE("what is left of an axis is its extent less what the open levels have walked")
{
    nest n;
    const schedule s = planned(three_taps(), guarded_plan());
    opened_levels own(s, n);
    const affine none = own.rest_of(0, axis_i, 0), step = own.rest_of(0, axis_i, 0b001),
                 all = own.rest_of(0, axis_i, 0b101), taps = own.rest_of(0, axis_t, 0b111);
    for (std::int64_t outer = 0; outer < 3; ++outer)
        for (std::int64_t tap = 0; tap < 3; ++tap)
            for (std::int64_t inner = 0; inner < 4; ++inner) {
                const std::int64_t at[] = {outer, tap, inner};
                CHECK(value_of(n, none, at, nullptr) == 10);
                CHECK(value_of(n, step, at, nullptr) == 10 - 4 * outer);
                CHECK(value_of(n, all, at, nullptr) == 10 - 4 * outer - inner);
                CHECK(value_of(n, taps, at, nullptr) == 3 - tap);
            }
}

// Whatever the steps, the values of an axis are each below its extent met once, and those past it are none of its.
TEST_CASE("levels reach each value of an axis once")
{
    for (const std::vector<int>& steps : {std::vector{1}, {4, 1}, {3, 1}, {10, 1}, {6, 2, 1}, {8, 4, 2, 1}}) {
        stage_plan p;
        p.add(axis_t, 1);
        for (const int step : steps) p.add(axis_i, step, binding::serial, tail::guard);
        nest n;
        const schedule s = planned(three_taps(), p);
        const opened_levels own(s, n);
        REQUIRE(n.ok());
        std::vector<std::int64_t> values{0};
        own.contributions(0, axis_i, 1, static_cast<int>(p.levels.size()), [&](int, std::int64_t by, int, int l) {
            std::vector<std::int64_t> more;
            for (const std::int64_t v : values)
                for (std::int64_t i = 0; i < own.count_of(0, l); ++i) more.push_back(v + i * by);
            values = more;
        });
        for (std::int64_t v = 0; v < 10; ++v) CHECK(std::count(values.begin(), values.end(), v) == 1);
    }
}

TEST_CASE("a level of one iteration moves nothing; one of a reduction is known as such")
{
    stage_plan p;
    p.add(axis_i, 10).add(axis_t, 1).add(axis_i, 1);
    nest n;
    const schedule s = planned(three_taps(), p);
    const opened_levels own(s, n);
    CHECK(own.trivial(0, 0));
    CHECK_FALSE(own.trivial(0, 2));
    CHECK_FALSE(own.is_reduction(0, 0));
    CHECK(own.is_reduction(0, 1));
    CHECK_FALSE(own.is_apart(0, 1));
    std::vector<int> moved;
    own.contributions(0, axis_i, 1, 3, [&](int, std::int64_t, int, int l) { moved.push_back(l); });
    CHECK(moved == std::vector<int>{2});
}

// A stage that copies x of a tile: its axis begins where the tile stands, and its memory does not move with it.
TEST_CASE("an attached stage stands where the levels around it are")
{
    definition d = three_taps();
    tensor row{.name = "row", .memory = memory::slot};
    row.dims.push_back({.extent = 6});
    const auto t = static_cast<std::int8_t>(d.tensors.push_back(row));
    stage copy{.name = "copy"};
    copy.axes.push_back({"r", 6});
    copy.operands.push_back(d.stages[0].operands[0]);
    copy.operands[0].index[0] = along(0, 1, -1);
    copy.body = ex::load(0);
    copy.output.tensor = t;
    copy.output.index.push_back(along(0));
    d.stages.push_back(copy);

    schedule s = planned(d, guarded_plan());
    stage_plan q;
    q.add(0, 1);
    q.attach = {0, 1}; // inside i.0
    q.base.push_back(along(axis_i));
    s.plans.push_back(q);
    nest n;
    const opened_levels own(s, n);
    REQUIRE(n.ok());
    CHECK(own.has_base(1, 0));
    CHECK_FALSE(own.has_base(0, axis_i));
    std::vector<std::int64_t> steps;
    own.contributions(1, 0, 1, 1, [&](int v, std::int64_t by, int, int) {
        steps.push_back(v);
        steps.push_back(by);
    });
    CHECK(steps == std::vector<std::int64_t>{own.variable_of(0, 0), 4, own.variable_of(1, 0), 1});
    CHECK(own.is_outside(t, 0, 0)); // i.0 does not move the row
    CHECK_FALSE(own.is_outside(t, 0, 2));
    CHECK_FALSE(own.is_outside(0, 0, 0)); // x is the caller's
    CHECK(n.buffers[static_cast<std::size_t>(t)].elements.constant == 6);
    CHECK(n.buffers[2].position == 2);
}

TEST_CASE("levels that are none are named")
{
    stage_plan p = guarded_plan();
    CHECK(fault_of(p).ok());
    p.levels[0].axis = 2;
    CHECK(fault_of(p).what == fault::axis_unknown);
    p = guarded_plan();
    p.levels[0].step = 0;
    CHECK(fault_of(p).what == fault::factor_not_positive);
    p = guarded_plan();
    p.levels[2].step = 2; // i ends in steps of 2
    CHECK(fault_of(p).what == fault::axis_not_covered);
    CHECK(std::string{fault_of(p).subject} == "i");
    p = guarded_plan();
    p.levels[1].bind = binding::parallel;
    CHECK(fault_of(p).what == fault::reduction_parallel);
    p = guarded_plan();
    p.levels[1].bind = binding::vectorize;
    CHECK(fault_of(p).what == fault::reduction_not_apart);
    p = guarded_plan();
    p.levels[0].bind = binding::vectorize;
    CHECK(fault_of(p).what == fault::vector_level_not_innermost);
    p = guarded_plan();
    p.attach = {0, 0}; // to itself
    CHECK(fault_of(p).what == fault::attach_unknown);
}
