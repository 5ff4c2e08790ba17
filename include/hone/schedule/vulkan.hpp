// SPDX-License-Identifier: BSL-1.0
// The direct template for Vulkan: a register tile of rows x vectors per invocation, invocations of a workgroup side by
// side along both, and optionally the tiles of both operands staged in shared memory for a block of the reduction.
//
// It reads the same roles from a definition as the CPU's direct template does.
#pragma once

#include <cstdint>

#include <hone/op/accuracy.hpp>
#include <hone/schedule/cpu.hpp>
#include <hone/schedule/schedule.hpp>
#include <hone/schedule/transform.hpp>

#ifndef HONE_SHOW_WARNINGS // see core/config.hpp
#pragma GCC system_header
#endif

namespace hone {

// One chain for each output, in the order of the definition; staged tiles are blocks of its innermost axis.
constexpr error_class class_of(const vulkan_knobs&) { return error_class::exact_order; }

// Whether tiles of the operands can be staged: lanes along both axes of the tile share them.
constexpr bool can_stage(const definition& d, const direct_roles& r)
{
    return r.reduce >= 0 && r.row >= 0 && !moves_along(d.stages[0].operands[r.x], r.vector);
}

// One output per invocation: what a first port of a loop nest to a device looks like.
constexpr vulkan_knobs naive_vulkan()
{
    return {.rows = 1, .vectors = 1, .components = 1, .lane_rows = 8, .lane_vectors = 8};
}

// The knobs as far as the extents of an operator can use them: no more rows, vectors or invocations than it has, and
// the default where a knob changes nothing.
constexpr vulkan_knobs fitted(const definition& d, vulkan_knobs k)
{
    if (!d.found.ok() || !check_knobs(k).ok()) return k; // nothing to fit, or to fit to
    const direct_roles r = roles_of(d);
    const stage& s = d.stages[0];
    const std::int64_t lanes = s.axes[r.vector].extent;
    const std::int64_t rows = r.row < 0 ? 1 : s.axes[r.row].extent;
    const std::int64_t steps = r.reduce < 0 ? 1 : s.axes[r.reduce].extent;
    const auto limit = [](std::int32_t& knob, std::int64_t most) {
        if (knob > most) knob = static_cast<std::int32_t>(most);
    };
    while (k.components > lanes) k.components /= 2;
    limit(k.rows, rows);
    limit(k.vectors, ceil_div(lanes, k.components));
    limit(k.lane_rows, ceil_div(rows, k.rows));
    limit(k.lane_vectors, ceil_div(lanes, std::int64_t{k.vectors} * k.components));
    if (!can_stage(d, r)) k.stage = staging::none;
    const bool staged = k.stage != staging::none;
    if (!staged) k.reduce_block = vulkan_knobs{}.reduce_block;
    limit(k.reduce_block, steps);
    limit(k.reduce_unroll, staged ? k.reduce_block : steps);
    // A staged tile ends with its block; unrolled steps must not read past it.
    while (staged && k.reduce_block % k.reduce_unroll != 0) --k.reduce_unroll;
    // Rows known only at the call are outermost, so that fewer of them take fewer workgroups.
    const bool row_blocks = std::int64_t{k.rows} * k.lane_rows < rows && s.axes[r.row].parameter < 0;
    const bool column_blocks = std::int64_t{k.vectors} * k.components * k.lane_vectors < lanes;
    if (!row_blocks || !column_blocks) k.order = walk::rows_outer;
    // A staged copy of x holds zeros already.
    const bool stages_x = k.stage == staging::shared || k.stage == staging::x;
    const bool rows_pass_end =
        r.row >= 0 && (s.axes[r.row].parameter >= 0 || rows % (std::int64_t{k.rows} * k.lane_rows) != 0);
    const bool has_edge = r.x >= 0 && (s.operands[r.x].zero_outside || rows_pass_end);
    if (stages_x || !has_edge) k.edge = edge::guard;
    return k;
}

// The largest divisor of `extent` in [least, most]; 0: it has none.
constexpr std::int32_t divisor_within(std::int64_t extent, std::int32_t least, std::int32_t most)
{
    for (std::int32_t f = most; f >= least; --f)
        if (extent % f == 0) return f;
    return 0;
}

// The closed form and what it steps down to.
inline constexpr int default_vulkan_steps = 4;

// The default when nothing is tuned: of the closed form (step 0) and others the first that the device can run. A large
// output takes more workgroups than a dispatch may have, a long reduction more iterations.
//
// The closed form: enough independent multiply-adds per invocation to hide latency, vector loads of
// the weights, no shared memory, and workgroups that any device accepts. Rows and lanes divide the axis of the rows
// where they can, since a tail is computed for nothing.
constexpr vulkan_knobs default_vulkan(const definition& d, int step = 0)
{
    if (!d.found.ok()) return {};
    const direct_roles r = roles_of(d);
    const stage& s = d.stages[0];
    const bool shares = !moves_along(s.operands[r.x], r.vector);
    const std::int32_t most = shares ? 8 : 4;
    vulkan_knobs k{.rows = most, .vectors = shares ? 2 : 1, .edge = edge::clip};
    if (r.row >= 0 && s.axes[r.row].parameter < 0) {
        const std::int64_t extent = s.axes[r.row].extent;
        if (const std::int32_t rows = divisor_within(extent, most / 2, extent <= 14 ? 14 : most); rows > 0) {
            k.rows = rows;
            k.lane_rows = divisor_within(extent / rows, 1, 8);
        }
    }
    if (step & 1) {
        k.lane_rows = 8;
        k.lane_vectors = 16;
    }
    if (step & 2) k.reduce_unroll = 8;
    return fitted(d, k);
}

// Empty where the definition or the knobs have a fault.
constexpr tensor vulkan_weights(const definition& d, const vulkan_knobs& knobs)
{
    if (!d.found.ok() || !check_knobs(knobs).ok()) return {};
    const vulkan_knobs k = fitted(d, knobs);
    return packed_along(d, std::int64_t{k.vectors} * k.components * k.lane_vectors);
}

constexpr schedule vulkan_packing(const definition& d, const vulkan_knobs& k)
{
    return packing_schedule(d.tensors[d.tensor_of(role::weights)], vulkan_weights(d, k), isa::baseline);
}

constexpr schedule vulkan_schedule(const definition& original, const vulkan_knobs& knobs)
{
    schedule s;
    s.definition = original;
    s.set = isa::none;
    s.found = check_knobs(knobs);
    if (!original.found.ok() || !s.found.ok()) {
        s.plans.push_back({});
        return s;
    }
    definition& d = s.definition;
    const vulkan_knobs k = fitted(original, knobs);
    const direct_roles r = roles_of(d);
    s.vector_length = static_cast<std::int16_t>(k.components);
    stage main = d.stages[0];
    tensor& weights = d.tensors[main.operands[r.weights].tensor];
    weights = vulkan_weights(original, k);
    // Whole blocks are there to be read.
    for (dimension& dim : weights.dims)
        if (dim.block > 0) dim.extent = round_up(dim.extent, dim.block);

    const std::int64_t rows = std::int64_t{k.rows} * k.lane_rows;
    const std::int64_t columns = std::int64_t{k.vectors} * k.components * k.lane_vectors;
    const std::int64_t lanes = std::int64_t{k.lane_rows} * k.lane_vectors;
    const bool stages_x = k.stage == staging::shared || k.stage == staging::x;
    const bool stages_weights = k.stage == staging::shared || k.stage == staging::weights;
    const bool staged = stages_x || stages_weights;

    stage_plan p;
    for (std::int8_t a : r.batch)
        if (main.axes[a].extent > 1 || main.axes[a].parameter >= 0) p.add(a, 1, binding::grid);
    if (k.order == walk::weights_outer) p.add(r.vector, columns, binding::grid, tail::guard);
    if (r.row >= 0) p.add(r.row, rows, binding::grid, tail::guard);
    if (k.order == walk::rows_outer) p.add(r.vector, columns, binding::grid, tail::guard);
    if (r.row >= 0) p.add(r.row, k.rows, binding::lane, tail::guard);
    p.add(r.vector, std::int64_t{k.vectors} * k.components, binding::lane, tail::guard);
    p.open_tile();
    for (std::int8_t a : r.windows) {
        const bool along_rows = r.row >= 0 && shares_dimension(main.operands[r.x], a, r.row);
        const bool clips = k.edge == edge::clip && !along_rows;
        if (main.axes[a].extent > 1) p.add(a, 1, binding::serial, tail::exact, clips ? border::clip : border::none);
    }
    if (k.edge == edge::clip) p.mask(r.x);
    if (staged) p.add(r.reduce, k.reduce_block, binding::serial, tail::guard);
    const auto staged_level = static_cast<std::int8_t>(p.levels.size());
    if (r.reduce >= 0) {
        p.add(r.reduce, k.reduce_unroll, binding::serial, tail::guard);
        if (k.reduce_unroll > 1) p.add(r.reduce, 1, binding::unroll);
    }
    if (r.row >= 0 && k.rows > 1) p.add(r.row, 1, binding::unroll);
    if (k.vectors > 1) p.add(r.vector, k.components, binding::unroll, tail::guard);
    p.add(r.vector, 1, binding::vectorize);

    d.stages.resize(0);
    if (staged) {
        const auto copies = static_cast<std::int8_t>(stages_x + stages_weights);
        // Copy `o` of the tile: `slow` by the rows of the workgroup's lanes, `fast` side by side in memory.
        const auto copy = [&](int o, const char* name, int slow, std::int64_t slow_extent, int fast,
                              std::int64_t fast_extent, std::int64_t width, std::int64_t pad) {
            const std::int64_t across = greatest_common_divisor(lanes, fast_extent / width);
            std::int64_t down = lanes / across;
            if (down > slow_extent) down = slow_extent;
            tensor t{.name = name, .memory = memory::workgroup};
            t.dims.push_back({.extent = round_up(slow_extent, down), .stride = fast_extent + pad});
            t.dims.push_back({.extent = fast_extent});
            stage c;
            c.name = name;
            stage_plan q;
            for (std::size_t a = 0; a < main.axes.size(); ++a) {
                const int i = static_cast<int>(a);
                c.axes.push_back({main.axes[a].name, i == slow ? slow_extent : i == fast ? fast_extent : 1});
                q.base.push_back(along(i));
            }
            c.operands.push_back(main.operands[o]);
            c.operands[0].zero_outside = true;
            c.body = ex::load(0);
            c.output.tensor = static_cast<std::int8_t>(d.tensors.push_back(t));
            c.output.index.push_back(along(slow));
            c.output.index.push_back(along(fast));
            q.add(slow, down, binding::serial, tail::guard).add(fast, across * width);
            q.add(slow, 1, binding::lane).add(fast, width, binding::lane).add(fast, 1, binding::vectorize);
            if (width == 1) q.levels.pop_back();
            q.attach = {copies, staged_level};
            d.stages.push_back(c);
            s.plans.push_back(q);
            main.operands[o] = c.output;
            main.operands[o].zero_outside = false;
        };
        if (stages_x) copy(r.x, "x tile", r.row, rows, r.reduce, k.reduce_block, 1, 1);
        if (stages_weights)
            copy(r.weights, "weights tile", r.reduce, k.reduce_block, r.vector, columns, k.components, 0);
    }
    d.stages.push_back(main);
    s.plans.push_back(p);
    return s;
}

} // namespace hone
