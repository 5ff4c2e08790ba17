// SPDX-License-Identifier: BSL-1.0
// The knobs of the reduce template for CPUs, what they may be, and how far an operator can use them: lanes over outputs
// or over terms, and memory that is read as one stream or as several, each in order.
#pragma once

#include <cstdint>

#include <hone/core/target.hpp>
#include <hone/op/accuracy.hpp>
#include <hone/op/definition.hpp>
#include <hone/schedule/direct.hpp>
#include <hone/schedule/knob.hpp>
#include <hone/schedule/roles.hpp>
#include <hone/schedule/transform.hpp>

#ifndef HONE_SHOW_WARNINGS // see core/config.hpp
#pragma GCC system_header
#endif

namespace hone::schedules {

// Over what the lanes of a vector are spread.
enum class spread : std::uint8_t {
    outputs,  // neighbouring outputs, each a chain of its terms. Legal always, gains where x lies along them.
    sums,     // parts of one sum. Legal where x lies along a reduction; costs the order of the terms.
    extremes, // of one maximum or minimum, for which no order is another. Legal as sums.
    none,     // a chain of scalars for each output. Legal as sums; gains where a sum must take its terms in order.
};

// Of what the parts are that are read side by side, each in order: with one stream of reads, memory is less busy than
// it could be.
enum class apart : std::uint8_t {
    rows,     // outputs of far rows. Legal where their number is known; costs registers where lanes lie along terms.
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
    std::int32_t parts = 1;     // of `apart`, that are read side by side
    schedules::apart apart = schedules::apart::rows;
    friend constexpr bool operator==(const reduce_knobs&, const reduce_knobs&) = default;
};

inline constexpr std::int64_t most_parts = 16;

inline constexpr knob<reduce_knobs> reduce_knob_table[] = {
    knob_member<&reduce_knobs::lanes>::listed("lanes", {0, 1, 2, 3}, {"outputs", "sums", "extremes", "none"}),
    knob_member<&reduce_knobs::rows>::range("rows", 1, most_rows,
                                            {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 16, 20, 28}),
    knob_member<&reduce_knobs::vectors>::range("vectors", 1, most_tile_vectors,
                                               {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 16}),
    knob_member<&reduce_knobs::reduce_unroll>::range("reduce_unroll", 1, most_steps, {1, 2, 4, 5, 6, 7, 8, 9, 10}),
    knob_member<&reduce_knobs::reduce_block>::range("reduce_block", 0, most_block,
                                                    {0, 1, 5, 6, 7, 8, 9, 10, 14, 16, 32, 64}),
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
         const bool holds_parts = k.apart == apart::rows && k.lanes != spread::outputs;
         const std::int32_t rows = holds_parts ? k.rows * k.parts : k.rows;
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

// Whether an axis of outputs moves with windows in x, as rows of an image do, so that others share terms with it.
constexpr bool has_window_along(const definition& d, int axis)
{
    const stage& s = d.stages[0];
    const operand& x = s.operands[roles_of(d).x];
    for (int a = 0; a < static_cast<int>(s.axes.size()); ++a)
        if (s.axes[a].reduction && s.axes[a].extent > 1 && shares_dimension(x, a, axis)) return true;
    return false;
}

// The axis that lanes of outputs walk in parts: rows of an image outside of the tile, or a reduction; -1: they cannot.
constexpr int axis_of_parts(const definition& d, apart of)
{
    const stage& s = d.stages[0];
    int found = -1;
    if (of == apart::rows) {
        for (const std::int8_t a : roles_of(d).batch)
            if (s.axes[a].extent > 1 && has_window_along(d, a)) found = a;
    } else if (stays_inside(s)) {
        found = outermost_reduction(s);
    }
    return found >= 0 && s.axes[found].parameter < 0 ? found : -1;
}

constexpr reduce_knobs fitted_outputs(const definition& original, const reduce_knobs& given, isa set)
{
    reduce_knobs k = given;
    if (axis_of_parts(with_fused_reductions(original), k.apart) < 0) k.parts = 1;
    const definition d = definition_for(original, k);
    const stage& s = d.stages[0];
    const direct_roles r = roles_of(d);
    for (const std::int8_t a : r.windows)
        if (s.axes[a].extent > 1) k.reduce_block = 0;
    const std::int32_t parts = k.parts;
    const schedules::apart apart = k.apart;
    k = of_outputs(fitted(d, tile_of(k), set));
    k.parts = parts;
    k.apart = apart;
    // As many parts as have a step each.
    if (const int axis = axis_of_parts(d, apart); parts > 1) {
        const std::int64_t block = axis != r.reduce ? 1 : k.reduce_block > 0 ? k.reduce_block : steps_at_once(d, k);
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
    const std::int64_t lanes = k.lanes == spread::none ? 1 : lanes_of(set, d);
    limit_knob(k.rows, rows);
    limit_knob(k.vectors, k.lanes == spread::none ? 1 : ceil_div(steps, lanes));
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
    if (k.apart == apart::extremes && is_sum) k.parts = 1;
    k = k.lanes == spread::outputs ? fitted_outputs(original, k, set) : fitted_along(d, k, set, along);
    if (k.parts == 1) k.apart = apart::rows;
    return k;
}

} // namespace hone::schedules

namespace hone { // API
using schedules::apart, schedules::reduce_knobs, schedules::spread;
} // namespace hone
