// SPDX-License-Identifier: BSL-1.0
// The loops that a nest spends its time in, worked out by hand: the main statement, its chain, and how often all of it
// runs.
#include <algorithm>
#include <cstdint>
#include <vector>

#include <doctest/doctest.h>

#include <hone/model/loop_chain.hpp>

#include "ir/nests.hpp"

using namespace hone;
using namespace hone::ir;

namespace {

using nest_chain = tune::loop_chain<nest>;

std::vector<std::int64_t> extents_of(const nest_chain& c)
{
    std::vector<std::int64_t> all;
    for (int k = 0; k < c.loops; ++k) all.push_back(c.loop(k).extent);
    return all;
}

} // namespace

TEST_CASE("the positive part of a falling row is its sum, term by term")
{
    for (const double first : {-2.0, 0.0, 0.5, 3.0, 10.0, 12.25})
        for (const double fall : {0.0, 0.5, 1.0, 3.0, 20.0})
            for (const int count : {1, 2, 5, 30}) {
                double sum = 0;
                for (int i = 0; i < count; ++i) sum += std::max(0.0, first - i * fall);
                CAPTURE(first);
                CAPTURE(fall);
                CAPTURE(count);
                CHECK(tune::positive_part(first, fall, count) == doctest::Approx(sum));
            }
    CHECK(tune::progression{3, 11, 4}.count() == 3);
    CHECK(tune::progression{3, 3, 1}.count() == 1);
}

TEST_CASE("the chain of a matrix product, from the innermost loop out")
{
    // m.0: 2 parallel, n.0: 2, k: 5, m.1: 3 and n.1: 2 unrolled, n.2: 4 lanes
    const nest n = test::matmul({.m = 6, .n = 16, .k = 5, .tile_m = 3, .tile_n = 2});
    const nest_chain c(n);
    CHECK(n.statements[static_cast<std::size_t>(c.main)].reduce == reduction::add);
    CHECK(extents_of(c) == std::vector<std::int64_t>{4, 2, 3, 5, 2, 2});
    CHECK(c.tile_loops == 4);
    CHECK(c.tile_bodies == 1);
    CHECK(c.leaves == 3);
    CHECK(c.main_is_vector);
    CHECK(c.main_spread == 2);
    CHECK(c.multiply_adds == 480);
    CHECK(c.tile_runs == 480);
    CHECK(c.guarded_runs == 0);
    CHECK(c.written == 3 * 6); // each leaf in 3 x 2 copies
    CHECK(c.statement(c.main).runs == 480);
    CHECK(c.statement(c.main).attempts == 480);
    CHECK(c.loop(0).bind == binding::vectorize);
    CHECK(c.loop(3).bind == binding::serial);
    CHECK(c.loop(5).bind == binding::parallel);
    CHECK(c.loop(3).runs == 20);       // 2 * 2 * 5
    CHECK(c.loop(3).bottom_up == 120); // of 5 steps
    // Loads of x and weights, and the accumulator that is written.
    CHECK(c.main_accesses() == 0b1011);
    CHECK(c.loop_of(2) == 3); // k
    CHECK(c.span_of(2) == 5);
}

TEST_CASE("siblings that peeling made are one loop, with the share of each binding")
{
    const nest n = test::matmul({.m = 7, .n = 16, .k = 5, .tile_m = 3});
    const nest_chain c(n);
    CHECK(c.tile_bodies == 2);
    CHECK(extents_of(c) == std::vector<std::int64_t>{4, 3, 5, 4, 3});
    CHECK(c.multiply_adds == 7 * 16 * 5);
    CHECK(c.tile_runs == 6 * 16 * 5); // the heaviest
    const auto& rows = c.loop(c.loop_of(0));
    CHECK(rows.extent == 3); // blocks of 3, 3 and 1 rows
    CHECK(rows.runs == 3);
    CHECK(rows.share[static_cast<int>(binding::parallel)] == 1);
}

// Of 6 outputs with 3 taps each, 2 taps read padding: 16 run. Exact, since one outer variable moves the bounds.
TEST_CASE("loops that are clipped, and leaves under a guard, count as what they run")
{
    const nest clipped = test::padded(test::edge::clipped), guarded = test::padded(test::edge::guarded),
               selected = test::padded(test::edge::selected);
    const nest_chain a(clipped), b(guarded), c(selected);
    CHECK(a.multiply_adds == doctest::Approx(16));
    CHECK(a.guarded_runs == 0);
    CHECK(a.statement(a.main).attempts == doctest::Approx(16));
    // Of a guard the 8 values of the index count alike, of which 7 meet each of two conditions.
    CHECK(b.statement(b.main).attempts == 18);
    CHECK(b.guarded_runs == b.statement(b.main).runs);
    CHECK(b.multiply_adds == doctest::Approx(18 * 7.0 / 8 * 7.0 / 8));
    CHECK(c.multiply_adds == 18); // each tap runs, and reads 0 outside
}

TEST_CASE("a nest for a device counts what lies side by side, and barriers as one invocation passes them")
{
    const nest n = test::reversed();
    const nest_chain c(n);
    CHECK(c.main_spread == 3 * 4); // workgroups and lanes
    CHECK(c.barriers == 2 * 2);    // in each of 2 rows
    CHECK(c.multiply_adds == 0);
    CHECK(c.leaves == 2);
}

TEST_CASE("a nest without statements has no chain")
{
    const nest n;
    const nest_chain c(n);
    CHECK(c.main == -1);
    CHECK(c.loops == 0);
}

TEST_CASE("extents that a call gives count at their largest, and leading dimensions at their smallest")
{
    test::nest_builder b;
    const test::form i = b.axis("i"), j = b.axis("j");
    const test::form m = b.extent("m", 1, 10), ld = b.extent("ld", 8, 100);
    const int x = b.access(b.buffer("x", memory::argument, test::form{1000}, role::input),
                           test::nest_builder::product(i, ld) + j);
    const int y = b.access(b.buffer("y", memory::argument, test::form{10}, role::output), i);
    b.loop(binding::serial, i, m).loop(binding::serial, j, 8).add(y, ex::load(x));
    const nest_chain c(b.n);
    CHECK(c.multiply_adds == 80);
    const affine& index = b.n.accesses[static_cast<std::size_t>(x)].index;
    CHECK(c.factor_of(b.n.terms[static_cast<std::size_t>(index.first)]) == 8);
}
