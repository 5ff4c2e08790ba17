// SPDX-License-Identifier: BSL-1.0
// Bands as tables: every instance once and in order, at the elements that its indices name, with what is known of its
// conditions taken out.
#include <hone/cpu/band.hpp>

#include <cstddef>
#include <cstdint>
#include <vector>

#include <doctest/doctest.h>

#include "cpu/tags.hpp"
#include "ir/nests.hpp"

using namespace hone;
using namespace hone::ir;
using namespace hone::test;
namespace cpu = hone::codegen::cpu;

namespace {

constexpr nest product() { return matmul({.m = 6, .n = 24, .k = 5, .tile_m = 3, .tile_n = 2}, isa::baseline, 4); }

// y[i] = sum over k of x[4 k + i] times 1, 0, -1 or 3: all written out, in one tile.
constexpr nest by_table()
{
    nest_builder b;
    const form k = b.axis("k", 0, true), i = b.axis("i");
    const int x = b.access(b.buffer("x", memory::argument, 16, role::input), k * 4 + i);
    const int y = b.access(b.buffer("y", memory::argument, 4, role::output), i);
    const int sum = b.access(b.buffer("sum", memory::registers, 4), i);
    b.tile().loop(binding::unroll, i, 4).store(sum, expr{0.0f}).end();
    b.loop(binding::unroll, k, 4).loop(binding::unroll, i, 4);
    b.add(sum, ex::table(b.table({1, 0, -1, 3}, k)) * ex::load(x)).end(2);
    b.loop(binding::unroll, i, 4).store(y, ex::load(sum));
    return b.n;
}

// Lanes j of a vector, in each of 5 rows i written out, where 3 i + j <= 10 and 4 i + o >= 4 for a loop o outside.
constexpr nest tested()
{
    nest_builder b{isa::baseline, 4};
    const form o = b.axis("o"), i = b.axis("i"), j = b.axis("j");
    const int y = b.access(b.buffer("y", memory::argument, 80, role::output), o * 20 + i * 4 + j);
    b.loop(binding::serial, o, 4).loop(binding::unroll, i, 5).loop(binding::vectorize, j, 4);
    b.guard({form{10} - i * 3 - j}).guard({i * 4 + o - form{4}}).store(y, 1.0f);
    return b.n;
}

// Rows i written out, of steps that a call gives: 4 + s i - pad and 3 - s i, and a guard of one loop, or of one leaf.
constexpr nest stepped()
{
    nest_builder b;
    const form o = b.axis("o"), i = b.axis("i");
    const form s = b.extent("s", 1, 9), pad = b.extent("pad", 0, 6);
    const int y = b.access(b.buffer("y", memory::argument, 20, role::output), o * 5 + i);
    const form step = nest_builder::product(i, s);
    b.loop(binding::serial, o, 4).guard({form{2} - o}).loop(binding::unroll, i, 5);
    b.guard({step + form{4} - pad, form{3} - step}).store(y, 1.0f);
    return b.n;
}

template <class K>
constexpr int first_of(node_kind kind)
{
    for (std::size_t n = 0; n < K::nest.nodes.size(); ++n)
        if (K::nest.nodes[n].kind == kind) return static_cast<int>(n);
    return -1;
}

} // namespace

TEST_CASE("what is unrolled, along vectors or of one step is written out, and is a band with all that stands in it")
{
    constexpr const auto& n = tag_of<product>::nest;
    int bands = 0, others = 0;
    for (std::size_t i = 0; i < n.nodes.size(); ++i) {
        const node& x = n.nodes[i];
        if (x.kind != node_kind::loop) continue;
        const bool written_out = cpu::is_written_out(n, x);
        const bool is_repeated = x.bind == binding::parallel || (x.bind == binding::serial && extent_of(n, x) > 1);
        CHECK(written_out == !is_repeated);
        CHECK(cpu::is_band(n, static_cast<int>(i)) == written_out); // only such loops stand in them
        (written_out ? bands : others) += 1;
    }
    CHECK(bands == 3 * 3); // three levels: zeros, sums, stores
    CHECK(others == 3);
    // Bands that follow one another are one: in the tile by a table there is nothing else.
    constexpr const auto& t = tag_of<by_table>::nest;
    constexpr int first = t.nodes[first_of<tag_of<by_table>>(node_kind::tile)].child;
    static_assert(cpu::end_of_bands(t, first) == -1);
    constexpr int zeros = n.nodes[first_of<tag_of<product>>(node_kind::tile)].child;
    static_assert(cpu::end_of_bands(n, zeros) == n.nodes[zeros].next && n.nodes[zeros].next >= 0);
}

TEST_CASE("each step stands where its indices say, in the order of the loops")
{
    using k = tag_of<product>;
    constexpr int zeros = k::nest.nodes[first_of<k>(node_kind::tile)].child;
    constexpr int loop_of_k = k::nest.nodes[zeros].next;
    using sums = cpu::band<k, k::nest.nodes[loop_of_k].child>;
    static_assert(sums::tables.count == 6 && sums::tables.run_count == 1 && sums::tables.instance_count == 0);
    for (int m = 0, i = 0; m < 3; ++m)
        for (int v = 0; v < 2; ++v, ++i) {
            const cpu::step& s = sums::step_at(i);
            CHECK(s.plain);
            CHECK(s.lanes == 4);
            CHECK(s.at[0] == m * 2 + v); // a register
            CHECK(s.at[1] == m * 5);     // a[m, k]
            CHECK(s.at[2] == v * 4);     // b[k, n]
            CHECK(s.factor == cpu::factor::general);
        }
}

TEST_CASE("products with constants: none of 0, sums and differences of 1 and -1; a sum begins with its first term")
{
    using k = tag_of<by_table>;
    using band = cpu::band<k, k::nest.nodes[first_of<k>(node_kind::tile)].child>;
    // Of the zeros none is left, and of the second row of products.
    static_assert(band::tables.count == 4 * 3 + 4);
    const cpu::factor factors[] = {cpu::factor::plus, cpu::factor::minus, cpu::factor::table};
    const int rows[] = {0, 2, 3};
    for (int term = 0; term < 3; ++term)
        for (int i = 0; i < 4; ++i) {
            const cpu::step& s = band::step_at(term * 4 + i);
            CHECK(s.factor == factors[term]);
            CHECK(s.fresh == (term == 0));
            CHECK(s.at[0] == i);
            CHECK(s.at[1] == rows[term] * 4 + i);
            if (term == 2) CHECK(s.coefficient == 3);
        }
    // Runs are steps of one form: what is read of a register begins another.
    static_assert(band::tables.run_count == 4);
    int covered = 0;
    for (int r = 0; r < band::tables.run_count; ++r) {
        CHECK(band::tables.runs[r].first == covered);
        covered += band::tables.runs[r].count;
    }
    CHECK(covered == band::tables.count);
}

TEST_CASE("guards of loops are asked once, those of leaves are part of their band")
{
    constexpr const auto& n = tag_of<stepped>::nest;
    int guards = 0;
    for (std::size_t i = 0; i < n.nodes.size(); ++i) {
        if (n.nodes[i].kind != node_kind::guard) continue;
        ++guards;
        const bool is_of_leaf = n.nodes[n.nodes[i].child].kind == node_kind::leaf;
        CHECK(cpu::is_band(n, static_cast<int>(i)) == is_of_leaf);
        if (!is_of_leaf) CHECK(cpu::is_band(n, n.nodes[i].child));
    }
    CHECK(guards == 2);
}

TEST_CASE("conditions with steps of the call are decided for all that a call may give")
{
    constexpr const auto& n = tag_of<stepped>::nest;
    const interval variables[] = {{0, 3}, {0, 4}};
    REQUIRE(n.conditions.size() == 3);
    cpu::instance at{.leaf = 0, .vector_variable = -1, .lanes = 1, .depth = 1};
    at.variable[0] = 1;
    for (int i = 0; i < 5; ++i) {
        at.value[0] = i;
        for (const std::size_t c : {1, 2}) {
            bool always = true, never = true;
            for (std::int64_t s = 1; s <= 9; ++s)
                for (std::int64_t pad = 0; pad <= 6; ++pad) {
                    const bool holds = c == 1 ? 4 + s * i - pad >= 0 : 3 - s * i >= 0;
                    always = always && holds;
                    never = never && !holds;
                }
            cpu::lane_range where{-1, -1};
            CAPTURE(i);
            CAPTURE(c);
            CHECK(cpu::decide(n, variables, n.conditions[c], at, where) == (always  ? cpu::truth::yes
                                                                            : never ? cpu::truth::no
                                                                                    : cpu::truth::unknown));
        }
    }
}

TEST_CASE("conditions are decided where they can be: never, always, for the first lanes, or at run time")
{
    using k = tag_of<tested>;
    using band = cpu::band<k, k::nest.nodes[k::nest.root].child>;
    // i = 0 would need o = 4, which there is none of; 1 to 3 hold lanes 0 to 10 - 3 i; 4 has none.
    static_assert(band::tables.count == 3);
    for (int row = 0; row < 3; ++row) {
        const cpu::step& s = band::step_at(row);
        const int i = row + 1, lanes = 11 - 3 * i;
        CHECK(s.at[0] == i * 4);
        CHECK(s.lanes == (lanes < 4 ? lanes : 4));
        CHECK(s.plain);
    }
    // By enumeration: what holds at every point is `yes`, at none `no`.
    const auto& n = k::nest;
    cpu::instance at{.leaf = 0, .vector_variable = 2, .lanes = 4, .depth = 1};
    at.variable[0] = 1;
    for (int i = 0; i < 5; ++i) {
        at.value[0] = i;
        cpu::lane_range where{-1, -1};
        const cpu::truth outer = cpu::decide(n, band::variables.of, n.conditions[1], at, where);
        CHECK(outer == (4 * i - 4 >= 0 ? cpu::truth::yes : 4 * i - 1 < 0 ? cpu::truth::no : cpu::truth::unknown));
        const cpu::truth own = cpu::decide(n, band::variables.of, n.conditions[0], at, where);
        const int lanes = 11 - 3 * i;
        CHECK(own == (lanes >= 4 ? cpu::truth::yes : lanes <= 0 ? cpu::truth::no : cpu::truth::lanes));
        if (own != cpu::truth::lanes) continue;
        CHECK(where.first == 0);
        CHECK(where.end == lanes);
    }
}
