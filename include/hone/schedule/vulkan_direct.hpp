// SPDX-License-Identifier: BSL-1.0
// The direct template for Vulkan: a register tile of rows x vectors per invocation, invocations of a workgroup side by
// side along both, and optionally the tiles of both operands staged in shared memory for a block of the reduction.
//
// It reads the same roles from a definition as the CPU's direct template does.
#pragma once

#include <cstdint>

#include <hone/core/target.hpp>
#include <hone/op/accuracy.hpp>
#include <hone/op/definition.hpp>
#include <hone/schedule/knob.hpp>
#include <hone/schedule/roles.hpp>
#include <hone/schedule/schedule.hpp>
#include <hone/schedule/schedule_template.hpp>
#include <hone/schedule/transform.hpp>

#ifndef HONE_SHOW_WARNINGS // see core/config.hpp
#pragma GCC system_header
#endif

namespace hone::schedules {

// Where the operands of the inner loop are read from.
enum class staging : std::uint8_t {
    none,    // straight from storage buffers: best where loads are cached well, as on lavapipe and many mobile devices
    shared,  // through shared memory, copied by the whole workgroup: best where lanes share rows of a tile
    x,       // only x is shared, whose loads are scalars; leaves shared memory to longer blocks of it
    weights, // only the weights are shared, as where x stays in the caches
};
constexpr const char* name_of(staging s)
{
    switch (s) {
    case staging::none: return "none";
    case staging::shared: return "shared";
    case staging::x: return "x";
    case staging::weights: return "weights";
    }
    return "?";
}

// How taps that read padding are met, and rows past the end of their axis, where x is not staged.
enum class edge : std::uint8_t {
    guard, // each leaf tests. Costs a branch for each product, behind which the weights are read again.
    clip, // windows that stand still along the rows run over live taps only; what else leaves x reads zeros by a select
          // that is decided outside of the innermost loop. On lavapipe C6 of ResNet-18 takes 1/4.3 and C12 1/4.1 of
          // the time (bench/vulkan_borders.cpp). Costs products with 0, which are NaN where a weight is infinite.
};
constexpr const char* name_of(edge e) { return e == edge::guard ? "guard" : "clip"; }

struct vulkan_knobs {
    std::int32_t rows = 8;          // rows per invocation
    std::int32_t vectors = 2;       // vectors per invocation
    std::int32_t components = 4;    // of a vector
    std::int32_t lane_rows = 2;     // invocations along the rows
    std::int32_t lane_vectors = 8;  // invocations along the vectors
    std::int32_t reduce_block = 16; // steps of the innermost reduction per staged tile; unused without staging
    std::int32_t reduce_unroll = 1; // steps of it written out
    schedules::staging stage = schedules::staging::none;
    hone::walk order = hone::walk::rows_outer;     // of the workgroups
    schedules::edge edge = schedules::edge::guard; // what records of before this knob mean
    friend constexpr bool operator==(const vulkan_knobs&, const vulkan_knobs&) = default;
};

inline constexpr knob<vulkan_knobs> vulkan_knob_table[] = {
    knob_member<&vulkan_knobs::rows>::range("rows", 1, most_rows, {1, 2, 3, 4, 5, 6, 7, 8, 10, 12, 14, 16}),
    knob_member<&vulkan_knobs::vectors>::range("vectors", 1, most_vectors, {1, 2, 3, 4}),
    knob_member<&vulkan_knobs::components>::listed("components", {1, 2, 4}),
    knob_member<&vulkan_knobs::lane_rows>::range("lane_rows", 1, 1024, {1, 2, 4, 8, 16, 32}),
    knob_member<&vulkan_knobs::lane_vectors>::range("lane_vectors", 1, 1024, {1, 2, 4, 8, 16, 32, 64}),
    knob_member<&vulkan_knobs::reduce_block>::range("reduce_block", 1, 4096, {4, 8, 16, 32, 64}),
    knob_member<&vulkan_knobs::reduce_unroll>::range("reduce_unroll", 1, most_steps, {1, 2, 4, 8}),
    knob_member<&vulkan_knobs::stage>::listed("stage", {0, 1, 2, 3}, {"none", "shared", "x", "weights"}),
    knob_member<&vulkan_knobs::order>::listed("order", {0, 1}, {"weights_outer", "rows_outer"}),
    knob_member<&vulkan_knobs::edge>::listed("edge", {0, 1}, {"guard", "clip"}).added_later(),
};

constexpr const auto& knobs_of(const vulkan_knobs&) { return vulkan_knob_table; }

// Whether a device has workgroups of so many invocations, which lie along x.
template <class Knobs>
constexpr status fits_workgroup(const Knobs& k, const vulkan_limits& limits)
{
    const std::int64_t lanes = std::int64_t{k.lane_rows} * k.lane_vectors;
    const status s =
        at_most(fault::workgroup_too_large, limits.max_workgroup_invocations, lanes, "maxComputeWorkGroupInvocations");
    return s.ok()
               ? at_most(fault::workgroup_too_large, limits.max_workgroup_size_x, lanes, "maxComputeWorkGroupSize[0]")
               : s;
}

inline constexpr constraint<vulkan_knobs, vulkan_limits> vulkan_constraints[] = {
    {"workgroup", [](const vulkan_knobs& k, const vulkan_limits& limits) { return fits_workgroup(k, limits); }},
    // What copies pad their tiles with comes on top; the launch is checked with it.
    {"shared_memory",
     [](const vulkan_knobs& k, const vulkan_limits& limits) {
         const std::int64_t rows = std::int64_t{k.rows} * k.lane_rows;
         const std::int64_t columns = std::int64_t{k.vectors} * k.components * k.lane_vectors;
         const std::int64_t x = k.stage == staging::shared || k.stage == staging::x ? rows : 0;
         const std::int64_t weights = k.stage == staging::shared || k.stage == staging::weights ? columns : 0;
         return at_most(fault::shared_memory_exceeded, limits.max_shared_bytes, (x + weights) * k.reduce_block * 4,
                        "maxComputeSharedMemorySize");
     }},
    // Accumulators, and what one step multiplies. No device has more than 256 registers for an invocation.
    {"registers",
     [](const vulkan_knobs& k, const vulkan_limits&) {
         const std::int64_t columns = std::int64_t{k.vectors} * k.components;
         return at_most(fault::too_many_live_registers, 256, k.rows * columns + columns + k.rows, "invocation");
     }},
};

// One chain for each output, in the order of the definition; staged tiles are blocks of its innermost axis.
constexpr error_class class_of(const vulkan_knobs&) { return error_class::exact_order; }

// Whether tiles of the operands can be staged: lanes along both axes of the tile share them, and what is past the end
// of the reduction is 0 in both.
constexpr bool can_stage(const definition& d, const direct_roles& r)
{
    return r.reduce >= 0 && r.row >= 0 && r.weights >= 0 && d.stages[0].operands[r.x].outside == 0 &&
           !moves_along(d.stages[0].operands[r.x], r.vector);
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
    if (quotient_along(s, r.vector) >= 0) k.vectors = k.components = 1; // each lane has a source of its own
    if (is_sampled(d)) k.rows = k.reduce_unroll = 1;
    while (k.components > lanes) k.components /= 2;
    if (has_open_stride(d, s, r.vector)) k.components = 1;
    limit(k.rows, rows);
    limit(k.vectors, ceil_div(lanes, k.components));
    limit(k.lane_rows, ceil_div(rows, k.rows));
    limit(k.lane_vectors, ceil_div(lanes, std::int64_t{k.vectors} * k.components));
    if (!can_stage(d, r)) k.stage = staging::none;
    // Zeros in the place of taps that are not there would make NaN of an infinite x.
    const bool weights_end = r.weights >= 0 && s.operands[r.weights].may_leave;
    if (weights_end && k.stage == staging::shared) k.stage = staging::x;
    if (weights_end && k.stage == staging::weights) k.stage = staging::none;
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
    // The right factor of a product of two activations has no whole blocks, as packed weights have.
    const bool columns_pass_end = is_product_of_inputs(d) && k.stage != staging::weights &&
                                  lanes % (std::int64_t{k.vectors} * k.components * k.lane_vectors) != 0;
    const bool has_edge = r.x >= 0 && (s.operands[r.x].may_leave || weights_end || rows_pass_end || columns_pass_end);
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
constexpr packed_tensors vulkan_weights(const definition& d, const vulkan_knobs& knobs)
{
    if (!d.found.ok() || !check_knobs(knobs).ok()) return packed_tensors();
    const vulkan_knobs k = fitted(d, knobs);
    return packed_along(d, std::int64_t{k.vectors} * k.components * k.lane_vectors);
}

constexpr schedule vulkan_packing(const definition& d, const vulkan_knobs& k, std::size_t which = 0)
{
    return packing_schedule(weights_of(d)[which], vulkan_weights(d, k)[which], isa::baseline);
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
    packed_tensors packed = vulkan_weights(original, k);
    // Whole blocks are there to be read.
    for (tensor& weights : packed)
        for (dimension& dim : weights.dims)
            if (dim.block > 0) dim.extent = round_up(dim.extent, dim.block);
    replace_weights(d, packed);

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
    for (int a = 0; a < static_cast<int>(main.axes.size()); ++a)
        if (main.axes[a].is_quotient() && main.axes[a].extent > 1) p.add(a, 1);
    p.open_tile();
    for (std::int8_t a : r.windows) {
        const bool along_rows = r.row >= 0 && shares_dimension(main.operands[r.x], a, r.row);
        const bool weights_end = r.weights >= 0 && main.operands[r.weights].may_leave; // whatever the rows
        const bool clips = k.edge == edge::clip && (!along_rows || weights_end);
        if (main.axes[a].extent > 1) p.add(a, 1, binding::serial, tail::exact, clips ? border::clip : border::none);
    }
    if (k.edge == edge::clip) p.mask(r.x);
    if (k.edge == edge::clip && !stages_weights && is_product_of_inputs(original)) p.mask(r.weights);
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
            c.operands[0].may_leave = true;
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
            main.operands[o].may_leave = false;
        };
        if (stages_x) copy(r.x, "x tile", r.row, rows, r.reduce, k.reduce_block, 1, 1);
        if (stages_weights)
            copy(r.weights, "weights tile", r.reduce, k.reduce_block, r.vector, columns, k.components, 0);
    }
    d.stages.push_back(main);
    s.plans.push_back(p);
    return s;
}

// Whether sums are over the pixels themselves that quotients name, as of images of the call's sizes.
constexpr bool sums_over_quotients(const definition& d)
{
    for (const axis& a : d.stages[0].axes)
        if (a.is_quotient() && a.reduction) return true;
    return false;
}

struct vulkan_direct {
    using knobs = vulkan_knobs;
    using target = vulkan_limits;
    static constexpr const char* name = "direct";
    static constexpr error_class strictest = error_class::exact_order;
    static constexpr const auto& constraints = vulkan_constraints;
    static constexpr int default_steps = 4; // the closed form and what it steps down to
    static constexpr bool transforms_weights = false;

    static constexpr bool applies(const definition& d)
    {
        return has_direct_roles(d) && !has_open_image(d) && !sums_over_quotients(d);
    }
    static constexpr knobs fitted(const definition& d, const knobs& k, const target&)
    {
        return schedules::fitted(d, k);
    }
    static constexpr knobs standard(const definition& d, const target&, int step) { return default_vulkan(d, step); }
    static constexpr packed_tensors packed(const definition& d, const knobs& k, const target&)
    {
        return vulkan_weights(d, k);
    }
    static constexpr schedule packing(const definition& d, const knobs& k, const target&, std::size_t which)
    {
        return vulkan_packing(d, k, which);
    }
    static constexpr schedule scheduled(const definition& d, const knobs& k, const target&)
    {
        return vulkan_schedule(d, k);
    }
};

} // namespace hone::schedules

namespace hone { // API
using schedules::edge, schedules::name_of, schedules::staging, schedules::vulkan_direct, schedules::vulkan_knobs;
} // namespace hone
