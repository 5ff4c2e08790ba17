// SPDX-License-Identifier: BSL-1.0
// The direct template for CPUs: one register tile of rows x vectors, held while the whole reduction streams past packed
// weights. Its closed-form default stands beside it, its knobs in knob.hpp.
//
// It reads the roles of an operator's axes from its definition, so that gemm, convolutions and users' operators share
// it.
#pragma once

#include <cstdint>
#include <initializer_list>

#include <hone/ir/visit.hpp>
#include <hone/schedule/knob.hpp>
#include <hone/schedule/schedule.hpp>
#include <hone/schedule/transform.hpp>

#ifndef HONE_SHOW_WARNINGS // see core/config.hpp
#pragma GCC system_header
#endif

namespace hone {

// Which axis plays which part in a reduction stage y += x * weights.
struct direct_roles {
    int vector = -1;                          // along the vectors: in the weights and the output
    int row = -1;                             // the rows of the register tile: in x and the output, not in the weights
    int reduce = -1;                          // the innermost reduction axis
    inline_vector<std::int8_t, 10> batch{};   // spatial axes outside the tile, outermost first
    inline_vector<std::int8_t, 10> windows{}; // reduction axes outside `reduce`, outermost first
    int x = -1;                               // operands
    int weights = -1;
};

constexpr bool moves_along(const operand& o, int axis)
{
    for (const dim_index& k : o.index)
        for (const index_term& t : k.terms)
            if (t.axis == axis) return true;
    return false;
}

// Whether two axes move in the same dimension of an operand, as a row and its taps do.
constexpr bool shares_dimension(const operand& o, int a, int b)
{
    for (const dim_index& k : o.index) {
        bool has_a = false;
        bool has_b = false;
        for (const index_term& t : k.terms) {
            has_a = has_a || t.axis == a;
            has_b = has_b || t.axis == b;
        }
        if (has_a && has_b) return true;
    }
    return false;
}

// Whether steps along an axis have a length in x, the weights or the output that only the call knows: lanes of a vector
// must not.
constexpr bool has_open_stride(const definition& d, const stage& s, int axis)
{
    const auto is_open = [&](const operand& o) {
        for (std::size_t k = 0; k < o.index.size(); ++k)
            for (const index_term& t : o.index[k].terms)
                if (t.axis == axis && d.tensors[o.tensor].dims[k].stride_parameter >= 0) return true;
        return false;
    };
    for (const operand& o : s.operands)
        if (is_open(o)) return true;
    return is_open(s.output);
}

constexpr direct_roles roles_of(const definition& d)
{
    direct_roles r;
    const stage& s = d.stages[0];
    for (std::size_t o = 0; o < s.operands.size(); ++o) {
        const role part = d.tensors[s.operands[o].tensor].role;
        if (part == role::weights && r.weights < 0) r.weights = static_cast<int>(o);
        if (part == role::input && r.x < 0) r.x = static_cast<int>(o);
    }
    const int axes = static_cast<int>(s.axes.size());
    for (int a = 0; a < axes; ++a) {
        if (s.axes[a].reduction) continue;
        const bool in_weights = r.weights >= 0 && moves_along(s.operands[r.weights], a);
        if (in_weights && s.axes[a].extent > 1 && !has_open_stride(d, s, a)) r.vector = a;
        // The last spatial axis without weights has the rows that share them.
        if (!in_weights && s.axes[a].extent > 1) r.row = a;
    }
    if (r.vector < 0)
        for (int a = 0; a < axes; ++a)
            if (!s.axes[a].reduction && moves_along(s.operands[r.weights], a) && !has_open_stride(d, s, a))
                r.vector = a;
    if (r.row == r.vector) r.row = -1;
    for (int a = axes; a-- > 0;)
        if (s.axes[a].reduction && r.reduce < 0 && (s.axes[a].extent > 1 || a == axes - 1)) r.reduce = a;
    for (int a = 0; a < axes; ++a) {
        const auto axis = static_cast<std::int8_t>(a);
        if (s.axes[a].reduction ? a == r.reduce : (a == r.vector || a == r.row)) continue;
        if (s.axes[a].reduction)
            r.windows.push_back(axis);
        else
            r.batch.push_back(axis);
    }
    return r;
}

// Steps of a reduction that are written out whole where its windows are.
inline constexpr std::int64_t small_reduction = 8;

// The knobs as far as an operator can use them: no more rows, vectors or steps than it has, blocks that hold less than
// all, and the first value where a knob changes nothing.
constexpr direct_knobs fitted(const definition& d, direct_knobs k, isa set)
{
    if (!d.found.ok()) return k; // a definition with a fault may have no axes to fit to
    const direct_roles r = roles_of(d);
    const stage& s = d.stages[0];
    const std::int64_t rows = r.row < 0 ? 1 : s.axes[r.row].extent;
    const std::int64_t vectors = ceil_div(s.axes[r.vector].extent, vector_length(set));
    const std::int64_t steps = r.reduce < 0 ? 1 : s.axes[r.reduce].extent;
    if (k.rows > rows) k.rows = static_cast<std::int32_t>(rows);
    if (k.vectors > vectors) k.vectors = static_cast<std::int32_t>(vectors);
    if (k.row_block >= rows) k.row_block = 0;
    if (k.reduce_block >= steps) k.reduce_block = 0;
    if (k.reduce_unroll > steps) k.reduce_unroll = static_cast<std::int32_t>(steps);
    if (k.unroll_window && steps <= small_reduction) k.reduce_unroll = 1;
    if (!s.operands[r.x].zero_outside) k.pad = padding::peel;
    return k;
}

// What a register tile needs: rows * vectors accumulators, a row of weights, one broadcast.
constexpr int registers_of(const direct_knobs& k, isa set)
{
    // AVX-512 takes a broadcast that is used once from memory.
    const int broadcast = k.vectors == 1 && set == isa::avx512 ? 0 : 1;
    return k.rows * k.vectors + k.vectors + broadcast;
}
constexpr bool fits_registers(const direct_knobs& k, isa set) { return registers_of(k, set) <= vector_registers(set); }

// Cycles of one step of the reduction in a register tile, in a machine that issues two multiply-adds and two loads a
// cycle and needs 8 chains to keep the former busy. Loads of weights come from further away than those of x.
constexpr double tile_cost(std::int64_t rows, std::int64_t vectors, bool shares)
{
    const double macs = static_cast<double>(rows * vectors);
    const double loads = static_cast<double>(shares ? rows + vectors : rows * vectors + vectors);
    double issue = macs > loads ? macs : loads;
    for (const double least : {8.0, 3.0 * static_cast<double>(vectors)})
        if (issue < least) issue = least;
    return issue + 0.05 * loads + 0.1 * static_cast<double>(vectors);
}

inline constexpr std::int32_t most_tile_rows = 28;

// The rows and vectors of which whole and remainder tiles together cost least for so many of each; after `passed_over`
// others, which had other rows. Stays with the last one that costs no more than a fifth above the first. `shares`: the
// vectors of a tile share its rows of x.
constexpr direct_knobs cheapest_tile(std::int64_t rows, std::int64_t vectors, bool shares, isa set, int passed_over = 0)
{
    direct_knobs best;
    bool is_passed_over[most_tile_rows + 1]{};
    double most_cost = 1e30;
    for (; passed_over >= 0; --passed_over) {
        double best_cost = most_cost;
        for (std::int32_t v = 1; v <= 4 && v <= vectors; ++v) {
            for (std::int32_t m = 1; m <= most_tile_rows && m <= rows; ++m) {
                if (!fits_registers({.rows = m, .vectors = v}, set)) break;
                if (is_passed_over[m]) continue;
                const auto column = [&](std::int64_t width) {
                    const std::int64_t rest = rows % m;
                    return static_cast<double>(rows / m) * tile_cost(m, width, shares) +
                           (rest > 0 ? tile_cost(rest, width, shares) : 0);
                };
                const std::int64_t rest = vectors % v;
                const double cost = static_cast<double>(vectors / v) * column(v) + (rest > 0 ? column(rest) : 0);
                if (cost < best_cost) {
                    best_cost = cost;
                    best.rows = m;
                    best.vectors = v;
                }
            }
        }
        if (most_cost == 1e30) most_cost = 1.2 * best_cost;
        is_passed_over[best.rows] = true;
    }
    return best;
}

// The closed form and what it steps down to.
inline constexpr int default_steps = 8;

// The default when nothing is tuned: of the closed form (step 0) and others the first whose nest is legal. Borders and
// taps that are written out can come to more tile bodies, or nodes, than a nest may have (3x3 with dilation 6 on 32x32:
// ten bodies; a window of 128: hundreds of nodes), which only lowering knows. Tiles of other rows come first, since
// they skip the taps outside the image, as copies do not.
constexpr direct_knobs default_direct(const definition& d, isa set, int step = 0)
{
    if (!d.found.ok()) return {}; // a definition with a fault may have no axes to choose by
    const direct_roles r = roles_of(d);
    const stage& s = d.stages[0];
    const std::int64_t rows = r.row < 0 ? 1 : s.axes[r.row].extent;
    const std::int64_t vectors = ceil_div(s.axes[r.vector].extent, vector_length(set));
    const bool shares = r.x >= 0 && !moves_along(s.operands[r.x], r.vector);
    constexpr int other_tiles = 3;
    direct_knobs best = cheapest_tile(rows, vectors, shares, set, step <= other_tiles ? step : 0);
    // Written out, few channels of a dense window cost more decoding than they save: 1.26 to 1.4 times as long for
    // three.
    best.unroll_window = !shares;
    // Rows known at the call only take a body for each half of the tile, all of them twice where columns remain.
    constexpr std::int32_t most_halved = 8;
    const std::int64_t columns = s.axes[r.vector].extent, block = std::int64_t{best.vectors} * vector_length(set);
    const bool remains = columns > block && columns % block != 0;
    if (r.row >= 0 && s.axes[r.row].parameter >= 0 && remains && best.rows > most_halved) best.rows = most_halved;
    if (step > other_tiles && s.operands[r.x].zero_outside) best.pad = padding::copy; // one body for all borders
    if (step > other_tiles + 1) best.unroll_window = false;
    if (step > other_tiles + 2 && best.rows > 4) best.rows = 4;
    if (step > other_tiles + 3) best.rows = best.vectors = 1;
    return best;
}

// The weights in the order in which the direct templates read them: spatial axes, blocks of the vector axis, reduction
// axes, and `block` elements of the vector axis side by side.
constexpr tensor packed_along(const definition& d, std::int64_t block)
{
    const direct_roles r = roles_of(d);
    const operand& w = d.stages[0].operands[r.weights];
    const auto dim_of = [&](int axis) {
        for (std::size_t i = 0; i < w.index.size(); ++i)
            for (const index_term& t : w.index[i].terms)
                if (t.axis == axis) return static_cast<int>(i);
        return -1;
    };
    inline_vector<std::int8_t, 6> order;
    const auto add = [&](int axis) {
        if (axis >= 0 && dim_of(axis) >= 0) order.push_back(static_cast<std::int8_t>(dim_of(axis)));
    };
    for (std::int8_t a : r.batch) add(a);
    add(r.vector);
    for (std::int8_t a : r.windows) add(a);
    add(r.reduce);
    return packed_tensor(d.tensors[w.tensor], order, dim_of(r.vector), block);
}
// Empty where the knobs have a fault.
constexpr tensor packed_weights(const definition& d, const direct_knobs& k, isa set)
{
    if (!check_knobs(k).ok()) return {};
    return packed_along(d, std::int64_t{k.vectors} * vector_length(set));
}

// Whether the epilogue reads a tensor as large as the output, which a call may give y in the place of.
constexpr bool reads_like_output(const definition& d, const stage& s)
{
    for (const operand& o : s.operands) {
        const role part = d.tensors[o.tensor].role;
        if (part == role::residual || part == role::operand) return true;
    }
    return false;
}

constexpr schedule direct_schedule(const definition& original, const direct_knobs& k, isa set)
{
    schedule s;
    s.definition = original;
    s.set = set;
    s.vector_length = static_cast<std::int16_t>(vector_length(set));
    s.plans.push_back({});
    s.found = check_knobs(k);
    if (!original.found.ok() || !s.found.ok()) return s;
    definition& d = s.definition;
    const direct_roles r = roles_of(d);
    stage& g = d.stages[0];
    d.tensors[g.operands[r.weights].tensor] = packed_weights(original, k, set);

    const std::int64_t vl = s.vector_length;
    const operand& x = g.operands[r.x];
    bool pads = x.zero_outside;
    const bool peels = pads && k.pad == padding::peel;

    stage_plan& p = s.plans[0];
    const auto spatial = [&](int a) {
        if (g.axes[a].extent > 1 || g.axes[a].parameter >= 0) p.add(a, 1, binding::parallel);
    };
    const auto blocks = [&] { p.add(r.vector, std::int64_t{k.vectors} * vl, binding::parallel, tail::peel); };
    const auto rows = [&](bool is_parallel) {
        if (r.row < 0) return;
        if (k.row_block > 0 && k.row_block < g.axes[r.row].extent)
            p.add(r.row, k.row_block, is_parallel ? binding::parallel : binding::serial, tail::bound);
        const bool runtime = g.axes[r.row].parameter >= 0;
        p.add(r.row, k.rows, binding::serial, tail::peel, peels && !runtime ? border::peel : border::none);
    };
    const bool single_row_axis = r.batch.empty();
    if (k.order == walk::weights_outer) blocks();
    if (k.reduce_block > 0 && r.reduce >= 0 && k.reduce_block < g.axes[r.reduce].extent) {
        p.add(r.reduce, k.reduce_block, binding::serial, tail::bound);
        // y may stand in the place of what the epilogue reads, which sums must not overwrite.
        if (reads_like_output(d, g)) {
            tensor sums = d.tensors[g.output.tensor];
            sums.name = "sums";
            sums.role = role::none;
            sums.memory = memory::workspace;
            for (dimension& dim : sums.dims) dim.extent_parameter = dim.stride_parameter = -1;
            set_dense(sums);
            g.sums = static_cast<std::int8_t>(d.tensors.push_back(sums));
        }
    }
    for (std::int8_t a : r.batch) spatial(a);
    rows(single_row_axis || k.order == walk::rows_outer);
    if (k.order == walk::rows_outer) blocks();

    p.open_tile();
    for (std::size_t i = 0; i < r.windows.size(); ++i) {
        const int a = r.windows[i];
        if (g.axes[a].extent == 1) continue;
        const bool along_rows = r.row >= 0 && shares_dimension(x, a, r.row);
        // Dead taps across rows bound the loop; dead taps along the rows of the tile vanish when written out, beside a
        // loop over those that are live for all rows.
        const bool unroll = (peels && along_rows) || (k.unroll_window && i + 1 == r.windows.size());
        p.add(a, 1, unroll ? binding::unroll : binding::serial, tail::exact,
              !peels       ? border::none
              : along_rows ? border::share
              : unroll     ? border::none
                           : border::clip);
    }
    if (r.reduce >= 0) {
        const bool small = k.unroll_window && g.axes[r.reduce].extent <= small_reduction;
        const std::int64_t unroll = small ? g.axes[r.reduce].extent : k.reduce_unroll;
        const bool along_rows = r.row >= 0 && shares_dimension(x, r.reduce, r.row);
        if (unroll < g.axes[r.reduce].extent)
            p.add(r.reduce, unroll, binding::serial, tail::peel,
                  peels && unroll == 1 && !along_rows ? border::clip : border::none);
        if (unroll > 1) p.add(r.reduce, 1, binding::unroll);
    }
    if (r.row >= 0) {
        // Rows known only at the call leave remainders of any size: a cascade of halves covers them.
        if (g.axes[r.row].parameter >= 0)
            for (std::int64_t half = 16; half > 1; half /= 2)
                if (half < k.rows) p.add(r.row, half, binding::unroll, tail::peel);
        if (k.rows > 1) p.add(r.row, 1, binding::unroll);
    }
    if (k.vectors > 1) p.add(r.vector, vl, binding::unroll, tail::guard);
    p.add(r.vector, 1, binding::vectorize);

    if (pads && k.pad == padding::copy) {
        inline_vector<std::int64_t, 6> extents;
        for (const dim_index& index : x.index) {
            std::int64_t reach = 1;
            for (const index_term& t : index.terms) reach += t.coefficient * (g.axes[t.axis].extent - 1);
            extents.push_back(reach);
        }
        pad_operand(s, 0, r.x, extents, 1);
    }
    return s;
}

} // namespace hone
