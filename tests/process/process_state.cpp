// SPDX-License-Identifier: BSL-1.0
// What a candidate must leave as it found it: each change is seen and named, and what is put back is none.
#include <atomic>
#include <chrono>
#include <csignal>
#include <cstring>
#include <ctime>
#include <string>
#include <thread>

#include <sys/time.h>

#include <doctest/doctest.h>

#include <hone/process/process_state.hpp>

using namespace hone::tune::measuring;
using namespace std::chrono_literals;

namespace {

std::string change_in(const process_state& before) { return before.changed().value_or("nothing"); }

} // namespace

TEST_CASE("a process that does nothing, or puts all back, has changed nothing")
{
    const process_state before;
    CHECK(change_in(before) == "nothing");
    const auto handler = std::signal(SIGUSR1, SIG_IGN);
    std::signal(SIGUSR1, handler);
    std::thread([] {}).join();
    CHECK(change_in(before) == "nothing");
}

TEST_CASE("a handler of a signal that is another is named")
{
    const process_state before;
    const auto handler = std::signal(SIGUSR1, SIG_IGN);
    CHECK(change_in(before) == std::string{"it changed what happens at signal "} + strsignal(SIGUSR1));
    std::signal(SIGUSR1, handler);
    CHECK(change_in(before) == "nothing");
}

TEST_CASE("a thread that runs on is found, and one fewer than before is no fault")
{
    std::atomic<bool> ends{false};
    const process_state before;
    std::thread left([&] {
        while (!ends.load()) std::this_thread::sleep_for(1ms);
    });
    CHECK(change_in(before) == "it left threads behind");
    const process_state with_thread;
    ends.store(true);
    left.join();
    CHECK(change_in(before) == "nothing");
    CHECK(change_in(with_thread) == "nothing");
}

TEST_CASE("a timer that is set is found")
{
    const process_state before;
    itimerval timer{};
    timer.it_value.tv_sec = 1000;
    setitimer(ITIMER_REAL, &timer, nullptr);
    CHECK(change_in(before) == "it left a timer behind");
    timer.it_value.tv_sec = 0;
    setitimer(ITIMER_REAL, &timer, nullptr);
    CHECK(change_in(before) == "nothing");
}

#if defined(__x86_64__)
TEST_CASE("another way of rounding is found, also that denormals count for zeros; what has happened is none")
{
    const process_state before;
    const unsigned usual = _mm_getcsr();
    _mm_setcsr(usual | 0x8000); // flush to zero
    CHECK(change_in(before) == "it changed how floats are rounded");
    _mm_setcsr((usual & ~0x6000u) | 0x4000); // upwards
    CHECK(change_in(before) == "it changed how floats are rounded");
    _mm_setcsr(usual | 0x3f); // all exceptions have happened
    CHECK(change_in(before) == "nothing");
    _mm_setcsr(usual);
}
#endif

TEST_CASE("the clocks of the kernel go on, and that of this process with its work")
{
    const double wall = clock_ms(), own = processor_ms();
    const std::chrono::duration<double, std::milli> library = std::chrono::steady_clock::now().time_since_epoch();
    CHECK(library.count() >= wall);
    CHECK(clock_ms() >= library.count());
    while (processor_ms() - own < 5) {
    }
    CHECK(clock_ms() - wall > 1);
}
