// SPDX-License-Identifier: BSL-1.0
// The reduce template for Vulkan: operators without weights. Where neighbours in memory are outputs, an invocation has
// the tile of the direct template, over fused axes. Where they are terms of one output, invocations of a workgroup lie
// along the reduction, each with a part of it, and one of them takes the parts of a row together:
//
//     parts[row][lane] += x[row][(step * lanes + lane) * components + component]     all invocations; a barrier
//     y[row] = epilogue(sum over lanes of parts[row][lane])                          one for each row
#pragma once

#include <cstdint>

#include <hone/core/target.hpp>
#include <hone/op/accuracy.hpp>
#include <hone/op/definition.hpp>
#include <hone/schedule/knob.hpp>
#include <hone/schedule/reduce.hpp>
#include <hone/schedule/roles.hpp>
#include <hone/schedule/schedule.hpp>
#include <hone/schedule/vulkan_direct.hpp>

#ifndef HONE_SHOW_WARNINGS // see core/config.hpp
#pragma GCC system_header
#endif

namespace hone::schedules {

struct vulkan_reduce_knobs {
    spread lanes = spread::outputs;
    std::int32_t rows = 1;          // per invocation; 1 where invocations lie along the reduction
    std::int32_t vectors = 1;       // per invocation; of outputs, or of parts of each output
    std::int32_t components = 4;    // of a vector
    std::int32_t lane_rows = 2;     // invocations along the rows
    std::int32_t lane_vectors = 8;  // invocations along the vectors
    std::int32_t reduce_unroll = 1; // steps of the innermost reduction written out
    hone::edge edge = hone::edge::clip;
    friend constexpr bool operator==(const vulkan_reduce_knobs&, const vulkan_reduce_knobs&) = default;
};

inline constexpr knob<vulkan_reduce_knobs> vulkan_reduce_knob_table[] = {
    knob_member<&vulkan_reduce_knobs::lanes>::listed("lanes", {0, 1, 2}, {"outputs", "sums", "extremes"}),
    knob_member<&vulkan_reduce_knobs::rows>::range("rows", 1, most_rows, {1, 2, 3, 4, 6, 7, 8}),
    knob_member<&vulkan_reduce_knobs::vectors>::range("vectors", 1, most_vectors, {1, 2, 4, 8}),
    knob_member<&vulkan_reduce_knobs::components>::listed("components", {1, 2, 4}),
    knob_member<&vulkan_reduce_knobs::lane_rows>::range("lane_rows", 1, 1024, {1, 2, 4, 8, 16, 32}),
    knob_member<&vulkan_reduce_knobs::lane_vectors>::range("lane_vectors", 1, 1024, {1, 2, 4, 8, 16, 32, 64}),
    knob_member<&vulkan_reduce_knobs::reduce_unroll>::range("reduce_unroll", 1, most_steps, {1, 2, 4, 8}),
    knob_member<&vulkan_reduce_knobs::edge>::listed("edge", {0, 1}, {"guard", "clip"}),
};

constexpr const auto& knobs_of(const vulkan_reduce_knobs&) { return vulkan_reduce_knob_table; }

inline constexpr constraint<vulkan_reduce_knobs, vulkan_limits> vulkan_reduce_constraints[] = {
    {"workgroup", [](const vulkan_reduce_knobs& k, const vulkan_limits& limits) { return fits_workgroup(k, limits); }},
    // Accumulators, and what each of them takes next.
    {"registers",
     [](const vulkan_reduce_knobs& k, const vulkan_limits&) {
         return at_most(fault::too_many_live_registers, 128, std::int64_t{k.rows} * k.vectors * k.components,
                        "invocation");
     }},
};

constexpr error_class class_of(const vulkan_reduce_knobs& k)
{
    return k.lanes == spread::sums ? error_class::reassociated : error_class::exact_order;
}

// The knobs of the direct template for lanes of outputs.
constexpr vulkan_knobs tile_of(const vulkan_reduce_knobs& k)
{
    return {.rows = k.rows,
            .vectors = k.vectors,
            .components = k.components,
            .lane_rows = k.lane_rows,
            .lane_vectors = k.lane_vectors,
            .reduce_unroll = k.reduce_unroll,
            .edge = k.edge};
}
constexpr vulkan_reduce_knobs of_outputs(const vulkan_knobs& k)
{
    return {.lanes = spread::outputs,
            .rows = k.rows,
            .vectors = k.vectors,
            .components = k.components,
            .lane_rows = k.lane_rows,
            .lane_vectors = k.lane_vectors,
            .reduce_unroll = k.reduce_unroll,
            .edge = k.edge};
}

// Whether terms behind the end may be skipped, as those of padding are: each is one element, or a product of some, and
// reads what the reduction begins with.
constexpr bool can_end_early(const stage& s)
{
    const expr_node& root = s.body.nodes[s.body.root()];
    if (root.op == expr_op::load) return true;
    return s.reduce == reduction::add && root.op == expr_op::mul && s.body.nodes[root.a].op == expr_op::load &&
           s.body.nodes[root.b].op == expr_op::load;
}

// Whether invocations can lie along the reduction, where `lanes` elements are read in a step: there are rows enough to
// choose an invocation for each, room for what the schedule adds, and an end that whole steps meet or that may be
// early.
constexpr bool can_share_rows(const definition& d, int along, int row, std::int64_t lanes, std::int64_t rows)
{
    const stage& s = d.stages[0];
    if (row < 0 || s.axes[row].parameter >= 0 || s.axes[row].extent < 2) return false;
    if (s.axes.size() + 2 > s.axes.capacity || s.operands.size() + 1 > s.operands.capacity) return false;
    return can_end_early(s) || (s.axes[along].extent % lanes == 0 && s.axes[row].extent % rows == 0);
}

constexpr vulkan_reduce_knobs fitted_vulkan_reduce(const definition& original, vulkan_reduce_knobs k)
{
    if (!original.found.ok() || !check_knobs(k).ok()) return k;
    const definition d = with_fused_reductions(original);
    const stage& s = d.stages[0];
    const int along = axis_of_terms(d);
    const bool is_sum = s.reduce == reduction::add;
    if (k.lanes == spread::sums && !is_sum) k.lanes = spread::extremes;
    if (along < 0 || (k.lanes == spread::extremes && is_sum)) k.lanes = spread::outputs;
    if (k.lanes == spread::outputs) return of_outputs(fitted(d, tile_of(k)));
    const auto limit = [](std::int32_t& knob, std::int64_t most) {
        if (knob > most) knob = static_cast<std::int32_t>(most < 1 ? 1 : most);
    };
    const int row = axis_of_rows(d);
    const std::int64_t rows = row < 0 ? 1 : s.axes[row].extent, steps = s.axes[along].extent;
    // A vector that ends early is taken apart.
    while (k.lane_vectors > 1 && steps % k.components != 0) k.components /= 2;
    while (k.components > steps) k.components /= 2;
    limit(k.lane_vectors, steps / k.components);
    limit(k.lane_rows, rows);
    const auto in_step = [&] { return std::int64_t{k.lane_vectors} * k.components; };
    if (k.lane_vectors > 1) {
        if (k.lane_rows == 1 && rows > 1) k.lane_rows = 2;
        if (!can_share_rows(d, along, row, in_step(), k.lane_rows)) k.lane_vectors = 1;
    }
    k.rows = 1;
    k.edge = edge::clip;
    const bool ends_early = k.lane_vectors > 1 && steps % in_step() != 0;
    limit(k.vectors, ends_early ? 1 : ceil_div(steps, in_step()));
    limit(k.reduce_unroll, ends_early ? 1 : ceil_div(steps, in_step() * k.vectors));
    return k;
}

// Rows of one invocation each.
constexpr schedule schedule_alone(const definition& d, const vulkan_reduce_knobs& k, int along)
{
    schedule s;
    s.definition = d;
    s.set = isa::none;
    s.vector_length = static_cast<std::int16_t>(k.components);
    const stage& g = d.stages[0];
    const int row = axis_of_rows(d);
    const std::int64_t block = std::int64_t{k.vectors} * k.components;
    stage_plan p;
    for (int a = 0; a < static_cast<int>(g.axes.size()); ++a)
        if (!g.axes[a].reduction && a != row && (g.axes[a].extent > 1 || g.axes[a].parameter >= 0))
            p.add(a, 1, binding::grid);
    if (row >= 0) p.add(row, k.lane_rows, binding::grid, tail::guard).add(row, 1, binding::lane, tail::guard);
    p.open_tile();
    for (int a = 0; a < static_cast<int>(g.axes.size()); ++a)
        if (g.axes[a].reduction && a != along && g.axes[a].extent > 1) p.add(a, 1);
    p.add(along, block * k.reduce_unroll, binding::serial, tail::peel);
    if (k.reduce_unroll > 1) p.add(along, block, binding::unroll, tail::guard);
    p.accumulate_apart();
    if (k.vectors > 1) p.add(along, k.components, binding::unroll, tail::guard);
    p.add(along, 1, binding::vectorize);
    s.plans.push_back(p);
    return s;
}

// Rows that the invocations of a workgroup share.
constexpr schedule schedule_shared(const definition& original, const vulkan_reduce_knobs& k, int along)
{
    schedule s;
    s.definition = original;
    s.set = isa::none;
    s.vector_length = static_cast<std::int16_t>(k.components);
    definition& d = s.definition;
    const stage main = d.stages[0];
    const int row = axis_of_rows(d);
    const std::int64_t lanes = k.lane_vectors, in_step = lanes * k.components;
    const std::int64_t length = main.axes[along].extent;
    const bool leaves = length % in_step != 0 || main.axes[row].extent % k.lane_rows != 0;

    tensor t{.name = "parts", .memory = memory::workgroup};
    t.dims.push_back({.extent = k.lane_rows, .stride = lanes});
    t.dims.push_back({.extent = lanes});
    const auto parts_tensor = static_cast<std::int8_t>(d.tensors.push_back(t));

    // Of each row, the part of one invocation.
    stage parts = main;
    stage_plan q;
    parts.name = "parts";
    parts.epilogue = ex::acc();
    for (int a = 0; a < static_cast<int>(main.axes.size()); ++a) {
        axis& own = parts.axes[a];
        q.base.push_back(own.reduction ? dim_index{} : hone::along(a));
        if (!own.reduction) own.extent = a == row ? k.lane_rows : 1;
    }
    parts.axes[along].extent = ceil_div(length, in_step);
    const int lane = parts.axes.push_back({"lane", lanes});
    const int component = parts.axes.push_back({"component", k.components, true});
    for (operand& o : parts.operands) {
        bool moves = false;
        for (dim_index& index : o.index)
            for (std::size_t i = 0; i < index.terms.size(); ++i) {
                if (index.terms[i].axis != along) continue;
                moves = true;
                index.terms[i].coefficient = static_cast<std::int32_t>(in_step);
                index.terms.push_back({static_cast<std::int8_t>(lane), k.components});
                if (k.components > 1) index.terms.push_back({static_cast<std::int8_t>(component), 1});
                break;
            }
        if (!leaves || !moves) continue;
        o.may_leave = true;
        o.outside = identity_of(main.reduce);
    }
    parts.output = {.tensor = parts_tensor};
    parts.output.index.push_back(hone::along(row));
    parts.output.index.push_back(hone::along(lane));
    q.add(row, 1, binding::lane).add(lane, 1, binding::lane).open_tile();
    for (int a = 0; a < static_cast<int>(main.axes.size()); ++a)
        if (main.axes[a].reduction && a != along && main.axes[a].extent > 1) q.add(a, 1);
    const std::int64_t block = std::int64_t{k.vectors} * k.reduce_unroll;
    q.add(along, block, binding::serial, tail::peel, block == 1 ? border::clip : border::none);
    if (k.reduce_unroll > 1) q.add(along, k.vectors, binding::unroll, tail::guard);
    q.accumulate_apart();
    if (k.vectors > 1) q.add(along, 1, binding::unroll, tail::guard);
    if (k.components > 1) q.add(component, 1, binding::vectorize);

    // And all parts of a row.
    stage fold = main;
    stage_plan p;
    for (int a = 0; a < static_cast<int>(main.axes.size()); ++a) {
        axis& own = fold.axes[a];
        if (own.reduction) own.extent = a == along ? lanes : 1;
        if (!own.reduction && a != row && own.extent > 1) p.add(a, 1, binding::grid);
    }
    operand from{.tensor = parts_tensor};
    from.index.push_back(hone::along(row));
    from.index.push_back(hone::along(along));
    fold.body = ex::load(static_cast<int>(fold.operands.push_back(from)));
    p.add(row, k.lane_rows, binding::grid, tail::guard);
    q.attach = {1, static_cast<std::int8_t>(p.levels.size())};
    p.add(row, 1, binding::lane, tail::guard).open_tile().add(along, 1);

    d.stages.resize(0);
    d.stages.push_back(parts);
    d.stages.push_back(fold);
    s.plans.push_back(q);
    s.plans.push_back(p);
    return s;
}

constexpr schedule vulkan_reduce_schedule(const definition& original, const vulkan_reduce_knobs& knobs)
{
    schedule s;
    s.found = check_knobs(knobs);
    if (!original.found.ok() || !s.found.ok()) {
        s.definition = original;
        s.set = isa::none;
        s.plans.push_back({});
        return s;
    }
    const vulkan_reduce_knobs k = fitted_vulkan_reduce(original, knobs);
    const definition d = with_fused_reductions(original);
    if (k.lanes == spread::outputs) return vulkan_schedule(d, tile_of(k));
    const int along = axis_of_terms(d);
    return k.lane_vectors > 1 ? schedule_shared(d, k, along) : schedule_alone(d, k, along);
}

// The default when nothing is tuned: step 0 lays vectors along what lies side by side in x, the others are those of the
// direct template.
constexpr vulkan_reduce_knobs default_vulkan_reduce(const definition& original, int step = 0)
{
    if (!original.found.ok()) return {};
    const definition d = with_fused_reductions(original);
    if (step == 0 && runs_along(d)) {
        const vulkan_reduce_knobs k{
            .lanes = spread::sums, .vectors = 2, .components = 4, .lane_rows = 4, .lane_vectors = 16};
        return fitted_vulkan_reduce(original, k);
    }
    return of_outputs(fitted(d, tile_of(of_outputs(default_vulkan(d, step == 0 ? 0 : step - 1)))));
}

struct vulkan_reduce {
    using knobs = vulkan_reduce_knobs;
    using target = vulkan_limits;
    static constexpr const char* name = "reduce";
    static constexpr error_class strictest = error_class::exact_order;
    static constexpr const auto& constraints = vulkan_reduce_constraints;
    static constexpr int default_steps = 1 + vulkan_direct::default_steps;
    static constexpr bool transforms_weights = false;

    static constexpr bool applies(const definition& d) { return reduce::applies(d) && !has_open_image(d); }
    static constexpr knobs fitted(const definition& d, const knobs& k, const target&)
    {
        return fitted_vulkan_reduce(d, k);
    }
    static constexpr knobs standard(const definition& d, const target&, int step)
    {
        return default_vulkan_reduce(d, step);
    }
    static constexpr packed_tensors packed(const definition&, const knobs&, const target&) { return packed_tensors(); }
    static constexpr schedule packing(const definition&, const knobs&, const target&, std::size_t) { return {}; }
    static constexpr schedule scheduled(const definition& d, const knobs& k, const target&)
    {
        return vulkan_reduce_schedule(d, k);
    }
};

} // namespace hone::schedules

namespace hone { // API
using schedules::vulkan_reduce, schedules::vulkan_reduce_knobs;
} // namespace hone
