// SPDX-License-Identifier: BSL-1.0
// A budget is kept whatever the load, and what it does for is done in a sensible order: simulated, with a clock that
// only the work moves.
#include <algorithm>
#include <chrono>
#include <map>
#include <memory>
#include <stdexcept>
#include <string>
#include <vector>

#include <doctest/doctest.h>

#include <hone/op/gemm.hpp>
#include <hone/tune/progress.hpp>
#include <hone/tune/tuning_loop.hpp>

#include "tuner_rig.hpp"

using namespace hone;
using namespace hone::test;
using tune::verdict;

namespace {

using moment = tune::tuning_loop::clock::time_point;
constexpr moment start = moment(std::chrono::hours{1000});

// A machine on which all takes `load` times as long as on a quiet one.
struct machine {
    double load = 1;
    double seconds = 0; // since the start
    moment now() const { return at(seconds); }
    static moment at(double s)
    {
        return start + std::chrono::duration_cast<moment::duration>(std::chrono::duration<double>(s));
    }
    // Works for so long, unless the end comes first.
    bool works(double quiet_seconds, moment end)
    {
        const double until = seconds + load * quiet_seconds;
        const double last = std::chrono::duration<double>(end - start).count();
        const bool is_done = until <= last;
        seconds = is_done ? until : std::max(seconds, last);
        return is_done;
    }
};

// A workload with a naive kernel of so many milliseconds; its others are 20 times as fast.
class simulated final : public tune::tuning {
public:
    simulated(tune::task t, const tune::tuning_environment& e, machine& m, double naive_ms,
              std::vector<std::string>& order)
        : tuning(std::move(t), e), machine_(m), naive_ms_(naive_ms), order_(order)
    {
    }
    void adopt(const std::vector<tune::record>&) override {}
    std::vector<tune::candidate> propose(std::size_t size) override
    {
        std::vector<tune::candidate> batch = take_back(size);
        while (batch.size() < size) {
            tune::record r = key();
            r.phase = "search";
            r.origin = next_ == 0 ? "default" : next_ == 1 ? "naive" : "model";
            r.nest = std::to_string(next_++);
            batch.push_back({.key = r});
        }
        return batch;
    }
    void measure(const std::vector<tune::candidate>& batch, const std::vector<tune::built_variant>&) override
    {
        for (const tune::candidate& c : batch) {
            if (lacking > 0) {
                --lacking;
                put_back(c, "No space left on device");
                continue;
            }
            const double ms = c.key.origin == "naive"     ? naive_ms_
                              : c.key.origin == "default" ? naive_ms_ / 18
                                                          : naive_ms_ / 20;
            tune::record r = c.key;
            r.ms = {ms};
            if (!machine_.works(seconds_of_trial(r), environment().end)) return;
            note(c.key, {.found = verdict::ok, .ms = {ms}});
        }
    }
    void compare() override
    {
        const auto those = finalists();
        if (!machine_.works(seconds_of(those, false), environment().end)) return;
        order_.push_back(task().name);
        for (std::size_t i : those) {
            tune::record r = records()[i];
            r.phase = "final";
            const double ms = r.least();
            note(std::move(r), {.found = verdict::ok, .ms = {ms}});
        }
        verify_chosen();
    }
    tune::measurement verify_on_twin(const tune::record&) override
    {
        if (!machine_.works(0.5, environment().end)) return {};
        if (wrong_on_twin <= 0) return {.found = verdict::ok};
        --wrong_on_twin;
        return {.found = verdict::wrong_result, .detail = "y[36] is 5 where 4 is right"};
    }
    double seconds_thinking() const override { return 0; }
    std::vector<tune::arithmetic> arithmetics() const override { return {tune::arithmetic::direct}; }

    int lacking = 0;       // so many candidates cannot be tried
    int wrong_on_twin = 0; // so many of those that would be chosen

private:
    machine& machine_;
    double naive_ms_;
    std::vector<std::string>& order_;
    int next_ = 0;
};

struct simulation {
    simulation(double load, std::vector<double> naive_ms)
    {
        here.load = load;
        for (std::size_t i = 0; i < naive_ms.size(); ++i) {
            tune::task t = tune::task_of<tiny>("w" + std::to_string(i), "tiny");
            // As many operations as a core of 1 GFLOP/s does in that time.
            t.definition.stages[0].axes[0].extent = static_cast<std::int64_t>(naive_ms[i] * 1e6 / (2 * 24 * 7));
            all.push_back(std::make_unique<simulated>(t, environment, here, naive_ms[i], order));
        }
    }
    void run(double budget, int trials = 0)
    {
        std::vector<tune::tuning*> open;
        for (const auto& t : all) open.push_back(t.get());
        tune::tuning_loop loop(open, environment,
                               {.trials = trials, .end = machine::at(budget), .now = [this] { return here.now(); }});
        loop.run();
    }
    std::size_t compared() const
    {
        return static_cast<std::size_t>(
            std::count_if(all.begin(), all.end(), [](const auto& t) { return t->standing().compared; }));
    }

    machine here{};
    tune::tuning_environment environment{};
    std::vector<std::string> order{};
    std::vector<std::unique_ptr<simulated>> all{};
};

// The layers of a network: naive kernels from 20 ms to a second.
std::vector<double> network()
{
    std::vector<double> ms;
    for (int i = 0; i < 27; ++i) ms.push_back(20 + 37.0 * (i * 11 % 27));
    return ms;
}

} // namespace

TEST_CASE("a budget is kept under any load, and used")
{
    for (const double load : {1.0, 2.0, 5.0, 20.0})
        for (const double budget : {5.0, 60.0, 200.0, 1000.0}) {
            CAPTURE(load);
            CAPTURE(budget);
            simulation s(load, network());
            s.run(budget);
            CHECK(s.here.seconds <= 1.05 * budget);
            // What is to be measured at least takes 70 s, and comparisons 110 s.
            int least = 1000;
            for (const auto& t : s.all) least = std::min(least, t->trials());
            if (budget / load >= 150) CHECK(least >= 4);
            if (budget / load >= 200) CHECK(s.compared() == 27);
            if (budget >= 60) CHECK(s.here.seconds >= 0.7 * budget);
        }
}

TEST_CASE("comparisons begin with the workloads of most operations")
{
    simulation s(1, {10, 1000, 100, 400});
    s.run(60);
    CHECK(s.order == std::vector<std::string>{"w1", "w3", "w2", "w0"});
}

TEST_CASE("where the time does for some comparisons only, those of most operations have it")
{
    simulation s(1, network());
    s.run(120);
    REQUIRE_FALSE(s.order.empty());
    CHECK(s.order.size() < 27);
    CHECK(s.here.seconds <= 1.05 * 120);
    double heaviest = 0;
    std::string name;
    for (const auto& t : s.all)
        if (t->standing().trials > 0 && flops_of(t->task().definition) > heaviest) {
            heaviest = flops_of(t->task().definition);
            name = t->task().name;
        }
    CHECK(s.order.front() == name);
}

TEST_CASE("a number of trials ends a search before its time")
{
    simulation s(1, {10, 20});
    s.run(1000, 6);
    CHECK(s.compared() == 2);
    for (const auto& t : s.all) CHECK(t->trials() == 6);
    CHECK(s.here.seconds < 100);
}

TEST_CASE("what is wrong on the workload's twin is not chosen, and the next one is asked")
{
    for (const int wrong : {0, 1, 2, 3, 100}) {
        CAPTURE(wrong);
        simulation s(1, {10});
        s.all[0]->wrong_on_twin = wrong;
        s.run(1000, 8);
        const tune::standing found = s.all[0]->standing();
        REQUIRE(found.chosen != nullptr);
        CHECK(found.compared);
        // Three are compared beside the default.
        CHECK((found.chosen->origin == "default") == (wrong >= 3));
        int wrong_records = 0;
        for (const tune::record& r : s.all[0]->records())
            if (r.found == verdict::wrong_result) {
                ++wrong_records;
                CHECK(r.phase == "final");
                CHECK(r.detail == "over odd extents: y[36] is 5 where 4 is right");
                CHECK(r.nest != found.chosen->nest);
            }
        CHECK(wrong_records == std::min(wrong, 3));
    }
}

TEST_CASE("what could not be tried is tried again, and a want that lasts is said")
{
    simulation once(1, {10, 20});
    once.all[0]->lacking = 3;
    once.run(1000, 6);
    CHECK(once.all[0]->trials() == 6);
    CHECK(once.all[0]->untried() == 3);
    CHECK(once.all[0]->given_up() == 0);
    for (const tune::record& r : once.all[0]->records()) CHECK(r.found == verdict::ok);

    simulation lasting(1, {10, 20});
    for (const auto& t : lasting.all) t->lacking = 1000;
    CHECK_THROWS_WITH_AS(lasting.run(1000, 6), doctest::Contains("No space left on device"), std::runtime_error);
    for (const auto& t : lasting.all) CHECK(t->records().empty());
}

TEST_CASE("a line of progress says which workload of how many, and the share of the budget")
{
    simulation s(1, {10});
    s.run(1000, 4);
    const std::string line = tune::line_of(*s.all[0], {.place = 7, .of = 15, .share = 0.354});
    CHECK(line.starts_with("workload 7 of 15, 35 % of the budget: w0 "));
    CHECK(line.ends_with("trials: 4"));
    CHECK(tune::line_of(*s.all[0], {.place = 1, .of = 1, .share = 3}).find("100 % of the budget") != std::string::npos);
}
