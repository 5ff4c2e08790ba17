// SPDX-License-Identifier: BSL-1.0
// The CPU has a group for each instruction set that this machine has, whose compiler it asks for; of others it says so.
#include <string>
#include <vector>

#include <doctest/doctest.h>

#include <hone/tune/cpu/backend.hpp>

#include "tuner_rig.hpp"

using namespace hone;
using namespace hone::test;

TEST_CASE("a group has the builder of its set, and a tuning for each workload that is wanted")
{
    const folder at;
    static_cast<void>(tiny_builder(at)); // its header
    const tune::tuner_options options{.sets = {isa::baseline, isa::neon},
                                      .compiler_command = "c++",
                                      .include_directories = {include_directory(), at.path().string()},
                                      .headers = {"tiny.hpp"}};
    const tune::tuning_environment environment{.work_directory = at.path() / "work"};
    const tune::task task = tune::task_of<tiny>("tiny", "tiny");
    std::vector<std::string> said;
    const tune::tuner_run run{options, environment, {&task}, [&](const std::string& line) { said.push_back(line); }};
    const auto groups = tune::cpu_that_tunes.groups(run);
    const std::size_t here = runs_here(isa::neon) ? 2 : 1;
    REQUIRE(groups.size() == here);
    CHECK(said.size() == 2 - here);
    REQUIRE(groups[0].tunings.size() == 1);
    CHECK(groups[0].build->name() == "c++");
    CHECK(groups[0].tunings[0]->target() == "baseline");
    CHECK(groups[0].tunings[0]->standard_source().has_value());
    CHECK(std::any_of(groups[0].headers.begin(), groups[0].headers.end(),
                      [](const std::string& path) { return path.ends_with("/tiny.hpp"); }));
}

TEST_CASE("a compiler that is not there is named")
{
    const tune::tuner_options options{.sets = {isa::baseline}, .compiler_command = "no-such-compiler"};
    const tune::tuning_environment environment{};
    const tune::tuner_run run{options, environment, {}, [](const std::string&) {}};
    CHECK_THROWS_WITH(tune::cpu_that_tunes.groups(run), doctest::Contains("no-such-compiler"));
    CHECK_FALSE(tune::cpu_that_tunes.device({}).has_value());
}
