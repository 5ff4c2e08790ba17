// SPDX-License-Identifier: BSL-1.0
// Nothing outlives a tuner that is killed: commands, what they started, and those that a pause has stopped.
#include <chrono>
#include <csignal>
#include <filesystem>
#include <string>
#include <vector>

#include <sys/prctl.h>
#include <unistd.h>

#include <doctest/doctest.h>

#include <hone/process/process.hpp>

#include "process_rig.hpp"
#include "tuner_rig.hpp"

using namespace hone;
using namespace hone::test;
using namespace std::chrono_literals;

namespace {

// A command that says its number and that of a process which it has started, and then works.
const std::vector<std::string> working{"sh", "-c", "(while :; do :; done) & echo $! $$; while :; do :; done"};

// A tuner: says what its command says, and that it is stopped; then waits to be killed.
void run_until_killed(bool stopped)
{
    tune::process_control control;
    tune::run_process(
        working, "", {.deadline = 60s},
        [&](std::string_view line) {
            if (stopped) control.pause();
            std::printf("%.*s\n", static_cast<int>(line.size()), line.data());
            std::fflush(stdout);
        },
        control);
}

std::vector<std::string> started_for(const std::string& test_case)
{
    return {std::filesystem::read_symlink("/proc/self/exe").string(), "--no-skip", "--test-case=" + test_case};
}

// Those that are dead and not reaped among them.
std::string children() { return text_of_file("/proc/self/task/" + std::to_string(getpid()) + "/children"); }

// The processes of a tuner that was killed, after they had time to end.
std::vector<pid_t> left_behind(const char* test_case)
{
    std::vector<pid_t> all;
    tune::process_control control;
    const auto killed = tune::run_process(
        started_for(test_case), "", {.deadline = 60s},
        [&](std::string_view line) {
            int child = 0, itself = 0;
            if (std::sscanf(std::string(line).c_str(), "%d %d", &child, &itself) != 2) return;
            all = {child, itself};
            for (pid_t p : all) CHECK(is_alive(p));
            control.cancel(); // by SIGKILL, and its group only
        },
        control);
    CHECK(killed.interrupted);
    REQUIRE(all.size() == 2);
    soon([&] {
        std::erase_if(all, [](pid_t p) { return !is_alive(p); });
        return all.empty();
    });
    for (pid_t p : all) kill(p, SIGKILL);
    return all;
}

} // namespace

TEST_CASE("a tuner whose command runs" * doctest::skip()) { run_until_killed(false); }
TEST_CASE("a tuner whose command is stopped" * doctest::skip()) { run_until_killed(true); }
TEST_CASE("a tuner that ends by itself" * doctest::skip()) { CHECK(tune::run_process({"true"}, "", {}).ok()); }

TEST_CASE("commands end with a tuner that is killed, and so does what they started")
{
    CHECK(left_behind("a tuner whose command runs").empty());
}

TEST_CASE("so do commands that are stopped, where a process of their session adopts them")
{
    prctl(PR_SET_CHILD_SUBREAPER, 1); // as the first process of a container
    CHECK(left_behind("a tuner whose command is stopped").empty());
    prctl(PR_SET_CHILD_SUBREAPER, 0);
}

TEST_CASE("a tuner that ends by itself leaves no guard")
{
    CHECK(tune::run_process({"true"}, "", {}).ok()); // for the guard of this process
    const auto before = children();
    prctl(PR_SET_CHILD_SUBREAPER, 1);
    CHECK(tune::run_process(started_for("a tuner that ends by itself"), "", {}).ok());
    CHECK(children() == before);
    prctl(PR_SET_CHILD_SUBREAPER, 0);
}
