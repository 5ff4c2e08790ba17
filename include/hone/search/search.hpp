// SPDX-License-Identifier: BSL-1.0
// Searchers: they propose programs, are told what was measured, and propose better ones. At random, which is what every
// other has to beat, and by a model that learns (Chen et al., "Learning to Optimize Tensor Programs", 2018, Algorithm
// 1).
//
// Results may come late and in any order, from this run or an earlier one. What is proposed next follows from the seed,
// the results and the programs that are still out; not from the order in which they came.
#pragma once

#include <algorithm>
#include <cmath>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <map>
#include <span>
#include <utility>
#include <vector>

#include <hone/model/cost_model.hpp>
#include <hone/search/annealing.hpp>

namespace hone::tune {

template <class Search>
concept searcher =
    requires(Search& search, const typename Search::point& p, std::uint64_t program, std::size_t count, double ms) {
        // Up to `count` programs that were not proposed, told or excluded before; fewer where the space has no others.
        requires std::same_as<decltype(search.propose(count)), std::vector<proposal<typename Search::point>>>;
        // A program took so long; infinity where it failed. The least of several times counts.
        search.tell(p, program, ms);
        // Never proposed from now on: what is measured anyway, or stands in a record that no point gives.
        search.exclude(program);
    };

// Legal, distinct programs in a random order.
template <search_space Space>
class random_searcher {
public:
    using point = typename Space::point;

    random_searcher(Space space, std::uint64_t seed) : source_(std::move(space), seed) {}

    std::vector<proposal<point>> propose(std::size_t count) { return source_.propose(random_model{}, count); }
    void tell(const point&, std::uint64_t program, double) { source_.exclude(program); }
    void exclude(std::uint64_t program) { source_.exclude(program); }
    // Candidates that were met and rejected so far.
    std::size_t illegal() const { return source_.illegal(); }

private:
    annealer<Space> source_;
};

struct search_rules {
    // Results before the first fit; until then, all is random, unless the model is ready without.
    std::size_t warm_up = 16;
    // A batch of 8 is proposed every three seconds or so, where the paper's of 64 is every minute, so that less is
    // walked for each: 50 to 100 ms on one core with the fit of the model, 1 to 2 s for 256 trials (bench/tuning.cpp).
    // Four to sixteen times the walk found nothing faster, neither on a space of the CPU nor on one of Vulkan.
    annealing_rules annealing{.chains = 32, .steps = 100, .patience = 30};
};

template <search_space Space, cost_model Model = gbt_model>
class learned_searcher {
public:
    using point = typename Space::point;

    learned_searcher(Space space, std::uint64_t seed, const search_rules& rules = {}, Model model = Model())
        : annealer_(std::move(space), seed, rules.annealing), model_(std::move(model)), rules_(rules)
    {
    }

    std::vector<proposal<point>> propose(std::size_t count)
    {
        if (results_.size() < rules_.warm_up && !model_.ready()) return annealer_.propose(random_model{}, count);
        if (results_are_new_) learn();
        return annealer_.propose(model_, count, starts_);
    }
    // Passed over where the point does not give this program any more, as in the record of an older hone.
    void tell(const point& p, std::uint64_t program, double ms)
    {
        annealer_.exclude(program);
        if (annealer_.program(p) != program) return;
        if (!std::isfinite(ms) || ms <= 0) ms = failed;
        const auto [at, is_new] = results_.try_emplace(program, result{p, *annealer_.features(p), ms});
        if (!is_new) at->second.ms = std::min(at->second.ms, ms);
        results_are_new_ = true;
    }
    void exclude(std::uint64_t program) { annealer_.exclude(program); }
    std::size_t illegal() const { return annealer_.illegal(); }

    const Model& model() const { return model_; }

private:
    static constexpr double failed = std::numeric_limits<double>::infinity();
    struct result {
        point at;
        feature_vector features;
        double ms = failed;
    };

    void learn()
    {
        measured_set measured;
        std::vector<std::pair<double, std::uint64_t>> order; // the fastest first
        for (const auto& [program, r] : results_) {
            measured.add(r.features, r.ms);
            if (r.ms < failed) order.push_back({r.ms, program});
        }
        model_.fit(measured.rows(), measured.labels());
        std::sort(order.begin(), order.end());
        starts_.clear();
        for (const auto& [ms, program] : order) starts_.push_back(results_.at(program).at);
        results_are_new_ = false;
    }

    annealer<Space> annealer_;
    Model model_;
    search_rules rules_;
    std::map<std::uint64_t, result> results_{}; // by program: the model is the same in whatever order they came
    std::vector<point> starts_{};
    bool results_are_new_ = false;
};

} // namespace hone::tune
