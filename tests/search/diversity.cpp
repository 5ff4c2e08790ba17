// SPDX-License-Identifier: BSL-1.0
// The greedy choice of a diverse batch: what it is without and with a price for new values, and against the best
// choice.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <set>
#include <utility>
#include <vector>

#include <doctest/doctest.h>

#include <hone/model/random.hpp>
#include <hone/search/diversity.hpp>

namespace {

using namespace hone::tune;
using knob_places = std::vector<std::vector<std::int64_t>>;
using places = std::vector<std::size_t>;

std::size_t covered(const knob_places& v, const places& chosen)
{
    std::set<std::pair<std::size_t, std::int64_t>> seen;
    for (std::size_t i : chosen)
        for (std::size_t j = 0; j < v[i].size(); ++j) seen.insert({j, v[i][j]});
    return seen.size();
}

} // namespace

TEST_CASE("without a price for new values the best scores are chosen, in order")
{
    const std::vector<float> scores{0.1f, 0.9f, 0.4f, 0.9f, 0.2f};
    const knob_places v(5, {1, 2});
    CHECK(choose_diverse(scores, v, 3, 0) == places{1, 3, 2});
    CHECK(choose_diverse(scores, v, 9, 0) == places{1, 3, 2, 4, 0});
    CHECK(choose_diverse({}, {}, 3, 0).empty());
}

TEST_CASE("a new value is worth alpha of the range of the scores")
{
    // The range is 10: a new value is worth 2 at alpha = 0.2.
    const std::vector<float> scores{10, 9, 7.5f, 0};
    const knob_places v{{1}, {1}, {2}, {1}};
    CHECK(choose_diverse(scores, v, 2, 0.1) == places{0, 1});
    CHECK(choose_diverse(scores, v, 2, 0.2) == places{0, 2});
    // Scores of another scale, as another model gives them.
    const std::vector<float> scaled{-1, -1.1f, -1.25f, -2};
    CHECK(choose_diverse(scaled, v, 2, 0.2) == places{0, 2});
    // The same number is another value in another knob.
    const knob_places two_knobs{{1, 1}, {1, 1}, {1, 2}, {2, 1}};
    CHECK(choose_diverse(std::vector<float>{1, 1, 1, 1}, two_knobs, 3, 1) == places{0, 2, 3});
}

TEST_CASE("a large alpha covers every value before it repeats one")
{
    xoshiro256 bits(1);
    std::vector<float> scores;
    knob_places v;
    for (int i = 0; i < 200; ++i) {
        scores.push_back(static_cast<float>(bits.unit()));
        v.push_back({static_cast<std::int64_t>(bits.below(6)), static_cast<std::int64_t>(bits.below(4))});
    }
    CHECK(covered(v, choose_diverse(scores, v, 6, 1e6)) == 10);
    CHECK(covered(v, choose_diverse(scores, v, 6, 0)) < 10);
}

TEST_CASE("greedy choice reaches 1 - 1/e of the best choice")
{
    for (std::uint64_t seed = 0; seed < 20; ++seed) {
        xoshiro256 bits(seed);
        std::vector<float> scores{0, 1};
        knob_places v{{0, 0, 0}, {0, 0, 0}};
        while (scores.size() < 9) {
            scores.push_back(static_cast<float>(bits.unit()));
            v.push_back({static_cast<std::int64_t>(bits.below(4)), static_cast<std::int64_t>(bits.below(4)),
                         static_cast<std::int64_t>(bits.below(4))});
        }
        const double alpha = 0.4;
        const auto gain_of = [&](const places& chosen) {
            double sum = alpha * static_cast<double>(covered(v, chosen));
            for (std::size_t i : chosen) sum += static_cast<double>(scores[i]);
            return sum;
        };
        double best = 0;
        for (std::size_t a = 0; a < 9; ++a)
            for (std::size_t b = 0; b < a; ++b)
                for (std::size_t c = 0; c < b; ++c) best = std::max(best, gain_of({a, b, c}));
        CHECK(gain_of(choose_diverse(scores, v, 3, alpha)) >= (1 - 1 / 2.718281828) * best);
    }
}
