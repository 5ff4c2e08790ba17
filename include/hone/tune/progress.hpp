// SPDX-License-Identifier: BSL-1.0
// What a person sees while a tuner works: one line that is rewritten on a terminal and fits it, and a line now and then
// elsewhere; and what it did not reach.
#pragma once

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdio>
#include <cstdlib>
#include <map>
#include <string>
#include <vector>

#include <sys/ioctl.h>
#include <unistd.h>

#include <fmt/core.h>
#include <fmt/ranges.h>

#include <hone/process/standard_streams.hpp>
#include <hone/tune/candidate_builder.hpp>
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

// Where a search stands.
struct progress_state {
    std::size_t place = 0; // of the workload on its target, from 1
    std::size_t of = 0;
    double share = 0; // of the budget that is used up
};

// The beginning that fits the columns; what is cut ends in "...", and no character is cut in two.
inline std::string fitted_to(const std::string& line, std::size_t columns)
{
    const auto continues = [](char c) { return (static_cast<unsigned char>(c) & 0xc0) == 0x80; };
    std::size_t count = 0, keep = 0;
    for (std::size_t i = 0; i < line.size(); ++i) {
        if (continues(line[i])) continue;
        if (count + 3 == columns) keep = i;
        ++count;
    }
    if (count <= columns) return line;
    return columns < 3 ? std::string(columns, '.') : line.substr(0, keep) + "...";
}

// Of the terminal on stderr.
inline std::size_t terminal_columns()
{
    winsize size{};
    if (ioctl(2, TIOCGWINSZ, &size) == 0 && size.ws_col > 0) return size.ws_col;
    const char* const columns = std::getenv("COLUMNS");
    const long number = columns == nullptr ? 0 : std::strtol(columns, nullptr, 10);
    return number > 0 && number < 10000 ? static_cast<std::size_t>(number) : 80;
}

// What matters most comes first, as it is never cut.
inline std::string line_of(const tuning& t, const progress_state& at)
{
    const standing s = t.standing();
    return fmt::format("workload {} of {}, {:.0f} % of the budget: {} {}, best {:.2f} GFLOP/s, trials: {}", at.place,
                       at.of, 100 * std::clamp(at.share, 0.0, 1.0), t.task().name, t.target(),
                       s.chosen == nullptr ? 0 : t.gflops(s.chosen->least()), text_of_trials(t));
}

class progress {
public:
    progress() : rewrites_(isatty(2) == 1) {}

    // After a batch of `t`.
    void show(const tuning& t, const progress_state& at)
    {
        const auto now = std::chrono::steady_clock::now();
        if (!rewrites_ && now - last_ < std::chrono::seconds{5}) return;
        last_ = now;
        const std::string line = line_of(t, at);
        if (!rewrites_) {
            complain(line);
            return;
        }
        // A line as wide as the terminal moves some of them to the next one.
        write("\r\x1b[K" + fitted_to(line, terminal_columns() - 1));
        shown_ = true;
    }
    // A line that stays.
    void say(const std::string& line)
    {
        clear();
        complain(line);
    }
    void clear()
    {
        if (shown_) write("\r\x1b[K");
        shown_ = false;
    }

private:
    static void write(const std::string& text)
    {
        (void)!std::fwrite(text.data(), 1, text.size(), stderr);
        (void)std::fflush(stderr);
    }

    bool rewrites_;
    bool shown_ = false;
    std::chrono::steady_clock::time_point last_{};
};

// Of workloads of which no rival of the default was measured when the budget ended; `with`: the compiler of their
// candidates, if they have one, which took so many seconds.
inline std::string unreached_sentence(const std::vector<std::string>& names, const std::string& target,
                                      const candidate_builder* with, double seconds)
{
    std::string why, mend = "the same command goes on there";
    if (with != nullptr && with->built() == 0) {
        why = fmt::format(": '{}' worked for {:.1f} s and built no kernel", with->name(), seconds);
        mend = "see whether it hangs";
    } else if (with != nullptr) {
        why = fmt::format(": {:.1f} s of it were spent waiting for '{}'", seconds, with->name());
    }
    return fmt::format("the budget ended before {} could be tuned on {}{}; {}, or give a larger budget",
                       fmt::join(names, ", "), target, why, mend);
}

} // namespace hone::tune
