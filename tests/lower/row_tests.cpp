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
