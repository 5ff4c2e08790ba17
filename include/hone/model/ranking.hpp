// SPDX-License-Identifier: BSL-1.0
// What it means to order programs well: the pairwise logistic loss (Chen et al., "Learning to Optimize Tensor
// Programs", 2018, section 3.2, after RankNet), the recall that stops its training, and the share of pairs in order.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <numeric>
#include <span>
#include <vector>

namespace hone::tune {

// First and second derivative of a loss by the score of one row.
struct derivatives {
    double first = 0;
    double second = 0;
};

// Rows from the largest label to the smallest; rows of equal label stand in the order they came in.
template <class Value>
std::vector<std::int32_t> order_of(std::span<const Value> labels)
{
    std::vector<std::int32_t> order(labels.size());
    std::iota(order.begin(), order.end(), 0);
    std::stable_sort(order.begin(), order.end(), [&](std::int32_t a, std::int32_t b) { return labels[a] > labels[b]; });
    return order;
}

// The pairwise logistic loss of scores f under labels c, larger is better:
//
//   L = 1 / (n - 1) sum over i, j with c_i > c_j of log(1 + exp(f_j - f_i))
//
// Divided by n - 1, a row weighs the same in a set of any size, and so do lambda and min_child_weight against it. With
// e_i = exp(f_i) a pair costs one division; sixteen rows at a time, without which it would take longer than the trees.
// Above `most_compared` rows each row meets every k-th of the ranking only, in turns from round to round.
class pairwise_loss {
public:
    static constexpr std::size_t most_compared = 1024;

    explicit pairwise_loss(std::span<const float> labels)
        : order_(order_of(labels)), exp_(padded(labels.size()), 1.0f), first_tied_(exp_.size(), 0),
          after_tied_(exp_.size(), 0)
    {
        const std::size_t n = order_.size();
        for (std::size_t i = 0; i < n; ++i)
            first_tied_[i] = i > 0 && labels[order_[i]] == labels[order_[i - 1]] ? first_tied_[i - 1] : i;
        for (std::size_t i = n; i-- > 0;)
            after_tied_[i] = i + 1 < n && first_tied_[i + 1] == first_tied_[i] ? after_tied_[i + 1] : i + 1;
        for (std::size_t i = n; i < exp_.size(); ++i) after_tied_[i] = n;
    }

    void operator()(std::span<const double> scores, int round, std::span<derivatives> out)
    {
        const std::size_t n = order_.size();
        double highest = -std::numeric_limits<double>::infinity();
        for (double f : scores) highest = std::max(highest, f);
        // Lower than 80 below the highest, exp would leave the range of floats.
        for (std::size_t i = 0; i < n; ++i)
            exp_[i] = static_cast<float>(std::exp(std::max(scores[order_[i]] - highest, -80.0)));
        const std::size_t step = (n + most_compared - 1) / most_compared;
        const std::size_t start = static_cast<std::size_t>(round) % std::max<std::size_t>(step, 1);
        const double scale = static_cast<double>(step) / static_cast<double>(std::max<std::size_t>(n, 2) - 1);
        for (std::size_t block = 0; block < n; block += lanes) {
            const sums s = sum_of(block, start, step);
            for (std::size_t k = 0; k < lanes && block + k < n; ++k)
                out[order_[block + k]] = {scale * static_cast<double>(s.first[k]),
                                          scale * static_cast<double>(std::max(s.second[k], least_second))};
        }
    }

private:
    static constexpr std::size_t lanes = 16;
    static constexpr float least_second = 1e-16f; // a row never weighs nothing
    struct sums {
        float first[lanes]{};
        float second[lanes]{};
    };

    static std::size_t padded(std::size_t n) { return (n + lanes - 1) / lanes * lanes; }

    // Of the rows [block, block + lanes) of the ranking.
    sums sum_of(std::size_t block, std::size_t start, std::size_t step) const
    {
        const std::size_t n = order_.size();
        const std::size_t last = std::min(block + lanes, n) - 1;
        const std::size_t all_better = first_tied_[block]; // than each row of the block
        const std::size_t all_worse = after_tied_[last];
        float own[lanes];
        for (std::size_t k = 0; k < lanes; ++k) own[k] = exp_[block + k];
        sums s;
        std::size_t i = start;
        // A better row pulls down: dL/df_j = e_j / (e_i + e_j).
        for (; i < all_better; i += step) {
            const float other = exp_[i];
            for (std::size_t k = 0; k < lanes; ++k) {
                const float share = own[k] / (other + own[k]);
                s.first[k] += share;
                s.second[k] += share * (1 - share);
            }
        }
        for (; i < all_worse; i += step) {
            for (std::size_t k = 0; k < lanes; ++k) {
                if (i >= first_tied_[block + k] && i < after_tied_[block + k]) continue;
                const float share = own[k] / (exp_[i] + own[k]);
                s.first[k] += i < first_tied_[block + k] ? share : share - 1;
                s.second[k] += share * (1 - share);
            }
        }
        // A worse row pushes up: dL/df_j = -e_i / (e_i + e_j).
        for (; i < n; i += step) {
            const float other = exp_[i];
            for (std::size_t k = 0; k < lanes; ++k) {
                const float share = other / (other + own[k]);
                s.first[k] -= share;
                s.second[k] += share * (1 - share);
            }
        }
        return s;
    }

    std::vector<std::int32_t> order_;
    std::vector<float> exp_;                // exp(f - max f), of the ranking's places
    std::vector<std::size_t> first_tied_{}; // the ranking's places with the same label
    std::vector<std::size_t> after_tied_{};
};

// The mean over k = 1 .. most of the share of the k best rows by score among the k best by label; `ranking` is order_of
// the labels. 1 where both orders begin alike.
inline double average_recall(std::span<const std::int32_t> ranking, std::span<const double> scores, std::size_t most)
{
    most = std::min(most, ranking.size());
    if (most == 0) return 1;
    std::vector<std::int32_t> by_score(ranking.size());
    std::iota(by_score.begin(), by_score.end(), 0);
    const auto end = by_score.begin() + static_cast<std::ptrdiff_t>(most);
    std::partial_sort(by_score.begin(), end, by_score.end(), [&](std::int32_t a, std::int32_t b) {
        return scores[a] != scores[b] ? scores[a] > scores[b] : a < b;
    });
    std::vector<std::int8_t> met(ranking.size(), 0); // in how many of the two lists so far
    double sum = 0;
    int common = 0;
    for (std::size_t k = 0; k < most; ++k) {
        common += met[by_score[k]]++ == 1;
        common += met[ranking[k]]++ == 1;
        sum += common / static_cast<double>(k + 1);
    }
    return sum / static_cast<double>(most);
}

// The share of pairs of different label that the scores put in the same order; a tie of scores counts half. 0.5 is
// chance, and what a set without pairs gives.
inline double pair_accuracy(std::span<const float> labels, std::span<const float> scores)
{
    double right = 0, pairs = 0;
    for (std::size_t i = 0; i < labels.size(); ++i)
        for (std::size_t j = 0; j < i; ++j) {
            if (labels[i] == labels[j]) continue;
            pairs += 1;
            right += scores[i] == scores[j] ? 0.5 : (labels[i] > labels[j]) == (scores[i] > scores[j]) ? 1.0 : 0.0;
        }
    return pairs > 0 ? right / pairs : 0.5;
}

} // namespace hone::tune
