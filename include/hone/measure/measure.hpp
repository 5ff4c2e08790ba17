// SPDX-License-Identifier: BSL-1.0
// How candidates are measured in child processes, whatever their back end: the program that tunes starts itself again
// in a mode that reads a job on stdin and writes one line for each result; a child's death costs one candidate.
#pragma once

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <csignal>
#include <cstdint>
#include <cstring>
#include <random>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <fcntl.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <unistd.h>

#include <fmt/core.h>
#include <nlohmann/json.hpp>

#include <hone/process/process.hpp>
#include <hone/record/verdict.hpp>

namespace hone::tune {

struct measurement {
    verdict found = verdict::interrupted;
    double max_rel_error = 0;
    std::vector<double> ms{}; // of one call, in the order of the samples
    std::string detail{};
    nlohmann::json made{}; // what a child compiled itself, as it goes into the record

    double least() const { return ms.empty() ? 0 : *std::min_element(ms.begin(), ms.end()); }
    double median() const
    {
        if (ms.empty()) return 0;
        std::vector<double> sorted = ms;
        std::sort(sorted.begin(), sorted.end());
        return sorted[sorted.size() / 2];
    }
};

enum class timing_order : std::uint8_t {
    each,   // one variant after another
    none,   // they are verified alone
    rounds, // in turns, so that a slower clock or a busy neighbour meets all; for the comparison at the end
};

struct timing_rules {
    int least_samples = 10;
    int most_samples = 40;
    double sample_ms = 0.2;   // least time of one sample
    double total_ms = 40;     // of all samples of a variant, where least_samples allows
    double patience_ms = 500; // of all samples of a slow variant; it then has fewer, one at least
    double hopeless_ms = 0;   // one sample is enough for a variant whose calls take longer; 0: of none
};

// The command that starts this program as a child.
using child_command = std::vector<std::string>;

namespace measuring {

// A word that candidates cannot know: lines of results that lack it are not the child's.
inline std::string new_token()
{
    std::random_device bits;
    return fmt::format("{:08x}{:08x}{:08x}{:08x}", bits(), bits(), bits(), bits());
}

// Runs jobs until each of `count` entries has its result; `job_of(open)` is the job for the entries in `open`. A
// child's death costs the entry that it had begun last, and the next child goes on with the others. At the end it is
// killed, and what has no result then was interrupted.
template <class JobOf>
std::vector<measurement> in_children(const child_command& self, std::size_t count,
                                     std::chrono::duration<double> deadline, process_control::clock::time_point end,
                                     JobOf&& job_of)
{
    process_control control;
    control.end_at(end);
    std::vector<measurement> results(count);
    std::vector<std::size_t> open(count);
    for (std::size_t i = 0; i < count; ++i) open[i] = i;
    while (!open.empty() && !interrupt_requested.load() && !control.cancelled()) {
        std::size_t begun = open.front();
        nlohmann::json job = job_of(open);
        const std::string token = new_token();
        job["token"] = token;
        const auto close = [&](std::size_t entry) {
            open.erase(std::remove(open.begin(), open.end(), entry), open.end());
        };
        const auto on_line = [&](std::string_view line) {
            const auto message = nlohmann::json::parse(line, nullptr, false);
            if (!message.is_object() || message.value("token", nlohmann::json()) != token ||
                !message.value("variant", nlohmann::json()).is_number_unsigned())
                return;
            const auto at = message["variant"].get<std::size_t>();
            if (std::find(open.begin(), open.end(), at) == open.end()) return;
            begun = at;
            if (!message.contains("verdict")) return;
            close(at);
            measurement& m = results[at];
            m.found = verdict_of(message["verdict"].get<std::string>()).value_or(verdict::crash);
            m.detail = message.value("detail", "");
            m.max_rel_error = message.value("max_rel_error", 0.0);
            m.ms = message.value("ms", std::vector<double>{});
            m.made = message.value("made", nlohmann::json{});
        };
        // A line may hold a shader of some hundred kilobytes.
        constexpr std::size_t longest_line = std::size_t{1} << 24;
        const process_result r =
            run_process(self, job.dump(), {.deadline = deadline, .output_bytes = longest_line}, on_line, control);
        if (r.interrupted) break;
        // No process, or no memory or thread in it before it saw an entry: that says nothing of them.
        if (!r.started || (r.exit_status > 0 && says_lack_of_resources(r.err))) {
            for (const std::size_t entry : open)
                results[entry] = {.found = verdict::untried,
                                  .detail = fmt::format("cannot start {}: {}", self.front(), r.err)};
            break;
        }
        // A child may end early, once it has said what became of the entry that made it end.
        if (std::find(open.begin(), open.end(), begun) == open.end()) continue;
        measurement& lost = results[begun];
        lost.found = r.timed_out ? verdict::run_timeout : verdict::crash;
        lost.detail = r.timed_out    ? fmt::format("no result within {} s", deadline.count())
                      : r.signal > 0 ? fmt::format("ended by signal {} ({})", r.signal, strsignal(r.signal))
                                     : fmt::format("ended with status {}: {}", r.exit_status, r.err.substr(0, 4096));
        close(begun);
    }
    return results;
}

inline void put(nlohmann::json& j, const timing_rules& r)
{
    j["least_samples"] = r.least_samples;
    j["most_samples"] = r.most_samples;
    j["sample_ms"] = r.sample_ms;
    j["total_ms"] = r.total_ms;
    j["patience_ms"] = r.patience_ms;
    j["hopeless_ms"] = r.hopeless_ms;
}

// ---- what follows runs in the child ----

inline timing_rules rules_of(const nlohmann::json& job)
{
    return {.least_samples = job.at("least_samples").get<int>(),
            .most_samples = job.at("most_samples").get<int>(),
            .sample_ms = job.at("sample_ms").get<double>(),
            .total_ms = job.at("total_ms").get<double>(),
            .patience_ms = job.at("patience_ms").get<double>(),
            .hopeless_ms = job.at("hopeless_ms").get<double>()};
}

// The stream of results: the real stdout, which candidates do not see. Each line has the token of the job.
class result_stream {
public:
    explicit result_stream(std::string token = "") : token_(std::move(token)), fd_(fcntl(1, F_DUPFD_CLOEXEC, 10))
    {
        dup2(2, 1);
    }
    void say(nlohmann::json message) const
    {
        // A candidate may have forked; only this process speaks.
        if (getpid() != owner_) _exit(0);
        message["token"] = token_;
        const std::string line = message.dump() + "\n";
        if (!write_all(line)) _exit(1);
    }
    void begin(std::size_t variant)
    {
        // What last words would say of it: nothing can be made in a signal handler.
        last_words_ = fmt::format(R"({{"token": "{}", "variant": {}, "verdict": "{}", "detail": ")", token_, variant,
                                  name_of(verdict::crash));
        say({{"variant", variant}});
    }
    void failed(std::size_t variant, verdict found, const std::string& why) const
    {
        say({{"variant", variant}, {"verdict", name_of(found)}, {"detail", why}});
    }
    void done(std::size_t variant, double error, const std::vector<double>& ms, const nlohmann::json& made = {}) const
    {
        say({{"variant", variant}, {"verdict", "ok"}, {"max_rel_error", error}, {"ms", ms}, {"made", made}});
    }
    // Of the variant that has begun, from a signal handler. Plain words alone.
    void last(const char* what, const char* of) const
    {
        if (getpid() != owner_) return;
        for (const std::string_view part :
             {std::string_view(last_words_), std::string_view(what), std::string_view(of), std::string_view("\"}\n")})
            if (!write_all(part)) return;
    }

private:
    bool write_all(std::string_view left) const
    {
        while (!left.empty()) {
            const ssize_t written = ::write(fd_, left.data(), left.size());
            if (written < 0 && errno != EINTR) return false;
            if (written > 0) left.remove_prefix(static_cast<std::size_t>(written));
        }
        return true;
    }

    std::string token_, last_words_{};
    int fd_;
    pid_t owner_ = getpid();
};

struct sample_plan {
    int calls = 1;
    int samples = 10;
};
inline sample_plan plan_of(double pilot_ms, const timing_rules& rules)
{
    sample_plan p;
    p.calls = static_cast<int>(std::clamp(rules.sample_ms / std::max(pilot_ms, 1e-6) + 0.5, 1.0, 1e6));
    const double each = std::max(pilot_ms * p.calls, 1e-6);
    const double least = std::clamp(rules.patience_ms / each, 1.0, static_cast<double>(rules.least_samples));
    p.samples = static_cast<int>(std::clamp(rules.total_ms / each, least, static_cast<double>(rules.most_samples)));
    if (rules.hopeless_ms > 0 && pilot_ms > rules.hopeless_ms) p.samples = 1;
    return p;
}

} // namespace measuring

// The job on stdin, as text. Candidates cannot read it again.
inline std::string read_job()
{
    std::string text;
    char chunk[4096];
    for (ssize_t count; (count = ::read(0, chunk, sizeof chunk)) > 0;)
        text.append(chunk, static_cast<std::size_t>(count));
    if (const int nothing = open("/dev/null", O_RDONLY | O_CLOEXEC); nothing >= 0) {
        dup2(nothing, 0);
        close(nothing);
    }
    return text;
}

// What the child does before it sees a candidate: it dies with its parent, leaves no core, and hears of what
// candidates leave behind.
inline void become_child()
{
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    prctl(PR_SET_CHILD_SUBREAPER, 1);
    const rlimit none{0, 0};
    setrlimit(RLIMIT_CORE, &none);
}

// Whether this program has a sanitizer's shadow memory, which is larger than any limit.
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
inline constexpr bool has_shadow_memory = true;
#elif defined(__clang__)
inline constexpr bool has_shadow_memory = __has_feature(address_sanitizer) || __has_feature(thread_sanitizer);
#else
inline constexpr bool has_shadow_memory = false;
#endif

// A candidate that fills the memory fails alone, and the machine goes on.
inline void limit_memory(std::uint64_t bytes)
{
    const rlimit most{bytes, bytes};
    if (!has_shadow_memory) setrlimit(RLIMIT_AS, &most);
}

} // namespace hone::tune
