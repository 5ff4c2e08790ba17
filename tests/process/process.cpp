// SPDX-License-Identifier: BSL-1.0
// Commands: what they are given, what comes back of them, how they are ended, and that nothing of their group stays.
#include <cerrno>
#include <chrono>
#include <csignal>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <string>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

#include <fcntl.h>
#include <unistd.h>

#include <doctest/doctest.h>

#include <hone/process/process.hpp>

#include "process_rig.hpp"

using namespace hone;
using namespace hone::test;
using namespace std::chrono_literals;

namespace {

tune::process_result shell(const std::string& script, std::string_view input = "",
                           const tune::process_limits& limits = {})
{
    return tune::run_process({"sh", "-c", script}, input, limits);
}
double seconds_since(std::chrono::steady_clock::time_point begin)
{
    return std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
}

// Set for a while.
class variable_set {
public:
    variable_set(const char* name, const char* value) : name_(name) { setenv(name, value, 1); }
    variable_set(const variable_set&) = delete;
    variable_set& operator=(const variable_set&) = delete;
    ~variable_set() { unsetenv(name_); }

private:
    const char* name_;
};

} // namespace

TEST_CASE("what a command reads, writes and ends with")
{
    const auto r = shell("cat; echo to stderr >&2; exit 3", "two\nlines");
    CHECK(r.started);
    CHECK(r.exit_status == 3);
    CHECK(r.signal == 0);
    CHECK(r.out == "two\nlines");
    CHECK(r.err == "to stderr\n");
    CHECK_FALSE(r.ok());
    CHECK_FALSE(r.timed_out);
    CHECK_FALSE(r.interrupted);
    CHECK(shell("exit 0").ok());
}

TEST_CASE("words are handed over as they are, and no shell reads them")
{
    CHECK(tune::run_process({"printf", "%s|", "a b", "$HOME", "'\"\\", ""}, "", {}).out == "a b|$HOME|'\"\\||");
    CHECK(tune::run_process({"printf", "%s|", "a b", "$HOME"}, "", {.memory_bytes = std::uint64_t{1} << 40}).out ==
          "a b|$HOME|");
}

TEST_CASE("a command that is not there says why, and one that a signal ends says which")
{
    const auto r = tune::run_process({"/nonexistent/command"}, "", {});
    CHECK_FALSE(r.started);
    CHECK_FALSE(r.ok());
    CHECK(r.err == std::strerror(ENOENT));
    const auto killed = shell("kill -TERM $$");
    CHECK(killed.signal == SIGTERM);
    CHECK(killed.exit_status == -1);
    CHECK_FALSE(killed.ok());
}

TEST_CASE("a command that never reads its input does not block its writer, and one that writes much is cut")
{
    const std::string large(1 << 20, 'x');
    CHECK(shell("true", large).ok());
    const auto r = shell("cat; cat </dev/null >&2; head -c 300000 /dev/zero >&2", large, {.output_bytes = 1000});
    CHECK(r.ok());
    CHECK(r.out == std::string(1000, 'x'));
    CHECK(r.err.size() == 1000);
}

TEST_CASE("each line comes when it is written, the last one without its end, too")
{
    std::vector<std::string> lines;
    std::vector<double> times;
    const auto begin = std::chrono::steady_clock::now();
    const auto r = tune::run_process({"sh", "-c", "echo one; sleep 0.5; printf 'two\n\nlast'"}, "", {},
                                     [&](std::string_view line) {
                                         lines.emplace_back(line);
                                         times.push_back(seconds_since(begin));
                                     });
    CHECK(r.ok());
    CHECK(lines == std::vector<std::string>{"one", "two", "", "last"});
    CHECK(r.out == "one\ntwo\n\nlast");
    CHECK(times[1] - times[0] > 0.2);
}

TEST_CASE("a deadline is that of the run, or of each silence of a command that is listened to")
{
    const auto begin = std::chrono::steady_clock::now();
    const auto late = shell("sleep 60", "", {.deadline = 0.2s});
    CHECK(late.timed_out);
    CHECK_FALSE(late.ok());
    CHECK(late.exit_status == -1);
    CHECK(late.signal == 0); // ours
    CHECK(seconds_since(begin) < 30);

    const std::vector<std::string> talking{"sh", "-c", "for i in 1 2 3 4 5 6; do echo $i; sleep 0.5; done"};
    CHECK(tune::run_process(talking, "", {.deadline = 2s}).timed_out);
    CHECK(tune::run_process(talking, "", {.deadline = 2s}, [](std::string_view) {}).ok());
}

TEST_CASE("a command is one of a group that ends with it")
{
    const auto r = shell("sleep 1000 >/dev/null 2>&1 & echo $! $$");
    CHECK(r.ok());
    const pid_t left = std::atoi(r.out.c_str());
    REQUIRE(left > 0);
    CHECK(soon([&] { return !is_alive(left); }));
    // And is no part of ours: what interrupts it does not reach this process.
    CHECK(shell("kill -INT 0").signal == SIGINT);
}

TEST_CASE("an interrupt ends commands")
{
    std::thread later([] {
        std::this_thread::sleep_for(100ms);
        tune::interrupt_requested.store(true);
    });
    const auto r = shell("sleep 1000");
    later.join();
    tune::interrupt_requested.store(false);
    CHECK(r.interrupted);
    CHECK_FALSE(r.ok());
    CHECK_FALSE(r.timed_out);
}

TEST_CASE("messages are in English, and temporary files where it is said")
{
    const variable_set language("LC_ALL", "de_DE.UTF-8"), second("LANGUAGE", "de"), kept("HONE_TEST_VARIABLE", "as is");
    const auto r =
        shell("echo \"$LC_ALL|$LANGUAGE|$HONE_TEST_VARIABLE|$TMPDIR\"", "", {.temporary_directory = "/some where"});
    CHECK(r.out == "C||as is|/some where\n");
    const variable_set of_this_process("TMPDIR", "/mine");
    CHECK(shell("echo $TMPDIR").out == "/mine\n");
}

TEST_CASE("a limit of memory holds for the command, and for what it starts")
{
    const auto limit = shell("ulimit -v; sh -c 'ulimit -v'", "", {.memory_bytes = std::uint64_t{1} << 32});
    CHECK(limit.out == "4194304\n4194304\n");
}

TEST_CASE("signals that are blocked or ignored here are neither in a command")
{
    sigset_t blocked, before;
    sigemptyset(&blocked);
    sigaddset(&blocked, SIGTERM);
    sigprocmask(SIG_BLOCK, &blocked, &before);
    const auto handler = std::signal(SIGPIPE, SIG_IGN);
    CHECK(shell("kill -TERM $$; echo alive").signal == SIGTERM);
    CHECK(shell("kill -PIPE $$; echo alive").signal == SIGPIPE);
    std::signal(SIGPIPE, handler);
    sigprocmask(SIG_SETMASK, &before, nullptr);
}

TEST_CASE("a descriptor is closed once, by its last owner")
{
    const auto is_open = [](int fd) { return fcntl(fd, F_GETFD) >= 0; };
    tune::process::pipe_ends ends = tune::process::open_pipe();
    const int read = ends.read.get(), write = ends.write.get();
    {
        const tune::process::descriptor owner = std::move(ends.read);
        CHECK(ends.read.get() == -1);
        CHECK(owner.get() == read);
        CHECK(is_open(read));
    }
    CHECK_FALSE(is_open(read));
    ends.write.close();
    CHECK_FALSE(is_open(write));
    ends.write.close();
}
