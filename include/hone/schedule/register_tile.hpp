// SPDX-License-Identifier: BSL-1.0
// The register tile of a product, rows x vectors: what it needs, what it costs, and which is cheapest for an extent.
#pragma once

#include <cstdint>

#include <hone/core/fault.hpp>
#include <hone/core/target.hpp>
#include <hone/schedule/knob.hpp>

#ifndef HONE_SHOW_WARNINGS // see core/config.hpp
#pragma GCC system_header
#endif

namespace hone {

struct register_tile {
    std::int32_t rows = 1;
    std::int32_t vectors = 1;
};

// What a register tile needs: rows * vectors accumulators, a row of weights, one broadcast.
constexpr int registers_of(const register_tile& t, isa set)
{
    // AVX-512 takes a broadcast that is used once from memory.
    const int broadcast = t.vectors == 1 && set == isa::avx512 ? 0 : 1;
    return t.rows * t.vectors + t.vectors + broadcast;
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

// The rows and vectors of which whole and remainder tiles together cost least for so many of each; after `passed_over`
// others, which had other rows. Stays with the last one that costs no more than a fifth above the first. `shares`: the
// vectors of a tile share its rows of x.
constexpr register_tile cheapest_tile(std::int64_t rows, std::int64_t vectors, bool shares, isa set,
                                      int passed_over = 0)
{
    register_tile best;
    bool is_passed_over[most_tile_rows + 1]{};
    double most_cost = 1e30;
    for (; passed_over >= 0; --passed_over) {
        double best_cost = most_cost;
        for (std::int32_t v = 1; v <= 4 && v <= vectors; ++v) {
            for (std::int32_t m = 1; m <= most_tile_rows && m <= rows; ++m) {
                if (!check_registers({m, v}, set).ok()) break;
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
                    best = {m, v};
                }
            }
        }
        if (most_cost == 1e30) most_cost = 1.2 * best_cost;
        is_passed_over[best.rows] = true;
    }
    return best;
}

} // namespace hone
