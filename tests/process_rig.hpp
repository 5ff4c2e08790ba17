// SPDX-License-Identifier: BSL-1.0
// What tests see of other processes.
#pragma once

#include <chrono>
#include <ctime>
#include <fstream>
#include <string>
#include <thread>

#include <sys/types.h>

namespace hone::test {

// 'R', 'S', 'T' for stopped and so on; 0: there is none. A dead process that nobody has reaped counts as none.
inline char state_of(pid_t process)
{
    std::ifstream file("/proc/" + std::to_string(process) + "/stat");
    std::string text;
    std::getline(file, text);
    const auto name = text.rfind(") ");
    if (name == std::string::npos || text[name + 2] == 'Z' || text[name + 2] == 'X') return 0;
    return text[name + 2];
}
inline bool is_alive(pid_t process) { return state_of(process) != 0; }

inline std::chrono::nanoseconds cpu_time_of(pid_t process)
{
    clockid_t clock = 0;
    timespec t{};
    if (clock_getcpuclockid(process, &clock) != 0 || clock_gettime(clock, &t) != 0) return {};
    return std::chrono::seconds{t.tv_sec} + std::chrono::nanoseconds{t.tv_nsec};
}

// Whether it holds within ten seconds.
template <class Condition>
bool soon(Condition&& holds)
{
    const auto begin = std::chrono::steady_clock::now();
    while (!holds()) {
        if (std::chrono::steady_clock::now() - begin > std::chrono::seconds{10}) return false;
        std::this_thread::sleep_for(std::chrono::milliseconds{2});
    }
    return true;
}

} // namespace hone::test
