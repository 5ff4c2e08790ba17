// SPDX-License-Identifier: BSL-1.0
// What both searchers promise: each program once, the same for the same results in whatever order they came, to the end
// of the space. And that what learns finds faster programs than chance.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <set>
#include <vector>

#include <doctest/doctest.h>

#include <hone/search/search.hpp>
#include <hone/tune/cpu/space.hpp>
#include <hone/tune/vulkan/space.hpp>

#include "knob_space.hpp"

using namespace hone;
using namespace hone::tune;
using namespace hone::test;

namespace {

static_assert(searcher<random_searcher<cpu_space>>);
static_assert(searcher<learned_searcher<cpu_space>>);
static_assert(searcher<learned_searcher<vulkan_space>>);

using at_random = random_searcher<knob_space>;
using by_model = learned_searcher<knob_space>;

constexpr double failure = std::numeric_limits<double>::infinity();

double ms_of(const knob_space::point& p) { return 1 / speed_of(p); }

template <searcher Search>
void tell(Search& search, const proposals& all)
{
    for (const auto& p : all) search.tell(p.point, p.program, ms_of(p.point));
}
// The proposals of so many batches of 8, each told before the next.
template <searcher Search>
proposals trials(Search& search, int batches)
{
    proposals all;
    for (int i = 0; i < batches; ++i) {
        const proposals some = search.propose(8);
        tell(search, some);
        all.insert(all.end(), some.begin(), some.end());
    }
    return all;
}
bool same(const proposals& a, const proposals& b)
{
    return std::equal(a.begin(), a.end(), b.begin(), b.end(), [](const auto& x, const auto& y) {
        return x.point == y.point && x.program == y.program && x.origin == y.origin && x.score == y.score;
    });
}
double best_speed(const proposals& all)
{
    double best = 0;
    for (const auto& p : all) best = std::max(best, speed_of(p.point));
    return best;
}

} // namespace

TEST_CASE_TEMPLATE("programs are legal, and proposed once, also while results are out", Search, at_random, by_model)
{
    const knob_space space{.values = 5};
    Search search(space, 1);
    std::set<std::uint64_t> seen;
    proposals in_flight;
    for (int i = 0; i < 20; ++i) {
        const proposals some = search.propose(8);
        REQUIRE(some.size() == 8);
        for (const auto& p : some) {
            CHECK(space.legal(p.point));
            CHECK(p.program == space.program(p.point));
            CHECK(seen.insert(p.program).second);
        }
        tell(search, in_flight);
        in_flight = some;
    }
    CHECK(search.illegal() > 0);
    CHECK(search.seconds_thinking() > 0);
}

TEST_CASE_TEMPLATE("the seed gives the programs", Search, at_random, by_model)
{
    Search a({}, 2), b({}, 2), c({}, 3);
    const proposals of_a = trials(a, 6);
    CHECK(same(of_a, trials(b, 6)));
    CHECK_FALSE(same(of_a, trials(c, 6)));
}

TEST_CASE_TEMPLATE("a search that is told earlier results goes on as if it had made them", Search, at_random, by_model)
{
    Search first({}, 4);
    proposals told = trials(first, 8);
    // What was excluded stays so: a default that was measured beside the search.
    first.exclude(1);

    Search forwards({}, 4), backwards({}, 4);
    forwards.exclude(1);
    tell(forwards, told);
    std::reverse(told.begin(), told.end());
    tell(backwards, told);
    backwards.exclude(1);
    for (int i = 0; i < 3; ++i) {
        const proposals next = first.propose(8);
        CHECK(same(next, forwards.propose(8)));
        CHECK(same(next, backwards.propose(8)));
        for (Search* s : {&first, &forwards, &backwards}) tell(*s, next);
    }
}

TEST_CASE_TEMPLATE("of two batches that are out, either may come first", Search, at_random, by_model)
{
    Search in_order({}, 5), out_of_order({}, 5);
    trials(in_order, 4);
    trials(out_of_order, 4);
    const proposals a = in_order.propose(8), b = in_order.propose(8);
    CHECK(same(a, out_of_order.propose(8)));
    CHECK(same(b, out_of_order.propose(8)));
    tell(in_order, a);
    tell(in_order, b);
    tell(out_of_order, b);
    tell(out_of_order, a);
    CHECK(same(in_order.propose(8), out_of_order.propose(8)));
}

TEST_CASE_TEMPLATE("a small space is searched to its end, and then nothing is proposed", Search, at_random, by_model)
{
    const knob_space space{.values = 3};
    std::set<std::uint64_t> all;
    for (std::uint64_t i = 0; i < space.size(); ++i)
        if (space.legal(space.at(i))) all.insert(space.program(space.at(i)));
    Search search(space, 6);
    const proposals found = trials(search, 100);
    CHECK(found.size() == all.size());
    CHECK(programs_of(found) == all);
    CHECK(search.propose(8).empty());
}

TEST_CASE("a program that chance all but never meets is found before the end")
{
    // One legal point in a million.
    struct needle : knob_space {
        std::optional<std::uint64_t> features(const point& p, feature_vector& out) const
        {
            if (p != best_point) return std::nullopt;
            return knob_space::features(p, out);
        }
    };
    random_searcher<needle> search({}, 7);
    const auto found = search.propose(8);
    REQUIRE(found.size() == 1);
    CHECK(found[0].point == best_point);
    CHECK(search.propose(8).empty());
}

TEST_CASE_TEMPLATE("what failed or is excluded never comes back", Search, at_random, by_model)
{
    const knob_space space{.values = 3};
    Search search(space, 8);
    std::set<std::uint64_t> gone;
    const auto drop = [&](std::uint64_t program) {
        search.exclude(program);
        gone.insert(program);
    };
    drop(space.program({1, 1, 1, 1, 1, 1}));
    drop(space.program({2, 1, 0, 1, 1, 1}));
    for (proposals some = search.propose(8); !some.empty(); some = search.propose(8))
        for (const auto& p : some) {
            CHECK_FALSE(gone.contains(p.program));
            gone.insert(p.program);
            search.tell(p.point, p.program, failure);
        }
    CHECK(gone.size() > 100);
}

TEST_CASE("a model avoids what failed")
{
    const auto fails = [](const knob_space::point& p) { return p[1] >= 5; };
    const auto failures = [&](auto search) {
        std::ptrdiff_t count = 0;
        for (int i = 0; i < 16; ++i)
            for (const auto& p : search.propose(8)) {
                count += fails(p.point);
                search.tell(p.point, p.program, fails(p.point) ? failure : ms_of(p.point));
            }
        return count;
    };
    for (std::uint64_t seed : {1u, 2u, 3u}) {
        CAPTURE(seed);
        const std::ptrdiff_t random = failures(at_random({}, seed));
        CHECK(random > 45);
        CHECK(2 * failures(by_model({}, seed)) < random);
    }
}

TEST_CASE("all is random until there are results enough, then one in twenty")
{
    by_model search({}, 9);
    const proposals first = search.propose(8), second = search.propose(8), third = search.propose(8);
    CHECK(by_chance(first) == 8);
    CHECK(by_chance(third) == 8); // nothing is told yet
    tell(search, first);
    CHECK(by_chance(search.propose(8)) == 8);
    tell(search, second);
    std::ptrdiff_t random = 0;
    for (int i = 0; i < 10; ++i) random += by_chance(search.propose(8));
    CHECK(random == 4);
    CHECK(by_chance(at_random({}, 9).propose(64)) == 64);
}

TEST_CASE("the least of several times counts, and a result that its point does not give any more counts not at all")
{
    by_model plain({}, 10), told_twice({}, 10), told_stale({}, 10);
    const proposals some = plain.propose(24);
    CHECK(same(some, told_twice.propose(24)));
    CHECK(same(some, told_stale.propose(24)));
    tell(plain, some);
    plain.exclude(12345);
    told_twice.exclude(12345);
    for (const auto& p : some) told_twice.tell(p.point, p.program, 2 * ms_of(p.point));
    for (const auto& p : some) told_twice.tell(p.point, p.program, failure);
    tell(told_twice, some);
    tell(told_stale, some);
    told_stale.tell(best_point, 12345, 1e-3);
    const proposals next = plain.propose(8);
    CHECK(same(next, told_twice.propose(8)));
    CHECK(same(next, told_stale.propose(8)));
}

TEST_CASE("at equal trials, what learns beats chance on the mean of ten seeds")
{
    double learned = 0, random = 0;
    for (std::uint64_t seed = 1; seed <= 10; ++seed) {
        by_model a({}, seed);
        at_random b({}, seed);
        learned += best_speed(trials(a, 16)) / 10;
        random += best_speed(trials(b, 16)) / 10;
    }
    CAPTURE(learned);
    CAPTURE(random);
    // The best of all is 1; chance reaches 0.6 in a thousand trials.
    CHECK(learned > 1.5 * random);
    CHECK(learned > 0.7);
}
