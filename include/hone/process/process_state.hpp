// SPDX-License-Identifier: BSL-1.0
// What a candidate must leave as it found it: the threads and signal handlers of its process, its timer, how floats are
// rounded, and the clock, which is read past the C library.
#pragma once

#include <cmath>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <optional>
#include <string>

#include <chrono>
#include <csignal>
#include <ctime>
#include <dirent.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <unistd.h>

#if defined(__x86_64__)
#include <immintrin.h>
#endif

namespace hone::tune::measuring {

// CLOCK_MONOTONIC in milliseconds, from the kernel itself.
inline double clock_ms()
{
    timespec t{};
#if defined(__x86_64__)
    long result = SYS_clock_gettime;
    __asm__ volatile("syscall" : "+a"(result) : "D"(CLOCK_MONOTONIC), "S"(&t) : "rcx", "r11", "memory");
#else
    syscall(SYS_clock_gettime, CLOCK_MONOTONIC, &t);
#endif
    return 1e3 * static_cast<double>(t.tv_sec) + 1e-6 * static_cast<double>(t.tv_nsec);
}

// Of all threads of this process.
inline double processor_ms()
{
    timespec t{};
    syscall(SYS_clock_gettime, CLOCK_PROCESS_CPUTIME_ID, &t);
    return 1e3 * static_cast<double>(t.tv_sec) + 1e-6 * static_cast<double>(t.tv_nsec);
}

class process_state {
public:
    process_state()
    {
        for (int s = 1; s < signals; ++s) sigaction(s, nullptr, &handlers_[s]);
    }
    // What has changed; nothing where all is as it was.
    std::optional<std::string> changed() const
    {
        const process_state now;
        if (now.rounding_ != rounding_) return "it changed how floats are rounded";
        for (int s = 1; s < signals; ++s)
            if (handler(now.handlers_[s]) != handler(handlers_[s]))
                return std::string("it changed what happens at signal ") + strsignal(s);
        // One that has just been joined is listed for another moment.
        for (int attempt = 0; threads() > threads_; ++attempt) {
            if (attempt == 20) return "it left threads behind";
            usleep(1000);
        }
        itimerval timer{};
        if (getitimer(ITIMER_REAL, &timer) == 0 && (timer.it_value.tv_sec != 0 || timer.it_value.tv_usec != 0))
            return "it left a timer behind";
        // Whoever is interrupted between the two clocks is asked again.
        for (int attempt = 0; attempt < 5; ++attempt)
            if (std::fabs(drift_of_clock() - drift_) < tolerated_drift_ms) return std::nullopt;
        return "it changed the clock";
    }

private:
    static constexpr int signals = 32;
    static constexpr double tolerated_drift_ms = 0.5;

    // With flush-to-zero, without the flags of what has happened.
    static unsigned rounding()
    {
#if defined(__x86_64__)
        return _mm_getcsr() & ~0x3fu;
#else
        return 0;
#endif
    }
    static void (*handler(const struct sigaction& action))(int) { return action.sa_handler; }
    static std::size_t threads()
    {
        std::size_t count = 0;
        if (DIR* const list = opendir("/proc/self/task"); list != nullptr) {
            while (readdir(list) != nullptr) ++count;
            closedir(list);
        }
        return count;
    }
    static double drift_of_clock()
    {
        const std::chrono::duration<double, std::milli> library = std::chrono::steady_clock::now().time_since_epoch();
        return library.count() - clock_ms();
    }

    unsigned rounding_ = rounding();
    std::size_t threads_ = threads();
    double drift_ = drift_of_clock();
    struct sigaction handlers_[signals]{};
};

} // namespace hone::tune::measuring
