// SPDX-License-Identifier: BSL-1.0
// Two processes that would measure at the same time take turns, and one that is told to stop waits no longer.
#include <chrono>
#include <csignal>
#include <thread>

#include <sys/wait.h>
#include <unistd.h>

#include <doctest/doctest.h>

#include <hone/tune/machine_lock.hpp>

#include "tuner_rig.hpp"

using namespace hone;
using namespace hone::test;
using namespace std::chrono_literals;

namespace {

// A process that takes the lock, writes a byte, and keeps the lock until it is killed.
struct holder {
    explicit holder(const std::string& path)
    {
        int ends[2];
        REQUIRE(pipe(ends) == 0);
        process = fork();
        if (process == 0) {
            const tune::machine_lock held(
                1min, [] {}, path);
            if (write(ends[1], "x", 1) != 1) _exit(1);
            for (;;) pause();
        }
        char byte = 0;
        REQUIRE(read(ends[0], &byte, 1) == 1);
        close(ends[0]);
        close(ends[1]);
    }
    holder(const holder&) = delete;
    holder& operator=(const holder&) = delete;
    ~holder() { end(); }
    void end()
    {
        if (process <= 0) return;
        kill(process, SIGKILL);
        waitpid(process, nullptr, 0);
        process = -1;
    }
    pid_t process = -1;
};

void on_alarm(int) { tune::interrupt_requested.store(true); }

} // namespace

TEST_CASE("the lock is free where nobody holds it, and again when it is let go")
{
    const folder at;
    bool waited = false;
    for (int turn = 0; turn < 2; ++turn)
        tune::machine_lock lock(
            1min, [&] { waited = true; }, at / "lock");
    CHECK_FALSE(waited);
}

TEST_CASE("a second process waits, says so, and goes on when the first is killed")
{
    const folder at;
    holder first(at / "lock");
    bool waited = false;
    std::thread killer([&] {
        std::this_thread::sleep_for(300ms);
        first.end();
    });
    const auto begin = std::chrono::steady_clock::now();
    const tune::machine_lock lock(
        1min, [&] { waited = true; }, at / "lock");
    CHECK(waited);
    CHECK(std::chrono::steady_clock::now() - begin >= 250ms);
    killer.join();
}

TEST_CASE("a signal ends the wait")
{
    const folder at;
    const holder first(at / "lock");
    struct sigaction action {
    }, before{};
    action.sa_handler = on_alarm;
    sigaction(SIGALRM, &action, &before);
    alarm(1);
    const tune::machine_lock lock(
        1min, [] {}, at / "lock");
    CHECK(tune::interrupt_requested.exchange(false));
    sigaction(SIGALRM, &before, nullptr);
}

TEST_CASE("patience ends, and tuning goes on")
{
    const folder at;
    const holder first(at / "lock");
    const auto begin = std::chrono::steady_clock::now();
    const tune::machine_lock lock(
        300ms, [] {}, at / "lock");
    const auto waited = std::chrono::steady_clock::now() - begin;
    CHECK(waited >= 300ms);
    CHECK(waited < 30s);
}

TEST_CASE("where no such file can be made, tuning goes on without a lock")
{
    bool waited = false;
    const tune::machine_lock lock(
        1min, [&] { waited = true; }, "/proc/none/lock");
    CHECK_FALSE(waited);
}
