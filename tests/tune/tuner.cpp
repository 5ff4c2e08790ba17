// SPDX-License-Identifier: BSL-1.0
// A tuner from workloads to header: what it measures, what it leaves alone, how it goes on, and what it says of records
// that no longer hold.
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

#include <doctest/doctest.h>

#include <hone/tune/tuner.hpp>
#include <hone/tune/workload_list.hpp>

#include "tuner_rig.hpp"

using namespace hone;
using namespace hone::ir;
using namespace hone::test;
using tune::tuning_mode;
using tune::verdict;

TEST_CASE("measure for a tuner in a child" * doctest::skip())
{
    std::exit(tune::measure_cpu_child(nlohmann::json::parse(tune::read_job())));
}

namespace {

struct wide : gemm<gemm_shape{.m = 3, .n = 40, .k = 9}, f32> {};
using pair_of_gemms = workloads<tiny, wide>;

tune::child_command self()
{
    return {std::filesystem::read_symlink("/proc/self/exe").string(), "--no-skip",
            "--test-case=measure for a tuner in a child"};
}

tune::tuner_options options_in(const folder& at, tuning_mode mode, int trials)
{
    std::ofstream(at / "tiny.hpp") << "#pragma once\n#include <hone/op/gemm.hpp>\n#include <hone/op/workloads.hpp>\n"
                                      "struct tiny : hone::gemm<hone::gemm_shape{.m = 5, .n = 24, .k = 7}, hone::f32> "
                                      "{};\n"
                                      "struct wide : hone::gemm<hone::gemm_shape{.m = 3, .n = 40, .k = 9}, hone::f32> "
                                      "{};\n"
                                      "using pair_of_gemms = hone::workloads<tiny, wide>;\n";
    return {.name = "tuned",
            .header = at.path() / "tuned.hpp",
            .records = at.path() / "records.jsonl",
            .work_directory = at.path() / "work",
            .lock = at.path() / "lock",
            .mode = mode,
            .budget = 120,
            .trials = trials,
            .cache = tune::cache_mode::hot,
            .backends = {"cpu"},
            .sets = {isa::baseline},
            .compiler_command = "c++",
            .include_directories = {include_directory(), at.path().string()},
            .headers = {"tiny.hpp"}};
}
tune::tuner_result run(const tune::tuner_options& o)
{
    return tune::tuner(o, tune::tasks_of<pair_of_gemms>("pair_of_gemms"), self()).run();
}
std::vector<tune::record> records_in(const folder& at) { return tune::read_records(at / "records.jsonl").records; }
int count(const std::vector<tune::record>& records, const char* task, const char* phase, int run = 1)
{
    int n = 0;
    for (const tune::record& r : records) n += r.task == task && r.phase == phase && r.run == run;
    return n;
}

} // namespace

TEST_CASE("workloads of a list are tasks by name and type, each signature once")
{
    const auto tasks = tune::tasks_of<workloads<tiny, gemm<gemm_shape{.m = 2, .n = 3, .k = 4}, f32>>>("lists::mine");
    REQUIRE(tasks.size() == 2);
    CHECK(tasks[0].name == "tiny");
    CHECK(tasks[0].type == "hone::workload<lists::mine, 0>");
    CHECK(tasks[0].signature == tiny::signature().c_str());
    CHECK(tasks[1].name == "workload_1");
    struct twin : gemm<gemm_shape{.m = 5, .n = 24, .k = 7}, f32> {};
    using twins = workloads<tiny, twin>;
    CHECK_THROWS_WITH_AS(tune::tasks_of<twins>("twins"), doctest::Contains("remove one of them"),
                         std::invalid_argument);
}

TEST_CASE("a tuner measures, is content with what it has measured, goes on where more is asked for, and starts anew")
{
    const folder at;
    auto result = run(options_in(at, tuning_mode::missing, 5));
    CHECK_FALSE(result.interrupted);
    CHECK(result.without_entry == 0);
    auto records = records_in(at);
    for (const char* task : {"tiny", "wide"}) {
        CAPTURE(task);
        CHECK(count(records, task, "search") == 5);
        CHECK(count(records, task, "final") >= 2);
    }
    for (const tune::record& r : records) {
        INFO(tune::line_of(r));
        CHECK(r.found == verdict::ok);
        CHECK(r.max_rel_error < 1e-5);
    }
    const std::string header = text_of_file(at / "tuned.hpp");
    CHECK(header == tune::header_text("tuned", records));
    CHECK(header.find(tiny::signature().c_str()) != std::string::npos);
    CHECK_FALSE(std::filesystem::exists(at.path() / "work"));

    // The same command: nothing is left to do, and the header keeps its time.
    const auto written = std::filesystem::last_write_time(at.path() / "tuned.hpp");
    result = run(options_in(at, tuning_mode::missing, 5));
    CHECK(records_in(at).size() == records.size());
    CHECK(std::filesystem::last_write_time(at.path() / "tuned.hpp") == written);

    // More trials: those there are count.
    result = run(options_in(at, tuning_mode::missing, 7));
    records = records_in(at);
    std::vector<std::string> nests;
    for (const tune::record& r : records)
        if (r.phase == "search" && r.task == "tiny" && r.origin != "naive") nests.push_back(r.nest);
    CHECK(count(records, "tiny", "search") == 7);
    std::sort(nests.begin(), nests.end());
    CHECK(std::adjacent_find(nests.begin(), nests.end()) == nests.end());

    // Replay needs no compiler, and gives the same bytes.
    const std::string tuned = text_of_file(at / "tuned.hpp");
    auto replay = options_in(at, tuning_mode::replay, 7);
    replay.compiler_command = "no-such-compiler";
    replay.header = at.path() / "replayed.hpp";
    CHECK(run(replay).without_entry == 0);
    CHECK(text_of_file(at / "replayed.hpp") == tuned);

    // Anew: earlier records stay in the file and no longer count.
    result = run(options_in(at, tuning_mode::force, 4));
    const auto more = records_in(at);
    CHECK(more.size() > records.size());
    CHECK(count(more, "tiny", "search", 1) == 7);
    CHECK(count(more, "tiny", "search", 2) == 4);
    CHECK(text_of_file(at / "tuned.hpp") == tune::header_text("tuned", more));
}

TEST_CASE("earlier records are read like its own, each line once, and are never written to")
{
    const folder committed, at;
    run(options_in(committed, tuning_mode::missing, 5));
    const std::string lines = text_of_file(committed / "records.jsonl");

    auto o = options_in(at, tuning_mode::missing, 5);
    o.earlier = {committed / "records.jsonl", at / "absent.jsonl"};
    run(o);
    CHECK(records_in(at).empty()); // nothing was left to do
    CHECK(text_of_file(at / "tuned.hpp") == text_of_file(committed / "tuned.hpp"));

    o.trials = 7;
    run(o);
    CHECK(text_of_file(committed / "records.jsonl") == lines);
    CHECK(count(records_in(at), "tiny", "search") == 2);

    // Saved: the committed file holds the lines of both. Each counts once, or the comparison would be of too few
    // trials.
    const std::string header = text_of_file(at / "tuned.hpp");
    std::ofstream(committed / "records.jsonl", std::ios::app) << text_of_file(at / "records.jsonl");
    const std::size_t own = records_in(at).size();
    run(o);
    CHECK(records_in(at).size() == own);
    CHECK(text_of_file(at / "tuned.hpp") == header);
}

TEST_CASE("what was chosen is measured again, and a kernel that is wrong now is found; nothing is written")
{
    const folder at;
    auto o = options_in(at, tuning_mode::missing, 4);
    run(o);
    const auto records = text_of_file(at / "records.jsonl");
    const auto again = [&] {
        return tune::tuner(o, tune::tasks_of<pair_of_gemms>("pair_of_gemms"), self()).measure_again();
    };
    auto rows = again();
    REQUIRE(rows.size() == 2);
    for (const auto& r : rows) {
        CAPTURE(r.task);
        CHECK(r.target == "baseline");
        CHECK(r.recorded_ms > 0);
        CHECK(r.now.found == verdict::ok);
        CHECK(r.now.least() > 0);
        CHECK(r.now.max_rel_error < 1e-5);
    }
    CHECK(text_of_file(at / "records.jsonl") == records);
    // The workloads have become others under the same names; the tuner still knows the old ones.
    std::ofstream(at / "tiny.hpp") << "#pragma once\n#include <hone/op/gemm.hpp>\n#include <hone/op/workloads.hpp>\n"
                                      "struct tiny : hone::gemm<hone::gemm_shape{.m = 5, .n = 24, .k = 6}, hone::f32> "
                                      "{};\n"
                                      "struct wide : hone::gemm<hone::gemm_shape{.m = 3, .n = 40, .k = 8}, hone::f32> "
                                      "{};\n"
                                      "using pair_of_gemms = hone::workloads<tiny, wide>;\n";
    rows = again();
    REQUIRE(rows.size() == 2);
    for (const auto& r : rows) CHECK(r.now.found == verdict::wrong_result);
}

TEST_CASE("a tuner works in a folder of its own, and leaves what stood where it was told to work")
{
    const folder at;
    auto o = options_in(at, tuning_mode::missing, 4);
    std::filesystem::create_directory(at.path() / "work");
    std::ofstream(at / "work/mine") << "mine";
    const tune::work_folder other(at.path() / "work"); // of a tuner that runs
    run(o);
    CHECK(records_in(at).size() > 8);
    CHECK(text_of_file(at / "work/mine") == "mine");
    CHECK(std::filesystem::exists(other.path()));
    CHECK(std::distance(std::filesystem::directory_iterator(at.path() / "work"), {}) == 2);
}

TEST_CASE("a budget of nothing measures nothing, and the header is valid")
{
    const folder at;
    auto o = options_in(at, tuning_mode::missing, 5);
    o.budget = 0;
    const auto result = run(o);
    CHECK(result.without_entry == 2);
    CHECK_FALSE(std::filesystem::exists(at.path() / "records.jsonl"));
    CHECK(text_of_file(at / "tuned.hpp") == tune::header_text("tuned", {}));
}

TEST_CASE("records whose config gives another nest today are stale, and do not reach the header")
{
    const folder at;
    auto stale = tiny_record(1);
    stale.isa = "baseline"; // its nest is invented
    std::ofstream(at / "records.jsonl") << tune::line_of(stale) << "\n";
    auto o = options_in(at, tuning_mode::replay, 5);
    const auto result = run(o);
    CHECK(result.stale == 1);
    CHECK(result.without_entry == 2);
    CHECK(text_of_file(at / "tuned.hpp") == tune::header_text("tuned", {}));
}

TEST_CASE("records that are a folder or a device are named before anything is measured or written")
{
    const folder at;
    std::filesystem::create_directory(at.path() / "folder");
    for (const auto mode : {tuning_mode::replay, tuning_mode::missing})
        for (const std::string& what : {at / "folder", std::string("/dev/zero")}) {
            CAPTURE(what);
            auto o = options_in(at, mode, 4);
            o.records = what;
            CHECK_THROWS_WITH_AS(run(o), doctest::Contains(("cannot read " + what).c_str()), std::runtime_error);
            o = options_in(at, mode, 4);
            o.earlier = {what};
            CHECK_THROWS_WITH_AS(run(o), doctest::Contains(("cannot read " + what).c_str()), std::runtime_error);
        }
    CHECK_FALSE(std::filesystem::exists(at.path() / "tuned.hpp"));
}

TEST_CASE("workloads that do not compile, a missing compiler and a file that cannot be written are named")
{
    const folder at;
    auto o = options_in(at, tuning_mode::missing, 4);
    std::ofstream(at / "broken.hpp") << "#include <hone/op/gemm.hpp>\nstruct w : hone::gem<1> {};\n";
    o.headers = {"broken.hpp"};
    CHECK_THROWS_WITH_AS(run(o), doctest::Contains("broken.hpp:2"), std::runtime_error);
    o.headers = {"absent.hpp"};
    CHECK_THROWS_WITH_AS(run(o), doctest::Contains("absent.hpp"), std::runtime_error);
    o = options_in(at, tuning_mode::missing, 4);
    o.compiler_command = "no-such-compiler";
    CHECK_THROWS_WITH_AS(run(o), doctest::Contains("no-such-compiler"), std::runtime_error);
    o = options_in(at, tuning_mode::missing, 4);
    o.records = "/dev/full";
    CHECK_THROWS_WITH_AS(run(o), doctest::Contains("/dev/full"), std::runtime_error);
}

namespace {

// Options with a compiler that is a script before the real one; $last is the unit.
tune::tuner_options scripted_in(const folder& at, const std::string& script)
{
    auto o = options_in(at, tuning_mode::missing, 4);
    std::ofstream(at / "compiler") << "#!/bin/sh\ncase $1 in --version) echo scripted 1.0; exit 0;; esac\n"
                                      "for last; do :; done\ncase \"$*\" in *fsyntax-only*) ;; *)\n"
                                   << script << "\n;; esac\nexec c++ \"$@\"\n";
    std::filesystem::permissions(at / "compiler", std::filesystem::perms::owner_all);
    o.compiler_command = at / "compiler";
    return o;
}
const std::string no_space = "echo 'cc.s: No space left on device' >&2; exit 1";

} // namespace

TEST_CASE("a machine that cannot build is said, and nothing is recorded of kernels that were not tried")
{
    for (const std::string& script :
         {no_space, std::string("echo 'something else is wrong' >&2; exit 1"), std::string("exit 0")}) {
        CAPTURE(script);
        const folder at;
        CHECK_THROWS_WITH_AS(run(scripted_in(at, script)), doctest::Contains("kernels cannot be built on this machine"),
                             std::runtime_error);
        CHECK(records_in(at).empty());
        CHECK(text_of_file(at / "tuned.hpp") == tune::header_text("tuned", {}));
    }
}

TEST_CASE("a want that passes costs nothing, and one that comes later ends the run with what was measured")
{
    // Under a lock, since compilers run side by side.
    const auto count_calls = [](const folder& at) {
        return "exec 9>'" + (at / "calls.lock") + "'; flock 9; n=$(cat '" + (at / "calls") +
               "' 2>/dev/null || echo 0); n=$((n + 1)); echo $n >'" + (at / "calls") + "'; exec 9>&-\n";
    };
    const folder at;
    run(scripted_in(at, count_calls(at) + "if [ $n -eq 2 ]; then " + no_space + "; fi"));
    const auto records = records_in(at);
    CHECK(count(records, "tiny", "search") == 4);
    CHECK(count(records, "wide", "search") == 4);
    for (const tune::record& r : records) CHECK(r.found == verdict::ok);

    const folder later;
    auto o = scripted_in(later, count_calls(later) + "if [ $n -gt 3 ]; then " + no_space + "; fi");
    o.trials = 20;
    CHECK_THROWS_WITH_AS(run(o), doctest::Contains("No space left on device"), std::runtime_error);
    CHECK_FALSE(records_in(later).empty());
    for (const tune::record& r : records_in(later)) CHECK(r.found == verdict::ok);
}

TEST_CASE("a workload of which no kernel works is a failure of the run")
{
    const folder at;
    // The naive kernels alone compile.
    const auto r = run(scripted_in(at, "if grep -q 'hone::kernel<' \"$last\"; then echo 'error: no' >&2; exit 1; fi"));
    REQUIRE(r.failures.size() == 2);
    CHECK(r.failures[0].find("on baseline: none of 4 candidates works, and neither does the default: compile_error") !=
          std::string::npos);
    CHECK(r.without_entry == 2);
}

TEST_CASE("children are not waited for past the end of a run")
{
    const folder at;
    auto o = scripted_in(at, "sleep 600");
    o.budget = 3;
    o.trials = 0;
    const auto r = run(o);
    CHECK(r.trials == 0);
    CHECK(r.failures.empty());
    CHECK(r.without_entry == 2);
    // A compiler that hangs is named.
    REQUIRE(r.unreached.size() == 1);
    CHECK(r.unreached[0].find("before tiny, wide could be tuned on baseline: '" + at / "compiler") !=
          std::string::npos);
    CHECK(r.unreached[0].find("built no kernel") != std::string::npos);
    CHECK(r.unreached[0].find("worked for 0.0 s") == std::string::npos); // nor where it hung at the headers
    CHECK(r.waiting > 0.5 * r.seconds);
}

TEST_CASE("a compiler that does not say its version is waited for as long as there is a budget")
{
    const folder at;
    auto o = options_in(at, tuning_mode::missing, 4);
    std::ofstream(at / "silent") << "#!/bin/sh\nsleep 600\n";
    std::filesystem::permissions(at / "silent", std::filesystem::perms::owner_all);
    o.compiler_command = at / "silent";
    o.budget = 2;
    CHECK_THROWS_WITH_AS(run(o), doctest::Contains("silent --version' did not end within 2 s"), std::runtime_error);
}

TEST_CASE("where the budget does for no batch, defaults are measured, and the next run goes on from them")
{
    const folder at;
    auto o = scripted_in(at, "if grep -q 'namespace variant_1 ' \"$last\"; then sleep 600; fi");
    o.budget = 15;
    auto r = run(o);
    auto records = records_in(at);
    REQUIRE_FALSE(records.empty());
    for (const tune::record& one : records) {
        CHECK(one.origin == "default");
        CHECK(one.phase == "search"); // nothing is compared that has no rival yet
    }
    REQUIRE(r.unreached.size() == 1);
    CHECK(r.unreached[0].find("before tiny, wide could be tuned on baseline: ") != std::string::npos);
    o = scripted_in(at, "");
    r = run(o);
    records = records_in(at);
    for (const char* task : {"tiny", "wide"}) {
        CHECK(count(records, task, "search") == 4);
        CHECK(count(records, task, "final") >= 2);
        CHECK(std::any_of(records.begin(), records.end(),
                          [&](const tune::record& one) { return one.task == task && one.origin == "naive"; }));
    }
    CHECK(r.unreached.empty());
}
