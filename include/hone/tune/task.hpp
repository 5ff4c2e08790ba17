// SPDX-License-Identifier: BSL-1.0
// One workload on one backend, as a tuner sees it: candidates are proposed, measured and kept as records, those of
// earlier runs among them; at the end the fastest are compared in turns. What backends share stands here.
#pragma once

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include <fmt/core.h>

#include <hone/ir/hash.hpp>
#include <hone/measure/cache_mode.hpp>
#include <hone/measure/call_values.hpp>
#include <hone/measure/measure.hpp>
#include <hone/measure/problem.hpp>
#include <hone/op/accuracy.hpp>
#include <hone/op/flops.hpp>
#include <hone/op/operator.hpp>
#include <hone/process/process_control.hpp>
#include <hone/record/record.hpp>
#include <hone/record/standing.hpp>
#include <hone/search/own_templates.hpp>
#include <hone/tune/candidate_builder.hpp>

namespace hone::tune {

struct task {
    std::string name{};
    std::string type{}; // of the workload, in generated code
    std::string signature{};
    hone::definition definition{}; // with a typical value of all that a call gives
    own_lists own{};

    // Of the call that is measured.
    double flops() const { return flops_of(of_typical_call(definition)); }
};
template <tensor_operator Op>
task task_of(const std::string& name, const std::string& type)
{
    return {.name = name,
            .type = type,
            .signature = Op::signature().c_str(),
            .definition = with_typical(Op::definition()),
            .own = own_lists(own_rows_of_each<Op>())};
}

// As records of a task say what they were measured at; empty where a call gives nothing.
inline std::string text_of_typical(const task& t) { return text_of_call(t.definition, typical_call(t.definition)); }

struct own_search; // own_search.hpp

enum class search_method : std::uint8_t {
    model,  // gradient-boosted trees and annealing, algorithm 1 of the paper
    chance, // the control: legal, distinct candidates in a random order
    own     // a cost model or searcher that hone does not have
};

// What all tasks of a run share.
struct tuning_environment {
    child_command self{};                     // starts this program as a child that measures
    std::filesystem::path work_directory{};   // for what is built
    std::function<void(const record&)> log{}; // of each new record; none: tunings alone keep them
    std::uint64_t seed = 0;
    search_method method = search_method::model;
    const own_search* own = nullptr; // there where the method is its own
    int cpu = -1;                    // kernels of one thread are pinned to it
    int threads = 1;
    cache_mode cache = cache_mode::hot;
    hone::accuracy accuracy = hone::accuracy::standard; // of workloads that say nothing
    // Nothing that runs for a tuning outlives it: candidates that are then measured were interrupted.
    process_control::clock::time_point end = process_control::clock::time_point::max();
    std::map<std::string, library_variant> peers{}; // by signature: another library's kernels, compared at the end
};

struct candidate {
    record key{};
    variant_source source{}; // where a builder makes it
};

// The tuning of one task.
class tuning {
public:
    tuning(tune::task task, const tuning_environment& environment) : task_(std::move(task)), environment_(environment)
    {
        key_.typical = text_of_typical(task_);
    }
    tuning(const tuning&) = delete;
    tuning& operator=(const tuning&) = delete;
    virtual ~tuning() = default;

    // Takes what an earlier run measured: it is known, never measured again, and taught to the model. Records of
    // another key or workload are passed over. Call before anything is proposed.
    virtual void adopt(const std::vector<record>& earlier) = 0;
    // Instead of adopt(): all is measured again, in a run of its own, after those of the earlier records.
    void start_anew(const std::vector<record>& earlier) { run_ = last_run(earlier, under::any_key) + 1; }

    // Up to `size` new candidates; the first batch has the default and the naive kernel among them. None: there are no
    // more.
    virtual std::vector<candidate> propose(std::size_t size) = 0;
    // Verifies and times them, and keeps the records. `built` is where the builder left each; nothing where there is
    // none.
    virtual void measure(const std::vector<candidate>& batch, const std::vector<built_variant>& built) = 0;
    // The default, the naive kernel and the fastest others in turns.
    virtual void compare() = 0;

    // The default kernel, for a builder.
    virtual std::optional<variant_source> standard_source() const { return std::nullopt; }

    // Whether there are templates of which nothing was ever tried, as where workloads were tuned when they allowed
    // less.
    virtual bool lacks_templates() const { return false; }
    virtual double seconds_thinking() const = 0;
    // Of all candidates: results are judged by their bounds.
    virtual std::vector<arithmetic> arithmetics() const = 0;
    const record& key() const { return key_; }
    // As tables call it.
    std::string target() const { return target_name(*key_.backend, key_.isa); }

    const tune::task& task() const { return task_; }
    const std::vector<record>& records() const { return records_; }
    int trials() const { return trials_; }
    tune::standing standing() const
    {
        std::vector<const record*> all;
        for (const record& r : records_) all.push_back(&r);
        return standing_of(all, {.allowed = environment_.accuracy});
    }
    // The worst class of error that may be tried.
    error_class worst() const { return worst_of(accuracy_in(task_.signature.c_str(), environment_.accuracy)); }
    double gflops(double ms) const { return ms > 0 ? task_.flops() / ms * 1e-6 : 0; }

    // The operands and exact results, computed once; compilers may work meanwhile.
    std::string problem_file()
    {
        if (problem_file_.empty()) {
            const std::string path = path_of("problem");
            save_problem(task_.definition, typical_call(task_.definition), path);
            problem_file_ = path;
        }
        return problem_file_;
    }

    // The results of the kernel of a record on its workload's twin (odd_twin.hpp); `untried` where it has none.
    virtual measurement verify_on_twin(const record& r) = 0;
    // The same of a call that gives other values (call_values.hpp).
    virtual measurement verify_at(const record&, const call_values&) { return {.found = verdict::untried}; }

    // What compare() is likely to take on a quiet machine; of kernels that were not measured yet, from the formula's
    // operations.
    double seconds_of_comparison() const
    {
        const auto order = finalists();
        constexpr double of_twin = 0.5;      // most of it for the compiler
        constexpr double of_other_calls = 2; // most of it for exact results of the largest
        const bool has_found =
            std::any_of(order.begin(), order.end(), [&](std::size_t i) { return is_found(records_[i]); });
        const double of_verified = of_twin + (task_.definition.parameters.empty() ? 0 : of_other_calls);
        return seconds_of(order, !has_naive()) + (has_found ? of_verified : 0);
    }

    // What measuring a candidate takes on a quiet machine: a child's start, two calls, and its samples.
    static double seconds_of_trial(const record& r)
    {
        const timing_rules rules{};
        const double ms = r.least();
        return 0.05 + 1e-3 * (2 * ms + std::clamp(rules.least_samples * ms, rules.total_ms, rules.patience_ms));
    }

    // What could not be tried so far, and why the last could not.
    int untried() const { return untried_; }
    const std::string& untried_why() const { return untried_why_; }
    // Of these, those that are tried no more.
    int given_up() const { return given_up_; }

protected:
    static constexpr timing_rules comparison_rules{.least_samples = 15, .sample_ms = 1.0};

    record& key() { return key_; }
    const tuning_environment& environment() const { return environment_; }

    double seconds_of(const std::vector<std::size_t>& compared, bool with_naive) const
    {
        double seconds = 0.1;
        const auto add = [&](double ms) {
            const double samples = std::clamp(comparison_rules.patience_ms / std::max(ms, 1e-3), 1.0,
                                              static_cast<double>(comparison_rules.least_samples));
            seconds += 0.05 + 1e-3 * (samples * std::max(ms, 2 * comparison_rules.sample_ms) + 3 * ms);
        };
        for (std::size_t i : compared) add(records_[i].least());
        constexpr double flops_of_naive = 1e9, flops_of_others = 1e10; // a second, of a slow core
        if (with_naive) add(task_.flops() / flops_of_naive * 1e3);
        for (std::size_t i = compared.size(); i < 2; ++i) add(task_.flops() / flops_of_others * 1e3);
        return seconds;
    }
    // Finalists as far as the time until the end is likely to do: the naive kernel decides nothing.
    std::vector<std::size_t> finalists_in_time() const
    {
        auto order = finalists();
        if (environment_.end == process_control::clock::time_point::max()) return order;
        const double left = std::chrono::duration<double>(environment_.end - process_control::clock::now()).count();
        if (seconds_of(order, false) > left)
            std::erase_if(order, [&](std::size_t i) { return records_[i].origin == "naive"; });
        return order;
    }

    // The machine could not try it: it is proposed again, a few times.
    void put_back(const candidate& c, const std::string& why)
    {
        ++untried_;
        untried_why_ = why;
        constexpr int most = 3;
        if (++attempts_[c.key.template_name + " " + c.key.nest] < most)
            again_.push_back(c);
        else
            ++given_up_;
    }
    void note_untried(const std::string& why)
    {
        ++untried_;
        untried_why_ = why;
    }
    std::vector<candidate> take_back(std::size_t most)
    {
        const auto count = static_cast<std::ptrdiff_t>(std::min(most, again_.size()));
        std::vector<candidate> those(again_.begin(), again_.begin() + count);
        again_.erase(again_.begin(), again_.begin() + count);
        return those;
    }

    // What is chosen has to be right on the workload's twin, too, and at other values of what calls give: a kernel that
    // is not is recorded as wrong, and the next one is asked. The default's own are in hone's tests.
    void verify_chosen()
    {
        for (;;) {
            const tune::standing s = standing();
            if (s.chosen == nullptr || !s.compared || !is_found(*s.chosen)) return;
            record r = *s.chosen;
            if (!verified_.insert(r.template_name + " " + r.nest).second) return;
            const auto is_wrong = [](const measurement& m) {
                return m.found == verdict::wrong_result || m.found == verdict::crash;
            };
            measurement m = verify_on_twin(r);
            std::string where = "over odd extents";
            for (const call_values& given : other_calls(task_.definition)) {
                if (is_wrong(m) || environment_.end < process_control::clock::now()) break;
                m = verify_at(r, given);
                where = "at " + text_of_call(task_.definition, given);
            }
            if (!is_wrong(m)) return;
            m.detail = where + ": " + m.detail;
            r.phase = "final";
            note(std::move(r), m);
        }
    }
    const std::string& twin_problem_file(const definition& twin)
    {
        if (twin_problem_file_.empty()) {
            const std::string path = path_of("odd_problem");
            save_problem(twin, odd_call(twin), path);
            twin_problem_file_ = path;
        }
        return twin_problem_file_;
    }
    const std::string& other_problem_file(const call_values& given)
    {
        std::string& known = other_problem_files_[given];
        if (known.empty()) {
            const std::string path = path_of(fmt::format("problem_{}", other_problem_files_.size()).c_str());
            save_problem(task_.definition, given, path);
            known = path;
        }
        return known;
    }

    // Whether a record is one of this task under the same key.
    bool is_mine(const record& r) const { return r.signature == task_.signature && key_of(r) == key_of(key_); }
    enum class under : std::uint8_t { this_key, any_key };
    // Runs count on from those under other keys, as of an earlier compiler: the newest of a workload has the largest
    // number, which is how records say it in any order.
    int last_run(const std::vector<record>& earlier, under which) const
    {
        int last = 0;
        for (const record& r : earlier) {
            const bool is_alike = r.signature == task_.signature && r.backend == key_.backend && r.isa == key_.isa &&
                                  r.threads == key_.threads;
            if (which == under::any_key ? is_alike : is_mine(r)) last = std::max(last, r.run);
        }
        return last;
    }
    // Takes the records of the last run of these.
    void adopt_last_run(const std::vector<record>& earlier)
    {
        run_ = last_run(earlier, under::this_key);
        if (run_ == 0) run_ = last_run(earlier, under::any_key) + 1;
        for (const record& r : earlier) {
            if (!is_mine(r) || r.run != run_) continue;
            records_.push_back(r);
            records_.back().task = task_.name;
            if (r.phase == "search") trials_ = std::max(trials_, r.trial + 1);
        }
    }
    // Fills in what the measurement says, and keeps and logs the record.
    void note(record r, const measurement& m)
    {
        r.found = m.found;
        r.max_rel_error = m.max_rel_error;
        r.ms = m.ms;
        r.detail = m.detail;
        r.task = task_.name;
        r.signature = task_.signature;
        r.seed = environment_.seed;
        r.run = run_;
        r.trial = r.phase == "search" ? trials_++ : trials_;
        if (environment_.log) environment_.log(r);
        records_.push_back(std::move(r));
    }
    // Another sequence for each task.
    std::uint64_t search_seed() const { return environment_.seed ^ hash_of_text(task_.signature); }
    // Several times the best so far.
    double hopeless_ms() const
    {
        const tune::standing s = standing();
        return s.chosen == nullptr ? 0 : 3 * s.chosen->least();
    }

    // Places of the records that are compared at the end: the default, the naive kernel, and the fastest others.
    std::vector<std::size_t> finalists() const
    {
        std::vector<std::size_t> order;
        for (std::size_t i = 0; i < records_.size(); ++i)
            if (records_[i].phase == "search" && records_[i].found == verdict::ok && class_of(records_[i]) <= worst())
                order.push_back(i);
        std::stable_sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) {
            return std::pair(is_found(records_[a]), records_[a].least()) <
                   std::pair(is_found(records_[b]), records_[b].least());
        });
        constexpr std::ptrdiff_t fastest = 3;
        constexpr double near = 1.25; // of the fastest: what noise may hide
        const auto first =
            std::find_if(order.begin(), order.end(), [&](std::size_t i) { return is_found(records_[i]); });
        auto last = first;
        while (last != order.end() && last - first < fastest &&
               records_[*last].least() < near * records_[*first].least())
            ++last;
        order.erase(last, order.end());
        return order;
    }

private:
    void save_problem(const definition& d, const call_values& given, const std::string& path)
    {
        save(problem_of(d, given, environment_.seed + 1, arithmetics()), path);
    }
    static bool is_found(const record& r) { return r.origin != "default" && r.origin != "naive"; }
    bool has_naive() const
    {
        return std::any_of(records_.begin(), records_.end(), [](const record& r) { return r.origin == "naive"; });
    }
    // Of a file of this tuning, in a folder that is made for it.
    std::string path_of(const char* what) const
    {
        std::filesystem::create_directories(environment_.work_directory);
        return (environment_.work_directory /
                fmt::format("{}_{:016x}.{}", key_.backend->name(), hash_of_text(task_.signature), what))
            .string();
    }
    static std::uint64_t hash_of_text(const std::string& text)
    {
        std::uint64_t h = 0xcbf29ce484222325u;
        for (char c : text) h = (h ^ static_cast<unsigned char>(c)) * 0x100000001b3u;
        return h;
    }

    tune::task task_;
    const tuning_environment& environment_;
    record key_{};
    std::vector<record> records_{};
    std::string problem_file_{}, twin_problem_file_{};
    std::map<call_values, std::string> other_problem_files_{};
    std::set<std::string> verified_{}; // on the twin
    int run_ = 1;
    int trials_ = 0;
    std::vector<candidate> again_{}; // that could not be tried
    std::map<std::string, int> attempts_{};
    int untried_ = 0;
    std::string untried_why_{};
    int given_up_ = 0;
};

} // namespace hone::tune
