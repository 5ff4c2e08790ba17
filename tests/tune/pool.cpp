// SPDX-License-Identifier: BSL-1.0
// Pools and element-wise operators are searched, verified and measured.
#include <cstdlib>
#include <filesystem>
#include <string>

#include <doctest/doctest.h>

#include <hone/tune/cpu/tuning.hpp>

#include "pooled.hpp"
#include "tuner_rig.hpp"

using namespace hone;
using namespace hone::test;
using tune::verdict;

TEST_CASE("measure pools in a child" * doctest::skip())
{
    std::exit(tune::measure_cpu_child(nlohmann::json::parse(tune::read_job())));
}

TEST_CASE_TEMPLATE("pools and what becomes of each element are tuned", Op, pooled::largest, pooled::mean, pooled::apart,
                   pooled::all, pooled::scaled)
{
    const folder at;
    const isa set = cpu();
    tune::builder build(tune::find_compiler("c++", set),
                        {.directory = at.path() / "work",
                         .include_directories = {include_directory(),
                                                 std::filesystem::path(__FILE__).parent_path().parent_path().string()},
                         .headers = {"pooled.hpp"}});
    const tune::tuning_environment environment{.self = {std::filesystem::read_symlink("/proc/self/exe").string(),
                                                        "--no-skip", "--test-case=measure pools in a child"},
                                               .work_directory = at.path() / "work",
                                               .seed = 5};
    const std::string name = std::is_same_v<Op, pooled::largest> ? "largest"
                             : std::is_same_v<Op, pooled::mean>  ? "mean"
                             : std::is_same_v<Op, pooled::apart> ? "apart"
                             : std::is_same_v<Op, pooled::all>   ? "all"
                                                                 : "scaled";
    tune::cpu_tuning tuning(tune::task_of<Op>(name, "pooled::" + name), environment, build, set);
    turn(tuning, build, 3);
    tuning.compare();
    for (const tune::record& r : tuning.records()) {
        INFO(tune::line_of(r));
        CHECK(r.found == verdict::ok);
        CHECK(r.max_rel_error < 1e-5);
    }
    const tune::standing s = tuning.standing();
    CHECK(s.trials == 3);
    CHECK(s.chosen != nullptr);
    CHECK(s.standard != nullptr);
    CHECK(s.naive != nullptr);
}
