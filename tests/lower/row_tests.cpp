// SPDX-License-Identifier: BSL-1.0
// Tests of a tile's rows: guards of opposite conditions, and a body for as many rows as are inside.
#include <hone/lower/row_tests.hpp>

#include <string>

#include <doctest/doctest.h>

#include <hone/ir/check.hpp>
#include <hone/ir/print.hpp>
#include <hone/lower/lower.hpp>

#include "lower/worked_example.hpp"

using namespace hone;
using namespace hone::schedules;
using namespace hone::test;

namespace {

stage_plan tested_plan()
{
    stage_plan p;
    p.add(axis_i, 2, binding::parallel).open_tile();
    p.add(axis_t, 1, binding::serial, tail::exact, border::test).add(axis_i, 1, binding::unroll);
    return p;
}

} // namespace

TEST_CASE("the worked example is what is lowered")
{
    const std::string text = print(lower(planned(three_taps(), tested_plan())));
    const std::string nodes = text.substr(text.find("parallel"));
    INFO(nodes);
    CHECK(examples_in("lower/row_tests.hpp").find(nodes) != std::string::npos);
}

TEST_CASE("a body is made for no rows that cannot be: one beside others in the image, or none")
{
    // Rows of each body of the worked example with tiles of so many, and "?" where leaves test the taps.
    const auto bodies = [](std::int64_t rows) {
        stage_plan p;
        p.add(axis_i, rows, binding::parallel, tail::guard).open_tile();
        p.add(axis_t, 1, binding::serial, tail::exact, border::test).add(axis_i, 1, binding::unroll);
        const std::string text = print(lower(planned(three_taps(), p)));
        std::string found;
        const std::string sums = "acc[i.1] +=", loop = "unroll i.1 in ";
        for (std::size_t at = text.find(sums); at != std::string::npos; at = text.find(sums, at + 1)) {
            const std::size_t from = text.rfind(loop, at) + loop.size();
            const std::string between = text.substr(from, at - from);
            found += between.substr(0, between.find('\n')) + (between.find("t.0") == std::string::npos ? " " : "? ");
        }
        return found;
    };
    CHECK(bodies(2) == "[0, 2) [0, 1) [1, 2) ");
    CHECK(bodies(3) == "[0, 3) [0, 2) [0, 1) [1, 3) [2, 3) [0, 3)? ");
    CHECK(bodies(4) == "[0, 4) [0, 3) [0, 2) [0, 1) [1, 4) [2, 4) [0, 4)? [0, 4)? ");
}
