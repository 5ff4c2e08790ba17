// SPDX-License-Identifier: BSL-1.0
// Loops of a stage: which iterations the loops of one level have, as its tail and border say.
#include <hone/lower/loops.hpp>

#include <string>
#include <utility>
#include <vector>

#include <doctest/doctest.h>

#include <hone/ir/interpret.hpp>
#include <hone/lower/lower.hpp>

#include "lower/worked_example.hpp"

using namespace hone;
using namespace hone::schedules;
using namespace hone::test;

namespace {

using iterations = std::vector<std::pair<std::int64_t, std::int64_t>>;

// First and last iteration + 1 of each loop that a level of i gets, in the order of the nest.
iterations loops_of_i(std::int64_t step, tail t, border b = border::none)
{
    stage_plan p;
    p.add(axis_i, step, binding::serial, t, b).add(axis_t, 1).open_tile().add(axis_i, 1, binding::unroll);
    const nest n = lower(planned(three_taps(), p));
    REQUIRE_MESSAGE(n.ok(), std::string{n.found.message()});
    const int level = 0;
    iterations all;
    for (const node& x : n.nodes)
        if (x.kind == node_kind::loop && x.variable == level)
            all.push_back({lower_of(n, x, nullptr, nullptr), upper_of(n, x, nullptr, nullptr)});
    return all;
}

} // namespace

TEST_CASE("steps that divide an axis are one loop, and a rest is a sibling, a bound or a guard")
{
    CHECK(loops_of_i(5, tail::exact) == iterations{{0, 2}});
    CHECK(loops_of_i(4, tail::peel) == iterations{{0, 2}, {2, 3}});
    CHECK(loops_of_i(4, tail::guard) == iterations{{0, 3}});
    CHECK(loops_of_i(4, tail::bound) == iterations{{0, 3}});
}

TEST_CASE("steps that touch padding stand beside those that do not")
{
    // x[-1] is read at i = 0, x[10] at i = 9.
    CHECK(loops_of_i(1, tail::exact, border::peel) == iterations{{0, 1}, {1, 9}, {9, 10}});
    CHECK(loops_of_i(2, tail::exact, border::peel) == iterations{{0, 1}, {1, 4}, {4, 5}});
    CHECK(loops_of_i(1, tail::exact, border::none) == iterations{{0, 10}});
}

TEST_CASE("a rest that a level may not have is named")
{
    stage_plan p;
    p.add(axis_i, 4).add(axis_t, 1).open_tile().add(axis_i, 1, binding::unroll);
    const nest n = lower(planned(three_taps(), p));
    CHECK(n.found.what == fault::factor_does_not_divide);
    CHECK(n.found.expected == 10);
    CHECK(n.found.found == 4);
    CHECK(std::string{n.found.subject} == "i");
}
