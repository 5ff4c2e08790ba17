// SPDX-License-Identifier: BSL-1.0
// What a person sees while a tuner works: one line that is rewritten on a terminal, and a line now and then elsewhere.
#pragma once

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdio>
#include <map>
#include <string>

#include <unistd.h>

#include <fmt/core.h>

#include <hone/tune/task.hpp>

namespace hone::tune {

// "12 (1 compile_error, 2 wrong_result)": trials, and the failures by kind.
inline std::string text_of_trials(const tuning& t)
{
    std::map<std::string, int> failures;
    for (const record& r : t.records())
        if (r.phase == "search" && r.found != verdict::ok) ++failures[name_of(r.found)];
    std::string kinds;
    for (const auto& [kind, count] : failures) kinds += fmt::format("{}{} {}", kinds.empty() ? "" : ", ", count, kind);
    return fmt::format("{}{}", t.trials(), kinds.empty() ? "" : " (" + kinds + ")");
}

class progress {
public:
    progress() : rewrites_(isatty(2) == 1) {}

    // After a batch of `t`; `left` seconds of the budget remain.
    void show(const tuning& t, double left)
    {
        const auto now = std::chrono::steady_clock::now();
        if (!rewrites_ && now - last_ < std::chrono::seconds{5}) return;
        last_ = now;
        const standing s = t.standing();
        double current = 0;
        for (const record& r : t.records())
            if (r.phase == "search") current = r.found == verdict::ok ? t.gflops(r.least()) : 0;
        write(fmt::format("[{} {}] Current/Best: {:7.2f}/{:7.2f} GFLOPS | Trials: {} | {:.0f} s left", t.task().name,
                          t.key().isa == "none" ? t.backend() : t.key().isa, current,
                          s.chosen == nullptr ? 0 : t.gflops(s.chosen->least()), text_of_trials(t),
                          std::max(left, 0.0)));
    }
    // A line that stays.
    void say(const std::string& line)
    {
        clear();
        fmt::print(stderr, "{}\n", line);
        std::fflush(stderr);
    }
    void clear()
    {
        if (rewrites_ && shown_) fmt::print(stderr, "\r\x1b[K");
        shown_ = false;
    }

private:
    void write(const std::string& line)
    {
        if (rewrites_)
            fmt::print(stderr, "\r\x1b[K{}", line);
        else
            fmt::print(stderr, "{}\n", line);
        std::fflush(stderr);
        shown_ = true;
    }

    bool rewrites_;
    bool shown_ = false;
    std::chrono::steady_clock::time_point last_{};
};

} // namespace hone::tune
