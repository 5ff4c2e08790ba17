// SPDX-License-Identifier: BSL-1.0
// The reduce template for CPUs: operators without weights, whose speed is that of memory. Max and average pooling,
// averages over an image, sums and maxima of rows.
//
// Where neighbours in memory are outputs, as channels are, a tile is that of the direct template, of more vectors and
// over fused axes. Where they are terms of one output, vectors lie along the reduction:
//
//     for rows, by tiles of `rows`: for steps, by blocks of vectors * lanes
//         acc[row, vector, lane] += x[row, step]
//     y[row] = epilogue(acc[row, all vectors, all lanes])
//
// Memory is read in order, or as a few streams that are each in order and go on for long: of rows, of a reduction or of
// an image, parts that lie apart are walked side by side. Rows of a few kilobytes that follow one another are no such
// streams, since each ends before it is under way.
#pragma once

#include <cstdint>

#include <hone/core/target.hpp>
#include <hone/ir/visit.hpp>
#include <hone/op/accuracy.hpp>
#include <hone/op/definition.hpp>
#include <hone/schedule/direct.hpp>
#include <hone/schedule/reduce_knobs.hpp>
#include <hone/schedule/roles.hpp>
#include <hone/schedule/schedule.hpp>
#include <hone/schedule/transform.hpp>

#ifndef HONE_SHOW_WARNINGS // see core/config.hpp
#pragma GCC system_header
#endif

namespace hone::schedules {

// The first level of an axis walks so many parts of it, and a new level at place `at` steps through them.
constexpr void read_in_parts(stage_plan& p, const stage& s, int axis, std::int64_t parts, int at, binding bind)
{
    level* outer = &p.levels[0];
    while (outer->axis != axis) ++outer;
    outer->parts = static_cast<std::int32_t>(parts);
    p.add(axis, s.axes[axis].extent / outer->step / parts * outer->step, bind);
    const level across = p.levels.back();
    for (int l = static_cast<int>(p.levels.size()) - 1; l > at; --l) p.levels[l] = p.levels[l - 1];
    p.levels[at] = across;
    if (p.apart_at >= at) ++p.apart_at;
}

// Where the tile steps through parts of an axis: behind its loops over reductions, ahead of what is written out.
constexpr int place_of_parts(const stage_plan& p, const stage& s, int axis)
{
    int at = 0;
    while (p.levels[at].axis != axis) ++at;
    at = at < p.tile_at ? p.tile_at : at + 1;
    for (int l = at; l < static_cast<int>(p.levels.size()) && p.levels[l].axis != axis; ++l)
        if (s.axes[p.levels[l].axis].reduction && p.levels[l].bind == binding::serial) at = l + 1;
    return at;
}

// Lanes along the reduction axis `along` of a fused definition, or none.
constexpr schedule schedule_along(const definition& d, const reduce_knobs& k, isa set, int along)
{
    schedule s;
    s.definition = d;
    s.set = set;
    s.vector_length = k.lanes == spread::none ? std::int16_t{1} : static_cast<std::int16_t>(lanes_of(set, d));
    const stage& g = d.stages[0];
    const std::int64_t lanes = s.vector_length, block = k.vectors * lanes;
    const int row = axis_of_rows(d);

    stage_plan p;
    for (int a = 0; a < static_cast<int>(g.axes.size()); ++a)
        if (!g.axes[a].reduction && a != row && (g.axes[a].extent > 1 || g.axes[a].parameter >= 0))
            p.add(a, 1, binding::parallel);
    if (row >= 0) {
        if (k.row_block > 0) p.add(row, k.row_block, binding::parallel, tail::bound);
        p.add(row, k.rows, k.row_block > 0 ? binding::serial : binding::parallel, tail::peel);
    }
    p.open_tile();
    for (int a = 0; a < static_cast<int>(g.axes.size()); ++a)
        if (g.axes[a].reduction && a != along && g.axes[a].extent > 1) p.add(a, 1);
    p.add(along, block * k.reduce_unroll, binding::serial, tail::peel);
    if (k.reduce_unroll > 1) p.add(along, block, binding::unroll, tail::guard);
    if (row >= 0) {
        // Rows known only at the call leave remainders of any size: a cascade of halves covers them.
        if (g.axes[row].parameter >= 0)
            for (std::int64_t half = 16; half > 1; half /= 2)
                if (half < k.rows) p.add(row, half, binding::unroll, tail::peel);
        if (k.rows > 1) p.add(row, 1, binding::unroll);
    }
    if (lanes > 1) {
        p.accumulate_apart();
        if (k.vectors > 1) p.add(along, lanes, binding::unroll, tail::guard);
        p.add(along, 1, binding::vectorize);
    }
    if (const int axis = k.apart == apart::rows ? row : along; k.parts > 1)
        read_in_parts(p, g, axis, k.parts, place_of_parts(p, g, axis), binding::unroll);
    s.plans.push_back(p);
    return s;
}

// Lanes of outputs: tiles of the direct template, in turn of each part. Parts of a reduction come together in one tile,
// and have sums of their own where registers hold them, which makes more chains of few vectors.
constexpr schedule schedule_outputs(const definition& d, const reduce_knobs& k, isa set)
{
    schedule s = direct_schedule(d, tile_of(k), set);
    if (k.parts == 1) return s;
    stage_plan& p = s.plans.back();
    const stage& g = s.definition.stages.back();
    const int axis = axis_of_parts(d, k.apart);
    if (k.apart == apart::rows) {
        read_in_parts(p, g, axis, k.parts, p.tile_at, binding::serial);
        ++p.tile_at;
        return s;
    }
    const int at = place_of_parts(p, g, axis);
    read_in_parts(p, g, axis, k.parts, at, binding::unroll);
    const std::int32_t sums = k.rows * k.vectors * k.parts;
    if (k.reduce_block == 0 && steps_at_once(d, k) == 1 && sums < vector_registers(set))
        p.apart_at = static_cast<std::int8_t>(at);
    return s;
}

constexpr schedule reduce_schedule(const definition& original, const reduce_knobs& knobs, isa set)
{
    schedule s;
    s.found = check_knobs(knobs);
    if (!original.found.ok() || !s.found.ok()) {
        s.definition = original;
        s.plans.push_back({});
        return s;
    }
    const reduce_knobs k = fitted_reduce(original, knobs, set);
    if (k.lanes != spread::outputs) {
        const definition d = with_fused_reductions(original);
        return schedule_along(d, k, set, axis_of_terms(d));
    }
    return schedule_outputs(definition_for(original, k), k, set);
}

// What a default may do with the order of the terms.
enum class term_order : std::uint8_t { any, kept };

// Rows of memory that are worth a stream each: shorter ones end before it is under way. A core of a Zen 4 reads 1000 x
// 1000 floats at half of its bandwidth as tiles of four rows, at 0.92 as rows in order, and at 0.95 as four quarters.
inline constexpr std::int64_t long_row_bytes = std::int64_t{16} << 10, long_part_bytes = std::int64_t{8} << 10;

// Terms side by side: chains enough for the latency of additions, and a few streams of reads.
constexpr reduce_knobs default_along(const definition& d, term_order order)
{
    const stage& s = d.stages[0];
    const int row = axis_of_rows(d);
    const std::int64_t bytes = s.axes[axis_of_terms(d)].extent * std::int64_t{sizeof(float)};
    const bool is_kept = order == term_order::kept && s.reduce == reduction::add;
    reduce_knobs k{.lanes = is_kept ? spread::none : spread::sums, .vectors = 2};
    const std::int64_t rows = row < 0 ? 1 : s.axes[row].extent;
    const std::int32_t streams = is_kept ? 8 : 4;
    const bool is_long = bytes >= long_row_bytes;
    if (row >= 0 && s.axes[row].parameter >= 0) {
        k.rows = is_kept ? streams : is_long ? 4 : 1;
        k.vectors = is_long ? 2 : 8;
    } else if (rows >= 2 * streams ? rows / streams * bytes >= long_part_bytes : rows > 1 && is_long) {
        k.parts = rows >= 2 * streams ? streams : rows < 8 ? static_cast<std::int32_t>(rows) : 4;
    } else if (is_kept) {
        k.rows = streams;
    } else if (rows == 1) {
        k.parts = streams;
        k.vectors = 4;
        k.apart = apart::sums;
    } else {
        k.vectors = 8;
    }
    return k;
}

// Vectors of sums that registers hold beside what is read.
constexpr std::int64_t most_held(isa set)
{
    return vector_registers(set) - 2 < most_tile_vectors ? vector_registers(set) - 2 : most_tile_vectors;
}

// Outputs side by side: all of their vectors at once where registers hold them, so that x is read in order; or else few
// vectors, and steps so that each is read as a few streams and sums wait in the nearest cache. On that machine a mean
// of 56 x 56 x 256 floats is taken at 0.41 of the bandwidth by passes of seven rows, at 0.95 in order and at 1.0 in
// parts.
constexpr reduce_knobs default_columns(const definition& d, isa set, term_order order)
{
    const stage& s = d.stages[0];
    const direct_roles r = roles_of(d);
    const std::int64_t vectors = ceil_div(s.axes[r.vector].extent, lanes_of(set, d));
    const int moving = outermost_reduction(s);
    const std::int64_t steps = moving < 0 ? 1 : s.axes[moving].extent;
    const bool is_kept = order == term_order::kept && s.reduce == reduction::add;
    reduce_knobs k{.apart = apart::sums};
    // Of what a call gives, long runs of each step: 7 x 7 x 2048 is read in 0.6 of the time that eight vectors take.
    if (s.axes[r.vector].parameter >= 0 || (moving >= 0 && s.axes[moving].parameter >= 0)) {
        const std::int64_t most = vector_registers(set) < 32 ? 12 : 16;
        k.vectors = static_cast<std::int32_t>(vectors < most ? vectors : most);
        return k;
    }
    if (vectors <= most_held(set)) {
        k.vectors = static_cast<std::int32_t>(vectors);
        if (!is_kept)
            k.parts = vectors < 4 ? 8 : 4;
        else if (vectors < 4)
            k.rows = static_cast<std::int32_t>(4 / vectors);
        return k;
    }
    // Each pass takes sums from the nearest cache and puts them back; steps that no part has take one each. More than
    // eight streams must be worth it: they share the ways of that cache.
    // In order of the terms, short rows are read one by one, and long ones sixteen at a time: of 256 floats with AVX2
    // at 0.92 and 0.55 of the bandwidth, of 1000 at 0.7 and 0.8.
    constexpr std::int32_t most = 8, most_in_order = 700;
    const auto cost = [&](std::int64_t streams) { return steps / streams * (streams + 2) + steps % streams * 3; };
    std::int32_t streams = most;
    for (const std::int32_t n : {5, 6, 7, 9, 10, 11, 12})
        if (cost(n) < (streams == most ? cost(most) * 9 / 10 : cost(streams))) streams = n;
    if (steps <= most) {
        k.reduce_unroll = static_cast<std::int32_t>(steps);
    } else if (is_kept && vectors * lanes_of(set, d) <= most_in_order) {
        k.vectors = 8;
        k.reduce_block = 1;
    } else if (is_kept) {
        k.vectors = 2;
        k.reduce_block = k.reduce_unroll = 16;
    } else {
        k.parts = streams;
        k.reduce_block = 1;
    }
    return k;
}

// Windows of an image: as many channels at once as lie side by side, so that memory is read in order, and its two
// halves in turn. On that machine 3 x 3 / 2 of 147 x 147 x 64 is pooled at 0.66 of the bandwidth by tiles of three
// outputs, at 0.8 one by one, and at 0.91 in halves; in quarters rows that windows share are gone before they are read
// again.
constexpr reduce_knobs default_window(const definition& d, isa set, term_order order)
{
    const stage& s = d.stages[0];
    const std::int64_t vectors = ceil_div(s.axes[roles_of(d).vector].extent, lanes_of(set, d));
    constexpr std::int32_t wide = 8;
    std::int32_t side_by_side = static_cast<std::int32_t>(vectors < wide ? vectors : wide);
    // Whole tiles, where there are of at least half as many.
    for (std::int32_t v = side_by_side; v >= side_by_side / 2 && v > 0; --v)
        if (vectors % v == 0) {
            side_by_side = v;
            break;
        }
    reduce_knobs k{.rows = side_by_side < 4 ? 4 / side_by_side : 1, .vectors = side_by_side, .unroll_window = true};
    constexpr std::int64_t least_rows = 16;
    const int halved = axis_of_parts(d, apart::rows);
    // Each part has tile bodies of its own, of which a nest may have too many.
    if (order == term_order::any && halved >= 0 && s.axes[halved].extent >= least_rows) k.parts = 2;
    return k;
}

// Whether outputs have windows in x.
constexpr bool has_windows(const definition& d)
{
    const stage& s = d.stages[0];
    for (int a = 0; a < static_cast<int>(s.axes.size()); ++a)
        if (!s.axes[a].reduction && has_window_along(d, a)) return true;
    return false;
}

// The default when nothing is tuned: step 0 lays vectors along what lies side by side in x; step 1, too, but it keeps
// the order of a sum's terms and has fewer tile bodies; the others are those of the direct template.
constexpr reduce_knobs default_reduce(const definition& original, isa set, int step = 0)
{
    if (!original.found.ok()) return {};
    const definition d = with_fused_reductions(original);
    const term_order order = step == 0 ? term_order::any : term_order::kept;
    const direct_roles r = roles_of(d);
    if (step < 2 && runs_along(d)) return fitted_reduce(original, default_along(d, order), set);
    if (step < 2 && r.reduce >= 0 && is_dense_along(d, d.stages[0].operands[r.x], r.vector))
        return fitted_reduce(original, has_windows(d) ? default_window(d, set, order) : default_columns(d, set, order),
                             set);
    return fitted_reduce(original, of_outputs(default_direct(d, set, step < 2 ? 0 : step - 2)), set);
}

struct reduce {
    using knobs = reduce_knobs;
    using target = isa;
    static constexpr const char* name = "reduce";
    static constexpr error_class strictest = error_class::exact_order;
    static constexpr const auto& constraints = reduce_constraints;
    static constexpr int default_steps = 2 + direct::default_steps;
    static constexpr bool transforms_weights = false;

    static constexpr bool applies(const definition& d)
    {
        return d.tensor_of(role::weights) < 0 && has_direct_roles(d) && d.stages[0].reduce != reduction::none &&
               !is_product_of_inputs(d) && !is_sampled(d);
    }
    static constexpr knobs fitted(const definition& d, const knobs& k, isa set) { return fitted_reduce(d, k, set); }
    static constexpr knobs standard(const definition& d, isa set, int step) { return default_reduce(d, set, step); }
    static constexpr packed_tensors packed(const definition&, const knobs&, isa) { return packed_tensors(); }
    static constexpr schedule packing(const definition&, const knobs&, isa, std::size_t) { return {}; }
    static constexpr schedule scheduled(const definition& d, const knobs& k, isa set)
    {
        return reduce_schedule(d, k, set);
    }
};

} // namespace hone::schedules

namespace hone { // API
using schedules::reduce;
} // namespace hone
