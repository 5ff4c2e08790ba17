// SPDX-License-Identifier: BSL-1.0
// Products of two activations are searched, verified and measured.
#include <cstdlib>
#include <string>
#include <type_traits>

#include <doctest/doctest.h>

#include <hone/tune/cpu/tuning.hpp>

#include "attention.hpp"
#include "tuned_operator.hpp"

using namespace hone;
using namespace hone::tune;
using namespace hone::test;

TEST_CASE("measure products in a child" * doctest::skip())
{
    std::exit(tune::measure_cpu_child(nlohmann::json::parse(tune::read_job())));
}

TEST_CASE_TEMPLATE("the products of attention are tuned", Op, attention::scores, attention::context,
                   attention::next_scores, attention::next_context)
{
    const std::string name = std::is_same_v<Op, attention::scores>        ? "scores"
                             : std::is_same_v<Op, attention::context>     ? "context"
                             : std::is_same_v<Op, attention::next_scores> ? "next_scores"
                                                                          : "next_context";
    check_tuned<Op>("attention.hpp", "attention", name, "measure products in a child");
}
