// SPDX-License-Identifier: BSL-1.0
// How many vector registers tiles keep busy, worked out by hand: accumulators, loads that are used again, and values
// for all lanes. check() holds these against the instruction set.
#include <hone/ir/live_registers.hpp>

#include <doctest/doctest.h>

#include <hone/ir/check.hpp>

#include "nests.hpp"

using namespace hone;
using namespace hone::calls;
using namespace hone::test;

namespace {

constexpr target avx2 = cpu_target(isa::avx2);
constexpr matmul_shape tile(int m, int n) { return {.m = 2 * m + 1, .n = 16 * n, .k = 5, .tile_m = m, .tile_n = n}; }

// Facts of the register tile, from the tiles that reach the peak: 14 x 2 and 9 x 3 take 31 of 32 registers.
static_assert(live_registers(matmul(tile(14, 2), isa::avx512, 16)) == 28 + 2 + 1);
static_assert(live_registers(matmul(tile(9, 3), isa::avx512, 16)) == 27 + 3 + 1);
static_assert(live_registers(matmul(tile(14, 1), isa::avx512, 16)) == 14 + 1); // broadcasts are memory operands
static_assert(live_registers(matmul(tile(14, 1), isa::avx2, 8)) == 14 + 1 + 1);
static_assert(live_registers(matmul(tile(5, 4), isa::neon, 4)) == 20 + 4 + 5); // a register for each row's lanes
static_assert(live_registers(copy()) == 0);

// Where a band stands decides whether it counts: straight-line code spills once, a loop in each iteration.
enum class around : std::uint8_t { nothing, one_iteration, loop_outside_tile, loop_in_tile };
constexpr nest_builder& open_tile(nest_builder& b, around how)
{
    const form r = b.axis("r");
    if (how == around::loop_outside_tile) b.loop(binding::serial, r, 2);
    b.tile();
    if (how == around::one_iteration || how == around::loop_in_tile)
        b.loop(binding::serial, r, how == around::one_iteration ? 1 : 2);
    return b;
}

// Buffers that follow one another share registers: t is written from d, then y from t.
constexpr nest two_steps(bool keeps_first, around how = around::loop_in_tile)
{
    nest_builder b{isa::avx2, 8};
    const form i = b.axis("i");
    const form v = b.axis("v");
    const int x = b.access(b.buffer("x", memory::argument, 80, role::input), i * 8 + v);
    const int y = b.access(b.buffer("y", memory::argument, 80, role::output), i * 8 + v);
    const int ds = b.buffer("d", memory::registers, 80);
    const int ts = b.buffer("t", memory::registers, 80);
    const int d = b.access(ds, i * 8 + v);
    const int t = b.access(ts, i * 8 + v);
    const auto band = [&](int target, const expr& value) {
        b.loop(binding::unroll, i, 10).loop(binding::vectorize, v, 8).store(target, value).end(2);
    };
    open_tile(b, how);
    band(d, ex::load(x));
    band(y, ex::load(d));
    band(t, ex::load(x));
    band(y, keeps_first ? ex::load(t) + ex::load(d) : ex::load(t));
    return b.n;
}
static_assert(live_registers(two_steps(false)) == 11);
static_assert(live_registers(two_steps(true)) == 21);
static_assert(check(two_steps(false), avx2).ok());
static_assert(check(two_steps(true), avx2).what == fault::too_many_live_registers);
static_assert(check(two_steps(true), avx2).found == 21);
static_assert(live_registers(two_steps(true, around::nothing)) == 0);
static_assert(live_registers(two_steps(true, around::one_iteration)) == 0);
static_assert(live_registers(two_steps(true, around::loop_outside_tile)) == 0);
static_assert(check(two_steps(true, around::nothing), avx2).ok());

// What straight-line code keeps over a loop is live in the loop all the same: 20 values are read behind it, and the
// band of the loop holds one more.
constexpr nest kept_past_loop(bool is_read_behind)
{
    nest_builder b{isa::avx2, 8};
    const form k = b.axis("k");
    const form i = b.axis("i");
    const form v = b.axis("v");
    const int x = b.access(b.buffer("x", memory::argument, 160, role::input), i * 8 + v);
    const int y = b.access(b.buffer("y", memory::argument, 160, role::output), i * 8 + v);
    const int z = b.access(b.buffer("z", memory::argument, 8, role::output), v);
    const int d = b.access(b.buffer("d", memory::registers, 160), i * 8 + v);
    const int t = b.access(b.buffer("t", memory::registers, 8), v);
    const auto band = [&](int target, const expr& value) {
        b.loop(binding::unroll, i, 20).loop(binding::vectorize, v, 8).store(target, value).end(2);
    };
    b.tile();
    band(d, ex::load(x));
    if (!is_read_behind) band(y, ex::load(d));
    b.loop(binding::serial, k, 3).loop(binding::vectorize, v, 8).store(t, expr{1.0f}).store(z, ex::load(t)).end(2);
    if (is_read_behind) band(y, ex::load(d));
    return b.n;
}
static_assert(live_registers(kept_past_loop(false)) == 1);
static_assert(live_registers(kept_past_loop(true)) == 21);

// An operand that is used twice is loaded once.
constexpr nest squared(bool is_one_access)
{
    nest_builder b{isa::avx2, 8};
    const form v = b.axis("v");
    const int xs = b.buffer("x", memory::argument, 16, role::input);
    const int x = b.access(xs, v);
    const int other = is_one_access ? x : b.access(xs, v + form{8});
    const int acc = b.access(b.buffer("acc", memory::registers, 8), v);
    open_tile(b, around::loop_in_tile).loop(binding::vectorize, v, 8).store(acc, ex::load(x) * ex::load(other));
    return b.n;
}
static_assert(live_registers(squared(true)) == 2);
static_assert(live_registers(squared(false)) == 3);

// What a loop finds in registers stays there while it runs, whichever of its leaves uses it.
constexpr nest kept_over_loop(bool is_carried)
{
    nest_builder b{isa::avx2, 8};
    const form k = b.axis("k", 0, true);
    const form i = b.axis("i");
    const form v = b.axis("v");
    const int x = b.access(b.buffer("x", memory::argument, 80, role::input), i * 8 + v);
    const int y = b.access(b.buffer("y", memory::argument, 80, role::output), i * 8 + v);
    const int acc = b.access(b.buffer("acc", memory::registers, 80), i * 8 + v);
    const int t = b.access(b.buffer("t", memory::registers, 80), i * 8 + v);
    const auto band = [&](int target, reduction reduce, const expr& value) {
        b.loop(binding::unroll, i, 10).loop(binding::vectorize, v, 8).leaf(target, reduce, value).end(2);
    };
    b.tile();
    if (is_carried) band(acc, reduction::none, expr{0.0f});
    b.loop(binding::serial, k, 3);
    if (!is_carried) band(acc, reduction::none, expr{0.0f});
    band(acc, reduction::add, ex::load(x));
    if (!is_carried) band(y, reduction::none, ex::load(acc));
    band(t, reduction::none, ex::load(x));
    band(y, reduction::add, ex::load(t));
    return b.n;
}
static_assert(live_registers(kept_over_loop(false)) == 10 + 1);
static_assert(live_registers(kept_over_loop(true)) == 20 + 1);

// Scalars count one by one where there is no vector loop.
constexpr nest of_scalars()
{
    nest_builder b;
    const form k = b.axis("k", 0, true);
    const form i = b.axis("i");
    const int x = b.access(b.buffer("x", memory::argument, 12, role::input), k * 4 + i);
    const int acc = b.access(b.buffer("acc", memory::registers, 4), i);
    b.tile().loop(binding::serial, k, 3).loop(binding::unroll, i, 4).add(acc, ex::load(x));
    return b.n;
}
static_assert(live_registers(of_scalars()) == 4 + 1);

} // namespace

TEST_CASE("of several tiles the hungriest counts, and of a tile by itself its own")
{
    // Peeled: three rows in the first tile, one in the second.
    const nest n = matmul({.m = 7, .n = 16, .k = 5, .tile_m = 3, .tile_n = 2}, isa::avx2, 8);
    int tiles = 0, least = 1 << 20, most = 0;
    for (std::size_t i = 0; i < n.nodes.size(); ++i) {
        if (n.nodes[i].kind != node_kind::tile) continue;
        const int live = live_registers(n, static_cast<int>(i));
        least = live < least ? live : least;
        most = live > most ? live : most;
        ++tiles;
    }
    CHECK(tiles == 2);
    CHECK(most == 3 * 2 + 2 + 1);
    CHECK(least == 1 * 2 + 1 + 1); // of one row, that uses each of its weights once
    CHECK(live_registers(n) == most);
}

TEST_CASE("a nest of exact size has as many")
{
    constexpr nest n = matmul(tile(9, 3), isa::avx512, 16);
    CHECK(live_registers(resized<n.sizes()>(n)) == live_registers(n));
}
