// SPDX-License-Identifier: BSL-1.0
// Which programs to measure next: parallel simulated annealing over a space with the cost model as energy, a diverse
// choice of what it found, and a few random points (Chen et al., "Learning to Optimize Tensor Programs", 2018,
// Algorithm 1).
//
// A round is a function of the seed, the model, the chains' starts and the programs that were proposed or excluded
// before: nothing else is carried over, so that a search which is taken up again goes on as if it had never stopped.
#pragma once

#include <algorithm>
#include <cmath>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <limits>
#include <optional>
#include <ranges>
#include <span>
#include <unordered_map>
#include <unordered_set>
#include <utility>
#include <vector>

#include <hone/model/cost_model.hpp>
#include <hone/model/feature_vector.hpp>
#include <hone/model/random.hpp>
#include <hone/search/diversity.hpp>

namespace hone::tune {

// What annealing asks of a space of programs. A point may be illegal, and several points may be one program.
template <class Space>
concept search_space =
    std::copyable<typename Space::point> &&
    requires(const Space& space, const typename Space::point& p, xoshiro256& bits, feature_vector& out) {
        // Points, legal or not, numbered from 0.
        requires std::same_as<decltype(space.size()), std::uint64_t>;
        requires std::same_as<decltype(space.at(std::uint64_t{})), typename Space::point>;
        requires std::same_as<decltype(space.random(bits)), typename Space::point>;
        // Differs from p in one knob; legal or not.
        requires std::same_as<decltype(space.neighbour(p, bits)), typename Space::point>;
        // Points of one key are one program.
        requires std::convertible_to<decltype(space.key(p)), std::uint64_t>;
        // Values of the knobs, each at a place of its own.
        requires std::ranges::input_range<decltype(space.knob_values(p))>;
        // The hash of its program, after its features are written; nothing where the point is illegal.
        requires std::same_as<decltype(space.features(p, out)), std::optional<std::uint64_t>>;
    };

// From the paper and its implementation; lambda and alpha, for which they give no numbers, are ours.
struct annealing_rules {
    int chains = 128;
    int steps = 500;            // at most, in one round
    int patience = 50;          // steps without a change of the best candidates, then a round ends
    double epsilon = 0.05;      // share of a batch that is random
    double lambda = 2;          // a batch of b is chosen from the best lambda * b
    double alpha = 0.1;         // what a new value of a knob is worth, in the range of the scores (diversity.hpp)
    double known_starts = 0.25; // share of the chains that start from the best that was measured
    // 128 MB of them. When they are more, all are dropped, since chains move on.
    std::size_t most_cached_features = 32768;
};

enum class proposed_by : std::uint8_t { model, chance };

template <class Point>
struct proposal {
    Point point;
    std::uint64_t program = 0; // its hash
    proposed_by origin = proposed_by::chance;
    float score = 0; // 0 where chance proposed it
};

template <search_space Space>
class annealer {
public:
    using point = typename Space::point;

    annealer(Space space, std::uint64_t seed, const annealing_rules& rules = {})
        : space_(std::move(space)), seed_(seed), rules_(rules)
    {
    }

    const Space& space() const { return space_; }

    // The program is never proposed from now on, at whatever point.
    void exclude(std::uint64_t program) { taken_.insert(program); }

    // The hash of the program of a point; nothing where it is illegal.
    std::optional<std::uint64_t> program(const point& p)
    {
        const known_point& c = look_up(p);
        if (c.features == nullptr) return std::nullopt;
        return c.program;
    }
    // Null where the point is illegal. Valid until the next call of any function here.
    const feature_vector* features(const point& p) { return look_up(p).features; }

    // Distinct keys of points that were looked at and found illegal; those that were forgotten since count again.
    std::size_t illegal() const { return illegal_; }

    // Up to `batch` distinct programs that were not proposed or excluded before, those of the model first; fewer where
    // the space has no others. All are random until the model is ready. Chains start from `starts`, the best first, as
    // far as rules say, the others anywhere.
    template <cost_model Model>
    std::vector<proposal<point>> propose(const Model& model, std::size_t batch, std::span<const point> starts = {})
    {
        std::vector<proposal<point>> out;
        if (walked_ == space_.size()) return out;
        xoshiro256 bits(mixed(seed_ ^ mixed(taken_.size())));
        if (model.ready()) {
            // A small batch owes its part of a random point to later ones.
            const auto random_before = [&](std::size_t programs) {
                return static_cast<std::size_t>(rules_.epsilon * static_cast<double>(programs));
            };
            const std::size_t by_chance =
                std::min(batch, random_before(taken_.size() + batch) - random_before(taken_.size()));
            const std::size_t by_model = batch - by_chance;
            const auto pool =
                static_cast<std::size_t>(std::ceil(std::max(rules_.lambda, 1.0) * static_cast<double>(by_model)));
            for (const proposal<point>& p : chosen_of(anneal(model, pool, starts, bits), by_model)) take(p, out);
        }
        while (out.size() < batch) {
            const auto p = random_new(bits);
            if (!p) break;
            take(*p, out);
        }
        return out;
    }

private:
    static constexpr int neighbour_draws = 16;
    static constexpr int random_draws = 4096;

    struct known_point {
        std::uint64_t program = 0;
        const feature_vector* features = nullptr; // null: illegal
        std::uint64_t scored_in = 0;              // the round in which the model gave this score
        float score = 0;
    };

    // The best programs of a round that are still to be measured.
    class best_set {
    public:
        explicit best_set(std::size_t size) : size_(size) {}

        // Whether the set has changed.
        bool offer(const proposal<point>& p)
        {
            if (size_ == 0 || (kept_.size() == size_ && !better(p, kept_.front()))) return false;
            if (!programs_.insert(p.program).second) return false;
            if (kept_.size() == size_) {
                std::pop_heap(kept_.begin(), kept_.end(), better);
                programs_.erase(kept_.back().program);
                kept_.pop_back();
            }
            kept_.push_back(p);
            std::push_heap(kept_.begin(), kept_.end(), better);
            return true;
        }
        std::vector<proposal<point>> sorted() const
        {
            auto r = kept_;
            std::sort(r.begin(), r.end(), better);
            return r;
        }

    private:
        static bool better(const proposal<point>& a, const proposal<point>& b)
        {
            return a.score != b.score ? a.score > b.score : a.program < b.program;
        }
        std::size_t size_;
        std::vector<proposal<point>> kept_{}; // a heap, its worst first
        std::unordered_set<std::uint64_t> programs_{};
    };

    // Valid until the next call.
    known_point& look_up(const point& p)
    {
        if (features_.size() > rules_.most_cached_features || known_.size() > 8 * rules_.most_cached_features) {
            known_.clear();
            features_.clear();
        }
        const auto [at, is_new] = known_.try_emplace(space_.key(p));
        if (is_new) {
            feature_vector& f = features_.emplace_back();
            const std::optional<std::uint64_t> program = space_.features(p, f);
            if (program) {
                at->second.program = *program;
                at->second.features = &f;
            } else {
                features_.pop_back();
                ++illegal_;
            }
        }
        return at->second;
    }

    void take(const proposal<point>& p, std::vector<proposal<point>>& out)
    {
        taken_.insert(p.program);
        out.push_back(p);
    }
    std::optional<proposal<point>> if_new(const point& p)
    {
        const known_point& c = look_up(p);
        if (c.features == nullptr || taken_.contains(c.program)) return std::nullopt;
        return proposal<point>{p, c.program, proposed_by::chance, 0};
    }
    std::optional<proposal<point>> random_new(xoshiro256& bits)
    {
        for (int i = 0; i < random_draws; ++i)
            if (auto p = if_new(space_.random(bits))) return p;
        // What chance hardly meets any more, in order; no point has to be looked at twice.
        for (; walked_ < space_.size(); ++walked_)
            if (auto p = if_new(space_.at(walked_))) return p;
        return std::nullopt;
    }
    std::optional<point> random_legal(xoshiro256& bits)
    {
        for (int i = 0; i < random_draws; ++i) {
            const point p = space_.random(bits);
            if (look_up(p).features != nullptr) return p;
        }
        return std::nullopt;
    }
    // A legal neighbour; the point itself where none is found.
    point legal_neighbour(const point& p, xoshiro256& bits)
    {
        for (int i = 0; i < neighbour_draws; ++i) {
            point q = space_.neighbour(p, bits);
            if (look_up(q).features != nullptr) return q;
        }
        return p;
    }

    template <cost_model Model>
    float score_of(const Model& model, const point& p)
    {
        known_point& c = look_up(p);
        if (c.scored_in != round_) {
            const feature_row row(c.features->values);
            model.score({&row, 1}, {&c.score, 1});
            // Nothing could be put in order beside it.
            if (!std::isfinite(c.score)) c.score = std::numeric_limits<float>::lowest();
            c.scored_in = round_;
        }
        return c.score;
    }
    bool offer(best_set& best, const point& p, float score)
    {
        const std::uint64_t program = look_up(p).program;
        return !taken_.contains(program) && best.offer({p, program, proposed_by::model, score});
    }

    // The best points that the chains meet, accepted or not. A chain at score a moves to a neighbour of score b with
    // probability min(1, exp((b - a) / t)); t falls from the spread of random points to 0.
    template <cost_model Model>
    std::vector<proposal<point>> anneal(const Model& model, std::size_t pool, std::span<const point> starts,
                                        xoshiro256& bits)
    {
        ++round_;
        best_set best(pool);
        const auto count =
            static_cast<std::size_t>(std::min<std::uint64_t>(static_cast<std::uint64_t>(rules_.chains), space_.size()));
        std::vector<point> chains;
        std::vector<float> scores;
        while (chains.size() < count) {
            const auto p = random_legal(bits);
            if (!p) return {};
            chains.push_back(*p);
            scores.push_back(score_of(model, *p));
            offer(best, *p, scores.back());
        }
        const double spread = deviation(scores);
        const auto known_starts = static_cast<std::size_t>(rules_.known_starts * static_cast<double>(count));
        for (std::size_t i = 0; i < std::min(known_starts, starts.size()); ++i) {
            chains[i] = starts[i];
            scores[i] = score_of(model, starts[i]);
        }

        for (int step = 0, unchanged = 0; step < rules_.steps && unchanged < rules_.patience; ++step) {
            const double t = spread * (1 - step / static_cast<double>(rules_.steps));
            bool changed = false;
            for (std::size_t i = 0; i < count; ++i) {
                const point next = legal_neighbour(chains[i], bits);
                const float score = score_of(model, next);
                changed = offer(best, next, score) || changed;
                const double rise = static_cast<double>(score) - static_cast<double>(scores[i]);
                if (rise < 0 && (t <= 0 || bits.unit() >= std::exp(rise / t))) continue;
                chains[i] = next;
                scores[i] = score;
            }
            unchanged = changed ? 0 : unchanged + 1;
        }
        return best.sorted();
    }
    static double deviation(const std::vector<float>& scores)
    {
        double sum = 0, squares = 0;
        for (float s : scores) sum += static_cast<double>(s);
        const double mean = sum / static_cast<double>(scores.size());
        for (float s : scores) squares += (static_cast<double>(s) - mean) * (static_cast<double>(s) - mean);
        return std::sqrt(squares / static_cast<double>(scores.size()));
    }

    std::vector<proposal<point>> chosen_of(const std::vector<proposal<point>>& pool, std::size_t count) const
    {
        std::vector<float> scores;
        std::vector<std::vector<std::int64_t>> values;
        for (const proposal<point>& p : pool) {
            scores.push_back(p.score);
            auto& of_point = values.emplace_back();
            for (const auto& v : space_.knob_values(p.point)) of_point.push_back(static_cast<std::int64_t>(v));
        }
        std::vector<proposal<point>> chosen;
        for (std::size_t i : choose_diverse(scores, values, count, rules_.alpha)) chosen.push_back(pool[i]);
        return chosen;
    }

    Space space_;
    std::uint64_t seed_;
    annealing_rules rules_;
    std::unordered_set<std::uint64_t> taken_{};              // programs that were proposed or excluded
    std::unordered_map<std::uint64_t, known_point> known_{}; // by key
    std::deque<feature_vector> features_{};                  // of legal points; stay where they are
    std::uint64_t round_ = 0;
    std::uint64_t walked_ = 0; // points before this one are illegal or taken
    std::size_t illegal_ = 0;
};

} // namespace hone::tune
