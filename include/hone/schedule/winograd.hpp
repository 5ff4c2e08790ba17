// SPDX-License-Identifier: BSL-1.0
// The Winograd template for 3x3 convolutions of stride 1: F(m, 3) over blocks of output tiles (Lavin and Gray,
// arXiv 1509.09308). Y = A^T [ (B^T d B) * (G g G^T) ] A: weights are transformed when they are packed; for each block
// of tiles the inputs are transformed, (m + 2)^2 small matrix products are formed, and the outputs are transformed.
//
// Six stages: columns of d in registers; B^T d, V = B^T d B, M = V U and A^T M in memory of the worker; y. Transforms
// go over columns, then rows, in loops: written out whole, they run no faster and take the compiler four times as long.
#pragma once

#include <cstdint>
#include <initializer_list>

#include <hone/core/target.hpp>
#include <hone/op/accuracy.hpp>
#include <hone/op/conv2d.hpp>
#include <hone/op/operator.hpp>
#include <hone/schedule/knob.hpp>
#include <hone/schedule/packed.hpp>
#include <hone/schedule/register_tile.hpp>
#include <hone/schedule/schedule.hpp>
#include <hone/schedule/schedule_template.hpp>
#include <hone/schedule/transform.hpp>
#include <hone/schedule/winograd_matrices.hpp>

#ifndef HONE_SHOW_WARNINGS // see core/config.hpp
#pragma GCC system_header
#endif

namespace hone {

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
// one output.
constexpr bool winograd_applies(const definition& d)
{
    if (weights_of(d).size() != 1 || d.stages.size() != 1 || d.stages[0].axes.size() != 8 ||
        d.stages[0].operands.size() < 2 || !d.stages[0].further.empty())
        return false;
    const stage& s = d.stages[0];
    if (!same_text(s.name, "conv2d") || s.axes[conv_axis::g].extent != 1) return false;
    if (s.axes[conv_axis::kh].extent != 3 || s.axes[conv_axis::kw].extent != 3) return false;
    const operand& x = s.operands[0];
    if (x.outside != 0) return false;
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
    limit(k.vectors, ceil_div(s.axes[conv_axis::oc].extent, vector_length(set)));
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
    const std::int64_t products = (k.tile + 2) * (k.tile + 2) * std::int64_t{sizeof(float)};
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
        cheapest_tile(std::int64_t{k.block_rows} * k.block_columns, ceil_div(oc, vector_length(set)), true, set);
    k.rows = tile.rows;
    k.vectors = tile.vectors;
    return fitted(d, k, set);
}

// The transformed weights U: (m + 2)^2, ic, oc; blocked by the vectors of a register tile. Empty where there is a
// fault.
constexpr tensor winograd_weights(const definition& d, const winograd_knobs& k, isa set)
{
    if (!check_knobs(k).ok() || !winograd_applies(d)) return {};
    const stage& s = d.stages[0];
    const std::int64_t alpha = k.tile + 2;
    tensor u = d.tensors[d.tensor_of(role::weights)];
    u.dims.resize(0);
    u.dims.push_back({.extent = alpha * alpha});
    u.dims.push_back({.extent = s.axes[conv_axis::ic].extent});
    u.dims.push_back({.extent = s.axes[conv_axis::oc].extent});
    inline_vector<std::int8_t, 6> order;
    order.push_back(0);
    order.push_back(2);
    order.push_back(1);
    return packed_tensor(u, order, 2, std::int64_t{k.vectors} * vector_length(set));
}

// U = G g G^T with zeros past the last output channel.
constexpr schedule winograd_packing(const definition& d, const winograd_knobs& k, isa set)
{
    schedule s;
    s.set = set;
    s.found = winograd_applies(d) ? check_knobs(k) : status{.what = fault::shape_mismatch, .subject = "winograd"};
    if (!s.found.ok()) return s;
    const winograd_matrices w = winograd_matrices_of(k.tile);
    const int alpha = k.tile + 2;
    const stage& conv = d.stages[0];
    const std::int64_t block = std::int64_t{k.vectors} * vector_length(set);
    const std::int64_t oc = round_up(conv.axes[conv_axis::oc].extent, block);
    const std::int64_t ic = conv.axes[conv_axis::ic].extent;

    definition& e = s.definition;
    for (float v : w.g) e.table_values.push_back(v);
    const auto table = [&](int row_axis, int column_axis) {
        return table_operand{0, static_cast<std::int16_t>(3 * alpha), along(row_axis, 3, column_axis, 1, 0)};
    };
    e.tensors.push_back(d.tensors[d.tensor_of(role::weights)]);
    e.tensors.push_back(winograd_weights(d, k, set));
    e.tensors[1].role = role::output;
    e.tensors[1].name = "packed";
    const auto scratch = [&](const char* name, hone::memory where, std::int64_t rows, std::int64_t columns) {
        tensor t{.name = name, .memory = where};
        t.dims.push_back({.extent = rows});
        t.dims.push_back({.extent = columns});
        set_dense(t);
        return static_cast<std::int8_t>(e.tensors.push_back(t));
    };
    const std::int8_t g = scratch("g", memory::registers, 1, 3);
    const std::int8_t gg = scratch("Gg", memory::slot, alpha, 3);

    // g[kh] of one column kw and pair of channels
    stage gather{.name = "gather"};
    gather.axes.push_back({"oc", 1});
    gather.axes.push_back({"ic", 1});
    gather.axes.push_back({"kh", 3});
    gather.axes.push_back({"kw", 1});
    operand from{.tensor = 0, .may_leave = true};
    from.index.push_back({});
    for (int a : {0, 2, 3, 1}) from.index.push_back(along(a));
    gather.operands.push_back(from);
    gather.body = ex::load(0);
    gather.output.tensor = g;
    gather.output.index.push_back({});
    gather.output.index.push_back(along(2));

    // Gg[i][kw] = sum over kh of G[i][kh] g[kh]
    stage left{.name = "left"};
    left.axes.push_back({"i", alpha});
    left.axes.push_back({"kw", 3});
    left.axes.push_back({"kh", 3, true});
    left.axes.push_back({"oc", 1});
    left.axes.push_back({"ic", 1});
    operand read_g{.tensor = g};
    read_g.index.push_back({});
    read_g.index.push_back(along(2));
    left.operands.push_back(read_g);
    left.tables.push_back(table(0, 2));
    left.reduce = reduction::add;
    left.body = ex::table(0) * ex::load(0);
    left.output.tensor = gg;
    for (int a : {0, 1}) left.output.index.push_back(along(a));

    // U[i][j] = sum over kw of G[j][kw] Gg[i][kw]
    stage right{.name = "right"};
    right.axes.push_back({"oc", oc});
    right.axes.push_back({"ic", ic});
    right.axes.push_back({"i", alpha});
    right.axes.push_back({"j", alpha});
    right.axes.push_back({"kw", 3, true});
    operand read_gg{.tensor = gg};
    for (int a : {2, 4}) read_gg.index.push_back(along(a));
    right.operands.push_back(read_gg);
    right.tables.push_back(table(3, 4));
    right.reduce = reduction::add;
    right.body = ex::table(0) * ex::load(0);
    right.output.tensor = 1;
    right.output.index.push_back(along(2, alpha, 3, 1, 0));
    right.output.index.push_back(along(1));
    right.output.index.push_back(along(0));

    // Rows and columns in loops: written out, they would take the compiler four times as long.
    constexpr int i_left = 1;
    constexpr int i_right = 2;
    stage_plan p_right;
    p_right.add(0, block).add(0, 1).add(1, 1);
    const auto left_level = static_cast<std::int8_t>(p_right.levels.size());
    p_right.add(2, 1).open_tile();
    p_right.add(3, 1, binding::unroll).add(4, 1, binding::unroll);

    stage_plan p_left;
    p_left.add(1, 1).open_tile();
    p_left.add(0, 1, binding::unroll).add(2, 1, binding::unroll);
    p_left.attach = {i_right, left_level};
    p_left.base.resize(5);
    p_left.base[3] = along(0);
    p_left.base[4] = along(1);

    stage_plan p_gather;
    p_gather.add(2, 1, binding::unroll);
    p_gather.attach = {i_left, p_left.tile_at};
    p_gather.base.resize(4);
    p_gather.base[0] = along(3);
    p_gather.base[1] = along(4);
    p_gather.base[3] = along(1);
    for (const stage& x : {gather, left, right}) e.stages.push_back(x);
    for (const stage_plan& p : {p_gather, p_left, p_right}) s.plans.push_back(p);
    return s;
}

constexpr schedule winograd_schedule(const definition& d, const winograd_knobs& k, isa set)
{
    schedule s;
    s.set = set;
    s.vector_length = static_cast<std::int16_t>(vector_length(set));
    s.definition.found = d.found;
    if (!d.found.ok()) return s;
    s.found = winograd_applies(d) ? check_knobs(k)
                                  : status{fault::shape_mismatch, 3, d.stages[0].axes[conv_axis::kh].extent,
                                           "winograd: 3x3, stride 1, one group"};
    if (!s.found.ok()) return s;
    const winograd_matrices w = winograd_matrices_of(k.tile);
    const int m = k.tile;
    const int alpha = m + 2;
    const int points = alpha * alpha;
    const std::int64_t vl = s.vector_length;
    const stage& conv = d.stages[0];
    const std::int64_t block = std::int64_t{k.vectors} * vl;
    const std::int64_t tiles_h = ceil_div(conv.axes[conv_axis::oh].extent, m);
    const std::int64_t tiles_w = ceil_div(conv.axes[conv_axis::ow].extent, m);
    const std::int64_t block_rows = k.block_rows < tiles_h ? k.block_rows : tiles_h;
    const std::int64_t block_columns = k.block_columns < tiles_w ? k.block_columns : tiles_w;
    const std::int64_t tiles = block_rows * block_columns;
    const std::int64_t ic = conv.axes[conv_axis::ic].extent;
    const std::int64_t oc = conv.axes[conv_axis::oc].extent;

    definition& e = s.definition;
    e.tensors = d.tensors;
    e.tensors[d.tensor_of(role::weights)] = winograd_weights(d, k, set);
    for (float v : w.bt) e.table_values.push_back(v);
    for (float v : w.at) e.table_values.push_back(v);
    const auto bt = [&](int row_axis, int column_axis) {
        return table_operand{0, static_cast<std::int16_t>(points), along(row_axis, alpha, column_axis, 1, 0)};
    };
    const auto at = [&](int row_axis, int column_axis) {
        return table_operand{static_cast<std::int16_t>(points), static_cast<std::int16_t>(m * alpha),
                             along(row_axis, alpha, column_axis, 1, 0)};
    };
    const auto scratch = [&](const char* name, hone::memory where, std::int64_t a, std::int64_t b, std::int64_t c) {
        tensor t{.name = name, .memory = where};
        for (std::int64_t extent : {a, b, c}) t.dims.push_back({.extent = extent});
        set_dense(t);
        return static_cast<std::int8_t>(e.tensors.push_back(t));
    };
    const std::int8_t td = scratch("d", memory::registers, 1, alpha, vl);
    const std::int8_t tb = scratch("Bd", memory::slot, alpha, alpha, vl);
    // Points an odd number of cache lines apart: the stores of a tile, one to each point, would meet in one set of the
    // L1 cache wherever a block is a power of two (a tenth of the layer C9).
    const auto by_point = [&](const char* name, std::int64_t channels) {
        constexpr std::int64_t line = 16;
        const std::int8_t t = scratch(name, memory::slot, points, tiles, channels);
        std::int64_t& stride = e.tensors[t].dims[0].stride;
        stride = (ceil_div(stride, line) | 1) * line;
        return t;
    };
    const std::int8_t tv = by_point("V", round_up(ic, vl));
    const std::int8_t tm = by_point("M", round_up(oc, block));
    const std::int8_t ta = scratch("AM", memory::slot, m, alpha, vl);

    // Stages: gather, left, input, product, columns, output.
    constexpr int i_left = 1;
    constexpr int i_input = 2;
    constexpr int i_output = 5;

    // d[i] = x[ty * m + i - top][tx * m + j - left] for one column j and vector of channels
    stage gather{.name = "gather"};
    for (const char* name : {"n", "ty", "tx"}) gather.axes.push_back({name, 1});
    gather.axes.push_back({"i", alpha});
    gather.axes.push_back({"j", 1});
    gather.axes.push_back({"ic", vl});
    operand x = conv.operands[0];
    const int top = -x.index[1].offset;
    const int left_side = -x.index[2].offset;
    x.index[0] = along(0);
    x.index[1] = along(1, m, 3, 1, -top);
    x.index[2] = along(2, m, 4, 1, -left_side);
    x.index[3] = {};
    x.index[4] = along(5);
    x.may_leave = true;
    gather.operands.push_back(x);
    gather.body = ex::load(0);
    gather.output.tensor = td;
    gather.output.index.push_back({});
    for (int a : {3, 5}) gather.output.index.push_back(along(a));

    // Bd[u][j] = sum over i of B^T[u][i] d[i]
    stage left{.name = "left"};
    left.axes.push_back({"u", alpha});
    left.axes.push_back({"j", alpha});
    left.axes.push_back({"ic", vl});
    left.axes.push_back({"i", alpha, true});
    for (const char* name : {"n", "ty", "tx"}) left.axes.push_back({name, 1});
    operand read_d{.tensor = td};
    read_d.index.push_back({});
    for (int a : {3, 2}) read_d.index.push_back(along(a));
    left.operands.push_back(read_d);
    left.tables.push_back(bt(0, 3));
    left.reduce = reduction::add;
    left.body = ex::table(0) * ex::load(0);
    left.output.tensor = tb;
    for (int a : {0, 1, 2}) left.output.index.push_back(along(a));

    // V[u * alpha + v][tile][ic] = sum over j of B^T[v][j] Bd[u][j]
    stage input{.name = "input"};
    input.axes.push_back({"n", 1});
    input.axes.push_back({"ty", block_rows});
    input.axes.push_back({"tx", block_columns});
    input.axes.push_back({"ic", ic});
    input.axes.push_back({"u", alpha});
    input.axes.push_back({"v", alpha});
    input.axes.push_back({"j", alpha, true});
    operand read_bd{.tensor = tb};
    for (int a : {4, 6, 3}) read_bd.index.push_back(along(a));
    input.operands.push_back(read_bd);
    input.tables.push_back(bt(5, 6));
    input.reduce = reduction::add;
    input.body = ex::table(0) * ex::load(0);
    input.output.tensor = tv;
    input.output.index.push_back(along(4, alpha, 5, 1, 0));
    input.output.index.push_back(along(1, static_cast<int>(block_columns), 2, 1, 0));
    input.output.index.push_back(along(3));

    // M[p][tile][oc] = sum over ic of V[p][tile][ic] U[p][ic][oc]
    stage product{.name = "product"};
    product.axes.push_back({"p", points});
    product.axes.push_back({"t", tiles});
    product.axes.push_back({"oc", oc});
    product.axes.push_back({"ic", ic, true});
    operand read_v{.tensor = tv};
    for (int a : {0, 1, 3}) read_v.index.push_back(along(a));
    operand read_u{.tensor = static_cast<std::int8_t>(d.tensor_of(role::weights))};
    for (int a : {0, 3, 2}) read_u.index.push_back(along(a));
    product.operands.push_back(read_v);
    product.operands.push_back(read_u);
    product.reduce = reduction::add;
    product.body = ex::load(0) * ex::load(1);
    product.output.tensor = tm;
    for (int a : {0, 1, 2}) product.output.index.push_back(along(a));

    // AM[a][v] = sum over u of A^T[a][u] M[u * alpha + v]
    stage columns{.name = "columns"};
    columns.axes.push_back({"a", m});
    columns.axes.push_back({"v", alpha});
    columns.axes.push_back({"oc", vl});
    columns.axes.push_back({"u", alpha, true});
    columns.axes.push_back({"ty", 1});
    columns.axes.push_back({"tx", 1});
    operand read_m{.tensor = tm};
    read_m.index.push_back(along(3, alpha, 1, 1, 0));
    read_m.index.push_back(along(4, static_cast<int>(block_columns), 5, 1, 0));
    read_m.index.push_back(along(2));
    columns.operands.push_back(read_m);
    columns.tables.push_back(at(0, 3));
    columns.reduce = reduction::add;
    columns.body = ex::table(0) * ex::load(0);
    columns.output.tensor = ta;
    for (int a : {0, 1, 2}) columns.output.index.push_back(along(a));

    // y[ty * m + a][tx * m + b] = sum over v of A^T[b][v] AM[a][v], then the epilogue
    stage output{.name = "output"};
    output.axes.push_back({"n", conv.axes[conv_axis::n].extent});
    output.axes.push_back({"ty", tiles_h});
    output.axes.push_back({"tx", tiles_w});
    output.axes.push_back({"oc", oc});
    output.axes.push_back({"a", m});
    output.axes.push_back({"b", m});
    output.axes.push_back({"v", alpha, true});
    operand read_am{.tensor = ta};
    for (int a : {4, 6, 3}) read_am.index.push_back(along(a));
    output.operands.push_back(read_am);
    output.tables.push_back(at(5, 6));
    output.reduce = reduction::add;
    output.body = ex::table(0) * ex::load(0);
    // Operands of the epilogue keep their order; in the convolution they follow x and the weights.
    output.epilogue = conv.epilogue;
    for (expr_node& node : output.epilogue.nodes)
        if (node.op == expr_op::load) --node.ref;
    const auto in_tiles = [&](const operand& from) {
        operand o = from;
        for (dim_index& index : o.index) {
            if (index.terms.empty()) continue;
            const int axis = index.terms[0].axis;
            if (axis == conv_axis::n) index = along(0);
            if (axis == conv_axis::g) index = {};
            if (axis == conv_axis::oh) index = along(1, m, 4, 1, 0);
            if (axis == conv_axis::ow) index = along(2, m, 5, 1, 0);
            if (axis == conv_axis::oc) index = along(3);
        }
        return o;
    };
    for (std::size_t o = 2; o < conv.operands.size(); ++o) output.operands.push_back(in_tiles(conv.operands[o]));
    output.output = in_tiles(conv.output);
    output.output.may_leave = true;
    for (const stage& g : {gather, left, input, product, columns, output}) e.stages.push_back(g);

    const bool whole_ic = ic % vl == 0;
    const bool whole_oc = oc % vl == 0;
    stage_plan p_output;
    p_output.add(0, 1, binding::parallel);
    p_output.add(1, block_rows, binding::parallel, tail::bound);
    p_output.add(2, block_columns, binding::parallel, tail::bound);
    const auto block_level = static_cast<std::int8_t>(p_output.levels.size());
    p_output.add(1, 1).add(2, 1).add(3, vl, binding::serial, whole_oc ? tail::exact : tail::guard);
    const auto columns_level = static_cast<std::int8_t>(p_output.levels.size());
    p_output.add(4, 1).open_tile();
    p_output.add(5, 1, binding::unroll).add(6, 1, binding::unroll).add(3, 1, binding::vectorize);

    stage_plan p_input;
    p_input.add(1, 1).add(2, 1).add(3, vl, binding::serial, whole_ic ? tail::exact : tail::guard);
    const auto left_level = static_cast<std::int8_t>(p_input.levels.size());
    p_input.add(4, 1).open_tile();
    p_input.add(5, 1, binding::unroll).add(6, 1, binding::unroll).add(3, 1, binding::vectorize);
    p_input.attach = {i_output, block_level};
    p_input.base.resize(3);
    for (int a = 0; a < 3; ++a) p_input.base[a] = along(a);

    stage_plan p_left;
    p_left.add(1, 1).open_tile();
    p_left.add(0, 1, binding::unroll).add(3, 1, binding::unroll).add(2, 1, binding::vectorize);
    p_left.attach = {i_input, left_level};
    p_left.base.resize(7);
    p_left.base[2] = along(3);
    for (int a = 0; a < 3; ++a) p_left.base[4 + a] = along(a);

    stage_plan p_gather;
    p_gather.add(3, 1, binding::unroll).add(5, 1, binding::vectorize);
    p_gather.attach = {i_left, p_left.tile_at};
    p_gather.base.resize(6);
    for (int a = 0; a < 3; ++a) p_gather.base[a] = along(4 + a);
    p_gather.base[4] = along(1);
    p_gather.base[5] = along(2);

    stage_plan p_product;
    p_product.add(0, 1)
        .add(2, block, binding::serial, tail::peel)
        .add(1, k.rows, binding::serial, tail::peel)
        .open_tile();
    p_product.add(3, 1).add(1, 1, binding::unroll);
    if (k.vectors > 1) p_product.add(2, vl, binding::unroll, tail::guard);
    p_product.add(2, 1, binding::vectorize);
    p_product.attach = {i_output, block_level};

    stage_plan p_columns;
    p_columns.add(1, 1).open_tile();
    p_columns.add(0, 1, binding::unroll).add(3, 1, binding::unroll).add(2, 1, binding::vectorize);
    p_columns.attach = {i_output, columns_level};
    p_columns.base.resize(6);
    p_columns.base[2] = along(3);
    p_columns.base[4] = along(1);
    p_columns.base[5] = along(2);
    for (const stage_plan& p : {p_gather, p_left, p_input, p_product, p_columns, p_output}) s.plans.push_back(p);
    return s;
}

constexpr error_class class_of(const winograd_knobs& k)
{
    return k.tile <= 2 ? error_class::winograd_2 : k.tile <= 4 ? error_class::winograd_4 : error_class::winograd_6;
}

struct winograd {
    using knobs = winograd_knobs;
    using target = isa;
    static constexpr const char* name = "winograd";
    static constexpr error_class strictest = error_class::winograd_2;
    static constexpr const auto& constraints = winograd_constraints;
    static constexpr int default_steps = 1;
    static constexpr bool transforms_weights = true;

    static constexpr bool applies(const definition& d) { return winograd_applies(d); }
    static constexpr knobs fitted(const definition& d, const knobs& k, isa set) { return hone::fitted(d, k, set); }
    static constexpr knobs standard(const definition& d, isa set, int) { return default_winograd(d, set); }
    static constexpr packed_tensors packed(const definition& d, const knobs& k, isa set)
    {
        packed_tensors all;
        if (check_knobs(k).ok()) all.push_back(winograd_weights(d, k, set));
        return all;
    }
    static constexpr schedule packing(const definition& d, const knobs& k, isa set, std::size_t)
    {
        return winograd_packing(d, k, set);
    }
    static constexpr schedule scheduled(const definition& d, const knobs& k, isa set)
    {
        return winograd_schedule(d, k, set);
    }
};

} // namespace hone
