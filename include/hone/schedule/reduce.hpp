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
#pragma once

#include <cstdint>

#include <hone/core/target.hpp>
#include <hone/ir/visit.hpp>
#include <hone/op/accuracy.hpp>
#include <hone/op/definition.hpp>
#include <hone/schedule/direct.hpp>
#include <hone/schedule/knob.hpp>
#include <hone/schedule/roles.hpp>
#include <hone/schedule/schedule.hpp>
#include <hone/schedule/transform.hpp>

#ifndef HONE_SHOW_WARNINGS // see core/config.hpp
#pragma GCC system_header
#endif

namespace hone {

// Over what the lanes of a vector are spread.
enum class spread : std::uint8_t {
    outputs,  // neighbouring outputs, each a chain of its terms. Legal always, gains where x lies along them.
    sums,     // parts of one sum. Legal where x lies along a reduction; costs the order of the terms.
    extremes, // of one maximum or minimum, for which no order is another. Legal as sums.
};

// Of what the parts are that are read side by side, each in order: with one stream of reads, memory is less busy than
// it could be.
enum class apart : std::uint8_t {
    rows,     // of outputs, where lanes lie along a reduction. Legal where their number is known; costs registers.
    sums,     // of one sum. Legal where x has no padding; costs the order of the terms.
    extremes, // of one maximum or minimum. Legal as sums.
};

struct reduce_knobs {
    spread lanes = spread::outputs;
    std::int32_t rows = 1;          // outputs of the tile, of other rows than those of its vectors
    std::int32_t vectors = 4;       // of outputs, or of parts of each output
    std::int32_t reduce_unroll = 1; // steps of the innermost reduction written out; along it, of all vectors
    std::int32_t reduce_block = 0;  // steps of it per pass over the outputs; 0: all. Unused along it.
    std::int32_t row_block = 0;     // rows per cache block, and of what one thread takes; 0: all
    hone::padding pad = padding::peel;
    bool unroll_window = false; // the axes next to the innermost reduction are written out
    std::int32_t parts = 1;     // that are read side by side
    hone::apart apart = hone::apart::rows;
    friend constexpr bool operator==(const reduce_knobs&, const reduce_knobs&) = default;
};

inline constexpr std::int64_t most_parts = 16;

inline constexpr knob<reduce_knobs> reduce_knob_table[] = {
    knob_member<&reduce_knobs::lanes>::listed("lanes", {0, 1, 2}, {"outputs", "sums", "extremes"}),
    knob_member<&reduce_knobs::rows>::range("rows", 1, most_rows,
                                            {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 16, 20, 28}),
    knob_member<&reduce_knobs::vectors>::range("vectors", 1, most_vectors,
                                               {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 16}),
    knob_member<&reduce_knobs::reduce_unroll>::range("reduce_unroll", 1, most_steps, {1, 2, 4, 5, 6, 7, 8, 9, 10}),
    knob_member<&reduce_knobs::reduce_block>::range("reduce_block", 0, most_block,
                                                    {0, 5, 6, 7, 8, 9, 10, 14, 16, 32, 64}),
    knob_member<&reduce_knobs::row_block>::range("row_block", 0, most_block, {0, 8, 16, 32, 64, 128}),
    knob_member<&reduce_knobs::pad>::listed("pad", {0, 1}, {"peel", "copy"}),
    knob_member<&reduce_knobs::unroll_window>::listed("unroll_window", {0, 1}, {"false", "true"}),
    knob_member<&reduce_knobs::parts>::range("parts", 1, most_parts, {1, 2, 4, 8}).added_later(),
    knob_member<&reduce_knobs::apart>::listed("apart", {0, 1, 2}, {"rows", "sums", "extremes"}).added_later(),
};

constexpr const auto& knobs_of(const reduce_knobs&) { return reduce_knob_table; }

inline constexpr constraint<reduce_knobs, isa> reduce_constraints[] = {
    {"row_block",
     [](const reduce_knobs& k, const isa&) {
         return k.row_block == 0 ? status{} : at_most(fault::factor_does_not_divide, k.row_block, k.rows, "row_block");
     }},
    // Accumulators, and what one of them takes next.
    {"registers",
     [](const reduce_knobs& k, const isa& set) {
         const std::int32_t rows = k.apart == apart::rows ? k.rows * k.parts : k.rows;
         return at_most(fault::too_many_live_registers, vector_registers(set), rows * k.vectors + 1, "tile");
     }},
};

// Steps outside of the tile are those of the outermost reduction, so that sums stay in order.
constexpr error_class class_of(const reduce_knobs& k)
{
    const bool is_split = k.lanes == spread::sums || (k.parts > 1 && k.apart == apart::sums);
    return is_split ? error_class::reassociated : error_class::exact_order;
}

// The definition as this template sees it.
constexpr definition with_fused_reductions(definition d)
{
    fuse_reductions(d);
    return d;
}

// The outermost reduction of more than one step; -1: there is none.
constexpr int outermost_reduction(const stage& s)
{
    for (int a = 0; a < static_cast<int>(s.axes.size()); ++a)
        if (s.axes[a].reduction && (s.axes[a].extent > 1 || s.axes[a].parameter >= 0)) return a;
    return -1;
}

// A reduction of one step that is written last, as over the rows of a 1000 x 1 image, makes way for that of many, whose
// steps knobs are about. Those of plain loops over it are older than this, and stay as they were.
constexpr definition with_moving_reduction_last(definition d)
{
    stage& s = d.stages[0];
    const int moving = outermost_reduction(s), last = roles_of(d).reduce;
    if (moving < 0 || last < 0 || last == moving || s.axes[last].extent > 1 || s.axes[last].parameter >= 0) return d;
    for (int a = 0; a < static_cast<int>(s.axes.size()); ++a)
        if (s.axes[a].reduction && a != moving && s.axes[a].extent > 1) return d;
    const auto rename = [&](dim_index& index) {
        const auto terms = index.terms;
        index.terms.clear();
        for (index_term t : terms) {
            if (t.axis == last) continue;
            if (t.axis == moving) t.axis = static_cast<std::int8_t>(last);
            index.terms.push_back(t);
        }
    };
    for (operand& o : s.operands)
        for (dim_index& index : o.index) rename(index);
    for (table_operand& t : s.tables) rename(t.index);
    const axis still = s.axes[last];
    s.axes[last] = s.axes[moving];
    s.axes[moving] = still;
    return d;
}

// The reduction axis along which all that is read and moves with it lies side by side; -1: there is none.
constexpr int axis_of_terms(const definition& d)
{
    const stage& s = d.stages[0];
    if (s.output.may_leave) return -1;
    for (const operand& o : s.operands)
        if (o.may_leave) return -1;
    for (const axis& a : s.axes)
        if (a.reduction && a.parameter >= 0) return -1;
    for (int a = static_cast<int>(s.axes.size()); a-- > 0;) {
        if (!s.axes[a].reduction || s.axes[a].extent == 1 || has_open_stride(d, s, a)) continue;
        bool lies_along = true;
        bool is_read = false;
        for (const operand& o : s.operands) {
            if (!moves_along(o, a)) continue;
            is_read = true;
            lies_along = lies_along && is_dense_along(d, o, a);
            for (const dimension& dim : d.tensors[o.tensor].dims) lies_along = lies_along && dim.block == 0;
        }
        for (const table_operand& t : s.tables)
            for (const index_term& i : t.index.terms) lies_along = lies_along && i.axis != a;
        if (lies_along && is_read) return a;
    }
    return -1;
}

// Whether x lies along terms, and outputs are far apart in it.
constexpr bool runs_along(const definition& d)
{
    const direct_roles r = roles_of(d);
    const stage& s = d.stages[0];
    return axis_of_terms(d) >= 0 && (s.axes[r.vector].extent == 1 || !is_dense_along(d, s.operands[r.x], r.vector));
}

// The knobs of the direct template for lanes of outputs.
constexpr direct_knobs tile_of(const reduce_knobs& k)
{
    return {.rows = k.rows,
            .vectors = k.vectors,
            .reduce_unroll = k.reduce_unroll,
            .reduce_block = k.reduce_block,
            .row_block = k.row_block,
            .pad = k.pad,
            .order = walk::rows_outer,
            .unroll_window = k.unroll_window};
}
constexpr reduce_knobs of_outputs(const direct_knobs& k)
{
    return {.lanes = spread::outputs,
            .rows = k.rows,
            .vectors = k.vectors,
            .reduce_unroll = k.reduce_unroll,
            .reduce_block = k.reduce_block,
            .row_block = k.row_block,
            .pad = k.pad,
            .unroll_window = k.unroll_window};
}

// Steps of the innermost reduction that direct_schedule writes out.
constexpr std::int64_t steps_at_once(const definition& d, const reduce_knobs& k)
{
    const std::int64_t steps = d.stages[0].axes[roles_of(d).reduce].extent;
    return k.unroll_window && steps <= small_reduction ? steps : k.reduce_unroll;
}

// The last axis with an output of its own, of which lanes along a reduction make rows; -1: there is one output.
constexpr int axis_of_rows(const definition& d)
{
    const stage& s = d.stages[0];
    int row = -1;
    for (int a = 0; a < static_cast<int>(s.axes.size()); ++a)
        if (!s.axes[a].reduction && (s.axes[a].extent > 1 || s.axes[a].parameter >= 0)) row = a;
    return row;
}

// The definition of which the knobs speak, whose lanes are outputs.
constexpr definition definition_for(const definition& original, const reduce_knobs& k)
{
    const definition d = with_fused_reductions(original);
    return k.parts > 1 || k.reduce_block > 0 ? with_moving_reduction_last(d) : d;
}

// Whether nothing is read or written outside of its tensor.
constexpr bool stays_inside(const stage& s)
{
    bool stays = !s.output.may_leave;
    for (const operand& o : s.operands) stays = stays && !o.may_leave;
    return stays;
}

constexpr void limit_knob(std::int32_t& knob, std::int64_t most)
{
    if (knob > most) knob = static_cast<std::int32_t>(most < 1 ? 1 : most);
}

// The reduction that lanes of outputs walk in parts; -1: they cannot.
constexpr int axis_of_parts(const definition& d)
{
    const stage& s = d.stages[0];
    const int a = outermost_reduction(s);
    return a >= 0 && s.axes[a].parameter < 0 && stays_inside(s) ? a : -1;
}

constexpr reduce_knobs fitted_outputs(const definition& original, const reduce_knobs& given, isa set)
{
    reduce_knobs k = given;
    if (axis_of_parts(with_fused_reductions(original)) < 0) k.parts = 1;
    const definition d = definition_for(original, k);
    const stage& s = d.stages[0];
    const direct_roles r = roles_of(d);
    for (const std::int8_t a : r.windows)
        if (s.axes[a].extent > 1) k.reduce_block = 0;
    const std::int32_t parts = k.parts;
    const hone::apart apart = k.apart;
    k = of_outputs(fitted(d, tile_of(k), set));
    k.parts = parts;
    k.apart = apart;
    // As many parts as have a step each.
    if (const int axis = axis_of_parts(d); parts > 1) {
        const std::int64_t block = k.reduce_block > 0 ? k.reduce_block : axis == r.reduce ? steps_at_once(d, k) : 1;
        limit_knob(k.parts, s.axes[axis].extent / block);
    }
    return k == given ? k : fitted_outputs(original, k, set); // knobs that are gone may free others
}

// Lanes along the reduction axis `along` of a fused definition.
constexpr reduce_knobs fitted_along(const definition& d, reduce_knobs k, isa set, int along)
{
    const stage& s = d.stages[0];
    const int row = axis_of_rows(d);
    const std::int64_t rows = row < 0 ? 1 : s.axes[row].extent, steps = s.axes[along].extent;
    const std::int64_t lanes = vector_length(set);
    limit_knob(k.rows, rows);
    limit_knob(k.vectors, ceil_div(steps, lanes));
    limit_knob(k.reduce_unroll, ceil_div(steps, k.vectors * lanes));
    if (k.row_block >= rows) k.row_block = 0;
    k.reduce_block = 0;
    k.pad = padding::peel;
    k.unroll_window = false;
    if (k.apart != apart::rows)
        limit_knob(k.parts, steps / (k.reduce_unroll * k.vectors * lanes));
    else if (row < 0 || s.axes[row].parameter >= 0 || k.row_block > 0)
        k.parts = 1;
    else
        limit_knob(k.parts, rows / k.rows);
    return k;
}

// The knobs as far as an operator can use them. A sum never counts as an extreme, or its class would not be true.
constexpr reduce_knobs fitted_reduce(const definition& original, reduce_knobs k, isa set)
{
    if (!original.found.ok() || !check_knobs(k).ok()) return k;
    const definition d = with_fused_reductions(original);
    const int along = axis_of_terms(d);
    const bool is_sum = d.stages[0].reduce == reduction::add;
    if (k.lanes == spread::sums && !is_sum) k.lanes = spread::extremes;
    if (along < 0 || (k.lanes == spread::extremes && is_sum)) k.lanes = spread::outputs;
    if (k.apart == apart::sums && !is_sum) k.apart = apart::extremes;
    if ((k.apart == apart::extremes && is_sum) || (k.apart == apart::rows && k.lanes == spread::outputs)) k.parts = 1;
    k = k.lanes == spread::outputs ? fitted_outputs(original, k, set) : fitted_along(d, k, set, along);
    if (k.parts == 1) k.apart = apart::rows;
    return k;
}

// The first level of an axis walks so many parts of it, and what follows in the tile, behind its other loops over
// reductions and ahead of what is written out, steps through them.
constexpr void read_in_parts(stage_plan& p, const stage& s, int axis, std::int64_t parts)
{
    const int levels = static_cast<int>(p.levels.size());
    int first = 0;
    while (p.levels[first].axis != axis) ++first;
    int at = first + 1 > p.tile_at ? first + 1 : p.tile_at;
    for (int l = at; l < levels && p.levels[l].axis != axis; ++l)
        if (s.axes[p.levels[l].axis].reduction && p.levels[l].bind == binding::serial) at = l + 1;
    level& outer = p.levels[first];
    outer.parts = static_cast<std::int32_t>(parts);
    const std::int64_t length = s.axes[axis].extent / outer.step / parts * outer.step;
    p.add(axis, length, binding::unroll);
    const level across = p.levels.back();
    for (int l = levels; l > at; --l) p.levels[l] = p.levels[l - 1];
    p.levels[at] = across;
    if (p.apart_at >= at) ++p.apart_at;
}

// Lanes along the reduction axis `along` of a fused definition.
constexpr schedule schedule_along(const definition& d, const reduce_knobs& k, isa set, int along)
{
    schedule s;
    s.definition = d;
    s.set = set;
    s.vector_length = static_cast<std::int16_t>(vector_length(set));
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
    p.accumulate_apart();
    if (k.vectors > 1) p.add(along, lanes, binding::unroll, tail::guard);
    p.add(along, 1, binding::vectorize);
    if (k.parts > 1) read_in_parts(p, g, k.apart == apart::rows ? row : along, k.parts);
    s.plans.push_back(p);
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
    const definition d = definition_for(original, k);
    s = direct_schedule(d, tile_of(k), set);
    if (k.parts > 1) read_in_parts(s.plans.back(), d.stages[0], axis_of_parts(d), k.parts);
    return s;
}

// Outputs of one row: all of their vectors at once where registers hold them, or else so many steps per pass that each
// is read as a few streams, and sums wait in the nearest cache. Of 7 x 7 x 2048 floats on AVX2 passes of 7 steps take
// half the time of one.
constexpr reduce_knobs default_columns(const definition& d, isa set)
{
    const stage& s = d.stages[0];
    const direct_roles r = roles_of(d);
    const std::int64_t vectors = ceil_div(s.axes[r.vector].extent, vector_length(set));
    constexpr std::int32_t most = 14, least_block = 5, most_block_steps = 10;
    if (vectors <= most) return {.vectors = static_cast<std::int32_t>(vectors)};
    std::int32_t block = 8;
    for (std::int32_t steps = most_block_steps; steps >= least_block; --steps)
        if (s.axes[r.reduce].extent % steps == 0) block = steps;
    return {.vectors = 4, .reduce_unroll = block, .reduce_block = block};
}

// Windows of an image: as many channels at once as lie side by side, so that memory is read in order, and neighbouring
// outputs, which share pixels, in what registers are left.
constexpr reduce_knobs default_window(const definition& d, isa set)
{
    const std::int64_t vectors = ceil_div(d.stages[0].axes[roles_of(d).vector].extent, vector_length(set));
    constexpr std::int32_t most = 14, wide = 8;
    std::int32_t side_by_side = static_cast<std::int32_t>(vectors < wide ? vectors : wide);
    // Whole tiles, where there are of at least half as many.
    for (std::int32_t v = side_by_side; v >= side_by_side / 2 && v > 0; --v)
        if (vectors % v == 0) {
            side_by_side = v;
            break;
        }
    return {.rows = most / side_by_side, .vectors = side_by_side, .unroll_window = true};
}

// The default when nothing is tuned: step 0 lays vectors along what lies side by side in x, the others are those of the
// direct template.
constexpr reduce_knobs default_reduce(const definition& original, isa set, int step = 0)
{
    if (!original.found.ok()) return {};
    const definition d = with_fused_reductions(original);
    if (step == 0 && runs_along(d)) {
        // Chains enough for the latency of additions, and rows enough that several are on their way from memory: of
        // 1000 x 1000 floats four at once take 0.74 of the time of one.
        const reduce_knobs k{.lanes = spread::sums, .rows = 4, .vectors = 2};
        return fitted_reduce(original, k, set);
    }
    const direct_roles r = roles_of(d);
    if (step == 0 && r.reduce >= 0 && is_dense_along(d, d.stages[0].operands[r.x], r.vector))
        return fitted_reduce(original, r.row < 0 ? default_columns(d, set) : default_window(d, set), set);
    return fitted_reduce(original, of_outputs(default_direct(d, set, step == 0 ? 0 : step - 1)), set);
}

struct reduce {
    using knobs = reduce_knobs;
    using target = isa;
    static constexpr const char* name = "reduce";
    static constexpr error_class strictest = error_class::exact_order;
    static constexpr const auto& constraints = reduce_constraints;
    static constexpr int default_steps = 1 + direct::default_steps;
    static constexpr bool transforms_weights = false;

    static constexpr bool applies(const definition& d)
    {
        return d.tensor_of(role::weights) < 0 && has_direct_roles(d) && d.stages[0].reduce != reduction::none;
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

} // namespace hone
