// SPDX-License-Identifier: BSL-1.0
// Proposals over a space whose best point is known: how soon it is found, and what is never proposed.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <set>
#include <span>
#include <utility>
#include <vector>

#include <doctest/doctest.h>

#include <hone/search/annealing.hpp>

#include "knob_space.hpp"

namespace {

using namespace hone;
using namespace hone::tune;
using namespace hone::test;

struct perfect_model {
    void fit(std::span<const feature_row>, std::span<const float>) {}
    bool ready() const { return true; }
    void score(std::span<const feature_row> rows, std::span<float> scores) const
    {
        for (std::size_t i = 0; i < rows.size(); ++i) scores[i] = static_cast<float>(speed_of(rows[i]));
    }
};

using annealed = annealer<knob_space>;

std::size_t values_covered(const proposals& all)
{
    std::set<std::pair<std::size_t, int>> seen;
    for (const auto& p : all)
        for (std::size_t k = 0; k < p.point.size(); ++k) seen.insert({k, p.point[k]});
    return seen.size();
}
double best_of(const proposals& all)
{
    double best = 0;
    for (const auto& p : all) best = std::max(best, speed_of(p.point));
    return best;
}

} // namespace

TEST_CASE("with a model that knows, the best of a million points comes first, far sooner than by chance")
{
    REQUIRE(knob_space{}.legal(best_point));
    for (std::uint64_t seed : {1u, 2u, 3u}) {
        CAPTURE(seed);
        const knob_space space;
        annealed by_model(space, seed), at_random(space, seed);
        const auto batch = by_model.propose(perfect_model{}, 64);
        REQUIRE(batch.size() == 64);
        CHECK(batch[0].point == best_point);
        CHECK(batch[0].score == 1);
        // Half of a million is what chance takes on average.
        CHECK(*space.asked < 50000);
        CHECK(best_of(at_random.propose(random_model{}, 1000)) < 0.9);
    }
}

TEST_CASE("a model that learns as it goes beats four times as many random trials")
{
    for (std::uint64_t seed : {1u, 2u, 3u}) {
        CAPTURE(seed);
        annealed by_model({}, seed), at_random({}, seed + 10);
        gbt_model model;
        measured_set measured;
        proposals all;
        for (int round = 0; round < 8; ++round) {
            for (const auto& p : by_model.propose(model, 32)) {
                measured.add(*by_model.features(p.point), 1 / speed_of(p.point));
                all.push_back(p);
            }
            model.fit(measured.rows(), measured.labels());
        }
        CHECK(all.size() == 256);
        CHECK(programs_of(all).size() == 256);
        CHECK(best_of(all) > best_of(at_random.propose(random_model{}, 1024)));
    }
}

TEST_CASE("a batch is legal, distinct, and new in every round")
{
    annealed s({.values = 5}, 4);
    // The same program at another point counts as measured too.
    const knob_space::point first{0, 3, 2, 4, 1, 4}, same{0, 3, 2, 4, 1, 2};
    REQUIRE(s.program(first).has_value());
    s.exclude(*s.program(first));
    CHECK_FALSE(s.program({0, 0, 2, 4, 5, 4}).has_value());
    std::set<std::uint64_t> seen{s.space().program(first)};
    CHECK(seen.contains(s.space().program(same)));
    for (int round = 0; round < 12; ++round) {
        const auto batch = s.propose(perfect_model{}, 64);
        REQUIRE(batch.size() == 64);
        for (const auto& p : batch) {
            CHECK(s.space().legal(p.point));
            CHECK(p.program == s.space().program(p.point));
            CHECK(seen.insert(p.program).second);
        }
    }
}

TEST_CASE("measured points are not proposed, however good they are")
{
    annealed s({}, 5);
    s.exclude(s.space().program(best_point));
    for (int round = 0; round < 4; ++round)
        for (const auto& p : s.propose(perfect_model{}, 32)) CHECK(p.point != best_point);
}

TEST_CASE("a small space is proposed to its end, and then nothing")
{
    const knob_space space{.values = 2};
    std::set<std::uint64_t> all;
    for (int i = 0; i < 64; ++i) {
        knob_space::point p{};
        for (std::size_t k = 0; k < 6; ++k) p[k] = static_cast<std::uint8_t>(i >> k & 1);
        if (space.legal(p)) all.insert(space.program(p));
    }
    annealed s(space, 6);
    proposals found;
    for (int round = 0; round < 8; ++round)
        for (const auto& p : s.propose(perfect_model{}, 10)) found.push_back(p);
    CHECK(found.size() == all.size());
    CHECK(programs_of(found) == all);
    CHECK(s.propose(perfect_model{}, 10).empty());
}

TEST_CASE("a space without a legal point proposes nothing")
{
    struct barren : knob_space {
        std::optional<std::uint64_t> features(const point&, feature_vector&) const { return std::nullopt; }
    };
    annealer<barren> s({}, 7);
    CHECK(s.propose(perfect_model{}, 8).empty());
    CHECK(s.propose(gbt_model{}, 8).empty());
    CHECK(s.features({1, 2, 3, 4, 5, 6}) == nullptr);
}

TEST_CASE("one in twenty is random, over batches of any size, and all before the model is ready")
{
    annealed large({}, 8), small({}, 8);
    CHECK(by_chance(large.propose(gbt_model{}, 64)) == 64);
    CHECK(by_chance(large.propose(perfect_model{}, 64)) == 3);
    std::ptrdiff_t random = 0;
    for (int round = 0; round < 10; ++round) random += by_chance(small.propose(perfect_model{}, 8));
    CHECK(random == 4);

    annealing_rules none;
    none.epsilon = 0;
    annealed greedy({}, 8, none);
    CHECK(by_chance(greedy.propose(perfect_model{}, 64)) == 0);
}

TEST_CASE("a large alpha covers more values of the knobs")
{
    annealing_rules fast, wide;
    fast.alpha = 0;
    fast.epsilon = wide.epsilon = 0;
    fast.lambda = wide.lambda = 8;
    wide.alpha = 100;
    annealed by_speed({}, 9, fast), by_variety({}, 9, wide);
    const auto narrow = by_speed.propose(perfect_model{}, 12), varied = by_variety.propose(perfect_model{}, 12);
    CHECK(values_covered(varied) > values_covered(narrow));
    CHECK(std::is_sorted(narrow.begin(), narrow.end(), [](const auto& a, const auto& b) { return a.score > b.score; }));
    CHECK(varied[0].point == narrow[0].point);
}

TEST_CASE("chains start from what was measured best, as many as the rules say")
{
    annealing_rules known;
    known.chains = 8;
    known.steps = 4;
    known.epsilon = 0;
    known.known_starts = 0.5;
    annealing_rules unknown = known;
    unknown.known_starts = 0;
    // Two knobs away from the best, which four steps can reach, and from nowhere else.
    const std::vector<knob_space::point> starts(4, {7, 3, 5, 8, 2, 5});
    REQUIRE(knob_space{}.legal(starts[0]));
    double near = 0, far = 0;
    for (std::uint64_t seed = 1; seed <= 10; ++seed) {
        annealed s({}, seed, known), other({}, seed, unknown);
        near += best_of(s.propose(perfect_model{}, 4, starts)) / 10;
        far += best_of(other.propose(perfect_model{}, 4, starts)) / 10;
    }
    CHECK(near > speed_of(starts[0]));
    CHECK(far < near / 1.5);
}

TEST_CASE("a seed fixes every proposal, also when few features are kept")
{
    const auto rounds = [](std::uint64_t seed, std::size_t kept) {
        annealing_rules rules;
        rules.steps = 60;
        rules.most_cached_features = kept;
        annealed s({}, seed, rules);
        std::vector<knob_space::point> points;
        for (int round = 0; round < 3; ++round)
            for (const auto& p : s.propose(perfect_model{}, 20)) points.push_back(p.point);
        return points;
    };
    CHECK(rounds(10, 1 << 15) == rounds(10, 1 << 15));
    CHECK(rounds(10, 1 << 15) == rounds(10, 1));
    CHECK(rounds(10, 1 << 15) != rounds(11, 1 << 15));
}

TEST_CASE("features of a known point are not read again")
{
    const knob_space space;
    annealed s(space, 11);
    REQUIRE(s.features(best_point) != nullptr);
    CHECK(s.features(best_point)->values[3] == 8);
    CHECK(s.program(best_point) == space.program(best_point));
    CHECK(*space.asked == 1);
}
