// SPDX-License-Identifier: BSL-1.0
// What facts of loops and conditions say of an affine form, one loop after the other.
#include <hone/ir/bounds_proof.hpp>

#include <doctest/doctest.h>

#include <hone/ir/visit.hpp>

#include "nest_builder.hpp"

using namespace hone;
using namespace hone::ir;
using namespace hone::test;

namespace {

// y[8 i + j] of 60 elements, for i below 8 and j below min(8, 60 - 8 i), as the header has it.
constexpr nest blocks()
{
    nest_builder b;
    const form i = b.axis("i");
    const form j = b.axis("j");
    const int y = b.access(b.buffer("y", memory::argument, 60, role::output), i * 8 + j);
    b.loop(binding::serial, i, 8).loop(binding::serial, j, {0}, {8, form{60} - i * 8}).store(y, expr{1.0f});
    return b.n;
}

} // namespace

TEST_CASE("an index is inside where the loops around it are open, and not behind them")
{
    const nest n = blocks();
    const access& y = n.accesses[0];
    const affine elements = n.buffers[0].elements;
    bounds_proof<nest> proof(n);
    interval values[2]{};
    const node &outer = n.nodes[n.root], &inner = n.nodes[outer.child];
    values[outer.variable] = proof.values_of(outer, values);
    CHECK(values[outer.variable] == interval{0, 7});
    const int before = proof.mark();
    proof.open(outer, values);
    values[inner.variable] = proof.values_of(inner, values);
    CHECK(values[inner.variable] == interval{0, 7});
    CHECK_FALSE(proof.is_inside(y.index, elements, values)); // 8 i + j may be 63 by intervals
    const int outside = proof.mark();
    proof.open(inner, values);
    CHECK(proof.is_inside(y.index, elements, values));
    affine fewer = elements;
    fewer.constant = 59;
    CHECK_FALSE(proof.is_inside(y.index, fewer, values));
    proof.close(outside);
    CHECK_FALSE(proof.is_inside(y.index, elements, values));
    proof.close(before);
    CHECK(proof.mark() == before);
}

TEST_CASE("a condition that never holds where others do is a contradiction")
{
    nest n = blocks();
    // i - 3 >= 0 and 2 - i >= 0
    const auto first = static_cast<std::int16_t>(n.terms.size());
    n.terms.push_back({.variable = n.nodes[n.root].variable, .coefficient = 1});
    n.terms.push_back({.variable = n.nodes[n.root].variable, .coefficient = -1});
    n.conditions.push_back({-3, first, 1});
    n.conditions.push_back({2, static_cast<std::int16_t>(first + 1), 1});
    bounds_proof<nest> proof(n);
    interval values[2]{};
    values[n.nodes[n.root].variable] = {0, 7};
    CHECK_FALSE(proof.is_contradiction({1, 1}, values));
    proof.assume({0, 1});
    CHECK(proof.is_contradiction({1, 1}, values));
    CHECK_FALSE(proof.is_contradiction({0, 1}, values));
}
