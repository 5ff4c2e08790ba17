// SPDX-License-Identifier: BSL-1.0
// A condition has one value, however its terms are split: literals of a band, variables of loops outside, the call's
// parameters and the lane.
#include <hone/cpu/conditions.hpp>

#include <cstdint>

#include <doctest/doctest.h>

#include "cpu/tags.hpp"
#include "nest_builder.hpp"

using namespace hone;
using namespace hone::calls;
using namespace hone::test;
namespace cpu = hone::codegen::cpu;

namespace {

constexpr std::int64_t constant = 7;

// Under the guards 7 + 3 i - 2 j + rows >= 0 and 5 - i >= 0, and within them j >= 1: y[j] = 1.
constexpr nest guards()
{
    nest_builder b;
    const form rows = b.extent("rows", 0, 40);
    const form i = b.axis("i"), j = b.axis("j");
    const int y = b.access(b.buffer("y", memory::argument, 64, role::output), j);
    b.loop(binding::serial, i, 8).loop(binding::serial, j, 40);
    b.guard({i * 3 - j * 2 + rows + form{constant}, form{5} - i}).guard({j - form{1}}).store(y, 1.0f);
    return b.n;
}
using k = tag_of<guards>;
constexpr int i_variable = 0, j_variable = 1;

// Where a band knows i, or has j along its lanes, or both.
template <bool KnowsI, bool HasLanes>
struct knowing {
    static constexpr std::int32_t known_i = 4;
    static constexpr cpu::instance at(int)
    {
        cpu::instance i{.vector_variable = HasLanes ? std::int16_t{j_variable} : std::int16_t{-1}};
        if (KnowsI) {
            i.depth = 1;
            i.variable[0] = i_variable;
            i.value[0] = known_i;
        }
        return i;
    }
};
constexpr int leaf = [] {
    for (std::size_t n = 0; n < k::nest.nodes.size(); ++n)
        if (k::nest.nodes[n].kind == node_kind::leaf) return static_cast<int>(n);
    return -1;
}();
constexpr int holder = k::nest.nodes[k::nest.root].child; // the loop of j

} // namespace

TEST_CASE("a condition's value does not depend on who knows its terms")
{
    for (std::int64_t rows = 0; rows <= 40; rows += 8)
        for (std::int64_t j = 0; j < 40; ++j) {
            cpu::environment<k> e{};
            e.parameters = &rows;
            e.variables[i_variable] = 4;
            e.variables[j_variable] = j;
            const std::int64_t value = constant + 3 * 4 - 2 * j + rows;
            CHECK(cpu::condition_value<k, cpu::no_band, 0, 0>(e, 0) == value);
            cpu::environment<k> without = e;
            without.variables[i_variable] = 1'000;
            CHECK(cpu::condition_value<k, knowing<true, false>, 0, 0>(without, 0) == value);
            // The lane stands for the variable's value; loops outside have none for it.
            without.variables[j_variable] = -1'000;
            CHECK(cpu::condition_value<k, knowing<true, true>, 0, 0>(without, static_cast<int>(j)) == value);
            without.variables[i_variable] = 4;
            CHECK(cpu::condition_value<k, knowing<false, true>, 0, 0>(without, static_cast<int>(j)) == value);
        }
    constexpr cpu::affine_parts parts = cpu::parts_of<k>(knowing<true, true>::at(0), k::nest.conditions[0]);
    static_assert(parts.literal == constant + 3 * 4 && parts.lane == -2 && parts.terms == 4);
}

TEST_CASE("all guards around a leaf must hold, up to the node that holds the band")
{
    int held = 0;
    for (std::int64_t i = 0; i < 8; ++i)
        for (std::int64_t j = 0; j < 40; ++j) {
            const std::int64_t rows = 10;
            cpu::environment<k> e{};
            e.parameters = &rows;
            e.variables[i_variable] = i;
            e.variables[j_variable] = j;
            const bool outer = constant + 3 * i - 2 * j + rows >= 0 && 5 - i >= 0;
            CHECK(cpu::holds<k, cpu::no_band, 0, 0, 2>(e, 0) == outer);
            CHECK(cpu::holds<k, cpu::no_band, 0, 0, 0>(e, 0));
            const bool all = cpu::guards_hold<k, cpu::no_band, 0, leaf, holder>(e, 0);
            CHECK(all == (outer && j >= 1));
            held += all;
        }
    CHECK(held > 0);
    CHECK(held < 8 * 40);
}
