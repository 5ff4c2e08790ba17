// SPDX-License-Identifier: BSL-1.0
// What the tunings of all backends share: which records are theirs, how runs and trials count, what is compared at the
// end, and what the machine could not try.
#include <hone/tune/task.hpp>

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include <doctest/doctest.h>

#include "tuner_rig.hpp"

using namespace hone;
using namespace hone::schedules;
using namespace hone::test;
using tune::verdict;

namespace {

// Does nothing by itself; its parts are called one by one.
struct shared_parts final : tune::tuning {
    explicit shared_parts(const tune::tuning_environment& e) : tuning(tune::task_of<tiny>("mine", "tiny"), e)
    {
        key() = tiny_record(0);
        key().ms = {};
    }
    void adopt(const std::vector<tune::record>& earlier) override { adopt_last_run(earlier); }
    std::vector<tune::candidate> propose(std::size_t size) override { return take_back(size); }
    void measure(const std::vector<tune::candidate>&, const std::vector<tune::built_variant>&) override {}
    void compare() override { verify_chosen(); }
    double seconds_thinking() const override { return 0; }
    std::vector<tune::arithmetic> arithmetics() const override { return {tune::arithmetic::direct}; }
    tune::measurement verify_on_twin(const tune::record&) override { return {}; }
    using tuning::finalists;
    using tuning::hopeless_ms;
    using tuning::note;
    using tuning::put_back;

    void tried(const char* origin, double ms, std::int32_t rows)
    {
        tune::record r = tiny_record(ms, rows);
        r.origin = origin;
        r.nest = std::to_string(rows);
        note(r, {.found = verdict::ok, .ms = {ms}});
    }
};

tune::record of_shared_run(int run, int trial, const char* phase = "search")
{
    tune::record r = tiny_record(1);
    r.run = run;
    r.trial = trial;
    r.phase = phase;
    return r;
}

} // namespace

TEST_CASE("a task is what its workload says of itself")
{
    const tune::task t = tune::task_of<tiny>("c2", "my::c2");
    CHECK(t.name == "c2");
    CHECK(t.type == "my::c2");
    CHECK(t.signature == tiny::signature().c_str());
    CHECK(flops_of(t.definition) == flops_of(tiny::definition()));
    CHECK(t.own.of<cpu_family>() == nullptr);
}

TEST_CASE("the last run under the same key is adopted, and its trials go on")
{
    const tune::tuning_environment environment;
    shared_parts t(environment);
    tune::record other = of_shared_run(9, 0);
    other.signature = "another";
    t.adopt({of_shared_run(1, 7), of_shared_run(2, 0), of_shared_run(2, 3), of_shared_run(2, 4, "final"), other});
    CHECK(t.records().size() == 3);
    CHECK(t.trials() == 4);
    for (const tune::record& r : t.records()) CHECK(r.task == "mine");
    t.tried("model", 2, 3);
    CHECK(t.records().back().run == 2);
    CHECK(t.records().back().trial == 4);
    CHECK(t.trials() == 5);
}

TEST_CASE("where nothing is of this key, or all is to be measured anew, the run is one after all others")
{
    const tune::tuning_environment environment;
    tune::record of_older = of_shared_run(3, 0);
    of_older.compiler = "an older compiler";
    shared_parts other_compiler(environment), anew(environment), first(environment);
    other_compiler.adopt({of_older});
    CHECK(other_compiler.records().empty());
    other_compiler.tried("default", 1, 1);
    CHECK(other_compiler.records()[0].run == 4);
    anew.start_anew({of_shared_run(2, 0), of_older});
    anew.tried("default", 1, 1);
    CHECK(anew.records()[0].run == 4);
    first.adopt({});
    first.tried("default", 1, 1);
    CHECK(first.records()[0].run == 1);
}

TEST_CASE("a record that is noted has what was measured, the run's seed, and is logged as it is kept")
{
    std::vector<std::string> logged;
    const tune::tuning_environment environment{
        .log = [&](const tune::record& r) { logged.push_back(tune::line_of(r)); }, .seed = 11};
    shared_parts t(environment);
    t.note(tiny_record(5), {.found = verdict::wrong_result, .max_rel_error = 0.5, .ms = {3, 2}, .detail = "y[0] is 1"});
    REQUIRE(t.records().size() == 1);
    const tune::record& r = t.records()[0];
    CHECK(r.found == verdict::wrong_result);
    CHECK(r.max_rel_error == 0.5);
    CHECK(r.ms == std::vector<double>{3, 2});
    CHECK(r.detail == "y[0] is 1");
    CHECK(r.task == "mine");
    CHECK(r.seed == 11);
    CHECK(logged == std::vector<std::string>{tune::line_of(r)});
}

TEST_CASE("compared are the default, the naive kernel, and of the others three that are near the fastest")
{
    const tune::tuning_environment environment;
    shared_parts t(environment);
    CHECK(t.finalists().empty());
    CHECK(t.hopeless_ms() == 0);
    t.tried("model", 1.3, 1); // more than a quarter slower than the fastest
    t.tried("naive", 9, 2);
    t.tried("model", 1.2, 3);
    t.tried("chance", 1, 4);
    t.tried("default", 2, 5);
    t.tried("guess", 1.1, 6);
    t.tried("model", 1.15, 7);
    CHECK(t.finalists() == std::vector<std::size_t>{4, 1, 3, 5, 6});
    CHECK(t.hopeless_ms() == 3);
}

TEST_CASE("what the machine could not try comes back twice, and is given up then")
{
    const tune::tuning_environment environment;
    shared_parts t(environment);
    tune::candidate c;
    c.key = tiny_record(1);
    for (int times = 1; times <= 3; ++times) {
        t.put_back(c, "Too many open files");
        CHECK(t.untried() == times);
        CHECK(t.given_up() == (times == 3 ? 1 : 0));
        CHECK(t.propose(5).size() == (times == 3 ? 0 : 1));
    }
    CHECK(t.untried_why() == "Too many open files");
}

TEST_CASE("the problem is written once, in a folder that is made for it, and is another for another workload")
{
    const folder at;
    const tune::tuning_environment environment{.work_directory = at.path() / "work"};
    shared_parts t(environment);
    const std::string path = t.problem_file();
    CHECK(path.starts_with((at.path() / "work" / "cpu_").string()));
    const std::string bytes = text_of_file(path);
    CHECK_FALSE(bytes.empty());
    std::filesystem::remove(path);
    CHECK(t.problem_file() == path);
    CHECK_FALSE(std::filesystem::exists(path));
}

TEST_CASE("a trial takes longer the slower its kernel is, and never less than a child's start")
{
    double before = 0.05;
    for (const double ms : {1e-3, 1.0, 10.0, 100.0, 1000.0}) {
        const double seconds = tune::tuning::seconds_of_trial(tiny_record(ms));
        CHECK(seconds >= before);
        before = seconds;
    }
    CHECK(before < 10);
}
