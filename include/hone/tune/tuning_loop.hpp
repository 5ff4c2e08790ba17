// SPDX-License-Identifier: BSL-1.0
// The order in which the tunings of one compiler or device have their turns, so that all are compared by the end: first
// batches of candidates, to the workload that has had the fewest; then, in the time that was kept for them,
// comparisons, those of most work first. Nothing runs past the end.
#pragma once

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <functional>
#include <iterator>
#include <map>
#include <stdexcept>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include <fmt/core.h>

#include <hone/measure/machine.hpp>
#include <hone/tune/build_pool.hpp>
#include <hone/tune/candidate_builder.hpp>
#include <hone/tune/task.hpp>

namespace hone::tune {

class tuning_loop {
public:
    using clock = process_control::clock;
    struct options {
        candidate_builder* build = nullptr; // none: the children that measure build
        int trials = 0;                     // of each workload, at most; 0: as the time allows
        clock::time_point end = clock::time_point::max();
        // The end where nothing was measured before `end`: small shares would give nothing, however often they come.
        clock::time_point last = clock::time_point::min();
        std::function<clock::time_point()> now = [] { return clock::now(); };
        std::function<void(const tuning&)> after = [](const tuning&) {}; // a batch or a comparison
    };
    struct figures {
        int trials = 0;
        double measuring = 0, waiting = 0; // seconds
    };

    // `environment` is that of the tunings, whose end is set for each thing that they do.
    tuning_loop(std::vector<tuning*> open, tuning_environment& environment, options o)
        : open_(std::move(open)), environment_(environment), options_(std::move(o))
    {
        std::stable_sort(open_.begin(), open_.end(),
                         [](const tuning* a, const tuning* b) { return weight(*a) > weight(*b); });
    }

    // Throws a sentence where nothing can be tried on this machine.
    figures run()
    {
        begin_ = options_.now();
        search();
        compare();
        return figures_;
    }

    // What a comparison is likely to take here: as long as on a quiet machine, times how much longer candidates have
    // taken than there.
    double seconds_of_comparison(const tuning& t) const
    {
        const double slowdown = expected_ > 0 ? taken_ / expected_ : 1;
        return t.seconds_of_comparison() * std::max(slowdown, 1.0);
    }

private:
    struct in_flight {
        tuning* of = nullptr;
        std::vector<candidate> batch{};
    };

    static double weight(const tuning& t) { return t.task().flops(); }
    static double seconds(clock::duration d) { return std::chrono::duration<double>(d).count(); }
    static clock::duration duration_of(double s)
    {
        return std::chrono::duration_cast<clock::duration>(std::chrono::duration<double>(s));
    }

    bool has_end() const { return options_.end != clock::time_point::max(); }
    // Whether there is something to compare: not of a workload of which the default alone was reached.
    bool has_choice(const tuning& t) const
    {
        const auto exhausted = exhausted_.find(&t);
        const bool is_all = (options_.trials > 0 && t.trials() >= options_.trials) ||
                            (exhausted != exhausted_.end() && exhausted->second);
        return t.standing().trials > (is_all ? 0 : 1);
    }
    // For the comparisons of what has been measured. As long as a workload has had no candidate, its first ones come
    // before the comparisons of light workloads.
    double reserve() const
    {
        double sum = 0;
        bool all = true;
        for (const tuning* t : open_) {
            if (has_choice(*t))
                sum += seconds_of_comparison(*t);
            else
                all = false;
        }
        return all ? sum : sum / 2;
    }
    // When searching has to stop, for the comparisons to have their time.
    clock::time_point end_of_search() const
    {
        if (!has_end()) return options_.end;
        return figures_.trials == 0 && options_.last > options_.end ? options_.last
                                                                    : options_.end - duration_of(reserve());
    }

    void search()
    {
        if (!has_end() && options_.trials == 0)
            throw std::logic_error("hone::tune::tuning_loop: neither end nor trials");
        const double all = has_end() ? seconds(options_.end - begin_) : 1e9;
        const auto batch_size = static_cast<std::size_t>(
            std::clamp(all / static_cast<double>(std::max<std::size_t>(open_.size(), 1)) / 4, 4.0, 8.0));
        // A batch may then take longer than there is: defaults come first, each alone. What was measured is kept, and
        // the next run goes on with what was not.
        constexpr double short_share = 15;
        const bool is_short = all / static_cast<double>(std::max<std::size_t>(open_.size(), 1)) < short_share;
        std::map<tuning*, std::vector<candidate>> later;
        const auto next = [&]() -> tuning* {
            tuning* best = nullptr;
            for (tuning* t : open_) {
                if (exhausted_[t] || (options_.trials > 0 && t->trials() + proposed_[t] >= options_.trials)) continue;
                if (best == nullptr || t->trials() + proposed_[t] < best->trials() + proposed_[best]) best = t;
            }
            return best;
        };
        const auto propose = [&](tuning& t) {
            if (auto rest = later.extract(&t)) return std::move(rest.mapped());
            std::size_t size = t.trials() + proposed_[&t] == 0 ? 4 : batch_size;
            if (options_.trials > 0)
                size = std::min(size, static_cast<std::size_t>(options_.trials - t.trials() - proposed_[&t]));
            auto batch = t.propose(size);
            exhausted_[&t] = batch.empty();
            return batch;
        };
        if (options_.build == nullptr) {
            double slowest = 0;
            while (tuning* t = next()) {
                if (interrupt_requested.load() || options_.now() + duration_of(slowest) >= end_of_search()) return;
                const auto before = options_.now();
                const auto batch = propose(*t);
                measure(*t, batch, {});
                slowest = std::max(slowest, seconds(options_.now() - before));
            }
            return;
        }
        const std::size_t workers = std::max<std::size_t>(usable_cpus().size(), 1);
        // Compilers work on the next batches while one is measured, except in those milliseconds in which a kernel
        // runs.
        build_pool pool(*options_.build, static_cast<int>(workers), std::max(options_.end, options_.last));
        std::map<std::size_t, in_flight> flying;
        while (!interrupt_requested.load()) {
            while (pool.pending() < workers + 1 && options_.now() < end_of_search()) {
                tuning* t = next();
                if (t == nullptr) break;
                auto batch = propose(*t);
                if (batch.empty()) continue;
                if (batch.size() > 1 && batch.front().key.origin == "default" &&
                    (is_short || options_.build->has(batch.front().source))) {
                    later[t] = {std::make_move_iterator(batch.begin() + 1), std::make_move_iterator(batch.end())};
                    batch.resize(1);
                }
                std::vector<variant_source> sources;
                for (const candidate& c : batch) sources.push_back(c.source);
                proposed_[t] += static_cast<int>(batch.size());
                flying[pool.submit(std::move(sources))] = {t, std::move(batch)};
                t->problem_file();
            }
            if (flying.empty()) return;
            const auto before = options_.now();
            // Compilers that are still at work when the comparisons must begin work for nothing.
            const auto finished = pool.wait_until(end_of_search());
            figures_.waiting += seconds(options_.now() - before);
            if (!finished) return;
            const auto at = flying.find(finished->ticket);
            if (interrupt_requested.load() || at == flying.end()) return;
            const in_flight job = std::move(at->second);
            flying.erase(at);
            proposed_[job.of] -= static_cast<int>(job.batch.size());
            const build_pool::pause quiet(pool);
            measure(*job.of, job.batch, finished->variants);
        }
    }

    void measure(tuning& t, const std::vector<candidate>& batch, const std::vector<built_variant>& built)
    {
        const auto before = options_.now();
        const int untried = t.untried();
        const std::size_t known = t.records().size();
        environment_.end = end_of_search();
        t.measure(batch, built);
        environment_.end = options_.end;
        const double took = seconds(options_.now() - before);
        figures_.measuring += took;
        const std::size_t tried = t.records().size() - known;
        figures_.trials += static_cast<int>(tried);
        if (tried > 0) taken_ += took;
        for (std::size_t i = known; i < t.records().size(); ++i) expected_ += tuning::seconds_of_trial(t.records()[i]);
        if (t.untried() > untried) exhausted_[&t] = false; // they are proposed again
        options_.after(t);
        fruitless_ = tried > 0 || t.untried() == untried ? 0 : fruitless_ + 1;
        // Once it may be a moment's want.
        constexpr int most = 3;
        if (fruitless_ >= most)
            throw std::runtime_error(
                fmt::format("candidates cannot be tried on this machine, so nothing is recorded of "
                            "them: {}; make room for it and start again",
                            t.untried_why()));
    }

    // In the order of their weight; each has the time that those after it do not need, and half as much again as it is
    // likely to take.
    void compare()
    {
        double others = 0;
        for (const tuning* t : open_)
            if (has_choice(*t)) others += seconds_of_comparison(*t);
        for (tuning* t : open_) {
            if (interrupt_requested.load()) return;
            if (!has_choice(*t)) continue;
            const double own = seconds_of_comparison(*t);
            others -= own;
            const auto now = options_.now();
            if (now >= options_.end) return;
            const int untried = t->untried();
            if (has_end())
                environment_.end =
                    std::min(options_.end, std::max(now + duration_of(1.5 * own), options_.end - duration_of(others)));
            t->compare();
            if (t->untried() > untried && !t->standing().compared) t->compare(); // once more
            environment_.end = options_.end;
            figures_.measuring += seconds(options_.now() - now);
            options_.after(*t);
        }
    }

    std::vector<tuning*> open_;
    tuning_environment& environment_;
    options options_;
    clock::time_point begin_{};
    std::map<const tuning*, int> proposed_{};
    std::map<const tuning*, bool> exhausted_{};
    double expected_ = 0, taken_ = 0; // seconds of measuring
    int fruitless_ = 0;
    figures figures_{};
};

} // namespace hone::tune
