// SPDX-License-Identifier: BSL-1.0
// Softmax and normalisations are searched, verified and measured.
#include <cstdlib>
#include <string>

#include <doctest/doctest.h>

#include <hone/tune/cpu/tuning.hpp>

#include "normalised.hpp"
#include "tuned_operator.hpp"

using namespace hone;
using namespace hone::tune;
using namespace hone::test;

TEST_CASE("measure rows in a child" * doctest::skip())
{
    std::exit(tune::measure_cpu_child(nlohmann::json::parse(tune::read_job())));
}

TEST_CASE_TEMPLATE("softmax and normalisations are tuned", Op, normalised::shares, normalised::layer, normalised::root,
                   normalised::apart)
{
    const std::string name = std::is_same_v<Op, normalised::shares>  ? "shares"
                             : std::is_same_v<Op, normalised::layer> ? "layer"
                             : std::is_same_v<Op, normalised::root>  ? "root"
                                                                     : "apart";
    check_tuned<Op>("normalised.hpp", "normalised", name, "measure rows in a child");
}
