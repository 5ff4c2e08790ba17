// SPDX-License-Identifier: BSL-1.0
// What the Winograd template can be asked for: the operators that it computes, its knobs, and where a search begins.
#pragma once

#include <cstdint>
#include <initializer_list>

#include <hone/core/target.hpp>
#include <hone/ir/visit.hpp>
#include <hone/op/accuracy.hpp>
#include <hone/op/conv2d.hpp>
#include <hone/op/operator.hpp>
#include <hone/schedule/knob.hpp>
#include <hone/schedule/packed.hpp>
#include <hone/schedule/register_tile.hpp>

#ifndef HONE_SHOW_WARNINGS // see core/config.hpp
#pragma GCC system_header
#endif

namespace hone::schedules {

struct winograd_knobs {
    std::int32_t tile = 4;          // m: outputs of a tile along one side
    std::int32_t block_rows = 2;    // tiles of a block
    std::int32_t block_columns = 7; // V and M of a block should stay in the L2 cache
    std::int32_t rows = 7;          // tiles in the register tile of the products
    std::int32_t vectors = 3;       // vectors of output channels in it
    friend constexpr bool operator==(const winograd_knobs&, const winograd_knobs&) = default;
};

inline constexpr knob<winograd_knobs> winograd_knob_table[] = {
    knob_member<&winograd_knobs::tile>::listed("tile", {2, 4}),
    knob_member<&winograd_knobs::block_rows>::range("block_rows", 1, most_block,
                                                    {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 16, 28}),
    knob_member<&winograd_knobs::block_columns>::range("block_columns", 1, most_block,
                                                       {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 16, 28}),
    knob_member<&winograd_knobs::rows>::range(
        "rows", 1, most_rows,
        {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28}),
    knob_member<&winograd_knobs::vectors>::range("vectors", 1, most_vectors, {1, 2, 3, 4}),
};

constexpr const auto& knobs_of(const winograd_knobs&) { return winograd_knob_table; }

inline constexpr constraint<winograd_knobs, isa> winograd_constraints[] = {
    {"registers",
     [](const winograd_knobs& k, const isa& set) {
         return check_registers({k.rows, k.vectors}, set);
     }},
};

// Whether the definition is a convolution that Winograd computes: 3x3, stride 1, dilation 1, one group, zeros outside,
// one output. And its weights are floats: of halves the transformed ones are four times as many bytes, or are rounded
// twice.
constexpr bool winograd_applies(const definition& d)
{
    if (weights_of(d).size() != 1 || d.stages.size() != 1 || !d.parameters.empty() || d.stages[0].axes.size() != 8 ||
        d.stages[0].operands.size() < 2 || !d.stages[0].further.empty())
        return false;
    const stage& s = d.stages[0];
    if (!same_text(s.name, "conv2d") || s.axes[conv_axis::g].extent != 1) return false;
    if (s.axes[conv_axis::kh].extent != 3 || s.axes[conv_axis::kw].extent != 3) return false;
    const operand& x = s.operands[0];
    if (x.outside != 0 || weights_of(d)[0].type != dtype::f32) return false;
    for (int k = 1; k <= 2; ++k)
        for (const index_term& t : x.index[k].terms)
            if (t.coefficient != 1) return false;
    return true;
}

// The knobs as far as an operator can use them: no larger blocks than its image, no more rows and vectors than a block
// has. Precondition: winograd_applies.
constexpr winograd_knobs fitted(const definition& d, winograd_knobs k, isa set)
{
    if (!check_knobs(k).ok()) return k;
    const stage& s = d.stages[0];
    const auto limit = [](std::int32_t& knob, std::int64_t most) {
        if (knob > most) knob = static_cast<std::int32_t>(most);
    };
    limit(k.block_rows, ceil_div(s.axes[conv_axis::oh].extent, k.tile));
    limit(k.block_columns, ceil_div(s.axes[conv_axis::ow].extent, k.tile));
    limit(k.rows, std::int64_t{k.block_rows} * k.block_columns);
    limit(k.vectors, ceil_div(s.axes[conv_axis::oc].extent, lanes_of(set, d)));
    return k;
}

// Where a search begins: the tile size with less arithmetic and weights to read together, blocks of V and M that stay
// in a cache of 1 MiB, and the register tile that suits a block. Precondition: winograd_applies.
constexpr winograd_knobs default_winograd(const definition& d, isa set)
{
    const stage& s = d.stages[0];
    const std::int64_t oh = s.axes[conv_axis::oh].extent, ow = s.axes[conv_axis::ow].extent;
    const std::int64_t ic = s.axes[conv_axis::ic].extent, oc = s.axes[conv_axis::oc].extent;
    const auto tiles = [](std::int64_t extent, std::int64_t m) { return ceil_div(extent, m); };
    // A weight costs what seven multiply-adds do: 280 GFLOP/s against 80 GB/s.
    const auto cost = [&](std::int64_t m) {
        const std::int64_t products = s.axes[conv_axis::n].extent * tiles(oh, m) * tiles(ow, m);
        return (m + 2) * (m + 2) * (products + 7);
    };
    winograd_knobs k{.tile = cost(4) <= cost(2) ? 4 : 2};
    // Bytes that pass the L2 cache: U for each block of rows of tiles, V and M twice, unless all stay there.
    constexpr std::int64_t l2 = std::int64_t{1} << 20;
    const std::int64_t products =
        (k.tile + 2) * (k.tile + 2) * static_cast<std::int64_t>(bytes_of(accumulator_of(d.tensors)));
    const std::int64_t u = products * ic * oc;
    const std::int64_t row = products * (ic + oc) * tiles(ow, k.tile);
    const std::int64_t image = tiles(oh, k.tile);
    std::int64_t least = -1;
    for (std::int64_t rows = 1; rows <= image; ++rows) {
        const bool stays = rows * row <= l2, all_stays = u + rows * row <= l2;
        const std::int64_t bytes = (all_stays ? u : ceil_div(image, rows) * u) + (stays ? 0 : 2 * image * row);
        if (least >= 0 && bytes >= least) continue;
        least = bytes;
        k.block_rows = static_cast<std::int32_t>(rows);
    }
    k.block_columns = static_cast<std::int32_t>(tiles(ow, k.tile));
    const register_tile tile =
        cheapest_tile(std::int64_t{k.block_rows} * k.block_columns, ceil_div(oc, lanes_of(set, d)), true, set);
    k.rows = tile.rows;
    k.vectors = tile.vectors;
    return fitted(d, k, set);
}

constexpr error_class class_of(const winograd_knobs& k)
{
    return k.tile <= 2 ? error_class::winograd_2 : k.tile <= 4 ? error_class::winograd_4 : error_class::winograd_6;
}

} // namespace hone::schedules

namespace hone { // API
using schedules::winograd_knobs;
} // namespace hone
