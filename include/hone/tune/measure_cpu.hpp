// SPDX-License-Identifier: BSL-1.0
// Verifies and times the variants of libraries in a child process: the program that tunes starts itself again in a mode
// that calls measure_cpu_child, hands it a job on stdin, and reads one line for each result.
//
// A variant is verified first: outputs, packed weights and workspace start as NaN, guards stand around every buffer,
// operands must stay as they were. One that crashes, hangs or leaves processes behind ends its child; the next one
// starts after it.
#pragma once

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <iterator>
#include <limits>
#include <memory>
#include <new>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <dlfcn.h>
#include <fcntl.h>
#include <sched.h>

#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <fmt/core.h>
#include <nlohmann/json.hpp>

#include <hone/tune/problem.hpp>
#include <hone/tune/process.hpp>
#include <hone/tune/variant.hpp>
#include <hone/tune/verdict.hpp>

namespace hone::tune {

struct measurement {
    verdict found = verdict::interrupted;
    double max_rel_error = 0;
    std::vector<double> ms{}; // of one call, in the order of the samples
    std::string detail{};

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
    rounds, // in turns, so that a slower clock or a busy neighbour meets all; for the comparison at the end
};

struct timing_rules {
    int least_samples = 10;
    int most_samples = 40;
    double sample_ms = 0.2;   // least time of one sample
    double total_ms = 40;     // of all samples of a variant, where least_samples allows
    double patience_ms = 500; // of all samples of a slow variant; it then has 3 samples or more
};

struct library_variant {
    std::string library{};
    int index = 0;
};

struct measure_job {
    std::vector<library_variant> variants{};
    std::string problem{}; // a file, see save()
    timing_order order = timing_order::each;
    timing_rules rules{};
    int cpu = -1;                                 // the child is pinned to it; -1: not pinned
    std::chrono::duration<double> deadline{10.0}; // of each variant
};

// The command that starts this program as a child.
using child_command = std::vector<std::string>;

namespace measuring {

// Runs jobs until each of `count` entries has its result; `job_of(open)` is the job text for the entries in `open`. A
// child's death costs the entry that it had begun last, and the next child goes on with the others.
template <class JobOf>
std::vector<measurement> in_children(const child_command& self, std::size_t count,
                                     std::chrono::duration<double> deadline, JobOf&& job_of)
{
    std::vector<measurement> results(count);
    std::vector<std::size_t> open(count);
    for (std::size_t i = 0; i < count; ++i) open[i] = i;
    while (!open.empty() && !interrupt_requested.load()) {
        const std::size_t before = open.size();
        std::size_t begun = open.front();
        const auto close = [&](std::size_t entry) {
            open.erase(std::remove(open.begin(), open.end(), entry), open.end());
        };
        const auto on_line = [&](std::string_view line) {
            const auto message = nlohmann::json::parse(line, nullptr, false);
            if (!message.is_object() || !message.contains("variant")) return;
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
        };
        const process_result r = run_process(self, job_of(open), {.deadline = deadline}, on_line);
        if (r.interrupted) break;
        // A child may end early, once it has said what became of the entry that made it end.
        if (open.empty() || (r.ok() && open.size() < before)) continue;
        if (std::find(open.begin(), open.end(), begun) == open.end()) begun = open.front();
        measurement& lost = results[begun];
        lost.found = r.timed_out ? verdict::run_timeout : verdict::crash;
        lost.detail = !r.started     ? "cannot start " + self.front() + ": " + r.err
                      : r.timed_out  ? fmt::format("no result within {} s", deadline.count())
                      : r.signal > 0 ? fmt::format("ended by signal {} ({})", r.signal, strsignal(r.signal))
                                     : fmt::format("ended with status {}: {}", r.exit_status, r.err);
        close(begun);
    }
    return results;
}

} // namespace measuring

inline std::string text_of(const measure_job& job, const std::vector<std::size_t>& open)
{
    nlohmann::json j;
    j["backend"] = "cpu";
    j["open"] = open;
    j["problem"] = job.problem;
    j["rounds"] = job.order == timing_order::rounds;
    j["cpu"] = job.cpu;
    j["least_samples"] = job.rules.least_samples;
    j["most_samples"] = job.rules.most_samples;
    j["sample_ms"] = job.rules.sample_ms;
    j["total_ms"] = job.rules.total_ms;
    j["patience_ms"] = job.rules.patience_ms;
    for (const library_variant& v : job.variants) j["variants"].push_back({v.library, v.index});
    return j.dump();
}

// One result for each variant of the job, in order.
inline std::vector<measurement> measure(const measure_job& job, const child_command& self)
{
    return measuring::in_children(self, job.variants.size(), job.deadline,
                                  [&](const std::vector<std::size_t>& open) { return text_of(job, open); });
}

// ---- what follows runs in the child ----

namespace measuring {

// Floats between two guards.
class guarded_floats {
public:
    explicit guarded_floats(std::size_t count)
        : memory_(static_cast<float*>(::operator new((count + 2 * guard) * sizeof(float), std::align_val_t{64}))),
          count_(count)
    {
        std::memset(memory_.get(), pattern, guard * sizeof(float));
        std::fill_n(data(), count, std::numeric_limits<float>::quiet_NaN());
        std::memset(data() + count, pattern, guard * sizeof(float));
    }
    float* data() const { return memory_.get() + guard; }
    std::size_t size() const { return count_; }
    bool guards_hold() const
    {
        const auto holds = [](const float* from) {
            const auto* bytes = reinterpret_cast<const unsigned char*>(from);
            return std::all_of(bytes, bytes + guard * sizeof(float), [](unsigned char b) { return b == pattern; });
        };
        return holds(memory_.get()) && holds(data() + count_);
    }

private:
    static constexpr std::size_t guard = 64;
    static constexpr unsigned char pattern = 0xa5;
    struct release {
        void operator()(float* p) const { ::operator delete(p, std::align_val_t{64}); }
    };
    std::unique_ptr<float, release> memory_;
    std::size_t count_;
};

inline double milliseconds_since(std::chrono::steady_clock::time_point begin)
{
    return std::chrono::duration<double, std::milli>(std::chrono::steady_clock::now() - begin).count();
}

// One variant with its buffers.
class prepared_variant {
public:
    prepared_variant(const variant& v, const problem& p)
        : variant_(v), problem_(p), packed_(v.packed_bytes / sizeof(float)),
          workspace_((v.workspace_bytes + sizeof(float) - 1) / sizeof(float)), y_(p.expected.size())
    {
        for (const problem_operand& o : p.operands) {
            auto& copy = operands_.emplace_back(o.values.size());
            std::copy(o.values.begin(), o.values.end(), copy.data());
            if (o.role == role::input) call_.x = copy.data();
            if (o.role == role::bias) call_.bias = copy.data();
            if (o.role == role::residual) call_.residual = copy.data();
            if (o.role == role::weights) weights_ = copy.data();
        }
        call_.weights = packed_.data();
        call_.weights_layout = v.layout_id;
        call_.workspace = workspace_.data();
        call_.y = y_.data();
    }

    // Why the results are wrong; nothing where they are right.
    std::optional<std::string> verify()
    {
        variant_.pack(weights_, packed_.data());
        const status s = variant_.run(call_);
        if (!s.ok()) return fmt::format("{} [{}]", s.message(), s.subject);
        error_ = relative_error(problem_, y_.data());
        if (!(error_ <= tolerated_error)) return fmt::format("the error is {:.1e} of the largest result", error_);
        return trespass();
    }
    // Where it wrote what it must not; nothing where all is as it was.
    std::optional<std::string> trespass() const
    {
        const auto guarded = [](const guarded_floats& f) { return f.guards_hold(); };
        if (!guarded(y_) || !guarded(packed_) || !guarded(workspace_) ||
            !std::all_of(operands_.begin(), operands_.end(), guarded))
            return "it wrote outside a buffer";
        for (std::size_t i = 0; i < operands_.size(); ++i)
            if (std::memcmp(operands_[i].data(), problem_.operands[i].values.data(),
                            operands_[i].size() * sizeof(float)) != 0)
                return "it wrote to an operand";
        return std::nullopt;
    }
    double error() const { return error_; }

    double milliseconds(int calls) const
    {
        const auto begin = std::chrono::steady_clock::now();
        for (int i = 0; i < calls; ++i) (void)variant_.run(call_);
        return milliseconds_since(begin) / calls;
    }

private:
    variant variant_;
    const problem& problem_;
    std::vector<guarded_floats> operands_{};
    guarded_floats packed_, workspace_, y_;
    const float* weights_ = nullptr;
    arguments call_{};
    double error_ = 0;
};

// The stream of results: the real stdout, which candidates do not see.
class result_stream {
public:
    result_stream() : fd_(fcntl(1, F_DUPFD_CLOEXEC, 10)) { dup2(2, 1); }
    void say(const nlohmann::json& message) const
    {
        // A candidate may have forked; only this process speaks.
        if (getpid() != owner_) _exit(0);
        std::string line = message.dump() + "\n";
        for (std::string_view left = line; !left.empty();) {
            const ssize_t written = ::write(fd_, left.data(), left.size());
            if (written < 0 && errno != EINTR) _exit(1);
            if (written > 0) left.remove_prefix(static_cast<std::size_t>(written));
        }
    }
    void begin(std::size_t variant) const { say({{"variant", variant}}); }
    void failed(std::size_t variant, verdict found, const std::string& why) const
    {
        say({{"variant", variant}, {"verdict", name_of(found)}, {"detail", why}});
    }
    void done(std::size_t variant, double error, const std::vector<double>& ms) const
    {
        say({{"variant", variant}, {"verdict", "ok"}, {"max_rel_error", error}, {"ms", ms}});
    }

private:
    int fd_;
    pid_t owner_ = getpid();
};

// Whether a candidate left processes behind; they are killed.
inline bool left_children()
{
    if (waitpid(-1, nullptr, WNOHANG) < 0 && errno == ECHILD) return false;
    std::ifstream list(fmt::format("/proc/self/task/{}/children", getpid()));
    for (pid_t child = 0; list >> child;) kill(child, SIGKILL);
    return true;
}

inline void pin_to(int cpu)
{
    if (cpu < 0) return;
    cpu_set_t set;
    CPU_ZERO(&set);
    CPU_SET(cpu, &set);
    sched_setaffinity(0, sizeof set, &set);
}

// The variant of a library, or why it cannot be had. Libraries stay open until the process ends.
inline const variant* find_variant(const std::string& library, int index, std::string& why)
{
    void* const handle = dlopen(library.c_str(), RTLD_NOW | RTLD_LOCAL);
    if (handle == nullptr) {
        why = dlerror();
        return nullptr;
    }
    const auto* count = static_cast<const int*>(dlsym(handle, "hone_variant_count"));
    const auto* variants = static_cast<const variant*>(dlsym(handle, "hone_variants"));
    if (count == nullptr || variants == nullptr || index < 0 || index >= *count) {
        why = library + " has no such variant";
        return nullptr;
    }
    return variants + index;
}

struct sample_plan {
    int calls = 1;
    int samples = 10;
};
inline sample_plan plan_of(double pilot_ms, const timing_rules& rules)
{
    sample_plan p;
    p.calls = static_cast<int>(std::clamp(rules.sample_ms / std::max(pilot_ms, 1e-6) + 0.5, 1.0, 1e6));
    const double each = std::max(pilot_ms * p.calls, 1e-6);
    const double least = std::clamp(rules.patience_ms / each, 3.0, static_cast<double>(rules.least_samples));
    p.samples = static_cast<int>(std::clamp(rules.total_ms / each, least, static_cast<double>(rules.most_samples)));
    return p;
}

inline int run_cpu_job(const nlohmann::json& job, const result_stream& results)
{
    pin_to(job.at("cpu").get<int>());
    const problem p = load_problem(job.at("problem").get<std::string>());
    const timing_rules rules{.least_samples = job.at("least_samples").get<int>(),
                             .most_samples = job.at("most_samples").get<int>(),
                             .sample_ms = job.at("sample_ms").get<double>(),
                             .total_ms = job.at("total_ms").get<double>(),
                             .patience_ms = job.at("patience_ms").get<double>()};
    const auto& variants = job.at("variants");
    const bool rounds = job.at("rounds").get<bool>();
    struct entrant {
        std::size_t at;
        std::unique_ptr<prepared_variant> variant;
        sample_plan plan;
        std::vector<double> ms{};
    };
    std::vector<entrant> entrants;
    for (const auto at : job.at("open").get<std::vector<std::size_t>>()) {
        results.begin(at);
        std::string why;
        const variant* found = find_variant(variants[at][0].get<std::string>(), variants[at][1].get<int>(), why);
        if (found == nullptr) {
            results.failed(at, verdict::crash, why);
            continue;
        }
        entrant e{at, std::make_unique<prepared_variant>(*found, p), {}};
        const auto wrong = e.variant->verify();
        if (left_children()) {
            results.failed(at, verdict::crash, "it left processes behind");
            return 0;
        }
        if (wrong.has_value()) {
            results.failed(at, verdict::wrong_result, *wrong);
            continue;
        }
        e.plan = plan_of(e.variant->milliseconds(1), rules);
        if (rounds) {
            entrants.push_back(std::move(e));
            continue;
        }
        for (int i = 0; i < e.plan.samples; ++i) e.ms.push_back(e.variant->milliseconds(e.plan.calls));
        if (left_children()) {
            results.failed(at, verdict::crash, "it left processes behind");
            return 0;
        }
        if (const auto after = e.variant->trespass())
            results.failed(at, verdict::wrong_result, *after);
        else
            results.done(at, e.variant->error(), e.ms);
    }
    // The order rotates, and a call that is not timed warms each one's caches, which a slow one does not need.
    for (int round = 0; round < rules.least_samples; ++round)
        for (std::size_t i = 0; i < entrants.size(); ++i) {
            entrant& e = entrants[(i + static_cast<std::size_t>(round)) % entrants.size()];
            if (round >= e.plan.samples) continue;
            results.begin(e.at);
            if (e.plan.samples >= rules.least_samples) e.variant->milliseconds(1);
            e.ms.push_back(e.variant->milliseconds(e.plan.calls));
        }
    for (const entrant& e : entrants) results.done(e.at, e.variant->error(), e.ms);
    return 0;
}

} // namespace measuring

// The job on stdin, as text.
inline std::string read_job()
{
    std::string text;
    char chunk[4096];
    for (ssize_t count; (count = ::read(0, chunk, sizeof chunk)) > 0;)
        text.append(chunk, static_cast<std::size_t>(count));
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

// The whole of the child's work for a job of the CPU; the exit status.
inline int measure_cpu_child(const nlohmann::json& job)
{
    become_child();
    return measuring::run_cpu_job(job, measuring::result_stream{});
}

} // namespace hone::tune
