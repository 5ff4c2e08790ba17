// SPDX-License-Identifier: BSL-1.0
// Two processes that would measure at the same time take turns, and one that is told to stop waits no longer.
#include <chrono>
#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>
#include <thread>

#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <doctest/doctest.h>

#include <hone/process/machine_lock.hpp>

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
                1min, [](const std::string&) {}, tune::lock_place{.file = path});
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

// What is said while the lock is taken, and given back.
std::string said_at(const std::string& path, std::chrono::duration<double> patience)
{
    std::string all;
    const tune::machine_lock lock(
        patience, [&](const std::string& line) { all += line + "\n"; }, tune::lock_place{.file = path});
    return all;
}

void on_alarm(int) { tune::interrupt_requested.store(true); }

} // namespace

TEST_CASE("the lock is free where nobody holds it, and again when it is let go")
{
    const folder at;
    for (int turn = 0; turn < 2; ++turn) CHECK(said_at(at / "lock", 1min).empty());
}

TEST_CASE("a second process waits, says for whom, and goes on when the first is killed")
{
    const folder at;
    holder first(at / "lock");
    std::thread killer([&] {
        std::this_thread::sleep_for(300ms);
        first.end();
    });
    const std::string number = std::to_string(first.process);
    const auto begin = std::chrono::steady_clock::now();
    const std::string said = said_at(at / "lock", 1min);
    CHECK(said == "waiting for another tuner on this machine (process " + number + ") to end, 60 s at most\n");
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
    said_at(at / "lock", 10min);
    CHECK(tune::interrupt_requested.exchange(false));
    sigaction(SIGALRM, &before, nullptr);
}

TEST_CASE("patience ends, and tuning goes on, which is said")
{
    const folder at;
    const holder first(at / "lock");
    const auto begin = std::chrono::steady_clock::now();
    const std::string said = said_at(at / "lock", 300ms);
    CHECK(std::chrono::steady_clock::now() - begin >= 300ms);
    CHECK(said.find("still measures: going on beside it") != std::string::npos);
}

TEST_CASE("where there is no lock to be had, tuning goes on and that is said")
{
    const folder at;
    REQUIRE(mkfifo((at / "fifo").c_str(), 0666) == 0);
    std::filesystem::create_symlink("elsewhere", at.path() / "link");
    std::filesystem::create_directory(at.path() / "folder");
    for (const std::string& path : {at / "fifo", at / "link", at / "folder", std::string("/proc/none/lock"),
                                    std::string("/dev/null"), at / "no/such/folder"}) {
        CAPTURE(path);
        const std::string said = said_at(path, 1min);
        CHECK(said.find("there is no lock against other tuners") != std::string::npos);
        CHECK(said.find(path) != std::string::npos);
    }
    CHECK_FALSE(std::filesystem::exists(at.path() / "elsewhere"));
    // A file of another user, which that one could hold for ever.
    std::ofstream(at / "foreign").flush();
    if (chown((at / "foreign").c_str(), 65534, 65534) == 0)
        CHECK(said_at(at / "foreign", 1min).find("no regular file of this user") != std::string::npos);
}

TEST_CASE("the usual place is one where nobody else writes")
{
    const folder at;
    const char* const run = getenv("XDG_RUNTIME_DIR");
    const std::string before = run == nullptr ? "" : run;
    setenv("XDG_RUNTIME_DIR", at.path().c_str(), 1);
    CHECK(tune::usual_lock_place().file == at.path() / "hone-tuner.lock");
    const auto own = at.path() / fmt::format("hone-{}", geteuid());
    const auto below = [&] { return tune::usual_lock_place(at.path()); };
    chmod(at.path().c_str(), 0755); // others may look for what is there
    CHECK(below().file == own / "tuner.lock");
    CHECK(below().file == own / "tuner.lock"); // it is there now
    chmod(own.c_str(), 0770);
    CHECK(below().file.empty());
    CHECK(below().wrong.find("is not a folder of this user alone; remove it") != std::string::npos);
    std::filesystem::remove(own);
    std::filesystem::create_directory_symlink("elsewhere", own);
    CHECK(below().wrong.find("is not a folder of this user alone") != std::string::npos);
    std::filesystem::remove(own);
    setenv("XDG_RUNTIME_DIR", "relative", 1);
    CHECK(below().file == own / "tuner.lock");
    if (before.empty())
        unsetenv("XDG_RUNTIME_DIR");
    else
        setenv("XDG_RUNTIME_DIR", before.c_str(), 1);
}

TEST_CASE("a tuner that another lock lets in is seen, and named")
{
    const folder at;
    const std::string name = "hone-test-" + std::to_string(getpid());
    const auto said = [&](const char* file) {
        std::string all;
        const tune::machine_lock lock(
            1min, [&](const std::string& line) { all += line + "\n"; },
            tune::lock_place{.file = at.path() / file, .socket = name});
        return all;
    };
    {
        const tune::machine_lock other(
            1min, [](const std::string&) {}, tune::lock_place{.file = at.path() / "a", .socket = name});
        CHECK(said("b").find(fmt::format("a tuner of user {} (process {}) measures", geteuid(), getpid())) !=
              std::string::npos);
    }
    CHECK(said("b").empty());
}
