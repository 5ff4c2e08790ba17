// SPDX-License-Identifier: BSL-1.0
// Ways through a nest: divisions that round towards minus infinity, affine forms and their intervals, bounds of loops,
// and what stands in a node.
#include <hone/ir/visit.hpp>

#include <cmath>
#include <cstdint>
#include <vector>

#include <doctest/doctest.h>

#include <hone/ir/interpret.hpp>

#include "nests.hpp"

using namespace hone;
using namespace hone::schedules;
using namespace hone::test;

namespace {

static_assert(floor_div(7, 2) == 3 && floor_div(-7, 2) == -4 && floor_div(-8, 2) == -4 && floor_div(0, 5) == 0);
static_assert(ceil_div(7, 2) == 4 && ceil_div(-7, 2) == -3 && ceil_div(8, 2) == 4);

// 3 i - 2 j m + 5 for i in [-1, 2], j in [1, 3] and the parameter m in [2, 4].
struct mixed {
    nest n{};
    affine a{};
};
constexpr mixed mixed_form()
{
    nest_builder b;
    const form i = b.axis("i"), j = b.axis("j");
    const form m = b.extent("m", 2, 4);
    b.access(b.buffer("x", memory::argument, 1), i * 3 + nest_builder::product(j, m) * -2 + form{5});
    return {b.n, b.n.accesses[0].index};
}

// for i in [0, 10): for t in [max(0, 3 - i), min(4, floor((i + 6) / 2)))
constexpr nest clipped()
{
    nest_builder b;
    const form i = b.axis("i"), t = b.axis("t");
    const int y = b.access(b.buffer("y", memory::argument, 1, role::output), form{});
    b.loop(binding::serial, i, 10);
    b.loop(binding::serial, t, {0, form{3} - i}, {4, quotient{i + form{6}, 2}}).store(y, expr{1.0f});
    return b.n;
}

int node_of(const nest& n, node_kind kind)
{
    for (std::size_t i = 0; i < n.nodes.size(); ++i)
        if (n.nodes[i].kind == kind) return static_cast<int>(i);
    return -1;
}

std::vector<int> loads_of(const nest& n, int expr_root)
{
    std::vector<int> loads;
    for_each_load(n, expr_root, [&](int access) { loads.push_back(access); });
    return loads;
}

} // namespace

TEST_CASE("quotients are those of real numbers, rounded")
{
    for (std::int64_t b = 1; b <= 9; ++b)
        for (std::int64_t a = -40; a <= 40; ++a) {
            CAPTURE(a);
            CAPTURE(b);
            const double q = static_cast<double>(a) / static_cast<double>(b);
            CHECK(static_cast<double>(floor_div(a, b)) == std::floor(q));
            CHECK(static_cast<double>(ceil_div(a, b)) == std::ceil(q));
        }
}

TEST_CASE("greatest common divisor")
{
    for (int a = 0; a <= 30; ++a)
        for (int b = 1; b <= 30; ++b) {
            int most = 1;
            for (int c = 1; c <= 30; ++c)
                if (a % c == 0 && b % c == 0) most = c;
            CHECK(greatest_common_divisor(a, b) == most);
        }
}

TEST_CASE("an interval is that of all values, where each variable stands once")
{
    const auto [n, a] = mixed_form();
    const interval variables[] = {{-1, 2}, {1, 3}};
    interval seen{1 << 20, -(1 << 20)};
    for (std::int64_t i = -1; i <= 2; ++i)
        for (std::int64_t j = 1; j <= 3; ++j)
            for (std::int64_t m = 2; m <= 4; ++m) {
                const std::int64_t at[] = {i, j};
                const std::int64_t value = value_of(n, a, at, &m);
                CHECK(value == 3 * i - 2 * j * m + 5);
                if (value < seen.least) seen.least = value;
                if (value > seen.most) seen.most = value;
            }
    CHECK(interval_of(n, a, variables) == seen);
    CHECK_FALSE(seen.constant());
    CHECK(interval{4, 4}.constant());
}

TEST_CASE("a loop runs from its largest lower limit to its least upper one, and its interval holds all of it")
{
    constexpr nest n = clipped();
    const node& outer = n.nodes[n.root];
    const node& inner = n.nodes[outer.child];
    interval open[] = {interval_of(n, outer, nullptr), {}};
    CHECK(open[0] == interval{0, 9});
    const interval all = interval_of(n, inner, open);
    CHECK(all == interval{0, 3});
    for (std::int64_t i = 0; i < 10; ++i) {
        const std::int64_t at[] = {i, 0};
        const std::int64_t from = lower_of(n, inner, at, nullptr), to = upper_of(n, inner, at, nullptr);
        CAPTURE(i);
        CHECK(from == (i < 3 ? 3 - i : 0));
        CHECK(to == ((i + 6) / 2 < 4 ? (i + 6) / 2 : 4));
        for (std::int64_t t = from; t < to; ++t) {
            CHECK(t >= all.least);
            CHECK(t <= all.most);
        }
    }
    CHECK(has_constant_bounds(n, outer));
    CHECK_FALSE(has_constant_bounds(n, inner));
    CHECK(extent_of(n, outer) == 10);
}

TEST_CASE("a loop over a quotient runs once, and one over the parts of a call that a sum takes twice at most")
{
    // for o in [0, 7): for i in [max(0, floor(v / 8)), min(3, floor((v + more) / 8)))
    const auto runs = [](std::int64_t more, bool is_of_call, bool is_same = true) {
        nest_builder b;
        const form o = b.axis("o"), i = b.axis("i"), m = b.extent("m", 1, 9);
        const form v = (is_of_call ? nest_builder::product(o, m) : o * 3) + form{-2};
        b.loop(binding::serial, o, 7);
        b.loop(binding::serial, i, {0, quotient{v, 8}},
               {3, quotient{(is_same ? v : o * 2 + form{-2}) + form{more}, 8}});
        return runs_for_quotient(b.n, b.n.nodes[b.n.nodes[b.n.root].child]);
    };
    CHECK(runs(8, false) == 1);
    CHECK(runs(8, true) == 1);
    CHECK(runs(15, true) == 2);
    CHECK(runs(16, true) == 2);
    CHECK(runs(17, true) == 0);
    CHECK(runs(7, true) == 0);
    CHECK(runs(15, false) == 0); // what is known has taps
    CHECK(runs(8, false, false) == 0);
}

TEST_CASE("a loop without values has no extent")
{
    nest_builder b;
    b.loop(binding::serial, b.axis("i"), {5}, {3});
    CHECK(extent_of(b.n, b.n.nodes[b.n.root]) == 0);
    const interval none = interval_of(b.n, b.n.nodes[b.n.root], nullptr);
    CHECK(none.most < none.least);
}

TEST_CASE("open intervals are those of the ancestors, and of no other loop")
{
    constexpr nest n = matmul({.m = 6, .n = 16, .k = 5, .tile_m = 3, .tile_n = 2});
    const int tile = node_of(n, node_kind::tile);
    constexpr interval untouched{-7, -7};
    interval v[] = {untouched, untouched, untouched, untouched, untouched, untouched};
    open_intervals(n, tile, v);
    CHECK(v[0] == interval{0, 1}); // m.0
    CHECK(v[1] == interval{0, 1}); // n.0
    for (int inside = 2; inside < 6; ++inside) CHECK(v[inside] == untouched);
    open_intervals(n, -1, v);
    CHECK(v[2] == untouched);
}

TEST_CASE("what stands in a node")
{
    constexpr nest n = matmul();
    const int tile = node_of(n, node_kind::tile);
    CHECK(contains(n, n.root, node_kind::tile));
    CHECK(contains(n, tile, node_kind::leaf));
    CHECK_FALSE(contains(n, tile, node_kind::tile)); // not itself
    CHECK_FALSE(contains(n, n.root, node_kind::barrier));
}

TEST_CASE("each load of an expression is seen, as often as it stands there and in the order of its operands")
{
    nest_builder b;
    const form i = b.axis("i");
    const int xs = b.buffer("x", memory::argument, 9, role::input);
    int x[4];
    for (int k = 0; k < 4; ++k) x[k] = b.access(xs, i + form{k});
    b.loop(binding::serial, i, 4)
        .store(x[0], ex::select(ex::load(x[1]), ex::load(x[2]) * ex::load(x[1]), -ex::load(x[3]) + expr{1.0f}));
    CHECK(loads_of(b.n, b.n.statements[0].value) == std::vector<int>{x[1], x[2], x[1], x[3]});
    CHECK(loads_of(b.n, 1).size() <= 1);
}
