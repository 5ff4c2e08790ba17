// SPDX-License-Identifier: BSL-1.0
// Has the variants of libraries verified and timed in a child process (see measure/measure.hpp): the job, and the
// child's loop over its variants.
//
// How one is verified and timed is said in prepared_variant.hpp. One that leaves its process other than it was ends its
// child.
#pragma once

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <csignal>
#include <cstddef>
#include <cstdint>
#include <fstream>
#include <memory>
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

#include <hone/cpu/entry.hpp>
#include <hone/measure/cache_mode.hpp>
#include <hone/measure/machine.hpp>
#include <hone/measure/measure.hpp>
#include <hone/measure/problem.hpp>
#include <hone/process/guarded_memory.hpp>
#include <hone/process/process_state.hpp>
#include <hone/record/verdict.hpp>
#include <hone/run/thread_pool.hpp>
#include <hone/tune/candidate_builder.hpp>
#include <hone/tune/cpu/prepared_variant.hpp>
#include <hone/tune/cpu/variant.hpp>

namespace hone::tune {

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

inline nlohmann::json json_of(const measure_job& job, const std::vector<std::size_t>& open)
{
    nlohmann::json j;
    j["backend"] = "cpu";
    j["open"] = open;
    j["problem"] = job.problem;
    j["order"] = static_cast<int>(job.order);
    j["cache"] = name_of(job.cache);
    j["threads"] = job.threads;
    j["cpu"] = job.cpu;
    measuring::put(j, job.rules);
    for (const library_variant& v : job.variants)
        j["variants"].push_back({v.library, v.index, static_cast<int>(v.arithmetic)});
    return j;
}

// One result for each variant of the job, in order.
inline std::vector<measurement> measure(const measure_job& job, const child_command& self)
{
    return measuring::in_children(self, job.variants.size(), job.deadline, job.end,
                                  [&](const std::vector<std::size_t>& open) { return json_of(job, open); });
}

// ---- what follows runs in the child ----

namespace measuring {

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

// What is said of a touch outside of guarded memory, before it ends the process.
inline const result_stream* last_speaker = nullptr;

inline void on_fault(int signal, siginfo_t* info, void*)
{
    const char* name = "";
    if (const char* text = guarded_memory::text_of_fault(info->si_addr, name); text != nullptr) {
        last_speaker->last(text, name);
        _exit(0);
    }
    std::signal(signal, SIG_DFL); // and again
}
inline void listen_to_faults(const result_stream& speaker)
{
    last_speaker = &speaker;
    struct sigaction action {};
    action.sa_sigaction = on_fault;
    action.sa_flags = SA_SIGINFO;
    for (int s : {SIGSEGV, SIGBUS}) sigaction(s, &action, nullptr);
}

inline int run_cpu_job(const nlohmann::json& job, result_stream& results)
{
    const auto pool = pinned_pool(std::max(job.at("threads").get<int>(), 1), job.at("cpu").get<int>());
    const executor_ref executor = reference_to(*pool);
    const cache_mode cache = job.at("cache") == name_of(cache_mode::hot) ? cache_mode::hot : cache_mode::cold_weights;
    const problem p = load_problem(job.at("problem").get<std::string>());
    const timing_rules rules = rules_of(job);
    const auto& variants = job.at("variants");
    const auto order = static_cast<timing_order>(job.at("order").get<int>());
    struct entrant {
        std::size_t at;
        std::unique_ptr<prepared_variant> variant;
        std::shared_ptr<weight_rotation> weights;
        sample_plan plan{};
        std::vector<double> ms{};

        double milliseconds(int calls, timed_calls which) const
        {
            return variant->milliseconds(calls, *weights, which);
        }
        void sample(int of, timed_calls which = timed_calls::others)
        {
            ms.push_back(milliseconds(plan.calls, of + 1 == plan.samples ? timed_calls::last : which));
        }
    };
    const auto weights = std::make_shared<weight_rotation>();
    listen_to_faults(results);
    const process_state before;
    // Says what is wrong with a variant; after that nothing of this process is trusted.
    const auto failed = [&](std::size_t at, const std::optional<std::string>& wrong) {
        if (left_children()) {
            results.failed(at, verdict::crash, "it left processes behind");
        } else if (const auto changed = before.changed()) {
            results.failed(at, verdict::crash, *changed);
        } else {
            if (wrong) results.failed(at, verdict::wrong_result, *wrong);
            return wrong.has_value();
        }
        return true;
    };
    std::vector<entrant> entrants;
    for (const auto at : job.at("open").get<std::vector<std::size_t>>()) {
        results.begin(at);
        std::string why;
        const auto& v = variants[at];
        const variant* found = find_variant(v[0].get<std::string>(), v[1].get<int>(), why);
        if (found == nullptr) {
            results.failed(at, verdict::untried, why); // that of the build, whatever the kernel
            continue;
        }
        entrant e{at, std::make_unique<prepared_variant>(*found, p, static_cast<arithmetic>(v[2].get<int>()), executor),
                  order == timing_order::rounds ? std::make_shared<weight_rotation>() : weights};
        double verified_ms = 0, other_ms = 0;
        auto wrong = e.variant->verify(p.signs(), flush::to_end, verified_ms);
        if (!wrong && verified_ms <= rules.patience_ms) {
            results.begin(at);
            wrong = e.variant->verify(p.specials(), flush::to_begin, other_ms);
        }
        if (failed(at, wrong)) return 0;
        // The next call of a kernel that takes seconds would tell no more.
        if (order == timing_order::none || verified_ms > 4 * rules.patience_ms) {
            results.done(at, e.variant->error(), {verified_ms});
            continue;
        }
        e.variant->prepare(*e.weights, cache);
        results.begin(at); // the deadline is for one slow call, not for all of them
        const bool slow = verified_ms > rules.patience_ms / 4;
        const double pilot_ms = e.milliseconds(1, slow ? timed_calls::last : timed_calls::others);
        e.plan = plan_of(pilot_ms, rules);
        if (slow && e.plan.samples == 1 && e.plan.calls == 1) {
            e.plan.samples = 0;
            e.ms.push_back(pilot_ms);
        }
        results.begin(at);
        if (order == timing_order::rounds) {
            e.plan.samples = std::min(e.plan.samples, rules.least_samples);
            entrants.push_back(std::move(e));
            continue;
        }
        for (int i = 0; i < e.plan.samples; ++i) e.sample(i);
        if (failed(at, e.variant->wrong())) return 0;
        results.done(at, e.variant->error(), e.ms);
    }
    // The order rotates, and a call that is not timed warms each one's caches, which a slow one does not need.
    for (int round = 0; round < rules.least_samples; ++round)
        for (std::size_t i = 0; i < entrants.size(); ++i) {
            entrant& e = entrants[(i + static_cast<std::size_t>(round)) % entrants.size()];
            if (round >= e.plan.samples) continue;
            results.begin(e.at);
            if (e.plan.samples >= rules.least_samples) e.milliseconds(1, timed_calls::others);
            e.sample(round);
            if (failed(e.at, std::nullopt)) return 0;
        }
    for (entrant& e : entrants)
        if (const auto wrong = e.variant->wrong())
            results.failed(e.at, verdict::wrong_result, *wrong);
        else
            results.done(e.at, e.variant->error(), e.ms);
    return 0;
}

} // namespace measuring

// The whole of the child's work for a job of the CPU; the exit status.
inline int measure_cpu_child(const nlohmann::json& job)
{
    become_child();
    limit_memory(std::uint64_t{8} << 30);
    measuring::result_stream results(job.value("token", ""));
    return measuring::run_cpu_job(job, results);
}

} // namespace hone::tune
