// SPDX-License-Identifier: BSL-1.0
// Cost models and searchers as a project might have them, right ones and each wrong one.
#pragma once

#include <cstddef>
#include <cstdint>
#include <limits>
#include <memory>
#include <span>
#include <stdexcept>
#include <unordered_set>
#include <vector>

#include <hone/search/any_points.hpp>
#include <hone/search/own_search.hpp>

namespace hone::test {

// Few registers first. It learns nothing, and is ready at once.
struct fewest_registers {
    void fit(std::span<const tune::feature_row>, std::span<const float>) {}
    bool ready() const { return true; }
    void score(std::span<const tune::feature_row> rows, std::span<float> scores) const
    {
        for (std::size_t i = 0; i < rows.size(); ++i)
            scores[i] = -rows[i][static_cast<std::size_t>(tune::feature_vector::index(tune::nest_feature::registers))];
    }
};

// What goes wrong in a cost model, at its first fit.
enum class model_mistake : std::uint8_t { none, throws_in_fit, throws_a_number, no_number, infinite, too_few_scores };
template <model_mistake Mistake>
struct wrong_model {
    void fit(std::span<const tune::feature_row>, std::span<const float>)
    {
        if (Mistake == model_mistake::throws_in_fit) throw std::runtime_error("no memory for a network");
        if (Mistake == model_mistake::throws_a_number) throw 7;
        is_ready = true;
    }
    bool ready() const { return is_ready; }
    void score(std::span<const tune::feature_row> rows, std::span<float> scores) const
    {
        if (Mistake == model_mistake::too_few_scores) return;
        for (std::size_t i = 0; i < rows.size(); ++i)
            scores[i] = Mistake == model_mistake::no_number  ? std::numeric_limits<float>::quiet_NaN()
                        : Mistake == model_mistake::infinite ? -std::numeric_limits<float>::infinity()
                                                             : 1.0f;
    }
    bool is_ready = false;
};

// The points of the space in their order, from one that the seed gives.
enum class search_mistake : std::uint8_t { none, throws, too_many, again, illegal, made_up, other_program, no_score };
template <search_mistake Mistake = search_mistake::none>
class in_order {
public:
    using point = tune::space_point;
    using proposals = std::vector<tune::proposal<point>>;

    in_order(tune::shared_space space, std::uint64_t seed) : space_(std::move(space)), at_(seed % space_.size()) {}

    proposals propose(std::size_t count)
    {
        if (Mistake == search_mistake::throws) throw std::runtime_error("out of ideas");
        proposals all;
        for (std::uint64_t looked = 0; all.size() < count && looked < space_.size(); ++looked) {
            const point p = space_.at(at_++ % space_.size());
            tune::feature_vector f;
            const auto program = space_.features(p, f);
            if (!program && Mistake == search_mistake::illegal) all.push_back({.point = p});
            if (!program || !known_.insert(*program).second) continue;
            all.push_back({.point = p, .program = *program});
        }
        if (!all.empty()) spoil(all);
        return all;
    }
    void tell(const point&, std::uint64_t program, double) { known_.insert(program); }
    void exclude(std::uint64_t program) { known_.insert(program); }

private:
    static void spoil(proposals& all)
    {
        if (Mistake == search_mistake::too_many || Mistake == search_mistake::again) {
            if (Mistake == search_mistake::again && all.size() > 1) all.pop_back();
            all.push_back(all.front());
        }
        if (Mistake == search_mistake::made_up) all.front().point = {.algorithm = 200};
        if (Mistake == search_mistake::other_program) all.front().program += 1;
        if (Mistake == search_mistake::no_score) all.front().score = std::numeric_limits<float>::quiet_NaN();
    }

    tune::shared_space space_;
    std::uint64_t at_;
    std::unordered_set<std::uint64_t> known_{};
};

} // namespace hone::test
