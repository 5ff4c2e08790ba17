// SPDX-License-Identifier: BSL-1.0
// Recurrent cells are searched, verified, both outputs of them, and measured.
#include <cstdlib>
#include <string>
#include <type_traits>

#include <doctest/doctest.h>

#include <hone/tune/cpu/tuning.hpp>

#include "cells.hpp"
#include "tuned_operator.hpp"

using namespace hone;
using namespace hone::tune;
using namespace hone::test;

TEST_CASE("measure cells in a child" * doctest::skip())
{
    std::exit(tune::measure_cpu_child(nlohmann::json::parse(tune::read_job())));
}

TEST_CASE_TEMPLATE("recurrent cells are tuned", Op, recurrent_cells::lstm, recurrent_cells::gru)
{
    const std::string name = std::is_same_v<Op, recurrent_cells::lstm> ? "lstm" : "gru";
    check_tuned<Op>("cells.hpp", "recurrent_cells", name, "measure cells in a child");
}
