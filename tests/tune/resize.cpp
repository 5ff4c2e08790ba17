// SPDX-License-Identifier: BSL-1.0
// Resized images are searched, verified and measured.
#include <cstdlib>
#include <string>

#include <doctest/doctest.h>

#include <hone/tune/cpu/tuning.hpp>

#include "resized.hpp"
#include "tuned_operator.hpp"

using namespace hone;
using namespace hone::operators;
using namespace hone::test;

TEST_CASE("measure resized images in a child" * doctest::skip())
{
    std::exit(tune::measure_cpu_child(nlohmann::json::parse(tune::read_job())));
}

TEST_CASE_TEMPLATE("resized images are tuned", Op, resized::between, resized::heads, resized::nearest)
{
    const std::string name = std::is_same_v<Op, resized::between> ? "between"
                             : std::is_same_v<Op, resized::heads> ? "heads"
                                                                  : "nearest";
    check_tuned<Op>("resized.hpp", "resized", name, "measure resized images in a child");
}

TEST_CASE_TEMPLATE("images of sizes that calls give are tuned at what is typical", Op, resized::any_between,
                   resized::any_nearest)
{
    const std::string name = std::is_same_v<Op, resized::any_between> ? "any_between" : "any_nearest";
    for (const tune::record& r : check_tuned<Op>("resized.hpp", "resized", name, "measure resized images in a child"))
        CHECK(r.typical == "h=7 w=9 c=20 oh=13 ow=18");
}
