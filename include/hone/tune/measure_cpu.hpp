// SPDX-License-Identifier: BSL-1.0
// Verifies and times the variants of libraries in a child process (see measure.hpp).
//
// A variant is verified first: outputs, packed weights and workspace start as NaN, guards stand around every buffer,
// operands must stay as they were. One that leaves processes behind ends its child.
#pragma once

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <csignal>
#include <cstdint>
#include <cstring>
#include <fstream>
#include <limits>
#include <memory>
#include <new>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include <dlfcn.h>
#include <sched.h>
#include <sys/types.h>
#include <sys/wait.h>
#include <unistd.h>

#include <fmt/core.h>
#include <nlohmann/json.hpp>

#include <hone/run/entry.hpp>
#include <hone/run/thread_pool.hpp>
#include <hone/tune/cache_mode.hpp>
#include <hone/tune/machine.hpp>
#include <hone/tune/measure.hpp>
#include <hone/tune/problem.hpp>
#include <hone/tune/variant.hpp>
#include <hone/tune/verdict.hpp>

namespace hone::tune {

struct library_variant {
    std::string library{};
    int index = 0;
};

struct measure_job {
    std::vector<library_variant> variants{};
    std::string problem{}; // a file, see save()
    timing_order order = timing_order::each;
    timing_rules rules{};
    cache_mode cache = cache_mode::cold_weights;
    int threads = 1;                              // slots of the executor
    int cpu = -1;                                 // pinned to it, other threads to others; -1: not pinned
    std::chrono::duration<double> deadline{10.0}; // of each variant
    process_control::clock::time_point end = process_control::clock::time_point::max(); // of the job
};

inline std::string text_of(const measure_job& job, const std::vector<std::size_t>& open)
{
    nlohmann::json j;
    j["backend"] = "cpu";
    j["open"] = open;
    j["problem"] = job.problem;
    j["rounds"] = job.order == timing_order::rounds;
    j["cache"] = name_of(job.cache);
    j["threads"] = job.threads;
    j["cpu"] = job.cpu;
    measuring::put(j, job.rules);
    for (const library_variant& v : job.variants) j["variants"].push_back({v.library, v.index});
    return j.dump();
}

// One result for each variant of the job, in order.
inline std::vector<measurement> measure(const measure_job& job, const child_command& self)
{
    return measuring::in_children(self, job.variants.size(), job.deadline, job.end,
                                  [&](const std::vector<std::size_t>& open) { return text_of(job, open); });
}

// ---- what follows runs in the child ----

namespace measuring {

// Floats between two guards.
class guarded_floats {
public:
    explicit guarded_floats(std::size_t count) : memory_(allocate_floats(count + 2 * guard)), count_(count)
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
    aligned_floats memory_;
    std::size_t count_;
};

inline double milliseconds_since(std::chrono::steady_clock::time_point begin)
{
    return std::chrono::duration<double, std::milli>(std::chrono::steady_clock::now() - begin).count();
}

// One variant with its buffers.
class prepared_variant {
public:
    prepared_variant(const variant& v, const problem& p, const executor_ref& executor)
        : variant_(v), problem_(p), executor_(executor), packed_(v.packed_bytes / sizeof(float)),
          workspace_((v.workspace_bytes(executor.slots()) + sizeof(float) - 1) / sizeof(float)), y_(p.expected.size())
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
        const status s = variant_.run(executor_, call_);
        if (!s.ok()) return fmt::format("{} [{}]", s.message(), s.subject);
        return wrong();
    }
    // The same of the last call, which may have met other weights or other threads.
    std::optional<std::string> wrong()
    {
        error_ = std::max(error_, relative_error(problem_, y_.data()));
        if (!(error_ <= tolerated_error)) return fmt::format("the error is {:.1e} of the largest result", error_);
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

    // After verify(). The first call then finds activations as cold as weights.
    void fill(weight_rotation& weights, cache_mode cache) const { weights.fill(packed_.data(), packed_.size(), cache); }
    double milliseconds(int calls, weight_rotation& weights)
    {
        const auto begin = std::chrono::steady_clock::now();
        for (int i = 0; i < calls; ++i) {
            call_.weights = weights.next();
            (void)variant_.run(executor_, call_);
        }
        return milliseconds_since(begin) / calls;
    }

private:
    variant variant_;
    const problem& problem_;
    executor_ref executor_;
    std::vector<guarded_floats> operands_{};
    guarded_floats packed_, workspace_, y_;
    const float* weights_ = nullptr;
    arguments call_{};
    double error_ = 0;
};

// Whether a candidate left processes behind; they are killed.
inline bool left_children()
{
    if (waitpid(-1, nullptr, WNOHANG) < 0 && errno == ECHILD) return false;
    std::ifstream list(fmt::format("/proc/self/task/{}/children", getpid()));
    for (pid_t child = 0; list >> child;) kill(child, SIGKILL);
    return true;
}

// Processors of the threads, the given one first, those of other cores before the second ones of a core; none where
// threads are not to be pinned, or are too many.
inline std::vector<int> processors_of(int threads, int first)
{
    if (first < 0) return {};
    std::vector<int> chosen, second;
    std::set<std::string> cores;
    const auto add = [&](int processor) {
        const auto core =
            first_line(fmt::format("/sys/devices/system/cpu/cpu{}/topology/thread_siblings_list", processor));
        (!core || cores.insert(*core).second ? chosen : second).push_back(processor);
    };
    add(first);
    for (int c : usable_cpus())
        if (c != first) add(c);
    chosen.insert(chosen.end(), second.begin(), second.end());
    if (chosen.size() < static_cast<std::size_t>(threads)) chosen.clear();
    return chosen;
}

// The executor of a job, with threads that stay where they are put.
inline std::unique_ptr<thread_pool> pinned_pool(int threads, int first)
{
    const std::vector<int> processors = processors_of(threads, first);
    return std::make_unique<thread_pool>(threads, [processors](int slot) {
        if (processors.empty()) return;
        cpu_set_t set;
        CPU_ZERO(&set);
        CPU_SET(processors[static_cast<std::size_t>(slot)], &set);
        sched_setaffinity(0, sizeof set, &set);
    });
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

inline int run_cpu_job(const nlohmann::json& job, const result_stream& results)
{
    const auto pool = pinned_pool(std::max(job.at("threads").get<int>(), 1), job.at("cpu").get<int>());
    const executor_ref executor = reference_to(*pool);
    const cache_mode cache = job.at("cache") == name_of(cache_mode::hot) ? cache_mode::hot : cache_mode::cold_weights;
    const problem p = load_problem(job.at("problem").get<std::string>());
    const timing_rules rules = rules_of(job);
    const auto& variants = job.at("variants");
    const bool rounds = job.at("rounds").get<bool>();
    struct entrant {
        std::size_t at;
        std::unique_ptr<prepared_variant> variant;
        std::shared_ptr<weight_rotation> weights;
        sample_plan plan{};
        std::vector<double> ms{};

        double milliseconds(int calls) const { return variant->milliseconds(calls, *weights); }
    };
    const auto weights = std::make_shared<weight_rotation>();
    const auto finish = [&](const entrant& e) {
        if (const auto wrong = e.variant->wrong())
            results.failed(e.at, verdict::wrong_result, *wrong);
        else
            results.done(e.at, e.variant->error(), e.ms);
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
        entrant e{at, std::make_unique<prepared_variant>(*found, p, executor),
                  rounds ? std::make_shared<weight_rotation>() : weights};
        const auto begin = std::chrono::steady_clock::now();
        const auto wrong = e.variant->verify();
        const double verified_ms = milliseconds_since(begin);
        if (left_children()) {
            results.failed(at, verdict::crash, "it left processes behind");
            return 0;
        }
        if (wrong.has_value()) {
            results.failed(at, verdict::wrong_result, *wrong);
            continue;
        }
        e.variant->fill(*e.weights, cache);
        results.begin(at); // the deadline is for one slow call, not for all of them
        // The next call of a kernel that takes seconds would tell no more.
        const double pilot_ms = verified_ms > 4 * rules.patience_ms ? verified_ms : e.milliseconds(1);
        e.plan = plan_of(pilot_ms, rules);
        if (e.plan.samples == 1 && e.plan.calls == 1) {
            e.plan.samples = 0;
            e.ms.push_back(pilot_ms);
        }
        results.begin(at);
        if (rounds) {
            entrants.push_back(std::move(e));
            continue;
        }
        for (int i = 0; i < e.plan.samples; ++i) e.ms.push_back(e.milliseconds(e.plan.calls));
        if (left_children()) {
            results.failed(at, verdict::crash, "it left processes behind");
            return 0;
        }
        finish(e);
    }
    // The order rotates, and a call that is not timed warms each one's caches, which a slow one does not need.
    for (int round = 0; round < rules.least_samples; ++round)
        for (std::size_t i = 0; i < entrants.size(); ++i) {
            entrant& e = entrants[(i + static_cast<std::size_t>(round)) % entrants.size()];
            if (round >= e.plan.samples) continue;
            results.begin(e.at);
            if (e.plan.samples >= rules.least_samples) e.milliseconds(1);
            e.ms.push_back(e.milliseconds(e.plan.calls));
        }
    for (const entrant& e : entrants) finish(e);
    return 0;
}

} // namespace measuring

// The whole of the child's work for a job of the CPU; the exit status.
inline int measure_cpu_child(const nlohmann::json& job)
{
    become_child();
    limit_memory(std::uint64_t{8} << 30);
    return measuring::run_cpu_job(job, measuring::result_stream{});
}

} // namespace hone::tune
