// SPDX-License-Identifier: BSL-1.0
// A hold on commands from another thread: pauses stop them and their clock, as many calls as began end them, and an end
// comes whether they are paused or not.
#include <atomic>
#include <chrono>
#include <csignal>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include <sys/types.h>

#include <doctest/doctest.h>

#include <hone/process/process.hpp>
#include <hone/process/process_control.hpp>

#include "process_rig.hpp"

using namespace hone;
using namespace hone::test;
using namespace std::chrono_literals;

namespace {

// A command that says its number, then waits.
const std::vector<std::string> says_its_number{"sh", "-c", "echo $$; exec sleep 1000"};

// Runs that command in a thread; on_start(its number) once it has said it.
template <class OnStart>
tune::process_result run_controlled(tune::process_control& control, std::chrono::duration<double> deadline,
                                    OnStart on_start)
{
    std::atomic<pid_t> started{0};
    std::thread other([&] {
        if (soon([&] { return started.load() > 0; })) on_start(started.load());
    });
    const auto r = tune::run_process(
        says_its_number, "", {.deadline = deadline},
        [&](std::string_view line) { started.store(std::stoi(std::string(line))); }, control);
    other.join();
    return r;
}

} // namespace

TEST_CASE("the clock of deadlines stands still in a pause, until as many calls have ended it as began it")
{
    tune::process_control control;
    const auto first = control.now();
    control.pause();
    const auto paused = control.now();
    CHECK(paused >= first);
    control.pause();
    std::this_thread::sleep_for(100ms);
    CHECK(control.now() == paused);
    control.resume();
    CHECK(control.now() == paused);
    control.resume();
    const auto after = control.now();
    CHECK(after >= paused);
    // What passed in the pause is none of it: 100 ms of real time are lost, whatever else this machine does.
    CHECK(tune::process_control::clock::now() - after >= 100ms);
    CHECK(soon([&] { return control.now() > after; }));
}

TEST_CASE("a pause stops a command, and the end of it lets the command go on")
{
    tune::process_control control;
    const auto r = run_controlled(control, 60s, [&](pid_t p) {
        control.pause();
        CHECK(soon([&] { return state_of(p) == 'T'; }));
        control.pause();
        control.resume();
        CHECK(state_of(p) == 'T');
        control.resume();
        CHECK(soon([&] { return state_of(p) != 'T'; }));
        CHECK(is_alive(p));
        kill(p, SIGTERM);
    });
    CHECK(r.signal == SIGTERM);
    CHECK_FALSE(r.interrupted);
}

TEST_CASE("a deadline does not pass while a command is stopped")
{
    tune::process_control control;
    const auto r = run_controlled(control, 1s, [&](pid_t p) {
        control.pause();
        std::this_thread::sleep_for(1500ms);
        CHECK(is_alive(p));
        control.resume();
    });
    CHECK(r.timed_out);
}

TEST_CASE("a command that starts in a pause is stopped at once")
{
    tune::process_control control;
    std::atomic<bool> is_resumed{false};
    control.pause();
    std::thread later([&] {
        std::this_thread::sleep_for(600ms);
        is_resumed.store(true);
        control.resume();
    });
    bool has_spoken = false;
    const auto r = tune::run_process(
        {"sh", "-c", "sleep 0.2; echo on"}, "", {},
        [&](std::string_view) {
            has_spoken = true;
            CHECK(is_resumed.load());
        },
        control);
    later.join();
    CHECK(r.ok());
    CHECK(has_spoken);
}

TEST_CASE("who cancels ends commands, paused or not, and no more start")
{
    for (const bool is_paused : {false, true}) {
        CAPTURE(is_paused);
        tune::process_control control;
        pid_t number = 0;
        const auto r = run_controlled(control, 60s, [&](pid_t p) {
            number = p;
            if (is_paused) control.pause();
            control.cancel();
        });
        CHECK(r.interrupted);
        CHECK_FALSE(r.timed_out);
        CHECK(control.cancelled());
        CHECK(soon([&] { return !is_alive(number); }));
        CHECK(tune::run_process({"sleep", "1000"}, "", {}, {}, control).interrupted);
    }
}

TEST_CASE("an end that is set comes by itself, in a pause, too")
{
    tune::process_control control;
    CHECK_FALSE(control.cancelled());
    control.pause();
    control.end_at(tune::process_control::clock::now() + 200ms);
    CHECK_FALSE(control.cancelled());
    const auto r = tune::run_process({"sleep", "1000"}, "", {.deadline = 60s}, {}, control);
    CHECK(r.interrupted);
    CHECK(control.cancelled());
}
