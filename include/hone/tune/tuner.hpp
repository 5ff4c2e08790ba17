// SPDX-License-Identifier: BSL-1.0
// Tunes a list of workloads within a budget: takes what the file of records knows, keeps compilers and the measuring
// processor busy with what is still to be found out, and leaves a header that is valid whenever it is stopped.
#pragma once

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <system_error>
#include <utility>
#include <vector>

#include <fmt/core.h>

#include <hone/measure/machine.hpp>
#include <hone/process/machine_lock.hpp>
#include <hone/process/output_file.hpp>
#include <hone/process/work_folder.hpp>
#include <hone/record/header_writer.hpp>
#include <hone/record/record.hpp>
#include <hone/tune/backend.hpp>
#include <hone/tune/backends.hpp>
#include <hone/tune/compiler_check.hpp>
#include <hone/tune/earlier_records.hpp>
#include <hone/tune/progress.hpp>
#include <hone/tune/task.hpp>
#include <hone/tune/tuner_options.hpp>
#include <hone/tune/tuning_loop.hpp>

namespace hone::tune {

class tuner {
public:
    // Throws a sentence where the records cannot be written, the compiler is missing, or the workloads do not compile.
    tuner(tuner_options options, std::vector<task> tasks, child_command self, tuning_backends known = all_that_tune)
        : options_(std::move(options)), tasks_(std::move(tasks)), backends_(known)
    {
        environment_.self = std::move(self);
        environment_.seed = options_.seed;
        environment_.method = options_.method;
        environment_.own = options_.own;
        environment_.cpu = timing_cpu();
        environment_.threads = options_.threads;
        environment_.cache = options_.cache;
        environment_.accuracy = options_.accuracy;
        if (options_.threads == 1) environment_.peers = options_.peers;
        environment_.log = [this](const record& r) {
            log_->write(r);
            unsynced_ = true;
            records_.push_back(r);
        };
        read_earlier();
    }
    tuner(const tuner&) = delete;
    tuner& operator=(const tuner&) = delete;

    // Tunes as the mode says, and writes the header at the end and now and then before.
    tuner_result run()
    {
        begin_ = clock::now();
        if (options_.mode == tuning_mode::replay || !(options_.budget > 0)) {
            write_header();
            check_entries_kept();
            return result();
        }
        log_ = std::make_unique<record_writer>(options_.records.string());
        environment_.end = moment(options_.budget);
        add_groups();
        write_header();
        std::size_t left = 0;
        for (const tuning_group& g : groups_) left += open_tunings(g).size();
        // Two that measure at once time each other's compilers.
        std::optional<machine_lock> alone;
        if (left > 0) {
            const auto before = clock::now();
            lock(alone);
            begin_ += clock::now() - before; // waiting is no tuning
            environment_.end = moment(options_.budget);
        }
        for (tuning_group& g : groups_) {
            const std::size_t open = open_tunings(g).size();
            if (open == 0 || interrupt_requested.load()) continue;
            // Each workload has its share of what is left; what one backend leaves over, the next one has.
            tune_group(g, static_cast<double>(open) / static_cast<double>(left));
            left -= open;
            write_header();
        }
        progress_.clear();
        if (!interrupt_requested.load()) check_entries_kept();
        return result();
    }

    // What was chosen, measured again beside the default and the naive kernel; results are verified as ever, and
    // nothing is written.
    struct remeasured {
        std::string task{};
        std::string target{};
        double recorded_ms = 0;
        measurement now{};
    };
    std::vector<remeasured> measure_again()
    {
        begin_ = clock::now();
        environment_.log = {};
        std::optional<machine_lock> alone;
        lock(alone);
        add_groups();
        std::vector<remeasured> all;
        for (const tuning_group& g : groups_)
            for (const auto& t : g.tunings) {
                const standing before = t->standing();
                if (before.chosen == nullptr || interrupt_requested.load()) continue;
                const record chosen = *before.chosen;
                const std::size_t known = t->records().size();
                t->compare();
                remeasured r{.task = t->task().name, .target = t->target(), .recorded_ms = chosen.least()};
                for (std::size_t i = known; i < t->records().size(); ++i) {
                    const record& again = t->records()[i];
                    if (again.nest == chosen.nest && again.origin == chosen.origin)
                        r.now = {again.found, again.max_rel_error, again.ms, again.detail};
                }
                all.push_back(std::move(r));
            }
        return all;
    }

    // Those that exist, in the order in which they are read.
    std::vector<std::string> files_of_records() const
    {
        std::vector<std::string> all = options_.earlier;
        all.push_back(options_.records.string());
        std::erase_if(all, [](const std::string& path) {
            std::error_code unknown;
            return std::filesystem::status(path, unknown).type() == std::filesystem::file_type::not_found;
        });
        return all;
    }
    // Those of the file that hold, and what this run added to it.
    const std::vector<record>& records() const { return records_; }
    // Of records whose configs are none of their workload's list: one sentence for each template or knob.
    const std::vector<std::string>& left_out() const { return left_out_; }
    const std::vector<task>& tasks() const { return tasks_; }
    // Whose records count: those under the keys of this run, then all of this processor.
    preference preferred() const
    {
        preference p{.processor = processor_name(), .allowed = options_.accuracy};
        for (const tuning_group& g : groups_)
            for (const auto& t : g.tunings) p.keys.push_back(std::as_const(*t).key());
        for (const task& t : tasks_)
            if (!t.definition.parameters.empty()) p.typical.emplace(t.signature, text_of_typical(t));
        return p;
    }
    double elapsed() const { return std::chrono::duration<double>(clock::now() - begin_).count(); }
    const std::vector<std::string>& header_dependencies() const { return dependencies_; }

private:
    using clock = std::chrono::steady_clock;

    void read_earlier()
    {
        earlier_records earlier = tune::read_earlier(files_of_records(), tasks_, backends_);
        records_ = std::move(earlier.records);
        left_out_ = std::move(earlier.left_out);
        stale_ = earlier.stale;
        for (const auto* said : {&earlier.warnings, &left_out_})
            for (const std::string& s : *said) progress_.say("hone: " + s);
        if (stale_ > 0)
            progress_.say(fmt::format(
                "hone: {} records are stale: their configs give other loop nests today, so they no longer count",
                stale_));
        for (const std::string& s : processors_left_out(records_, preferred())) progress_.say("hone: " + s);
    }

    // Another one is done within its budget, likely the same.
    void lock(std::optional<machine_lock>& alone)
    {
        alone.emplace(
            std::chrono::duration<double>(options_.budget),
            [&](const std::string& line) { progress_.say("hone: " + line); },
            options_.lock.empty() ? usual_lock_place() : lock_place{.file = options_.lock});
    }

    void add_groups()
    {
        work_.emplace(options_.work_directory);
        environment_.work_directory = work_->path();
        if (options_.cache == cache_mode::cold_weights && last_level_cache_bytes(0) == 0)
            progress_.say(fmt::format("hone: nothing says how large the last-level cache is; weights are cold for one "
                                      "of {} MiB at most",
                                      measuring::last_level_cache() >> 20));
        for (const backend* of : backends_) {
            const std::string name = of->records().name();
            if (!options_.has(name)) continue;
            tuner_run run{options_, environment_, {}, [this](const std::string& line) { progress_.say(line); }};
            for (const task& t : tasks_)
                if (options_.wants(name, t.name)) run.tasks.push_back(&t);
            for (tuning_group& g : of->groups(run)) {
                waiting_ += g.waiting;
                if (!g.headers.empty()) dependencies_ = g.headers;
                for (const auto& t : g.tunings) start(*t);
                groups_.push_back(std::move(g));
            }
        }
    }
    void start(tuning& t) const
    {
        if (options_.mode == tuning_mode::force)
            t.start_anew(records_);
        else
            t.adopt(records_);
    }

    // Those for which something is still to be measured.
    std::vector<tuning*> open_tunings(const tuning_group& g) const
    {
        std::vector<tuning*> open;
        for (const auto& t : g.tunings)
            if (!t->standing().compared || t->lacks_templates() ||
                (options_.trials > 0 && t->trials() < options_.trials))
                open.push_back(t.get());
        return open;
    }

    // In this share of what is left when the compiler is known to work: what it had to build for that is measured.
    void tune_group(tuning_group& g, double share)
    {
        const std::vector<tuning*> open = open_tunings(g);
        const double begin = elapsed(), waited = waiting_;
        environment_.end = moment(options_.budget);
        if (g.build != nullptr) {
            check_compiler(*g.build, open, environment_.end);
            check_code(*g.build, open, environment_.end);
        }
        const double now = elapsed();
        if (g.build != nullptr) waiting_ += now - begin;
        tuning_loop loop(open, environment_,
                         {.build = g.build.get(),
                          .trials = options_.trials,
                          .end = moment(now + (options_.budget - now) * share),
                          .last = moment(options_.budget),
                          .after = [this](const tuning& t) { after_batch(t); }});
        const auto f = loop.run();
        trials_ += f.trials;
        measuring_ += f.measuring;
        waiting_ += f.waiting;
        for (const tuning* t : open) note_failure(*t);
        note_unreached(g, open, g.waiting + waiting_ - waited);
    }
    void note_unreached(const tuning_group& g, const std::vector<tuning*>& open, double waited)
    {
        std::vector<std::string> names;
        for (const tuning* t : open)
            if (t->trials() < (options_.trials == 1 ? 1 : 2) && !t->standing().compared)
                names.push_back(t->task().name);
        if (names.empty() || interrupt_requested.load()) return;
        unreached_.push_back(unreached_sentence(names, open.front()->target(), g.build.get(), waited));
    }
    void note_failure(const tuning& t)
    {
        const std::string name = fmt::format("{} on {}", t.task().name, t.target());
        if (t.given_up() > 0)
            failures_.push_back(fmt::format("{}: {} candidates could not be tried, and are not recorded: {}", name,
                                            t.given_up(), t.untried_why()));
        const record* standard = nullptr;
        for (const record& r : t.records())
            if (r.origin == "default" && r.found != verdict::ok) standard = &r;
        if (standard != nullptr && t.standing().chosen == nullptr)
            failures_.push_back(fmt::format("{}: none of {} candidates works, and neither does the default: {}: {}",
                                            name, t.trials(), name_of(standard->found), standard->detail));
    }
    // Of seconds of the budget.
    clock::time_point moment(double at) const
    {
        return begin_ + std::chrono::duration_cast<clock::duration>(std::chrono::duration<double>(at));
    }
    void show(const tuning& t)
    {
        progress_state at{.share = elapsed() / options_.budget};
        for (const tuning_group& g : groups_)
            for (const auto& other : g.tunings)
                if (++at.of; other.get() == &t) at.place = at.of;
        progress_.show(t, at);
    }
    // A batch at a time: a loss of power costs no more.
    void sync()
    {
        if (unsynced_) log_->sync();
        unsynced_ = false;
    }

    void after_batch(const tuning& t)
    {
        sync();
        show(t);
        if (clock::now() - header_written_ > std::chrono::seconds{5}) write_header();
    }

    void write_header()
    {
        const std::string text = header_text(options_.name, records_, preferred(), records_of(backends_));
        header_written_ = clock::now();
        kept_entries_ = 0;
        std::error_code unknown;
        if (options_.keeps_entries && entries_in(text) == 0 &&
            std::filesystem::is_regular_file(options_.header, unknown))
            kept_entries_ = entries_in(text_of_input(options_.header.string()));
        if (kept_entries_ == 0) replace_file(options_.header, text);
    }
    // Throws where there is no entry in the end, and the header that is there has some.
    void check_entries_kept() const
    {
        if (kept_entries_ == 0) return;
        std::string files = options_.records.string();
        for (const std::string& path : options_.earlier) files += (files.empty() ? "" : ", ") + path;
        throw std::runtime_error(fmt::format(
            "{} has entries, and is left as it is: {} give{} none; name the records with --records or --earlier, or "
            "delete the header",
            options_.header.string(), files.empty() ? "no records" : files,
            !files.empty() && options_.earlier.empty() ? "s" : ""));
    }

    tuner_result result() const
    {
        tuner_result r{.interrupted = interrupt_requested.load(), .stale = stale_, .seconds = elapsed()};
        r.measuring = measuring_;
        r.waiting = waiting_;
        r.trials = trials_;
        r.failures = failures_;
        r.unreached = unreached_;
        for (const tuning_group& g : groups_)
            for (const auto& t : g.tunings) r.thinking += t->seconds_thinking();
        const auto groups = by_workload(records_);
        const auto has_entry = [&](const task& t, const record_backend& of, const std::string& set) {
            return std::any_of(groups.begin(), groups.end(), [&](const auto& group) {
                const workload_key& key = group.first;
                return key.backend == of && key.signature == t.signature &&
                       (of.entries() != entries_by::instruction_set || key.target == set) &&
                       standing_of(group.second, {.allowed = options_.accuracy}).chosen != nullptr;
            });
        };
        for (const task& t : tasks_)
            for (const backend* of : backends_)
                if (options_.wants(of->records().name(), t.name))
                    for (const std::string& set : of->sets(options_))
                        if (!has_entry(t, of->records(), set)) ++r.without_entry;
        return r;
    }

    tuner_options options_;
    std::vector<task> tasks_;
    tuning_backends backends_;
    tuning_environment environment_{};
    std::vector<record> records_{};
    int stale_ = 0;
    std::vector<std::string> left_out_{};
    int trials_ = 0;
    std::vector<std::string> failures_{}, unreached_{};
    double measuring_ = 0;
    double waiting_ = 0;
    std::optional<work_folder> work_{};
    std::unique_ptr<record_writer> log_{};
    bool unsynced_ = false;
    std::vector<tuning_group> groups_{};
    std::vector<std::string> dependencies_{};
    progress progress_{};
    clock::time_point begin_ = clock::now();
    clock::time_point header_written_{};
    std::size_t kept_entries_ = 0; // of a header that was not replaced
};

} // namespace hone::tune
