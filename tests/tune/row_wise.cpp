// SPDX-License-Identifier: BSL-1.0
// Softmax and normalisations are searched, verified and measured.
#include <cstdlib>
#include <filesystem>
#include <string>

#include <doctest/doctest.h>

#include <hone/tune/cpu/tuning.hpp>
#include <hone/tune/tuner.hpp>
#include <hone/tune/workload_list.hpp>

#include "normalised.hpp"
#include "tuned_operator.hpp"

using namespace hone;
using namespace hone::tune;
using namespace hone::test;

TEST_CASE("measure rows in a child" * doctest::skip())
{
    std::exit(tune::measure_cpu_child(nlohmann::json::parse(tune::read_job())));
}

namespace {

constexpr const char* child = "measure rows in a child";

} // namespace

TEST_CASE_TEMPLATE("softmax and normalisations are tuned", Op, normalised::shares, normalised::layer, normalised::root,
                   normalised::apart)
{
    const std::string name = std::is_same_v<Op, normalised::shares>  ? "shares"
                             : std::is_same_v<Op, normalised::layer> ? "layer"
                             : std::is_same_v<Op, normalised::root>  ? "root"
                                                                     : "apart";
    check_tuned<Op>("normalised.hpp", "normalised", name, child);
}

TEST_CASE("rows as many and as long as calls give are tuned at what is typical, and listed in a header")
{
    for (const tune::record& r :
         check_tuned<normalised::any_shares>("normalised.hpp", "normalised", "any_shares", child))
        CHECK(r.typical == "rows=12 n=100");

    const folder at;
    const tune::tuner_options o{
        .name = "tuned",
        .header = at.path() / "tuned.hpp",
        .records = at.path() / "records.jsonl",
        .work_directory = at.path() / "work",
        .lock = at.path() / "lock",
        .mode = tune::tuning_mode::missing,
        .budget = 240,
        .trials = 2,
        .cache = tune::cache_mode::hot,
        .backends = {"cpu"},
        .sets = {isa::baseline},
        .compiler_command = "c++",
        .include_directories = {include_directory(),
                                std::filesystem::path(__FILE__).parent_path().parent_path().string()},
        .headers = {"normalised.hpp"}};
    const auto tasks = tune::tasks_of<normalised::any_rows>("normalised::any_rows");
    const auto result = tune::tuner(o, tasks, environment_of(at, child).self).run();
    CHECK(result.without_entry == 0);
    CHECK(result.trials == 4);
    const std::string header = text_of_file(at / "tuned.hpp");
    for (const char* text : {"any_shares at rows=12 n=100, ", "any_layer at rows=7 n=96, ",
                             "softmax rows<=30 n<=200 f32", "layer_norm rows<=30 n<=200 "})
        CHECK_MESSAGE(header.find(text) != std::string::npos, text);
}
