// SPDX-License-Identifier: BSL-1.0
// The nests that the tests of ir/ share: each forbidden one is its allowed twin with one thing changed.
// They are constexpr, so that check can be asserted on them.
#pragma once

#include <nest_builder.hpp>

namespace hone::test {

using namespace operators;

// y[i] = x[i]
constexpr nest copy(std::int64_t reach = 0)
{
    nest_builder b;
    const form i = b.axis("i");
    const int x = b.access(b.buffer("x", memory::argument, 8, role::input), i + form{reach});
    const int y = b.access(b.buffer("y", memory::argument, 8, role::output), i);
    b.loop(binding::serial, i, 8).store(y, ex::load(x)).end();
    return b.n;
}

struct matmul_shape {
    int m = 7;
    int n = 16;
    int k = 5;
    int tile_m = 3; // rows of the tile; the rest is peeled
    int tile_n = 1; // vectors of the tile
};

// y[m, n] = sum over k of a[m, k] * b[k, n], in tiles of tile_m rows and tile_n vectors; n is divided evenly.
//
//     parallel m.0, serial n.0, tile: acc = 0; serial k: acc += a * b; y = acc
//     and once more for the m % tile_m last rows
constexpr nest matmul(const matmul_shape& s = {}, isa set = isa::baseline, int length = 4,
                      binding rows = binding::unroll)
{
    nest_builder b{set, length};
    const form m0 = b.axis("m", 0);
    const form n0 = b.axis("n", 0);
    const form k = b.axis("k", 0, true);
    const form m1 = b.axis("m", 1);
    const form n1 = b.axis("n", 1);
    const form n2 = b.axis("n", 2);
    const form row = m0 * s.tile_m + m1;
    const form column = n0 * (s.tile_n * length) + n1 * length + n2;
    const int a = b.access(b.buffer("a", memory::argument, s.m * s.k, role::input), row * s.k + k);
    const int w = b.access(b.buffer("b", memory::argument, s.k * s.n, role::weights), k * s.n + column);
    const int y = b.access(b.buffer("y", memory::argument, s.m * s.n, role::output), row * s.n + column);
    const int acc = b.access(b.buffer("acc", memory::registers, s.tile_m * s.tile_n * length),
                             m1 * (s.tile_n * length) + n1 * length + n2);
    int statement = 0;
    const auto band = [&](int count, int target, reduction reduce, const expr& value, bool is_first) {
        b.loop(rows, m1, count).loop(binding::unroll, n1, s.tile_n).loop(binding::vectorize, n2, length);
        if (is_first)
            b.leaf(target, reduce, value);
        else
            b.repeat(statement++);
        b.end(3);
    };
    const auto body = [&](int count, bool is_first) {
        b.loop(binding::serial, n0, s.n / (s.tile_n * length)).tile();
        band(count, acc, reduction::none, expr{0.0f}, is_first);
        b.loop(binding::serial, k, s.k);
        band(count, acc, reduction::add, ex::load(a) * ex::load(w), is_first);
        b.end();
        band(count, y, reduction::none, ex::load(acc), is_first);
        b.end(2);
    };
    const int whole = s.m / s.tile_m;
    b.loop(binding::parallel, m0, whole);
    body(s.tile_m, true);
    b.end();
    if (s.m % s.tile_m != 0) {
        b.loop(binding::parallel, m0, {whole}, {whole + 1});
        body(s.m % s.tile_m, false);
        b.end();
    }
    return b.n;
}

enum class edge : std::uint8_t {
    clipped,  // the bounds of the tap loop leave the padding out
    guarded,  // a guard around the statement
    selected, // the access reads 0 there
    none,     // a fault
};

// y[i] = sum over t of x[i + t - 1] * w[t], padded by one: the three ways to stay inside x.
constexpr nest padded(edge how)
{
    nest_builder b;
    const form i = b.axis("i");
    const form t = b.axis("t", 0, true);
    const form at = i + t - form{1};
    const int xs = b.buffer("x", memory::argument, 6, role::input);
    const int x = how == edge::selected ? b.access(xs, at, {at, form{5} - at}) : b.access(xs, at);
    const int w = b.access(b.buffer("w", memory::argument, 3, role::weights), t);
    const int y = b.access(b.buffer("y", memory::argument, 6, role::output), i);
    b.loop(binding::serial, i, 6).store(y, expr{0.0f});
    if (how == edge::clipped)
        b.loop(binding::serial, t, {0, form{1} - i}, {3, form{7} - i});
    else
        b.loop(binding::serial, t, 3);
    if (how == edge::guarded) b.guard({at, form{5} - at});
    b.add(y, ex::load(x) * ex::load(w));
    return b.n;
}

enum class meeting : std::uint8_t { barriers, no_first, no_second, under_guard, under_uneven_loop, under_idle_lanes };

// Each workgroup turns rows of 4 around through shared memory: y[g, r, i] = x[g, r, 3 - i] for 2 rows.
constexpr nest reversed(meeting how = meeting::barriers)
{
    nest_builder b{isa::none, 1, 4};
    const form g = b.axis("g");
    const form r = b.axis("r");
    const form i = b.axis("i", 0);
    const form j = b.axis("j", 0, false, 1);
    const form row = g * 8 + r * 4;
    const int from = b.access(b.buffer("x", memory::argument, 24, role::input), row + j);
    const int to = b.access(b.buffer("y", memory::argument, 24, role::output), row + i);
    const int shared = b.buffer("s", memory::workgroup, 4);
    const int put = b.access(shared, j);
    const int get = b.access(shared, form{3} - i);
    b.bound_loop(binding::grid, g, 3).loop(binding::serial, r, 2);
    b.bound_loop(binding::lane, j, 4).store(put, ex::load(from)).end();
    switch (how) {
    case meeting::barriers:
    case meeting::no_second: b.barrier(); break;
    case meeting::no_first: break;
    case meeting::under_guard: b.bound_loop(binding::lane, i, 4).guard({form{2} - i}).barrier().end(2); break;
    case meeting::under_uneven_loop:
        b.bound_loop(binding::lane, i, 4).loop(binding::serial, b.axis("u"), i).barrier().end(2);
        break;
    case meeting::under_idle_lanes: b.bound_loop(binding::lane, i, 3).barrier().end(); break;
    }
    b.bound_loop(binding::lane, i, 4).store(to, ex::load(get)).end();
    if (how != meeting::no_second) b.barrier();
    b.end(2);
    return b.n;
}

// y[i, j] = 2 * x[i, j] by way of a scratch row, which every iteration of the parallel loop writes.
constexpr nest through_scratch(memory scratch)
{
    nest_builder b;
    const form i = b.axis("i");
    const form j = b.axis("j");
    const int x = b.access(b.buffer("x", memory::argument, 12, role::input), i * 4 + j);
    const int y = b.access(b.buffer("y", memory::argument, 12, role::output), i * 4 + j);
    const int s = b.access(b.buffer("s", scratch, 4), j);
    b.loop(binding::parallel, i, 3);
    b.loop(binding::serial, j, 4).store(s, ex::load(x) * expr{2.0f}).end();
    b.loop(binding::serial, j, 4).store(y, ex::load(s)).end();
    return b.n;
}

} // namespace hone::test
