// SPDX-License-Identifier: BSL-1.0
// Pools and element-wise operators are searched, verified and measured.
#include <cstdlib>
#include <string>

#include <doctest/doctest.h>

#include <hone/tune/cpu/tuning.hpp>

#include "pooled.hpp"
#include "tuned_operator.hpp"

using namespace hone;
using namespace hone::operators;
using namespace hone::test;

TEST_CASE("measure pools in a child" * doctest::skip())
{
    std::exit(tune::measure_cpu_child(nlohmann::json::parse(tune::read_job())));
}

TEST_CASE_TEMPLATE("pools and what becomes of each element are tuned", Op, pooled::largest, pooled::mean, pooled::apart,
                   pooled::all, pooled::scaled)
{
    const std::string name = std::is_same_v<Op, pooled::largest> ? "largest"
                             : std::is_same_v<Op, pooled::mean>  ? "mean"
                             : std::is_same_v<Op, pooled::apart> ? "apart"
                             : std::is_same_v<Op, pooled::all>   ? "all"
                                                                 : "scaled";
    check_tuned<Op>("pooled.hpp", "pooled", name, "measure pools in a child");
}
