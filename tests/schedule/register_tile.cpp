// SPDX-License-Identifier: BSL-1.0
// Register tiles: what fits an instruction set, that this agrees with what is found in nests, and which tile is taken.
#include <hone/schedule/register_tile.hpp>

#include <cstdint>
#include <utility>

#include <doctest/doctest.h>

#include <hone/ir/live_registers.hpp>
#include <hone/lower/lower.hpp>
#include <hone/schedule/direct.hpp>

#include "layers.hpp"

using namespace hone;
using namespace hone::codegen;
using namespace hone::test;

namespace {

constexpr isa sets[] = {isa::baseline, isa::avx2, isa::avx512, isa::neon};

static_assert(registers_of({14, 2}, isa::avx512) == 28 + 2 + 1);
static_assert(registers_of({14, 1}, isa::avx512) == 14 + 1); // x is an operand in memory
static_assert(registers_of({14, 1}, isa::avx2) == 14 + 1 + 1);
static_assert(registers_of({5, 4}, isa::neon) == 20 + 4 + 5);        // a register for the lanes of each row
static_assert(registers_of({4, 4, 4}, isa::neon) == 16 + 2 * 4 + 4); // and the next weights

double whole_cost(std::int64_t rows, std::int64_t vectors, const register_tile& t, bool shares)
{
    double cost = 0;
    for (std::int64_t v = 0; v < vectors; v += t.vectors)
        for (std::int64_t m = 0; m < rows; m += t.rows)
            cost += tile_cost(t.rows < rows - m ? t.rows : rows - m, t.vectors < vectors - v ? t.vectors : vectors - v,
                              shares);
    return cost;
}

} // namespace

TEST_CASE("what fits registers, by the facts of the tiles that reach the peak")
{
    const auto fits = [](int rows, int vectors, isa set) { return check_registers({rows, vectors}, set).ok(); };
    CHECK(fits(14, 2, isa::avx512));
    CHECK(fits(9, 3, isa::avx512));
    CHECK(fits(31, 1, isa::avx512));
    CHECK_FALSE(fits(15, 2, isa::avx512));
    CHECK_FALSE(fits(10, 3, isa::avx512));
    CHECK_FALSE(fits(32, 1, isa::avx512));
    for (isa set : {isa::avx2, isa::baseline}) {
        CHECK(fits(6, 2, set));
        CHECK(fits(4, 3, set));
        CHECK(fits(14, 1, set));
        CHECK_FALSE(fits(7, 2, set));
        CHECK_FALSE(fits(15, 1, set));
    }
    const auto fits_by_lanes = [](int rows, int vectors) {
        return check_registers({rows, vectors, 4}, isa::neon).ok();
    };
    CHECK(fits_by_lanes(15, 1));
    CHECK(fits_by_lanes(9, 2));
    CHECK(fits_by_lanes(6, 3));
    CHECK(fits_by_lanes(4, 4));
    CHECK_FALSE(fits_by_lanes(10, 2));
    CHECK_FALSE(fits_by_lanes(7, 3));
    CHECK_FALSE(fits_by_lanes(5, 4));
    CHECK(fits(5, 4, isa::neon));
    CHECK_FALSE(fits(6, 4, isa::neon));
}

// The two estimates of a dense tile agree: what the knobs promise before lowering is what check finds in the nest.
TEST_CASE("check_registers agrees with check")
{
    const definition d = gemm<products[4], f32>::definition();
    for (isa set : sets)
        for (int vectors = 1; vectors <= 4; ++vectors)
            for (int rows = 1; rows <= 32; ++rows)
                for (int steps : {1, 4}) {
                    const direct_knobs k{.rows = rows, .vectors = vectors, .reduce_unroll = steps};
                    CAPTURE(name_of(set));
                    CAPTURE(rows);
                    CAPTURE(vectors);
                    CAPTURE(steps);
                    const nest n = lower(direct_schedule(d, k, set));
                    REQUIRE(n.found.what == fault::none);
                    CHECK((live_registers(n) <= vector_registers(set)) ==
                          check_registers({rows, vectors, steps}, set).ok());
                }
}

TEST_CASE("a fault of a tile says how many registers there are, and how many it needs")
{
    const status s = check_registers({15, 2}, isa::avx512);
    CHECK(s.what == fault::too_many_live_registers);
    CHECK(s.expected == 32);
    CHECK(s.found == 33);
}

// By the definition, tile by tile, over all that there are.
TEST_CASE("the cheapest tile fits, is no larger than what there is, and none that fits costs less")
{
    for (const isa set : sets)
        for (const bool shares : {false, true})
            for (const std::int64_t rows : {1, 3, 7, 16, 49})
                for (const std::int64_t vectors : {1, 2, 5, 8}) {
                    CAPTURE(name_of(set));
                    CAPTURE(shares);
                    CAPTURE(rows);
                    CAPTURE(vectors);
                    const register_tile best = cheapest_tile(rows, vectors, shares, set);
                    CHECK(check_registers(best, set).ok());
                    CHECK(best.rows <= rows);
                    CHECK(best.vectors <= vectors);
                    const double least = whole_cost(rows, vectors, best, shares);
                    for (std::int32_t v = 1; v <= 4 && v <= vectors; ++v)
                        for (std::int32_t m = 1; m <= most_tile_rows && m <= rows; ++m)
                            if (check_registers({m, v}, set).ok())
                                CHECK(whole_cost(rows, vectors, {m, v}, shares) >= least - 1e-9);
                }
}

TEST_CASE("tiles that are passed over have other rows, and what comes instead costs no more than a fifth above")
{
    const double first = whole_cost(56, 8, cheapest_tile(56, 8, true, isa::avx512), true);
    std::int32_t seen[4]{};
    for (int step = 0; step < 4; ++step) {
        const register_tile t = cheapest_tile(56, 8, true, isa::avx512, step);
        seen[step] = t.rows;
        for (int before = 0; before < step; ++before) CHECK(seen[before] != t.rows);
        CHECK(whole_cost(56, 8, t, true) <= 1.2 * first + 1e-9);
    }
    // Where there is no other, the last one stays.
    CHECK(cheapest_tile(1, 1, true, isa::avx512, 3).rows == 1);
}

TEST_CASE("lines a power of two apart stand in few sets, and others in all")
{
    CHECK(sets_of_distance(4096) == 1);
    CHECK(sets_of_distance(3 * 4096) == 1);
    CHECK(sets_of_distance(2048) == 2);
    CHECK(sets_of_distance(512) == 8);
    CHECK(sets_of_distance(3840) == 16);
    for (const std::int64_t bytes : {0, 4, 64, 4000, 4160}) CHECK(sets_of_distance(bytes) == cache_sets);
    // By counting them.
    for (const std::int64_t lines : {1, 2, 3, 6, 12, 32, 33, 48, 64, 96}) {
        bool is_met[cache_sets]{};
        std::int64_t met = 0;
        for (std::int64_t i = 0; i < 2 * cache_sets; ++i) met += !std::exchange(is_met[i * lines % cache_sets], true);
        CHECK(sets_of_distance(lines * cache_line_bytes) == met);
    }
}

TEST_CASE("no tile has more rows than it may, and without a limit that matters it is the same")
{
    for (const std::int64_t limit : {1, 8, 16, 28, 512}) {
        const register_tile t = cheapest_tile(196, 16, true, isa::avx512, 0, 1, limit);
        CHECK(t.rows <= limit);
        if (limit >= most_tile_rows) CHECK(t.rows == cheapest_tile(196, 16, true, isa::avx512).rows);
    }
}
