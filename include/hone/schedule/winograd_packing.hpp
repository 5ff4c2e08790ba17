// SPDX-License-Identifier: BSL-1.0
// The weights of the Winograd template: U = G g G^T, one 3x3 window g after another, by two products with a small
// matrix. Three stages: columns of g in registers; G g in memory of the worker; U.
#pragma once

#include <cstdint>
#include <initializer_list>

#include <hone/ir/visit.hpp>
#include <hone/op/conv2d.hpp>
#include <hone/op/definition.hpp>
#include <hone/schedule/knob.hpp>
#include <hone/schedule/packed.hpp>
#include <hone/schedule/register_tile.hpp>
#include <hone/schedule/schedule.hpp>
#include <hone/schedule/winograd_knobs.hpp>
#include <hone/schedule/winograd_matrices.hpp>

#ifndef HONE_SHOW_WARNINGS // see core/config.hpp
#pragma GCC system_header
#endif

namespace hone::schedules {

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
    return packed_tensor(u, order, 2, std::int64_t{k.vectors} * lanes_of(set, d));
}

namespace winograd_parts {

// A stage, and where its loops stand.
struct planned_stage {
    stage of{};
    stage_plan plan{};
};

// Adds a tensor of these extents that only the kernel sees; its number.
constexpr std::int8_t add_scratch(definition& d, const char* name, memory where,
                                  std::initializer_list<std::int64_t> extents)
{
    tensor t{.name = name, .memory = where};
    for (std::int64_t extent : extents) t.dims.push_back({.extent = extent});
    set_dense(t);
    return static_cast<std::int8_t>(d.tensors.push_back(t));
}

// An operand whose dimensions are the axes of that number; -1: it does not move there.
constexpr operand operand_along(std::int8_t tensor, std::initializer_list<int> axes)
{
    operand o{.tensor = tensor};
    for (int a : axes) o.index.push_back(a < 0 ? dim_index{} : along(a));
    return o;
}

// output += table * from: one side of a transform.
constexpr void make_transform(stage& s, const table_operand& table, const operand& from, const operand& output)
{
    s.operands.push_back(from);
    s.tables.push_back(table);
    s.reduce = reduction::add;
    s.body = ex::table(0) * ex::load(0);
    s.output = output;
}

} // namespace winograd_parts

// U with zeros past the last output channel. Rows and columns in loops: written out, they would take the compiler four
// times as long.
constexpr schedule winograd_packing(const definition& d, const winograd_knobs& k, isa set)
{
    using winograd_parts::make_transform, winograd_parts::operand_along;
    schedule s;
    s.set = set;
    s.found = winograd_applies(d) ? check_knobs(k) : status{.what = fault::shape_mismatch, .subject = "winograd"};
    if (!s.found.ok()) return s;
    const winograd_matrices w = winograd_matrices_of(k.tile);
    const int alpha = k.tile + 2;
    const stage& conv = d.stages[0];
    const std::int64_t block = std::int64_t{k.vectors} * lanes_of(set, d);
    constexpr int i_left = 1, i_right = 2; // stages: gather, left, right

    definition& e = s.definition;
    for (float v : w.g) e.table_values.push_back(v);
    const auto table = [&](int row_axis, int column_axis) {
        return table_operand{0, static_cast<std::int16_t>(3 * alpha), along(row_axis, 3, column_axis, 1, 0)};
    };
    e.tensors.push_back(d.tensors[d.tensor_of(role::weights)]);
    e.tensors.push_back(winograd_weights(d, k, set));
    e.tensors[1].role = role::output;
    e.tensors[1].name = "packed";
    const std::int8_t g = winograd_parts::add_scratch(e, "g", memory::registers, {1, 3});
    const std::int8_t gg = winograd_parts::add_scratch(e, "Gg", memory::slot, {alpha, 3});

    // g[kh] of one column kw and pair of channels
    stage gather{.name = "gather"};
    gather.axes.push_back({"oc", 1});
    gather.axes.push_back({"ic", 1});
    gather.axes.push_back({"kh", 3});
    gather.axes.push_back({"kw", 1});
    gather.operands.push_back(operand_along(0, {-1, 0, 2, 3, 1}));
    gather.operands[0].may_leave = true;
    gather.body = ex::load(0);
    gather.output = operand_along(g, {-1, 2});

    // Gg[i][kw] = sum over kh of G[i][kh] g[kh]
    stage left{.name = "left"};
    left.axes.push_back({"i", alpha});
    left.axes.push_back({"kw", 3});
    left.axes.push_back({"kh", 3, true});
    left.axes.push_back({"oc", 1});
    left.axes.push_back({"ic", 1});
    make_transform(left, table(0, 2), operand_along(g, {-1, 2}), operand_along(gg, {0, 1}));

    // U[i][j] = sum over kw of G[j][kw] Gg[i][kw]
    stage right{.name = "right"};
    right.axes.push_back({"oc", round_up(conv.axes[conv_axis::oc].extent, block)});
    right.axes.push_back({"ic", conv.axes[conv_axis::ic].extent});
    right.axes.push_back({"i", alpha});
    right.axes.push_back({"j", alpha});
    right.axes.push_back({"kw", 3, true});
    make_transform(right, table(3, 4), operand_along(gg, {2, 4}), operand_along(1, {2, 1, 0}));
    right.output.index[0] = along(2, alpha, 3, 1, 0);

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

} // namespace hone::schedules
