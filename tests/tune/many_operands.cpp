// SPDX-License-Identifier: BSL-1.0
// Operators of many tensors, or few, are searched, verified and measured: such whose calls give tensors that have no
// member of their own, and of three weights or none.
#include <cstdlib>
#include <filesystem>
#include <string>

#include <doctest/doctest.h>

#include <hone/tune/cpu/tuning.hpp>

#include "many_operands.hpp"
#include "tuner_rig.hpp"

using namespace hone;
using namespace hone::test;
using tune::verdict;

TEST_CASE("measure operators of many operands in a child" * doctest::skip())
{
    std::exit(tune::measure_cpu_child(nlohmann::json::parse(tune::read_job())));
}

TEST_CASE_TEMPLATE("a folded batch norm, two residuals, a gate or activations, three weights and none are tuned", Op,
                   many::product, many::layer, many::activated, many::mixed, many::pool, many::shifted,
                   many::difference)
{
    const folder at;
    const isa set = cpu();
    tune::builder build(tune::find_compiler("c++", set),
                        {.directory = at.path() / "work",
                         .include_directories = {include_directory(),
                                                 std::filesystem::path(__FILE__).parent_path().parent_path().string()},
                         .headers = {"many_operands.hpp"}});
    const tune::tuning_environment environment{.self = {std::filesystem::read_symlink("/proc/self/exe").string(),
                                                        "--no-skip",
                                                        "--test-case=measure operators of many operands in a child"},
                                               .work_directory = at.path() / "work",
                                               .seed = 5};
    const std::string stage = Op::definition().stages[0].name;
    const std::string name = std::is_same_v<Op, many::product>     ? "product"
                             : std::is_same_v<Op, many::layer>     ? "layer"
                             : std::is_same_v<Op, many::activated> ? "activated"
                                                                   : stage;
    tune::cpu_tuning tuning(tune::task_of<Op>(name, "many::" + name), environment, build, set);
    turn(tuning, build, 3);
    tuning.compare();
    for (const tune::record& r : tuning.records()) {
        INFO(tune::line_of(r));
        CHECK(r.found == verdict::ok);
        CHECK(r.max_rel_error < 1e-4);
    }
    const tune::standing s = tuning.standing();
    CHECK(s.trials == 3);
    CHECK(s.chosen != nullptr);
    CHECK(s.standard != nullptr);
    CHECK(s.naive != nullptr);
}
