// SPDX-License-Identifier: BSL-1.0
// Operators of many tensors, or few, are searched, verified and measured: such whose calls give tensors that have no
// member of their own, and of three weights or none.
#include <cstdlib>
#include <string>

#include <doctest/doctest.h>

#include <hone/tune/cpu/tuning.hpp>

#include "many_operands.hpp"
#include "tuned_operator.hpp"

using namespace hone;
using namespace hone::test;

TEST_CASE("measure operators of many operands in a child" * doctest::skip())
{
    std::exit(tune::measure_cpu_child(nlohmann::json::parse(tune::read_job())));
}

TEST_CASE_TEMPLATE("a folded batch norm, two residuals, a gate or activations, three weights and none are tuned", Op,
                   many::product, many::layer, many::activated, many::mixed, many::pool, many::shifted,
                   many::difference)
{
    const std::string stage = Op::definition().stages[0].name;
    const std::string name = std::is_same_v<Op, many::product>     ? "product"
                             : std::is_same_v<Op, many::layer>     ? "layer"
                             : std::is_same_v<Op, many::activated> ? "activated"
                                                                   : stage;
    check_tuned<Op>("many_operands.hpp", "many", name, "measure operators of many operands in a child", 1e-4);
}
