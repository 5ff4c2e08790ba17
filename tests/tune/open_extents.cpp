// SPDX-License-Identifier: BSL-1.0
// Workloads whose extents each call gives: tuned at what is typical of them, with the parameters open, and right at
// other values; a library finds the entries by their signatures.
#include <algorithm>
#include <cstdlib>
#include <fstream>
#include <string>
#include <vector>

#include <doctest/doctest.h>

#include <hone/tune/tuner.hpp>
#include <hone/tune/workload_list.hpp>

#include "open_extents.hpp"
#include "tuned_operator.hpp"

using namespace hone;
using namespace hone::test;
using tune::verdict;

TEST_CASE("measure open extents in a child" * doctest::skip())
{
    std::exit(tune::measure_cpu_child(nlohmann::json::parse(tune::read_job())));
}

namespace {

constexpr const char* open_child = "measure open extents in a child";

std::string folder_of_tests() { return std::filesystem::path(__FILE__).parent_path().parent_path().string(); }

tune::tuner_options open_options(const folder& at, tune::tuning_mode mode)
{
    return {.name = "tuned",
            .header = at.path() / "tuned.hpp",
            .records = at.path() / "records.jsonl",
            .work_directory = at.path() / "work",
            .lock = at.path() / "lock",
            .mode = mode,
            .budget = 240,
            .trials = 4,
            .cache = tune::cache_mode::hot,
            .backends = {"cpu"},
            .sets = {isa::baseline},
            .compiler_command = "c++",
            .include_directories = {include_directory(), folder_of_tests()},
            .headers = {"open_extents.hpp"}};
}
std::vector<tune::task> open_tasks() { return tune::tasks_of<open_extents::layers>("open_extents::layers"); }

} // namespace

TEST_CASE("a product that leaves all open, rows, images and elements are tuned at what is typical of calls")
{
    for (const tune::record& r :
         check_tuned<open_extents::product>("open_extents.hpp", "open_extents", "product", open_child, 1e-5, 4))
        CHECK(r.typical == "m=11 n=32 k=18 ldx=18 ldy=36");
    for (const tune::record& r :
         check_tuned<open_extents::images>("open_extents.hpp", "open_extents", "images", open_child))
        CHECK(r.typical == "n=2");
    for (const tune::record& r :
         check_tuned<open_extents::windows>("open_extents.hpp", "open_extents", "windows", open_child))
        CHECK(r.typical == "h=9 w=7 ic=5 oc=24 kh=3 kw=3 stride_h=1 stride_w=1 pad_top=1 pad_left=1 pad_bottom=1 "
                           "pad_right=1 dilation_h=1 dilation_w=1");
    for (const tune::record& r :
         check_tuned<open_extents::groups>("open_extents.hpp", "open_extents", "groups", open_child))
        CHECK(r.typical == "h=9 w=7 ic=12 oc=24 kh=3 kw=3 stride_h=1 stride_w=1 pad_top=1 pad_left=1 pad_bottom=1 "
                           "pad_right=1 dilation_h=1 dilation_w=1 groups=3");
    for (const tune::record& r :
         check_tuned<open_extents::elements>("open_extents.hpp", "open_extents", "elements", open_child))
        CHECK(r.typical == "h=5 w=7 c=24");
}

TEST_CASE("transposed convolutions that leave all open, or all but the window, are tuned at what is typical of calls")
{
    for (const tune::record& r :
         check_tuned<open_extents::spread>("open_extents.hpp", "open_extents", "spread", open_child))
        CHECK(r.typical == "h=5 w=7 ic=5 oc=24 kh=4 kw=4 stride_h=2 stride_w=2 pad_top=1 pad_left=1 oh=10 ow=14");
    for (const tune::record& r :
         check_tuned<open_extents::smooth>("open_extents.hpp", "open_extents", "smooth", open_child))
        CHECK(r.typical == "h=5 w=7 ic=5 oc=24");
}

TEST_CASE("pools that leave all open are tuned at what is typical of calls")
{
    for (const tune::record& r :
         check_tuned<open_extents::largest>("open_extents.hpp", "open_extents", "largest", open_child))
        CHECK(r.typical == "h=9 w=7 c=24 kh=3 kw=3 stride_h=1 stride_w=1 pad_top=1 pad_left=1 pad_bottom=1 pad_right=1 "
                           "dilation_h=1 dilation_w=1");
    for (const tune::record& r :
         check_tuned<open_extents::means>("open_extents.hpp", "open_extents", "means", open_child))
        CHECK(r.typical.find("kh=3 kw=3 stride_h=1 stride_w=1 pad_top=1") != std::string::npos);
    for (const tune::record& r :
         check_tuned<open_extents::whole_images>("open_extents.hpp", "open_extents", "whole_images", open_child))
        CHECK(r.typical == "h=5 w=6 c=10");
}

TEST_CASE("a tuner leaves no open workload out, and measures anew where other values are typical")
{
    const folder at;
    const tune::tuner_options o = open_options(at, tune::tuning_mode::missing);
    const auto tasks = open_tasks();
    CHECK(tasks[0].flops() == 2.0 * 29 * 24 * 17);
    const auto result = tune::tuner(o, tasks, environment_of(at, open_child).self).run();
    CHECK(result.without_entry == 0);
    CHECK(result.trials == 8);
    const auto count = [&](const char* typical) {
        const auto all = tune::read_records(o.records.string()).records;
        return std::count_if(all.begin(), all.end(), [&](const tune::record& r) {
            CHECK(r.found == verdict::ok);
            return r.typical == typical && r.phase == "search";
        });
    };
    CHECK(count("m=29") == 4);
    CHECK(count("n=2") == 4);
    const std::string header = text_of_file(at / "tuned.hpp");
    CHECK(header.find("rows at m=29, ") != std::string::npos);
    for (const char* signature : {"gemm b1 m<=60 n24 k17 ldx0 ldw0 ldy0 f32 bias relu", "conv2d n<=5 h9 w7 "})
        CHECK(header.find(signature) != std::string::npos);

    // What is known is not measured again; of other values nothing is.
    CHECK(tune::tuner(o, tasks, environment_of(at, open_child).self).run().trials == 0);
    auto others = tasks;
    others[0].definition.parameters[0].typical = 3;
    const auto again = tune::tuner(o, others, environment_of(at, open_child).self).run();
    CHECK(again.trials == 4);
    CHECK(count("m=3") == 4);
    CHECK(text_of_file(at / "tuned.hpp").find("rows at m=3, ") != std::string::npos);
    // The header is of what is typical of the workloads today, in whatever order records stand.
    tune::tuner_options replay = open_options(at, tune::tuning_mode::replay);
    tune::tuner(replay, tasks, environment_of(at, open_child).self).run();
    CHECK(text_of_file(at / "tuned.hpp") == header);
}

TEST_CASE("a kernel that is right at what is typical alone is found out, and the others are not")
{
    const folder at;
    // planted: wrong where a call gives another number of rows than the typical one.
    std::ofstream(at / "planted.hpp") << R"(#pragma once
#include <hone/cpu/kernel.hpp>
#include <open_extents.hpp>
struct planted : open_extents::rows {};
template <class Configs, hone::isa Set, int Threads>
struct hone::calls::kernel<planted, Configs, Set, Threads>
    : hone::calls::kernel<open_extents::rows, Configs, Set, Threads> {
    template <class Executor>
    static hone::status run(Executor& executor, const hone::arguments& a) noexcept
    {
        const hone::status s = hone::calls::kernel<open_extents::rows, Configs, Set, Threads>::run(executor, a);
        if (a.parameters[0] != 29) a.y.as<float>()[0] += 1;
        return s;
    }
};
)";
    const isa set = hone::cpu();
    tune::builder build(tune::find_compiler("c++", set),
                        {.directory = at.path() / "work",
                         .include_directories = {include_directory(), folder_of_tests(), at.path()},
                         .headers = {"planted.hpp"}});
    const tune::tuning_environment environment = environment_of(at, open_child);
    for (const bool is_planted : {false, true}) {
        CAPTURE(is_planted);
        tune::cpu_tuning tuning(
            tune::task_of<open_extents::rows>("rows", is_planted ? "planted" : "open_extents::rows"), environment,
            build, set);
        tune::record r = tiny_record(1);
        r.template_name = direct::name;
        r.knobs = tune::settings_of(direct_knobs{.rows = 6, .vectors = 1});
        CHECK(tuning.verify_at(r, {29}).found == verdict::ok);
        for (const tune::call_values& given : tune::other_calls(tuning.task().definition)) {
            const tune::measurement m = tuning.verify_at(r, given);
            CAPTURE(given[0]);
            CAPTURE(m.detail);
            CHECK(m.found == (is_planted ? verdict::wrong_result : verdict::ok));
        }
        // Its columns and its sums are odd on the twin, and rows are open there, too.
        if (!is_planted) CHECK(tuning.verify_on_twin(r).found == verdict::ok);
    }
}

TEST_CASE("typical values that do not fit each other are refused before anything is measured")
{
    struct crossed
        : gemm<gemm_shape{
                   .m = 8, .n = 8, .k = extent::up_to(60).typically(50), .ldx = leading::at_call().typically(40)},
               f32> {};
    CHECK_THROWS_WITH_AS(tune::tasks_of<workloads<crossed>>("list"),
                         doctest::Contains("a value that is named as typical is none that a call can give"),
                         std::invalid_argument);
}
