// SPDX-License-Identifier: BSL-1.0
// The direct template with vectors along the output: for planes, as those of NCHW images, where neighbours in memory
// are pixels. Vectors are of x and y, and each weight is one value for all lanes. So
//
//     y[c, i] = sum over t of x[c, i + t - 1] * w[c, t]      of channels that share nothing, and
//     y[o, i] = sum over c of x[c, i] * w[o, c]              of rows o that share the vectors of x
//
// take one load of x for many products, and stores of y that are whole vectors, where vectors of channels would gather
// and scatter each of their lanes. Taps that read padding leave out lanes at the ends of a row, which tiles of their
// own meet.
#pragma once

#include <cstdint>

#include <hone/core/target.hpp>
#include <hone/ir/visit.hpp>
#include <hone/op/definition.hpp>
#include <hone/schedule/register_tile.hpp>
#include <hone/schedule/roles.hpp>
#include <hone/schedule/schedule.hpp>
#include <hone/schedule/transform.hpp>

#ifndef HONE_SHOW_WARNINGS // see core/config.hpp
#pragma GCC system_header
#endif

namespace hone::schedules {

// Steps of a reduction that are written out where its windows are.
inline constexpr std::int64_t most_small_steps = 8;

struct output_tile {
    std::int32_t rows = 1;          // of the weights, where x does not move along them; else of the output
    std::int32_t vectors = 1;       // along the output
    std::int32_t reduce_unroll = 1; // steps of the innermost reduction written out
    walk order = walk::weights_outer;
    bool unroll_window = false; // taps that no border cuts are written out, too
};

// Planes that no window reads as images are rows as long as they are: of h and w of y[o][h][w] one axis.
constexpr definition with_fused_outputs(definition d)
{
    stage& s = d.stages[0];
    for (operand& o : s.operands) drop_still_axes(s, o);
    const int inner = axis_of_output(d);
    for (int outer = inner; outer-- > 0;) {
        if (s.axes[outer].reduction || s.axes[outer].extent == 1) continue;
        if (!are_one_axis(d, outer, inner)) break;
        make_one_axis(d, outer, inner);
    }
    return d;
}

constexpr packed_tensors packed_along_output(const definition& d, const output_tile& t)
{
    return packed_along(with_fused_outputs(d), t.rows, vector_axis::output);
}

// Whether an axis moves with a tap in x, as columns of an image do.
constexpr bool has_taps_along(const stage& s, const operand& x, int axis)
{
    for (int a = 0; axis >= 0 && a < static_cast<int>(s.axes.size()); ++a)
        if (s.axes[a].reduction && s.axes[a].extent > 1 && shares_dimension(x, a, axis)) return true;
    return false;
}

// Whether an axis is the windows of an image that the call gives, some of which may leave it.
constexpr bool has_open_border(const definition& d, const stage& s, const operand& x, int axis)
{
    if (!x.may_leave || axis < 0 || s.axes[axis].parameter < 0 || d.parameters[s.axes[axis].parameter].is_given())
        return false;
    for (std::size_t k = 0; k < x.index.size(); ++k)
        for (const index_term& t : x.index[k].terms)
            if (t.axis == axis)
                return x.index[k].offset < 0 || !ends_in_image(d, s, x.index[k], d.tensors[x.tensor].dims[k]);
    return false;
}

// Whether steps and paddings of the call, or the rows of an image of it whose outputs end elsewhere, say which taps are
// inside: that is asked tap by tap, for all rows at once.
constexpr bool tests_windows(const definition& d, const stage& s, const direct_roles& r)
{
    const operand& x = s.operands[r.x];
    return has_open_windows(x) || (s.output.may_leave && has_open_border(d, s, x, r.row));
}

// How taps are met over an image of the call: a loop over known steps of one row ends where the image does.
constexpr border open_border(const operand& x, int tap, std::int32_t rows)
{
    bool clips = rows == 1;
    for (const dim_index& index : x.index)
        for (const index_term& t : index.terms) clips = clips && (t.axis != tap || t.parameter < 0);
    return clips ? border::clip : border::test;
}

// No more rows, vectors or steps than the operator has, of its definition with fused outputs.
constexpr output_tile fitted_to(const definition& d, output_tile t, isa set)
{
    const direct_roles r = roles_of(d, vector_axis::output);
    const stage& s = d.stages[0];
    const auto limit = [](std::int32_t& knob, std::int64_t most) {
        if (knob > most) knob = static_cast<std::int32_t>(most);
    };
    limit(t.rows, r.row < 0 ? 1 : s.axes[r.row].extent);
    limit(t.vectors, ceil_div(s.axes[r.vector].extent, lanes_of(set, d)));
    limit(t.reduce_unroll, r.reduce < 0 ? 1 : s.axes[r.reduce].extent);
    const bool has_rows_of_weights = r.row >= 0 && !moves_along(s.operands[r.x], r.row);
    if (!has_rows_of_weights) t.order = walk::weights_outer;
    return t;
}

// Precondition: axis_of_output(original) >= 0.
constexpr schedule schedule_along_output(const definition& original, const output_tile& tile, isa set)
{
    schedule s;
    s.definition = with_fused_outputs(original);
    s.set = set;
    s.vector_length = static_cast<std::int16_t>(lanes_of(set, original));
    definition& d = s.definition;
    const output_tile t = fitted_to(d, tile, set);
    const direct_roles r = roles_of(d, vector_axis::output);
    replace_weights(d, packed_along_output(original, tile));
    const stage& g = d.stages[0];
    const operand& x = g.operands[r.x];
    const bool peels = x.may_leave;
    const bool has_rows_of_weights = r.row >= 0 && !moves_along(x, r.row);
    // Borders above and below: rows that are one by one leave it to the loop over their taps.
    const bool peels_rows = peels && t.rows > 1 && !has_rows_of_weights;

    stage_plan p;
    const auto rows = [&](binding bind) {
        if (r.row >= 0) p.add(r.row, t.rows, bind, tail::peel, peels_rows ? border::peel : border::none);
    };
    const auto blocks = [&](binding bind) {
        p.add(r.vector, std::int64_t{t.vectors} * s.vector_length, bind, tail::peel,
              peels ? border::peel : border::none);
    };
    const bool by_weights = has_rows_of_weights && t.order == walk::weights_outer;
    if (by_weights) rows(binding::parallel);
    binding rest = by_weights ? binding::serial : binding::parallel;
    for (const std::int8_t a : r.batch)
        if (g.axes[a].extent > 1 || g.axes[a].parameter >= 0) {
            p.add(a, 1, binding::parallel);
            rest = binding::serial;
        }
    if (!has_rows_of_weights) {
        rows(rest);
        if (r.row >= 0) rest = binding::serial;
    }
    blocks(rest);
    if (has_rows_of_weights && !by_weights) rows(binding::serial);

    p.open_tile();
    const auto steps = [&](int a, std::int64_t at_once) {
        const bool along_rows = r.row >= 0 && t.rows > 1 && shares_dimension(x, a, r.row);
        const bool is_cut = peels && (along_rows || shares_dimension(x, a, r.vector));
        const bool is_small = g.axes[a].extent <= most_small_steps;
        if (g.axes[a].extent == 1) return;
        if (is_cut || (t.unroll_window && is_small && !peels)) {
            p.add(a, 1, binding::unroll, tail::exact, is_cut ? border::share : border::none);
            return;
        }
        p.add(a, at_once, binding::serial, tail::peel, peels && at_once == 1 ? border::clip : border::none);
        if (at_once > 1) p.add(a, 1, binding::unroll);
    };
    for (const std::int8_t a : r.windows) steps(a, 1);
    if (r.reduce >= 0) steps(r.reduce, t.reduce_unroll);
    if (r.row >= 0 && t.rows > 1) p.add(r.row, 1, binding::unroll);
    if (t.vectors > 1) p.add(r.vector, s.vector_length, binding::unroll, tail::guard);
    p.add(r.vector, 1, binding::vectorize);
    s.plans.push_back(p);
    return s;
}

// Whether vectors along the output take less time than those along the weights. Channels that share nothing gather
// each lane of x. Others have to scatter each lane of y, some 48 times the time of a product; against it stand the
// lanes of rows that fill no whole vectors.
constexpr bool prefers_output(const definition& original, isa set)
{
    if (axis_of_output(original) < 0) return false;
    const definition d = with_fused_outputs(original);
    const stage& s = d.stages[0];
    const direct_roles by_weights = roles_of(original), by_output = roles_of(d, vector_axis::output);
    if (by_weights.vector < 0 || moves_along(s.operands[by_weights.x], by_weights.vector)) return true;
    double terms = 1;
    for (const axis& a : s.axes)
        if (a.reduction) terms *= static_cast<double>(a.extent);
    const auto lanes_for = [&](int axis) {
        const std::int64_t lanes = lanes_of(set, d), extent = s.axes[axis].extent;
        return static_cast<double>(round_up(extent, lanes)) / static_cast<double>(extent);
    };
    constexpr double scattering = 48;
    return lanes_for(by_output.vector) < lanes_for(by_weights.vector) * (1 + scattering / terms);
}

// The tile of outputs whose windows share x, for rows of so many vectors. Whole rows where registers hold them, and as
// many of these as a few tiles more for borders above and below are worth.
constexpr output_tile window_tile(std::int64_t rows, std::int64_t vectors, std::int64_t taps, isa set)
{
    const std::int64_t registers = vector_registers(set);
    const auto least = [](std::int64_t a, std::int64_t b) { return static_cast<std::int32_t>(a < b ? a : b); };
    const std::int64_t most = registers / 2;
    const std::int64_t blocks = ceil_div(vectors, most / 2);
    output_tile t;
    t.vectors = static_cast<std::int32_t>(ceil_div(vectors, blocks));
    // Three tiles for the ends of a row and its middle, three or four for those of the image, would be too many.
    t.rows = blocks > 2 ? 1 : least(least(most / t.vectors, 7), rows);
    if (taps > 9) t.rows = least(t.rows, t.vectors < 4 ? 4 / t.vectors : 1);
    t.unroll_window = true;
    return t;
}

constexpr output_tile default_window_tile(const definition& d, const direct_roles& r, isa set, int step)
{
    const stage& s = d.stages[0];
    const std::int64_t rows = r.row < 0 ? 1 : s.axes[r.row].extent;
    std::int64_t taps = 1;
    for (const axis& a : s.axes)
        if (a.reduction) taps *= a.extent;
    output_tile t = window_tile(rows, ceil_div(s.axes[r.vector].extent, lanes_of(set, d)), taps, set);
    if (step > 0) t.rows = 1;
    return t;
}

// The default, and what it steps down to where that is not legal.
constexpr output_tile default_along_output(const definition& original, isa set, int step)
{
    const definition d = with_fused_outputs(original);
    const stage& s = d.stages[0];
    const direct_roles r = roles_of(d, vector_axis::output);
    const std::int64_t rows = r.row < 0 ? 1 : s.axes[r.row].extent;
    const std::int64_t vectors = ceil_div(s.axes[r.vector].extent, lanes_of(set, d));
    if (r.row >= 0 && !moves_along(s.operands[r.x], r.row)) {
        const register_tile t = cheapest_tile(rows, vectors, true, set, step);
        return {.rows = t.rows, .vectors = t.vectors};
    }
    return default_window_tile(d, r, set, step);
}

} // namespace hone::schedules
