// SPDX-License-Identifier: BSL-1.0
// A batch that is predicted fast and yet tries different values of the knobs: greedy choice for the submodular
// objective of the paper (Chen et al., "Learning to Optimize Tensor Programs", 2018, section 3.3),
//
//   L(S) = sum over s in S of score(s) + alpha * sum over j of |union over s in S of {s_j}|
//
// with s_j the value of knob j. Greedy choice reaches at least 1 - 1/e of the best L.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <map>
#include <span>
#include <utility>
#include <vector>

namespace hone::tune {

// The places of up to `count` of the candidates, in the order of choice. Scores enter as shares of the range they
// cover, since a model of ranks has no scale: at alpha = 1 one new value outweighs the whole range. alpha = 0: the best
// scores.
inline std::vector<std::size_t> choose_diverse(std::span<const float> scores,
                                               std::span<const std::vector<std::int64_t>> knob_values,
                                               std::size_t count, double alpha)
{
    std::vector<std::size_t> chosen;
    if (scores.empty()) return chosen;
    const auto [lowest, highest] = std::minmax_element(scores.begin(), scores.end());
    const auto low = static_cast<double>(*lowest);
    const double range = static_cast<double>(*highest) - low;

    // (knob, value) as numbers
    std::map<std::pair<std::size_t, std::int64_t>, std::size_t> number;
    std::vector<std::vector<std::size_t>> values(scores.size());
    for (std::size_t i = 0; i < scores.size(); ++i)
        for (std::size_t j = 0; j < knob_values[i].size(); ++j)
            values[i].push_back(number.try_emplace({j, knob_values[i][j]}, number.size()).first->second);

    std::vector<bool> covered(number.size(), false);
    std::vector<bool> taken(scores.size(), false);
    while (chosen.size() < std::min(count, scores.size())) {
        std::size_t best = scores.size();
        double best_gain = -1;
        for (std::size_t i = 0; i < scores.size(); ++i) {
            if (taken[i]) continue;
            double gain = range > 0 ? (static_cast<double>(scores[i]) - low) / range : 0;
            for (std::size_t v : values[i]) gain += covered[v] ? 0 : alpha;
            if (gain > best_gain) {
                best_gain = gain;
                best = i;
            }
        }
        taken[best] = true;
        for (std::size_t v : values[best]) covered[v] = true;
        chosen.push_back(best);
    }
    return chosen;
}

} // namespace hone::tune
