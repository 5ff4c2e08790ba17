// SPDX-License-Identifier: BSL-1.0
// The register tile of a product, rows x vectors: what it needs, what it costs, and which is cheapest for an extent.
#pragma once

#include <cstdint>

#include <hone/core/fault.hpp>
#include <hone/core/target.hpp>
#include <hone/schedule/knob.hpp>
#include <hone/schedule/transform.hpp>

#ifndef HONE_SHOW_WARNINGS // see core/config.hpp
#pragma GCC system_header
#endif

namespace hone::schedules {

struct register_tile {
    std::int32_t rows = 1, vectors = 1;
    std::int32_t steps = 1; // of the reduction, written out
};

// What a register tile needs: rows * vectors accumulators, a row of weights, and what its values of x take. Lanes are
// held for several steps, and while one multiplies with its weights, compilers load those of the next: of 10 x 2, 7 x
// 3, 5 x 4 and 3 x 6 with four steps, which would fit without, g++ 12 spills each on NEON, and of 15 x 1, 9 x 2, 6 x 3
// and 4 x 4 none.
constexpr int registers_of(const register_tile& t, isa set)
{
    const broadcast x = row_of(set).broadcast;
    const int sums = t.rows * t.vectors;
    if (x == broadcast::from_lane) return sums + (t.steps > 1 ? 2 : 1) * t.vectors + t.rows;
    return sums + t.vectors + (t.vectors == 1 && x == broadcast::from_memory ? 0 : 1);
}
constexpr status check_registers(const register_tile& t, isa set)
{
    return at_most(fault::too_many_live_registers, vector_registers(set), registers_of(t, set), "tile");
}

// Cycles of one step of the reduction in a register tile, in a machine that issues two multiply-adds and two loads a
// cycle and needs 8 chains to keep the former busy. Loads of weights come from further away than those of x.
constexpr double tile_cost(std::int64_t rows, std::int64_t vectors, bool shares)
{
    const double macs = static_cast<double>(rows * vectors);
    const double loads = static_cast<double>(shares ? rows + vectors : rows * vectors + vectors);
    double issue = macs > loads ? macs : loads;
    for (const double least : {8.0, 3.0 * static_cast<double>(vectors)})
        if (issue < least) issue = least;
    return issue + 0.05 * loads + 0.1 * static_cast<double>(vectors);
}

inline constexpr std::int32_t most_tile_rows = 28;

// The sets of the nearest cache in which lines stand that are this many bytes apart, over and over. x86 and AArch64
// have 64 sets of lines of 64 bytes, and 8 ways or more. A convolution of 14x14 1024 -> 256, whose pixels are 4096
// bytes apart, takes 1.30 times as long with 14 rows in one set as with 8, on a Zen 4 with 8 ways.
inline constexpr std::int64_t cache_line_bytes = 64, cache_sets = 64, cache_ways = 8;
constexpr std::int64_t sets_of_distance(std::int64_t bytes)
{
    constexpr std::int64_t turn = cache_line_bytes * cache_sets;
    if (bytes <= 0) return cache_sets;
    const std::int64_t places = turn / greatest_common_divisor(turn, bytes);
    return places < cache_sets ? places : cache_sets;
}

// The rows and vectors of which whole and remainder tiles together cost least for so many of each; after `passed_over`
// others, which had other rows. Stays with the last one that costs no more than a fifth above the first. `shares`: the
// vectors of a tile share its rows of x. `steps` of the reduction are written out. No tile has more than `row_limit`.
constexpr register_tile cheapest_tile(std::int64_t rows, std::int64_t vectors, bool shares, isa set,
                                      int passed_over = 0, std::int32_t steps = 1,
                                      std::int64_t row_limit = most_tile_rows)
{
    register_tile best;
    bool is_passed_over[most_tile_rows + 1]{};
    double most_cost = 1e30;
    for (; passed_over >= 0; --passed_over) {
        double best_cost = most_cost;
        for (std::int32_t v = 1; v <= 4 && v <= vectors; ++v) {
            for (std::int32_t m = 1; m <= most_tile_rows && m <= row_limit && m <= rows; ++m) {
                if (!check_registers({m, v, steps}, set).ok()) break;
                if (is_passed_over[m]) continue;
                const auto column = [&](std::int64_t width) {
                    const std::int64_t rest = rows % m;
                    return static_cast<double>(rows / m) * tile_cost(m, width, shares) +
                           (rest > 0 ? tile_cost(rest, width, shares) : 0);
                };
                const std::int64_t rest = vectors % v;
                const double cost = static_cast<double>(vectors / v) * column(v) + (rest > 0 ? column(rest) : 0);
                if (cost < best_cost) {
                    best_cost = cost;
                    best = {m, v, steps};
                }
            }
        }
        if (most_cost == 1e30) most_cost = 1.2 * best_cost;
        is_passed_over[best.rows] = true;
    }
    return best;
}

} // namespace hone::schedules

namespace hone { // API
using schedules::check_registers, schedules::register_tile;
} // namespace hone
