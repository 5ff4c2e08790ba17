// SPDX-License-Identifier: BSL-1.0
// Operators that write several tensors are searched, verified, output by output, and measured.
#include <cstdlib>
#include <filesystem>
#include <string>
#include <type_traits>

#include <doctest/doctest.h>

#include <hone/lower/lower.hpp>
#include <hone/model/features.hpp>
#include <hone/schedule/direct.hpp>
#include <hone/tune/cpu/tuning.hpp>

#include "further_outputs.hpp"
#include "tuner_rig.hpp"

using namespace hone;
using namespace hone::test;
using tune::verdict;

TEST_CASE("measure operators of several outputs in a child" * doctest::skip())
{
    std::exit(tune::measure_cpu_child(nlohmann::json::parse(tune::read_job())));
}

TEST_CASE_TEMPLATE("what an epilogue keeps, three outputs, and two layouts of no weights are tuned", Op, further::kept,
                   further::thrice, further::layer, further::planes)
{
    const folder at;
    const isa set = cpu();
    tune::builder build(tune::find_compiler("c++", set),
                        {.directory = at.path() / "work",
                         .include_directories = {include_directory(),
                                                 std::filesystem::path(__FILE__).parent_path().parent_path().string()},
                         .headers = {"further_outputs.hpp"}});
    const tune::tuning_environment environment{.self = {std::filesystem::read_symlink("/proc/self/exe").string(),
                                                        "--no-skip",
                                                        "--test-case=measure operators of several outputs in a child"},
                                               .work_directory = at.path() / "work",
                                               .seed = 5};
    const std::string name = std::is_same_v<Op, further::kept>     ? "kept"
                             : std::is_same_v<Op, further::thrice> ? "thrice"
                             : std::is_same_v<Op, further::layer>  ? "layer"
                                                                   : "planes";
    tune::cpu_tuning tuning(tune::task_of<Op>(name, "further::" + name), environment, build, set);
    turn(tuning, build, 3);
    tuning.compare();
    for (const tune::record& r : tuning.records()) {
        INFO(tune::line_of(r));
        CHECK(r.found == verdict::ok);
        CHECK(r.max_rel_error < 1e-5);
    }
    const tune::standing s = tuning.standing();
    CHECK(s.trials == 3);
    REQUIRE(s.chosen != nullptr);
    CHECK(s.standard != nullptr);
    CHECK(s.naive != nullptr);
}

TEST_CASE("a cost model sees all that is written")
{
    const auto output_bytes = [](const definition& d) {
        const nest n = lower(direct_schedule(d, {.rows = 4, .vectors = 1}, isa::baseline));
        REQUIRE(n.ok());
        feature_vector f;
        features_of(n, f);
        return f(nest_feature::output_bytes);
    };
    const double y = 4.0 * 13 * 40;
    CHECK(output_bytes(gemm<further::shape, f32>::definition()) == feature_log2(y));
    CHECK(output_bytes(further::kept::definition()) == feature_log2(2 * y));
    CHECK(output_bytes(further::thrice::definition()) == feature_log2(3 * y));
}
