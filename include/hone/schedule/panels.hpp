// SPDX-License-Identifier: BSL-1.0
// The panels template for CPUs: a matrix product whose factors are both activations (product_roles of
// schedule/roles.hpp), as attention has them. The register tile is that of the direct template; the right factor, which
// nobody packed before, is copied panel by panel, or read where it lies:
//
//     for each matrix of the batch, for blocks of n                       parallel
//         panel[k][0, block) = right[k][block of n]                       right = packed: in memory of the worker
//         for tiles of m: acc[rows][vectors] += x[rows][k] * panel[k][vectors]
//
// A panel is read by all rows of x, and stands in the nearest caches meanwhile. Its copy turns a factor that is stored
// [n][k] by squares of a vector's lanes (cpu/transpose.hpp).
#pragma once

#include <cstddef>
#include <cstdint>

#include <hone/core/target.hpp>
#include <hone/ir/visit.hpp>
#include <hone/op/accuracy.hpp>
#include <hone/op/definition.hpp>
#include <hone/schedule/direct.hpp>
#include <hone/schedule/knob.hpp>
#include <hone/schedule/register_tile.hpp>
#include <hone/schedule/roles.hpp>
#include <hone/schedule/schedule.hpp>

#ifndef HONE_SHOW_WARNINGS // see core/config.hpp
#pragma GCC system_header
#endif

namespace hone::schedules {

// How the right factor comes to the register tile.
enum class reading : std::uint8_t {
    packed,   // copied into panels. Legal always, gains where many rows read them; costs the copy.
    in_place, // in vectors of its rows. Legal where it is stored [k][n]; gains where few rows read it.
    sums,     // lanes are parts of one sum. Legal where both factors lie along k; gains where few rows read it. Costs
              // the order of the terms, and a sum over lanes for each output.
};

struct panel_knobs {
    std::int32_t rows = 6;          // rows of the register tile
    std::int32_t vectors = 2;       // vectors of it; of sums columns, each with a vector of parts
    std::int32_t reduce_unroll = 1; // steps of the reduction written out; of sums, vectors of steps
    std::int32_t reduce_block = 0;  // steps of it per panel and pass over the output, a divisor of them; 0: all
    std::int32_t row_block = 0;     // rows that share a panel, and that one thread takes; 0: all
    schedules::reading right = reading::packed;
    friend constexpr bool operator==(const panel_knobs&, const panel_knobs&) = default;
};

inline constexpr knob<panel_knobs> panel_knob_table[] = {
    knob_member<&panel_knobs::rows>::range("rows", 1, most_rows,
                                           {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 16, 20, 28}),
    knob_member<&panel_knobs::vectors>::range("vectors", 1, most_vectors, {1, 2, 3, 4, 6, 8}),
    knob_member<&panel_knobs::reduce_unroll>::range("reduce_unroll", 1, most_steps, {1, 2, 4, 8}),
    knob_member<&panel_knobs::reduce_block>::range("reduce_block", 0, most_block, {0, 64, 128, 256, 512}),
    knob_member<&panel_knobs::row_block>::range("row_block", 0, most_block, {0, 32, 64, 128, 256}),
    knob_member<&panel_knobs::right>::listed("right", {0, 1, 2}, {"packed", "in_place", "sums"}),
};

constexpr const auto& knobs_of(const panel_knobs&) { return panel_knob_table; }

inline constexpr constraint<panel_knobs, isa> panel_constraints[] = {
    // A smaller block would cut every register tile.
    {"row_block",
     [](const panel_knobs& k, const isa&) {
         return k.row_block == 0 ? status{} : at_most(fault::factor_does_not_divide, k.row_block, k.rows, "row_block");
     }},
    {"registers",
     [](const panel_knobs& k, const isa& set) {
         const bool is_sum = k.right == reading::sums;
         return check_registers({k.rows, k.vectors, is_sum ? 1 : k.reduce_unroll}, set);
     }},
};

// One chain for each output in the order of the definition, unless sums are split.
constexpr error_class class_of(const panel_knobs& k)
{
    return k.right == reading::sums || k.reduce_block > 0 ? error_class::reassociated : error_class::exact_order;
}

// Whether a factor lies along an axis in memory, as is known before the call.
constexpr bool lies_along(const definition& d, int operand, int axis)
{
    const hone::operand& o = d.stages[0].operands[operand];
    return is_dense_along(d, o, axis) && !has_open_stride(d, o, axis);
}
constexpr bool may_read_as(const definition& d, const product_roles& r, reading right)
{
    // Parts of a sum are whole where its length is known.
    if (right == reading::sums && d.stages[0].axes[r.k].parameter >= 0) return false;
    if (right == reading::in_place) return lies_along(d, r.right, r.n);
    return right == reading::packed || (lies_along(d, r.right, r.k) && lies_along(d, r.x, r.k));
}

// The knobs as far as an operator can use them, see the direct template's.
constexpr panel_knobs fitted_panels(const definition& d, panel_knobs k, isa set)
{
    if (!d.found.ok()) return k;
    const product_roles r = product_roles_of(d);
    const stage& s = d.stages[0];
    if (!may_read_as(d, r, k.right)) k.right = reading::packed;
    const bool is_sum = k.right == reading::sums;
    const std::int64_t lanes = lanes_of(set, d), rows = s.axes[r.m].extent;
    const std::int64_t vectors = is_sum ? s.axes[r.n].extent : ceil_div(s.axes[r.n].extent, lanes);
    const std::int64_t steps = s.axes[r.k].extent, parts = is_sum ? ceil_div(steps, lanes) : steps;
    const auto limit = [](std::int32_t& knob, std::int64_t most) {
        if (knob > most) knob = static_cast<std::int32_t>(most);
    };
    limit(k.rows, rows);
    limit(k.vectors, vectors);
    limit(k.reduce_unroll, parts);
    if (k.row_block >= rows) k.row_block = 0;
    // y may stand in the place of what the epilogue reads, which sums that wait there must not overwrite.
    if (is_sum || k.reduce_block >= steps || reads_like_output(d, s) || s.axes[r.k].parameter >= 0) k.reduce_block = 0;
    if (k.reduce_block > 0 && steps % k.reduce_block != 0) k.reduce_block = 0;
    // A panel ends with its block; unrolled steps must not read past it.
    if (k.reduce_block > 0) limit(k.reduce_unroll, k.reduce_block);
    while (k.reduce_block > 0 && k.reduce_block % k.reduce_unroll != 0) --k.reduce_unroll;
    return k;
}

// Fewer rows are not worth a copy of the right factor, and neither is a matrix of it that stands in the nearest cache.
inline constexpr std::int64_t few_rows_of_sums = 2, few_rows_in_place = 32, near_bytes = std::int64_t{32} << 10;

// The default when nothing is tuned: of the closed form (step 0) and others the first whose nest is legal. Step 1 keeps
// the order of the terms.
constexpr panel_knobs default_panels(const definition& d, isa set, int step = 0)
{
    if (!d.found.ok()) return {};
    const product_roles r = product_roles_of(d);
    const stage& s = d.stages[0];
    const std::int64_t rows = s.axes[r.m].extent, columns = s.axes[r.n].extent;
    if (step == 0 && rows <= few_rows_of_sums && may_read_as(d, r, reading::sums)) {
        // Steps enough to have many loads in flight: of 32 queries of 128 floats against 1024 keys each, four columns
        // by eight vectors take 0.55 times as long as eight by one on a Zen 4.
        const auto tile_rows = static_cast<std::int32_t>(rows);
        return fitted_panels(
            d, {.rows = tile_rows, .vectors = 4, .reduce_unroll = 8 / tile_rows, .right = reading::sums}, set);
    }
    panel_knobs k;
    constexpr int other_tiles = 2;
    k.reduce_unroll = step < 4 ? default_unroll(d, roles_of(d), set) : 1;
    const std::int64_t vectors = ceil_div(columns, lanes_of(set, d));
    const int passed_over = step > 1 && step <= 1 + other_tiles ? step - 1 : 0;
    const std::int64_t row_limit = cache_ways * sets_of_rows(d, roles_of(d));
    register_tile tile = cheapest_tile(rows, vectors, true, set, passed_over, k.reduce_unroll, row_limit);
    // One block of all columns, where there are few, reads x once: 16 products of 384 x 384 by 384 x 64 take 0.88 of
    // the time of two blocks on a Zen 4. Its panel would be as right is.
    constexpr std::int64_t most_vectors_of_all = 4, least_rows = 4;
    if (passed_over == 0 && tile.vectors < vectors && vectors <= most_vectors_of_all) {
        register_tile all{
            .rows = most_tile_rows, .vectors = static_cast<std::int32_t>(vectors), .steps = k.reduce_unroll};
        while (all.rows > rows || all.rows > row_limit || (all.rows > 1 && !check_registers(all, set).ok())) --all.rows;
        if (all.rows >= least_rows) tile = all;
    }
    k.rows = tile.rows;
    k.vectors = tile.vectors;
    const std::int64_t bytes = saturated_product(s.axes[r.k].extent, columns, std::int64_t{sizeof(float)});
    const bool stays_near = bytes <= near_bytes || k.vectors == vectors;
    if ((rows <= few_rows_in_place || stays_near) && may_read_as(d, r, reading::in_place)) k.right = reading::in_place;
    // Rows known at the call only take a body for each half of the tile, all of them twice where columns remain.
    constexpr std::int32_t most_halved = 8;
    const std::int64_t block = std::int64_t{k.vectors} * lanes_of(set, d);
    const bool remains = columns > block && (columns % block != 0 || s.axes[r.n].parameter >= 0);
    if (s.axes[r.m].parameter >= 0 && remains && k.rows > most_halved) k.rows = most_halved;
    if (step > 3 && k.rows > 4) k.rows = 4;
    if (step > 4) k.rows = k.vectors = 1;
    return fitted_panels(d, k, set);
}

namespace panel_parts {

// The loops over tiles of rows, and within one those that are written out along them.
constexpr void add_rows(stage_plan& p, int m, std::int32_t rows) { p.add(m, rows, binding::serial, tail::peel); }
constexpr void add_rows_of_tile(stage_plan& p, const stage& s, int m, std::int32_t rows)
{
    // Rows known only at the call leave remainders of any size: a cascade of halves covers them.
    if (s.axes[m].parameter >= 0)
        for (std::int64_t half = 16; half > 1; half /= 2)
            if (half < rows) p.add(m, half, binding::unroll, tail::peel);
    if (rows > 1) p.add(m, 1, binding::unroll);
}

constexpr void add_batch(stage_plan& p, const stage& s, const product_roles& r, std::int32_t row_block)
{
    for (int a = 0; a < static_cast<int>(s.axes.size()); ++a)
        if (a != r.m && a != r.n && a != r.k && (s.axes[a].extent > 1 || s.axes[a].parameter >= 0))
            p.add(a, 1, binding::parallel);
    if (row_block > 0) p.add(r.m, row_block, binding::parallel, tail::bound);
}

// Lanes along the reduction. Columns that one thread takes at once are many times those of a tile.
constexpr stage_plan along_terms(const stage& s, const product_roles& r, const panel_knobs& k, std::int64_t lanes)
{
    constexpr std::int64_t tiles_of_chunk = 8;
    stage_plan p;
    add_batch(p, s, r, k.row_block);
    if (k.vectors * tiles_of_chunk < s.axes[r.n].extent)
        p.add(r.n, k.vectors * tiles_of_chunk, binding::parallel, tail::bound);
    p.add(r.n, k.vectors, binding::serial, tail::peel);
    add_rows(p, r.m, k.rows);
    p.open_tile();
    p.add(r.k, lanes * k.reduce_unroll, binding::serial, tail::peel);
    if (k.reduce_unroll > 1) p.add(r.k, lanes, binding::unroll, tail::guard);
    add_rows_of_tile(p, s, r.m, k.rows);
    if (k.vectors > 1) p.add(r.n, 1, binding::unroll);
    if (lanes > 1) {
        p.accumulate_apart();
        p.add(r.k, 1, binding::vectorize);
    }
    return p;
}

// Lanes along the columns of y; `panel_at` receives the level before which a panel is there.
constexpr stage_plan along_columns(const stage& s, const product_roles& r, const panel_knobs& k, std::int64_t lanes,
                                   std::int8_t& panel_at)
{
    const std::int64_t steps = k.reduce_block > 0 ? k.reduce_block : s.axes[r.k].extent;
    stage_plan p;
    add_batch(p, s, r, k.row_block);
    p.add(r.n, k.vectors * lanes, binding::parallel, tail::peel);
    if (k.reduce_block > 0) p.add(r.k, k.reduce_block);
    panel_at = static_cast<std::int8_t>(p.levels.size());
    add_rows(p, r.m, k.rows);
    p.open_tile();
    if (k.reduce_unroll < steps) p.add(r.k, k.reduce_unroll, binding::serial, tail::peel);
    if (k.reduce_unroll > 1 || steps == 1) p.add(r.k, 1, binding::unroll);
    add_rows_of_tile(p, s, r.m, k.rows);
    if (k.vectors > 1) p.add(r.n, lanes, binding::unroll, tail::guard);
    p.add(r.n, 1, binding::vectorize);
    return p;
}

// Reads the right factor of the only stage from panels, which a stage before it copies.
constexpr void read_from_panels(schedule& s, const product_roles& r, const panel_knobs& k, std::int8_t panel_at)
{
    definition& d = s.definition;
    stage product = d.stages[0];
    const stage_plan plan = s.plans[0];
    const std::int64_t lanes = s.vector_length, block = k.vectors * lanes, columns = product.axes[r.n].extent;
    const std::int64_t all = product.axes[r.k].extent, steps = k.reduce_block > 0 ? k.reduce_block : all;
    const bool is_part = k.reduce_block > 0; // of the reduction

    // One panel: further blocks of either axis stand in the same place.
    tensor panel{.name = "panel", .memory = memory::slot};
    const std::int16_t open_steps = product.axes[r.k].parameter, open_columns = product.axes[r.n].parameter;
    panel.dims.push_back(
        {.extent = all, .stride = block, .block = is_part ? steps : 0, .extent_parameter = open_steps});
    panel.dims.push_back({.extent = columns, .stride = 1, .block = block, .extent_parameter = open_columns});
    stage copy;
    copy.name = "pack";
    stage_plan c;
    for (int a = 0; a < static_cast<int>(product.axes.size()); ++a) {
        copy.axes.push_back({product.axes[a].name, a == r.n ? block : a == r.k ? steps : 1});
        if (a == r.k) copy.axes.back().parameter = open_steps;
        c.base.push_back(along(a));
    }
    copy.operands.push_back(product.operands[r.right]);
    copy.body = ex::load(0);
    copy.output.tensor = static_cast<std::int8_t>(d.tensors.push_back(panel));
    copy.output.index.push_back(along(r.k));
    copy.output.index.push_back(along(r.n));
    product.operands[r.right] = copy.output;
    copy.output.may_leave = true; // the last block ends early

    const bool is_square = lies_along(d, r.right, r.k);
    std::int64_t unrolled = is_square ? lanes : 4;
    if (unrolled > steps) unrolled = steps;
    while (is_part && steps % unrolled != 0) --unrolled;
    if (has_open_stride(d, copy.operands[0], r.n)) {
        c.add(r.n, 1).add(r.k, 1);
    } else {
        c.add(r.k, unrolled, binding::serial, tail::peel);
        if (k.vectors > 1) c.add(r.n, lanes, binding::unroll);
        if (unrolled > 1) c.add(r.k, 1, binding::unroll);
        c.add(r.n, 1, binding::vectorize);
    }
    c.attach = {1, panel_at};
    d.stages.resize(0);
    d.stages.push_back(copy);
    d.stages.push_back(product);
    s.plans.resize(0);
    s.plans.push_back(c);
    s.plans.push_back(plan);
}

} // namespace panel_parts

constexpr schedule panels_schedule(const definition& original, const panel_knobs& knobs, isa set)
{
    schedule s;
    s.definition = original;
    s.set = set;
    s.vector_length = static_cast<std::int16_t>(lanes_of(set, original));
    s.plans.push_back({});
    s.found = check_knobs(knobs);
    if (!original.found.ok() || !s.found.ok()) return s;
    const product_roles r = product_roles_of(original);
    const panel_knobs k = fitted_panels(original, knobs, set);
    const stage& g = original.stages[0];
    if (k.right == reading::sums) {
        s.plans[0] = panel_parts::along_terms(g, r, k, s.vector_length);
        return s;
    }
    std::int8_t panel_at = 0;
    s.plans[0] = panel_parts::along_columns(g, r, k, s.vector_length, panel_at);
    if (k.right == reading::packed) panel_parts::read_from_panels(s, r, k, panel_at);
    return s;
}

struct panels {
    using knobs = panel_knobs;
    using target = isa;
    static constexpr const char* name = "panels";
    static constexpr error_class strictest = error_class::exact_order;
    static constexpr const auto& constraints = panel_constraints;
    static constexpr int default_steps = 6; // the closed form and what it steps down to
    static constexpr bool transforms_weights = false;

    static constexpr bool applies(const definition& d) { return is_product_of_inputs(d); }
    static constexpr knobs fitted(const definition& d, const knobs& k, isa set) { return fitted_panels(d, k, set); }
    static constexpr knobs standard(const definition& d, isa set, int step) { return default_panels(d, set, step); }
    static constexpr packed_tensors packed(const definition&, const knobs&, isa) { return packed_tensors(); }
    static constexpr schedule packing(const definition&, const knobs&, isa, std::size_t) { return {}; }
    static constexpr schedule scheduled(const definition& d, const knobs& k, isa set)
    {
        return panels_schedule(d, k, set);
    }
};

} // namespace hone::schedules

namespace hone { // API
using schedules::panel_knobs, schedules::panels, schedules::reading;
} // namespace hone
