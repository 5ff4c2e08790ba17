// SPDX-License-Identifier: BSL-1.0
// Proposals over a space whose best point is known: how soon it is found, and what is never proposed.
#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <set>
#include <span>
#include <utility>
#include <vector>

#include <doctest/doctest.h>

#include <hone/tune/annealing.hpp>

namespace {

using namespace hone;
using namespace hone::tune;

// Six knobs of `values` values. A sixth of the points are illegal, and the last knob means nothing where the first is
// zero, so that those points are one program.
struct knob_space {
    using point = std::array<std::uint8_t, 6>;
    std::uint8_t values = 10;
    std::shared_ptr<int> asked = std::make_shared<int>(0);

    double size() const { return std::pow(values, 6); }
    point random(xoshiro256& bits) const
    {
        point p{};
        for (std::uint8_t& v : p) v = static_cast<std::uint8_t>(bits.below(values));
        return p;
    }
    point neighbour(point p, xoshiro256& bits) const
    {
        std::uint8_t& v = p[bits.below(p.size())];
        v = static_cast<std::uint8_t>((v + 1 + bits.below(static_cast<std::size_t>(values) - 1)) % values);
        return p;
    }
    std::uint64_t key(const point& p) const
    {
        std::uint64_t k = 0;
        for (std::uint8_t v : p) k = 256 * k + v;
        return k;
    }
    const point& knob_values(const point& p) const { return p; }
    bool legal(const point& p) const { return (p[0] + 2 * p[1] + p[4]) % 6 != 5; }
    std::uint64_t program(point p) const
    {
        if (p[0] == 0) p[5] = 0;
        return mixed(key(p));
    }
    std::optional<std::uint64_t> features(const point& p, feature_vector& out) const
    {
        ++*asked;
        if (!legal(p)) return std::nullopt;
        for (std::size_t k = 0; k < p.size(); ++k) out.values[k] = p[k];
        if (p[0] == 0) out.values[5] = 0;
        return program(p);
    }
};
static_assert(search_space<knob_space>);

// Largest at {7, 3, 5, 8, 1, 6}, with valleys between the values of two knobs that go together.
double speed_of(std::span<const float> x)
{
    const auto distance = [&](int k, double best) { return std::fabs(static_cast<double>(x[k]) - best); };
    const double together = std::fabs(static_cast<double>(x[0] - x[3]) + 1);
    return std::exp(-0.1 * (distance(0, 7) + distance(1, 3) + 2 * distance(2, 5) + distance(3, 8) + distance(4, 1) +
                            distance(5, 6) + 2 * together));
}
constexpr knob_space::point best_point{7, 3, 5, 8, 1, 6};
double speed_of(const knob_space::point& p)
{
    std::array<float, 6> x{};
    for (std::size_t k = 0; k < p.size(); ++k) x[k] = p[0] == 0 && k == 5 ? 0 : p[k];
    return speed_of(x);
}

struct perfect_model {
    void fit(std::span<const feature_row>, std::span<const float>) {}
    bool ready() const { return true; }
    void score(std::span<const feature_row> rows, std::span<float> scores) const
    {
        for (std::size_t i = 0; i < rows.size(); ++i) scores[i] = static_cast<float>(speed_of(rows[i]));
    }
};

using search = annealer<knob_space>;
using proposals = std::vector<proposal<knob_space::point>>;

std::set<std::uint64_t> programs_of(const proposals& all)
{
    std::set<std::uint64_t> r;
    for (const auto& p : all) r.insert(p.program);
    return r;
}
std::ptrdiff_t by_chance(const proposals& all)
{
    return std::count_if(all.begin(), all.end(), [](const auto& p) { return p.origin == proposed_by::chance; });
}
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
        search by_model(space, seed), at_random(space, seed);
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
        search by_model({}, seed), at_random({}, seed + 10);
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
    search s({.values = 5}, 4);
    // The same program at another point counts as measured too.
    const knob_space::point first{0, 3, 2, 4, 1, 4}, same{0, 3, 2, 4, 1, 2};
    CHECK(s.exclude(first));
    CHECK_FALSE(s.exclude({0, 0, 2, 4, 5, 4}));
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
    search s({}, 5);
    CHECK(s.exclude(best_point));
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
    search s(space, 6);
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
    search large({}, 8), small({}, 8);
    CHECK(by_chance(large.propose(gbt_model{}, 64)) == 64);
    CHECK(by_chance(large.propose(perfect_model{}, 64)) == 3);
    std::ptrdiff_t random = 0;
    for (int round = 0; round < 10; ++round) random += by_chance(small.propose(perfect_model{}, 8));
    CHECK(random == 4);

    annealing_rules none;
    none.epsilon = 0;
    search greedy({}, 8, none);
    CHECK(by_chance(greedy.propose(perfect_model{}, 64)) == 0);
}

TEST_CASE("a large alpha covers more values of the knobs")
{
    annealing_rules fast, wide;
    fast.alpha = 0;
    fast.epsilon = wide.epsilon = 0;
    fast.lambda = wide.lambda = 8;
    wide.alpha = 100;
    search by_speed({}, 9, fast), by_variety({}, 9, wide);
    const auto narrow = by_speed.propose(perfect_model{}, 12), varied = by_variety.propose(perfect_model{}, 12);
    CHECK(values_covered(varied) > values_covered(narrow));
    CHECK(std::is_sorted(narrow.begin(), narrow.end(), [](const auto& a, const auto& b) { return a.score > b.score; }));
    CHECK(varied[0].point == narrow[0].point);
}

TEST_CASE("a seed fixes every proposal, also when few features are kept")
{
    const auto rounds = [](std::uint64_t seed, std::size_t kept) {
        annealing_rules rules;
        rules.steps = 60;
        rules.most_cached_features = kept;
        search s({}, seed, rules);
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
    search s(space, 11);
    REQUIRE(s.features(best_point) != nullptr);
    CHECK(s.features(best_point)->values[3] == 8);
    CHECK(s.exclude(best_point));
    CHECK(*space.asked == 1);
}
