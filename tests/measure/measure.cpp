// SPDX-License-Identifier: BSL-1.0
// Jobs in children, whatever their back end: a child's death costs the entry that it had begun, and nobody else speaks
// for it; and how often a kernel of some time is called.
#include <hone/measure/measure.hpp>

#include <chrono>
#include <cstddef>
#include <cstdlib>
#include <filesystem>
#include <string>
#include <utility>
#include <vector>

#include <doctest/doctest.h>

#include <unistd.h>

using namespace hone;
using namespace std::chrono_literals;
using tune::verdict;

// The child of the tests below: this program, started again for this case alone. Entries do what their words say.
TEST_CASE("do a job of words in a child" * doctest::skip())
{
    tune::become_child();
    const auto job = nlohmann::json::parse(tune::read_job());
    tune::measuring::result_stream results(job.at("token").get<std::string>());
    for (const auto at : job.at("open").get<std::vector<std::size_t>>()) {
        results.begin(at);
        const auto word = job.at("words").at(at).get<std::string>();
        if (word == "ends") std::_Exit(3);
        if (word == "aborts") std::abort();
        if (word == "hangs") pause();
        if (word == "last words") {
            results.last("it touched ", "y");
            std::_Exit(0);
        }
        if (word == "lies") {
            // On the stream of results, without the token.
            for (int fd = 3; fd < 64; ++fd)
                dprintf(fd, "{\"variant\": %d, \"verdict\": \"ok\", \"ms\": [1e-6]}\n", static_cast<int>(at));
        }
        if (word == "wrong" || word == "lies")
            results.failed(at, verdict::wrong_result, word);
        else
            results.done(at, 0.25, {3, 1, 2}, {{"made", word}});
    }
    std::_Exit(0);
}

namespace {

std::vector<tune::measurement> done_in_children(const std::vector<std::string>& words)
{
    const tune::child_command self{std::filesystem::read_symlink("/proc/self/exe").string(), "--no-skip",
                                   "--test-case=do a job of words in a child"};
    return tune::measuring::in_children(self, words.size(), 3s, tune::process_control::clock::time_point::max(),
                                        [&](const std::vector<std::size_t>& open) {
                                            return nlohmann::json{{"open", open}, {"words", words}};
                                        });
}

} // namespace

TEST_CASE("an entry that ends its child costs itself only, and says how it ended")
{
    const auto results =
        done_in_children({"right", "ends", "wrong", "aborts", "last words", "hangs", "lies", "right at the end"});
    REQUIRE(results.size() == 8);
    for (const std::size_t right : {0, 7}) {
        CHECK(results[right].found == verdict::ok);
        CHECK(results[right].max_rel_error == 0.25);
        CHECK(results[right].least() == 1);
        CHECK(results[right].median() == 2);
        CHECK(results[right].ms.front() == 3);
    }
    CHECK(results[7].made == nlohmann::json{{"made", "right at the end"}});
    CHECK(results[1].found == verdict::crash);
    CHECK(results[1].detail.starts_with("ended with status 3"));
    CHECK(results[2].found == verdict::wrong_result);
    CHECK(results[2].detail == "wrong");
    CHECK(results[3].found == verdict::crash);
    CHECK(results[3].detail.starts_with("ended by signal 6 ("));
    CHECK(results[4].found == verdict::crash);
    CHECK(results[4].detail == "it touched y");
    CHECK(results[5].found == verdict::run_timeout);
    CHECK(results[5].detail == "no result within 3 s");
    CHECK(results[6].found == verdict::wrong_result); // and not what others said of it
}

TEST_CASE("what cannot be started says nothing of its entries, and past the end nothing is")
{
    const auto job = [](const std::vector<std::size_t>&) { return nlohmann::json::object(); };
    using clock = tune::process_control::clock;
    for (const auto& m : tune::measuring::in_children({"/nowhere/program"}, 2, 1s, clock::time_point::max(), job)) {
        CHECK(m.found == verdict::untried);
        CHECK(m.detail.starts_with("cannot start /nowhere/program: "));
    }
    for (const auto& m : tune::measuring::in_children({"/nowhere/program"}, 2, 1s, clock::now() - 1s, job))
        CHECK(m.found == verdict::interrupted);
    CHECK(tune::measuring::in_children({"/nowhere/program"}, 0, 1s, clock::time_point::max(), job).empty());
}

TEST_CASE("rules go to a child as they are")
{
    const tune::timing_rules rules{
        .least_samples = 3, .most_samples = 5, .sample_ms = 0.5, .total_ms = 7, .patience_ms = 11, .hopeless_ms = 13};
    nlohmann::json job;
    tune::measuring::put(job, rules);
    const tune::timing_rules read = tune::measuring::rules_of(nlohmann::json::parse(job.dump()));
    CHECK(read.least_samples == 3);
    CHECK(read.most_samples == 5);
    CHECK(read.sample_ms == 0.5);
    CHECK(read.total_ms == 7);
    CHECK(read.patience_ms == 11);
    CHECK(read.hopeless_ms == 13);
}

TEST_CASE("a fast kernel is called until a sample is long enough, a slow one a few times, a hopeless one once")
{
    const auto plan = [](double pilot_ms, const tune::timing_rules& rules = {}) {
        const auto p = tune::measuring::plan_of(pilot_ms, rules);
        return std::pair(p.calls, p.samples);
    };
    CHECK(plan(0.002) == std::pair(100, 40)); // 0.2 ms a sample
    CHECK(plan(1) == std::pair(1, 40));       // 40 ms in all
    CHECK(plan(2) == std::pair(1, 20));
    CHECK(plan(20) == std::pair(1, 10)); // as many as there have to be
    CHECK(plan(100) == std::pair(1, 5)); // within the patience
    CHECK(plan(10'000) == std::pair(1, 1));
    CHECK(plan(0) == std::pair(200'000, 40)); // a clock that did not move
    CHECK(plan(2, {.hopeless_ms = 1.5}) == std::pair(1, 1));
    CHECK(plan(1, {.hopeless_ms = 1.5}) == std::pair(1, 40));
}
