// SPDX-License-Identifier: BSL-1.0
// Verifies and times the variants of libraries in a child process (see measure.hpp).
//
// A variant is verified first, between pages that it may not touch (see guarded_memory.hpp): data flush to the end for
// one draw of the operands and flush to the begin for another, outputs and workspace poisoned, inputs read-only. It is
// timed with operands that it has not met, of which one value changes from call to call, and its last timed call is
// verified. One that leaves its process other than it was ends its child.
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

#include <hone/cpu/entry.hpp>
#include <hone/measure/cache_mode.hpp>
#include <hone/measure/machine.hpp>
#include <hone/measure/measure.hpp>
#include <hone/measure/problem.hpp>
#include <hone/measure/variant.hpp>
#include <hone/process/guarded_memory.hpp>
#include <hone/process/process_state.hpp>
#include <hone/record/verdict.hpp>
#include <hone/run/thread_pool.hpp>

namespace hone::tune {

struct library_variant {
    std::string library{};
    int index = 0;
    tune::arithmetic arithmetic = tune::arithmetic::direct;
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

// Floats between two guards, at a cache line's begin: as kernels are timed.
class framed_floats {
public:
    explicit framed_floats(std::size_t count) : memory_(allocate_floats(count + 2 * guard)), count_(count)
    {
        std::memset(memory_.get(), pattern, guard * sizeof(float));
        std::fill_n(data(), count, poison());
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

// Places at random, one in a nanosecond.
class random_places {
public:
    std::size_t below(std::size_t size)
    {
        state_ = state_ * 6364136223846793005u + 1442695040888963407u;
        return static_cast<std::size_t>((state_ >> 32) * size >> 32);
    }

private:
    std::uint64_t state_ = static_cast<std::uint64_t>(clock_ms() * 1e6);
};

enum class timed_calls : std::uint8_t {
    others,
    last, // they end with the one that is verified
};

// One variant with its buffers.
class prepared_variant {
public:
    prepared_variant(const variant& v, const problem& p, arithmetic a, const executor_ref& executor)
        : variant_(v), problem_(p), arithmetic_(a), executor_(executor)
    {
    }

    // Why the results for a draw are wrong, of a call between pages that nobody may touch; nothing where they are
    // right. `ms` is what the call took.
    std::optional<std::string> verify(const problem_draw& draw, flush side, double& ms)
    {
        const auto guarded = [&](const char* name, std::size_t floats) {
            auto memory = std::make_unique<guarded_memory>(name, floats * sizeof(float), side);
            std::fill_n(memory->floats(), floats, poison());
            return memory;
        };
        std::vector<std::unique_ptr<guarded_memory>> operands;
        const arguments given = arguments_of(draw, [&](const problem_operand& o) {
            operands.push_back(guarded(name_of(o.part.member), o.values.size()));
            std::copy(o.values.begin(), o.values.end(), operands.back()->floats());
            operands.back()->make_read_only();
            return operands.back()->floats();
        });
        const auto packed = guarded("packed weights", packed_floats());
        const auto workspace = guarded("the workspace", workspace_floats());
        const auto y = guarded("y", problem_.outputs);
        std::vector<std::unique_ptr<guarded_memory>> outputs;
        further_.clear();
        for (const problem_output& o : problem_.further) {
            outputs.push_back(guarded(o.name.c_str(), o.elements));
            further_.push_back(outputs.back()->floats());
        }
        if (const status s = variant_.pack(weights_.data(), packed->floats()); !s.ok()) return text_of(s);
        packed->make_read_only();
        call_ = given;
        call_.weights = packed->floats();
        call_.workspace = workspace->floats();
        call_.y = y->floats();
        call_.outputs = further_.data();
        arguments call = call_;
        executor_ref executor = executor_;
        const double begin = clock_ms();
        const status s = variant_.run(executor, call);
        ms = clock_ms() - begin;
        if (!s.ok()) return text_of(s);
        if (!same(executor, call)) return "it changed its executor or its arguments";
        const auto floats_of = [](const auto& memory) -> const float* { return memory->floats(); };
        if (auto wrong = judged(draw, y->floats(), outputs, floats_of)) return wrong;
        const auto holds = [](const auto& memory) { return memory->slack_holds(); };
        if (!holds(y) || !holds(workspace) || !holds(packed) || !std::all_of(operands.begin(), operands.end(), holds) ||
            !std::all_of(outputs.begin(), outputs.end(), holds))
            return "it wrote outside a buffer";
        return std::nullopt;
    }
    double error() const { return error_; }

    // After verify(): the buffers that calls are timed with.
    void prepare(weight_rotation& weights, cache_mode cache)
    {
        call_ = arguments_of(problem_.timed(), [&](const problem_operand& o) {
            operands_.emplace_back(o.values.size());
            std::copy(o.values.begin(), o.values.end(), operands_.back().data());
            if (o.part.member == call_member::x) x_ = &operands_.back();
            return operands_.back().data();
        });
        packed_.emplace(packed_floats());
        workspace_.emplace(workspace_floats());
        y_.emplace(problem_.outputs);
        outputs_.clear();
        further_.clear();
        for (const problem_output& o : problem_.further) further_.push_back(outputs_.emplace_back(o.elements).data());
        fault_ = variant_.pack(weights_.data(), packed_->data());
        kept_.assign(packed_->data(), packed_->data() + packed_->size());
        weights.fill(packed_->data(), packed_->size(), cache);
        call_.workspace = workspace_->data();
        call_.y = y_->data();
        call_.outputs = further_.data();
    }
    // Of one call. No call finds the operands of another before, nor y as that left it: what is computed once only, is
    // wrong at the last.
    double milliseconds(int calls, weight_rotation& weights, timed_calls which)
    {
        if (which == timed_calls::last) {
            std::fill_n(y_->data(), y_->size(), poison());
            std::fill_n(workspace_->data(), workspace_->size(), poison());
            for (const framed_floats& o : outputs_) std::fill_n(o.data(), o.size(), poison());
        }
        arguments call = call_;
        executor_ref executor = executor_;
        const double used = processor_ms(), begin = clock_ms();
        for (int i = 0; i < calls; ++i) {
            change_input(which == timed_calls::last && i + 1 == calls);
            if (y_->size() > 0) y_->data()[places_.below(y_->size())] = poison();
            for (const framed_floats& o : outputs_) o.data()[places_.below(o.size())] = poison();
            call.weights = call_.weights = weights.next();
            const status s = variant_.run(executor, call);
            if (!s.ok()) fault_ = s;
        }
        const double taken = clock_ms() - begin;
        wall_ms_ += taken;
        processor_ms_ += processor_ms() - used;
        call.weights = call_.weights;
        kept_arguments_ = kept_arguments_ && same(executor, call);
        return taken / calls;
    }
    // Why the timed calls are wrong, the last of which was timed_calls::last.
    std::optional<std::string> wrong()
    {
        if (!fault_.ok()) return text_of(fault_);
        if (!kept_arguments_) return "it changed its executor or its arguments";
        const auto floats_of = [](const framed_floats& f) -> const float* { return f.data(); };
        if (auto wrong = judged(problem_.timed(), y_->data(), outputs_, floats_of)) return wrong;
        const auto guarded = [](const framed_floats& f) { return f.guards_hold(); };
        if (!guarded(*y_) || !guarded(*packed_) || !guarded(*workspace_) ||
            !std::all_of(operands_.begin(), operands_.end(), guarded) ||
            !std::all_of(outputs_.begin(), outputs_.end(), guarded))
            return "it wrote outside a buffer";
        const auto same_floats = [](const void* a, const std::vector<float>& b) {
            return b.empty() || std::memcmp(a, b.data(), b.size() * sizeof(float)) == 0;
        };
        for (std::size_t i = 0; i < operands_.size(); ++i)
            if (!same_floats(operands_[i].data(), problem_.timed().operands[i].values)) return "it wrote to an operand";
        if (!same_floats(packed_->data(), kept_) || !same_floats(call_.weights, kept_))
            return "it wrote to packed weights";
        // With some air for interrupts and for ticks.
        if (processor_ms_ > 1.3 * wall_ms_ * executor_.slots() + 20)
            return fmt::format(
                "it took {:.0f} ms of processors in {:.0f} ms: it has threads that are not its executor's",
                processor_ms_, wall_ms_);
        return std::nullopt;
    }

private:
    static const char* name_of(call_member m)
    {
        constexpr const char* names[] = {"x", "weights", "bias", "residual", "y", "an operand", "an output"};
        return names[static_cast<int>(m)];
    }
    static std::string text_of(const status& s) { return fmt::format("{} [{}]", s.message(), s.subject); }
    static std::size_t floats_of(std::size_t bytes) { return (bytes + sizeof(float) - 1) / sizeof(float); }
    std::size_t packed_floats() const { return floats_of(variant_.packed_bytes); }
    std::size_t workspace_floats() const { return floats_of(variant_.workspace_bytes(executor_.slots())); }
    // As far as the operands of a draw say; memory_of(operand) is where each was put.
    template <class MemoryOf>
    arguments arguments_of(const problem_draw& draw, MemoryOf&& memory_of)
    {
        arguments call;
        others_.assign(draw.operands.size(), nullptr);
        weights_.assign(draw.operands.size(), nullptr);
        operands_.reserve(draw.operands.size());
        for (const problem_operand& o : draw.operands) {
            float* const at = memory_of(o);
            switch (o.part.member) {
            case call_member::x: call.x = at; break;
            case call_member::weights: weights_[static_cast<std::size_t>(o.part.number)] = at; break; // to be packed
            case call_member::bias: call.bias = at; break;
            case call_member::residual: call.residual = at; break;
            case call_member::operands: others_[static_cast<std::size_t>(o.part.number)] = at; break;
            case call_member::y:
            case call_member::outputs: break; // nothing is read there
            }
        }
        call.operands = others_.data();
        call.weights_layout = variant_.layout_id;
        return call;
    }
    bool same(const executor_ref& e, const arguments& a) const
    {
        return e.self == executor_.self && e.slot_count == executor_.slot_count &&
               e.run_chunks == executor_.run_chunks && e.least_region_ns == executor_.least_region_ns &&
               std::memcmp(&a, &call_, sizeof a) == 0;
    }
    // Where the outputs stand, not where the call says that they do.
    template <class Outputs, class FloatsOf>
    std::optional<std::string> judged(const problem_draw& draw, const float* y, const Outputs& outputs,
                                      FloatsOf&& floats_of)
    {
        std::vector<const float*> further;
        for (const auto& o : outputs) further.push_back(floats_of(o));
        const judgement j = judge(problem_, draw, arithmetic_, y, further);
        // Beside an outlier all errors are small.
        if (&draw != &problem_.specials()) error_ = std::max(error_, j.error);
        if (j.wrong.empty()) return std::nullopt;
        return j.wrong;
    }
    // One value of x has the other sign, another one each call; none before the call that is verified.
    void change_input(bool to_what_was_drawn)
    {
        if (changed_ != nullptr) *changed_ = -*changed_;
        changed_ = nullptr;
        if (to_what_was_drawn || x_ == nullptr || x_->size() == 0) return;
        changed_ = x_->data() + places_.below(x_->size());
        *changed_ = -*changed_;
    }

    variant variant_;
    const problem& problem_;
    arithmetic arithmetic_;
    executor_ref executor_;
    std::vector<const float*> weights_{}, others_{};
    std::vector<float*> further_{}; // outputs beside y, as a call gives them
    arguments call_{};
    double error_ = 0;

    // ---- of timed calls ----
    std::vector<framed_floats> operands_{};
    std::vector<framed_floats> outputs_{}; // beside y
    std::optional<framed_floats> packed_{}, workspace_{}, y_{};
    std::vector<float> kept_{}; // packed weights
    framed_floats* x_ = nullptr;
    float* changed_ = nullptr;
    random_places places_{};
    status fault_{};
    bool kept_arguments_ = true;
    double wall_ms_ = 0, processor_ms_ = 0;
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
