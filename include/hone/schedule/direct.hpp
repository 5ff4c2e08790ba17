// SPDX-License-Identifier: BSL-1.0
// The direct template for CPUs: one register tile of rows x vectors, held while the whole reduction streams past packed
// weights. It computes what has one stage: gemm, convolutions, pooling, users' operators.
#pragma once

#include <cstdint>
#include <initializer_list>

#include <hone/core/target.hpp>
#include <hone/ir/visit.hpp>
#include <hone/op/accuracy.hpp>
#include <hone/op/definition.hpp>
#include <hone/schedule/along_output.hpp>
#include <hone/schedule/fused_lanes.hpp>
#include <hone/schedule/knob.hpp>
#include <hone/schedule/register_tile.hpp>
#include <hone/schedule/roles.hpp>
#include <hone/schedule/sampled.hpp>
#include <hone/schedule/schedule.hpp>
#include <hone/schedule/schedule_template.hpp>
#include <hone/schedule/transform.hpp>

#ifndef HONE_SHOW_WARNINGS // see core/config.hpp
#pragma GCC system_header
#endif

namespace hone::schedules {

// How padding is met: tap by tap at the borders, or by a padded copy of x.
enum class padding : std::uint8_t {
    peel, // dead taps are left out; costs tile bodies. Legal always, gains most on small images.
    copy, // x is copied with its padding into the workspace. One tile body; costs the copy.
};
struct direct_knobs {
    std::int32_t rows = 6;          // rows of the register tile
    std::int32_t vectors = 2;       // vectors of the register tile
    std::int32_t reduce_unroll = 1; // steps of the innermost reduction written out
    std::int32_t reduce_block = 0;  // steps of it per pass over the output; 0: all
    std::int32_t row_block = 0;     // rows per cache block; 0: all
    schedules::padding pad = padding::peel;
    hone::walk order = walk::weights_outer;
    bool unroll_window = false; // the axes next to the innermost reduction are written out
    vector_axis vector = vector_axis::weights;
    friend constexpr bool operator==(const direct_knobs&, const direct_knobs&) = default;
};

// As many vectors as registers hold where a tile is one row of an operator without weights.
inline constexpr std::int64_t most_tile_vectors = 28;

inline constexpr knob<direct_knobs> direct_knob_table[] = {
    knob_member<&direct_knobs::rows>::range(
        "rows", 1, most_rows,
        {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28}),
    knob_member<&direct_knobs::vectors>::range("vectors", 1, most_tile_vectors, {1, 2, 3, 4}),
    knob_member<&direct_knobs::reduce_unroll>::range("reduce_unroll", 1, most_steps, {1, 2, 4, 8}),
    knob_member<&direct_knobs::reduce_block>::range("reduce_block", 0, most_block, {0, 16, 32, 64, 128, 256, 512}),
    knob_member<&direct_knobs::row_block>::range("row_block", 0, most_block, {0, 7, 8, 14, 16, 28, 32, 56, 64, 112}),
    knob_member<&direct_knobs::pad>::listed("pad", {0, 1}, {"peel", "copy"}),
    knob_member<&direct_knobs::order>::listed("order", {0, 1}, {"weights_outer", "rows_outer"}),
    knob_member<&direct_knobs::unroll_window>::listed("unroll_window", {0, 1}, {"false", "true"}),
    knob_member<&direct_knobs::vector>::listed("vector", {0, 1}, {"weights", "output"}).added_later(),
};

constexpr const auto& knobs_of(const direct_knobs&) { return direct_knob_table; }

inline constexpr constraint<direct_knobs, isa> direct_constraints[] = {
    // A smaller block would cut every register tile.
    {"row_block",
     [](const direct_knobs& k, const isa&) {
         return k.row_block == 0 ? status{} : at_most(fault::factor_does_not_divide, k.row_block, k.rows, "row_block");
     }},
    {"registers",
     [](const direct_knobs& k, const isa& set) {
         return check_registers({k.rows, k.vectors, k.reduce_unroll}, set);
     }},
};

// Steps of a reduction that are written out whole where its windows are.
inline constexpr std::int64_t small_reduction = 8;

// The tile of vectors along the output, and back.
constexpr output_tile output_tile_of(const direct_knobs& k)
{
    return {.rows = k.rows,
            .vectors = k.vectors,
            .reduce_unroll = k.reduce_unroll,
            .order = k.order,
            .unroll_window = k.unroll_window};
}
constexpr direct_knobs along_output(const output_tile& t)
{
    return {.rows = t.rows,
            .vectors = t.vectors,
            .reduce_unroll = t.reduce_unroll,
            .order = t.order,
            .unroll_window = t.unroll_window,
            .vector = vector_axis::output};
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

// Whether sums of a block of the reduction may be kept until the next one: in y, or in a tensor of their own, which
// would be as large as the largest padding makes y where a call gives that.
constexpr bool may_keep_sums(const definition& d, const stage& s, const direct_roles& r)
{
    return !tests_windows(d, s, r) || !reads_like_output(d, s);
}

// The knobs as far as an operator can use them: no more rows, vectors or steps than it has, blocks that hold less than
// all, and the first value where a knob changes nothing.
constexpr direct_knobs fitted(const definition& d, direct_knobs k, isa set)
{
    if (!d.found.ok()) return k; // a definition with a fault may have no axes to fit to
    if (is_sampled(d)) {
        const std::int64_t most = vectors_of_samples(d, set);
        return {.rows = 1,
                .vectors = k.vectors < most ? k.vectors : static_cast<std::int32_t>(most),
                .unroll_window = k.unroll_window && d.stages[0].reduce != reduction::none};
    }
    if (k.vector == vector_axis::output && axis_of_output(d) >= 0)
        return along_output(fitted_to(with_fused_outputs(d), output_tile_of(k), set));
    k.vector = vector_axis::weights;
    if (const lane_fusion lanes = lane_fusion_of(d, set); lanes.applies())
        return fitted(with_fused_lanes(d, lanes), k, set);
    const direct_roles r = roles_of(d);
    const stage& s = d.stages[0];
    const std::int64_t rows = r.row < 0 ? 1 : s.axes[r.row].extent;
    const std::int64_t vectors = ceil_div(s.axes[r.vector].extent, lanes_of(set, d));
    const std::int64_t steps = r.reduce < 0 ? 1 : s.axes[r.reduce].extent;
    if (k.rows > rows) k.rows = static_cast<std::int32_t>(rows);
    if (k.vectors > vectors) k.vectors = static_cast<std::int32_t>(vectors);
    if (k.row_block >= rows) k.row_block = 0;
    if (k.reduce_block >= steps || !may_keep_sums(d, s, r)) k.reduce_block = 0;
    if (k.reduce_unroll > steps) k.reduce_unroll = static_cast<std::int32_t>(steps);
    if (tests_windows(d, s, r)) k.unroll_window = false;
    if (k.unroll_window && steps <= small_reduction) k.reduce_unroll = 1;
    if (!s.operands[r.x].may_leave || has_open_image(d)) k.pad = padding::peel; // copies are as large as the largest
    return k;
}

// The steps of the innermost reduction that are written out by default: where instructions take x from lanes, as many
// as a vector has, if they are neighbours in x and its border has no say in them. Of gemm 512 with 8 x 2 on NEON 64 of
// 82 instructions of the inner loop then multiply, else 16 of 29.
constexpr std::int32_t default_unroll(const definition& d, const direct_roles& r, isa set)
{
    const stage& s = d.stages[0];
    if (row_of(set).broadcast != broadcast::from_lane || r.x < 0 || r.reduce < 0) return 1;
    const operand& x = s.operands[r.x];
    if (s.axes[r.reduce].extent < lanes_of(set, d) || moves_along(x, r.vector)) return 1;
    // Rows whose distance the call gives are not read by vectors (cpu/lanes.hpp).
    for (std::size_t k = 0; k < x.index.size(); ++k)
        for (const index_term& t : x.index[k].terms)
            if (t.axis == r.row && d.tensors[x.tensor].dims[k].stride_parameter >= 0) return 1;
    if (r.row >= 0 && shares_dimension(x, r.reduce, r.row)) return 1;
    for (std::size_t k = 0; k < x.index.size(); ++k)
        for (const index_term& t : x.index[k].terms) {
            const dimension& dim = d.tensors[x.tensor].dims[k];
            if (t.axis == r.reduce && t.coefficient == 1 && x.index[k].offset == 0 && dim.stride == 1 &&
                dim.stride_parameter < 0 && dim.block == 0)
                return lanes_of(set, d);
        }
    return 1;
}

// The sets of the nearest cache in which the rows of a tile stand in x.
constexpr std::int64_t sets_of_rows(const definition& d, const direct_roles& r)
{
    if (r.x < 0 || r.row < 0) return cache_sets;
    const operand& x = d.stages[0].operands[r.x];
    const tensor& t = d.tensors[x.tensor];
    std::int64_t distance = 0;
    for (std::size_t k = 0; k < x.index.size(); ++k)
        for (const index_term& term : x.index[k].terms)
            if (term.axis == r.row && t.dims[k].stride_parameter < 0) distance += term.coefficient * t.dims[k].stride;
    return sets_of_distance(distance * static_cast<std::int64_t>(bytes_of(t.type)));
}

// The tile of a depthwise convolution, whose vectors share nothing. It reads each line of x for some taps, and its
// neighbours read the same again. Where the rows meet in few sets, the lines are gone by then; tiles of several vectors
// that walk along the channels take whole runs of them from the next cache instead. On a Zen 4, of 17 layers with
// windows of 3x3, 5x5 and 7x7, those with few sets take 1.2 to 3.7 times less time so with AVX-512, 1.9 to 4.8 times
// with AVX2; others would take up to 1.3 times more.
constexpr register_tile depthwise_tile(std::int64_t sets, std::int64_t rows, std::int64_t vectors, isa set)
{
    const std::int64_t registers = vector_registers(set);
    const auto least = [](std::int64_t a, std::int64_t b) { return static_cast<std::int32_t>(a < b ? a : b); };
    register_tile t;
    t.vectors = least(least(sets > 2 ? 2 : 4, registers / 8), vectors);
    t.rows = least(least((registers * 3 / 4 - 4) / t.vectors, 7), rows);
    return t;
}

// Whether weights that share nothing are so few that they stay at hand while the channels of a pixel pass, one after
// another: x is read in the order in which it lies. On a Zen 4, of 13 layers with windows of 3x3 this is 1.0 to 1.8
// times as fast as an image for each block of channels (AVX2, SSE2) and 0.93 to 1.4 times with AVX-512; of five with
// 5x5 and 7x7, 0.86 to 1.2 times.
constexpr bool has_small_window(const stage& s, const direct_roles& r)
{
    std::int64_t taps = 1;
    for (std::int8_t a : r.windows) taps *= s.axes[a].extent;
    return r.weights >= 0 && taps > 1 && taps <= 9;
}

// Whether the rows have more phases with borders of their own than are peeled: a test of each product would stay.
constexpr bool has_many_phases(const stage& s, const direct_roles& r)
{
    if (r.row < 0) return false;
    const bool weights_end = r.weights >= 0 && s.operands[r.weights].may_leave;
    for (std::int8_t a : r.batch)
        if (s.axes[a].extent > most_peeled && shares_dimension(s.output, a, r.row) &&
            (weights_end || shares_dimension(s.operands[r.x], a, r.row)))
            return true;
    return false;
}

// The tile of a kernel for images and channels of the call: those of networks are multiples of 7 and of 32. Where
// vectors share nothing, what asks for the rows of a tap costs as much as a tap of few vectors: on a Zen 4, five
// depthwise layers take 0.74 to 0.91 of the time with three vectors that they take with one, and all vectors of a pixel
// one after another 0.95 of that.
constexpr direct_knobs tile_of_any_image(bool shares, std::int64_t vectors, isa set)
{
    const auto least = [](std::int64_t a, std::int64_t b) { return static_cast<std::int32_t>(a < b ? a : b); };
    if (!shares)
        return {.rows = vector_registers(set) < 32 ? 4 : 7, .vectors = least(vectors, 3), .order = walk::rows_outer};
    direct_knobs k{.rows = 7, .vectors = least(vectors, 2)};
    while (!check_registers({k.rows, k.vectors}, set).ok()) --k.rows;
    return k;
}

constexpr direct_knobs default_direct(const definition& d, isa set, int step = 0);

// Each step along the inputs of a group permutes a vector of x, which the taps beside it use again: few rows of one
// vector keep more of them at hand. On a Zen 4, 28x28 with 32 groups of 8 takes 0.291 ms with 7 x 1, 0.376 with 14 x 1
// and 0.397 with 7 x 2.
constexpr direct_knobs default_of_fused(const definition& d, isa set, int step)
{
    direct_knobs best = default_direct(d, set, step);
    const direct_roles r = roles_of(d);
    const stage& s = d.stages[0];
    if (step > 0 || r.row < 0 || r.reduce < 0 || s.axes[r.reduce].extent == 1) return best;
    if (shares_dimension(s.operands[r.x], r.reduce, r.row)) return best; // a window of one input
    constexpr std::int64_t most = 7;
    best.rows = cheapest_tile(s.axes[r.row].extent, 1, false, set, 0, 1, most).rows;
    best.vectors = 1;
    return best;
}

// The default when nothing is tuned: of the closed form (step 0) and others the first whose nest is legal. Borders and
// taps that are written out can come to more tile bodies, or nodes, than a nest may have (3x3 with dilation 6 on 32x32:
// ten bodies; a window of 128: hundreds of nodes), which only lowering knows. Tiles of other rows come first, since
// they skip the taps outside the image, as copies do not.
constexpr direct_knobs default_direct(const definition& d, isa set, int step)
{
    if (!d.found.ok()) return {}; // a definition with a fault may have no axes to choose by
    if (is_sampled(d))
        return fitted(d, direct_knobs{.vectors = step == 0 ? 8 : 1}, set); // that share what finds a pixel
    constexpr int steps_along_output = 3;
    if (step < steps_along_output && prefers_output(d, set)) return along_output(default_along_output(d, set, step));
    if (const lane_fusion lanes = lane_fusion_of(d, set); lanes.applies())
        return default_of_fused(with_fused_lanes(d, lanes), set, step);
    const direct_roles r = roles_of(d);
    const stage& s = d.stages[0];
    const std::int64_t rows = r.row < 0 ? 1 : s.axes[r.row].extent;
    const std::int64_t vectors = ceil_div(s.axes[r.vector].extent, lanes_of(set, d));
    if (step < steps_along_output && r.weights < 0 && has_taps_along(s, s.operands[r.x], r.vector)) {
        const output_tile t = default_window_tile(d, r, set, step);
        return {.rows = t.rows, .vectors = t.vectors, .unroll_window = true};
    }
    const bool shares = r.x >= 0 && !moves_along(s.operands[r.x], r.vector);
    constexpr int other_tiles = 3;
    const std::int32_t unroll = step <= other_tiles + 2 ? default_unroll(d, r, set) : 1;
    const std::int64_t sets = sets_of_rows(d, r);
    constexpr std::int64_t few_sets = 8;
    const bool walks_channels = !shares && sets <= few_sets && step == 0;
    // Rows known at the call only take a body for each half of the tile, all of them twice where columns remain, which
    // they may where the call gives them.
    constexpr std::int32_t most_halved = 8;
    const bool has_open_rows = r.row >= 0 && s.axes[r.row].parameter >= 0;
    const bool has_open_columns = s.axes[r.vector].parameter >= 0;
    std::int64_t row_limit = cache_ways * sets;
    const bool has_borders = has_open_rows && has_open_border(d, s, s.operands[r.x], r.row);
    if (step == 0 && has_open_rows && has_open_columns && has_open_image(d)) {
        direct_knobs any = tile_of_any_image(shares, vectors, set);
        any.unroll_window = !shares && !tests_windows(d, s, r);
        return any;
    }
    // Elements alone in the order of memory: pixels one by one, some for each thread. Of 56 x 56 x 64, times and plus a
    // number per channel, a third of the time that columns of vectors take.
    if (step == 0 && r.row >= 0 && r.weights < 0 && r.reduce < 0)
        return fitted(d, {.rows = 1, .vectors = 4, .row_block = 16, .order = walk::rows_outer}, set);
    if (has_open_rows && (has_open_columns || has_borders) && row_limit > most_halved) row_limit = most_halved;
    const register_tile tile =
        walks_channels ? depthwise_tile(sets, rows, vectors, set)
                       : cheapest_tile(rows, vectors, shares, set, step <= other_tiles ? step : 0, unroll, row_limit);
    direct_knobs best{.rows = tile.rows, .vectors = tile.vectors, .reduce_unroll = unroll};
    if (walks_channels || (!shares && step == 0 && has_small_window(s, r))) best.order = walk::rows_outer;
    // Written out, few channels of a dense window cost more decoding than they save: 1.26 to 1.4 times as long for
    // three.
    best.unroll_window = !shares;
    const std::int64_t columns = s.axes[r.vector].extent, block = std::int64_t{best.vectors} * lanes_of(set, d);
    const bool remains = columns > block && (has_open_columns || columns % block != 0);
    if (has_open_rows && remains && best.rows > most_halved) best.rows = most_halved;
    const bool copies = (step > other_tiles || has_many_phases(s, r)) && !has_open_image(d);
    if (copies && s.operands[r.x].may_leave) best.pad = padding::copy; // one body for all borders
    if (step > other_tiles + 1) best.unroll_window = false;
    if (step > other_tiles + 2 && best.rows > 4) best.rows = 4;
    if (step > other_tiles + 3) best.rows = best.vectors = 1;
    return best;
}

// Empty where the knobs have a fault.
constexpr packed_tensors packed_weights(const definition& d, const direct_knobs& k, isa set)
{
    if (!check_knobs(k).ok()) return packed_tensors();
    if (is_sampled(d)) return weights_of(d); // which schedule_of_samples() reads as they are
    if (k.vector == vector_axis::output && axis_of_output(d) >= 0) return packed_along_output(d, output_tile_of(k));
    const lane_fusion lanes = lane_fusion_of(d, set);
    if (lanes.applies()) return split_lanes(d, lanes, packed_along(with_fused_lanes(d, lanes), lanes, k.vectors, set));
    return packed_along(d, std::int64_t{k.vectors} * lanes_of(set, d));
}

// The rows and vectors of a tile, its innermost levels.
constexpr void add_tile(stage_plan& p, const stage& g, const direct_roles& r, const direct_knobs& k, std::int64_t vl,
                        bool halves_rows)
{
    if (r.row >= 0) {
        // Rows known only at the call leave remainders of any size: a cascade of halves covers them.
        if (halves_rows)
            for (std::int64_t half = 16; half > 1; half /= 2)
                if (half < k.rows) p.add(r.row, half, binding::unroll, tail::peel);
        if (k.rows > 1) p.add(r.row, 1, binding::unroll);
    }
    if (r.weights < 0) add_halves(p, g, r.vector, k.vectors, vl);
    if (k.vectors > 1) p.add(r.vector, vl, binding::unroll, tail::guard);
    p.add(r.vector, 1, binding::vectorize);
}

constexpr schedule direct_schedule(const definition& original, direct_knobs k, isa set)
{
    schedule s;
    s.definition = original;
    s.set = set;
    s.vector_length = static_cast<std::int16_t>(lanes_of(set, original));
    s.plans.push_back({});
    s.found = check_knobs(k);
    if (!original.found.ok() || !s.found.ok()) return s;
    if (is_sampled(original)) return schedule_of_samples(original, k.vectors, k.unroll_window, set);
    if (k.vector == vector_axis::output && axis_of_output(original) >= 0)
        return schedule_along_output(original, output_tile_of(k), set);
    definition& d = s.definition;
    const std::int64_t vl = s.vector_length;
    const lane_fusion lanes = lane_fusion_of(original, set);
    if (lanes.applies()) d = with_fused_lanes(original, lanes);
    if (lanes.one_vector > 0) k.vectors = 1;
    const direct_roles r = roles_of(d);
    stage& g = d.stages[0];
    replace_weights(d, packed_along(d, lanes, k.vectors, set));

    const operand& x = g.operands[r.x];
    const bool pads = x.may_leave;
    const bool tests = tests_windows(d, g, r);
    const bool peels = pads && !tests && (k.pad == padding::peel || has_open_image(d));
    const bool weights_end = r.weights >= 0 && g.operands[r.weights].may_leave; // before some taps

    stage_plan& p = s.plans[0];
    // Phases of the rows have taps and borders of their own: next to the rows, so that what is outside of both is one
    // region for threads.
    const auto has_phases = [&](int a) {
        return (peels || weights_end) && r.row >= 0 && shares_dimension(g.output, a, r.row);
    };
    const auto batch = [&](bool of_phases) {
        for (std::int8_t a : r.batch)
            if ((g.axes[a].extent > 1 || g.axes[a].parameter >= 0) && has_phases(a) == of_phases)
                p.add(a, 1, binding::parallel, tail::exact, of_phases ? border::peel : border::none);
    };
    // Without weights vectors may lie along an axis with taps, whose borders have tiles of their own, too.
    const bool has_columns = has_taps_along(g, x, r.vector);
    const bool clips_rows = has_columns && k.rows == 1;
    const auto blocks = [&] {
        p.add(r.vector, std::int64_t{k.vectors} * vl, binding::parallel, tail::peel,
              peels && has_columns ? border::peel : border::none);
    };
    const bool runtime = r.row >= 0 && g.axes[r.row].parameter >= 0;
    const bool has_border_tiles = runtime && k.row_block == 0 && (tests || has_open_border(d, g, x, r.row));
    const auto rows = [&](bool is_parallel) {
        if (r.row < 0) return;
        if (k.row_block > 0 && k.row_block < g.axes[r.row].extent)
            p.add(r.row, k.row_block, is_parallel ? binding::parallel : binding::serial, tail::bound);
        // Of an open image the last tile may be one in part, which a border of its own is, too.
        p.add(r.row, k.rows, binding::serial, has_border_tiles ? tail::guard : tail::peel,
              !tests && (has_border_tiles || (peels && !runtime && !clips_rows)) ? border::peel : border::none);
    };
    if (k.order == walk::weights_outer) blocks();
    if (k.reduce_block > 0 && r.reduce >= 0 && k.reduce_block < g.axes[r.reduce].extent && may_keep_sums(d, g, r)) {
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
    for (const bool of_phases : {false, true}) batch(of_phases);
    rows(r.batch.empty() || k.order == walk::rows_outer);
    if (k.order == walk::rows_outer) blocks();

    p.open_tile();
    for (std::size_t i = 0; i < r.windows.size(); ++i) {
        const int a = r.windows[i];
        if (g.axes[a].extent == 1) continue;
        const bool along_rows = r.row >= 0 && !clips_rows && shares_dimension(x, a, r.row);
        if (tests) {
            p.add(a, 1, binding::serial, tail::exact, open_border(x, a, k.rows));
            continue;
        }
        // Dead taps across rows bound the loop; dead taps along the rows of the tile vanish when written out, beside a
        // loop over those that are live for all rows.
        const bool unroll = (peels && along_rows && !runtime) || (k.unroll_window && i + 1 == r.windows.size());
        p.add(a, 1, unroll ? binding::unroll : binding::serial, tail::exact,
              peels && along_rows                 ? border::share
              : (peels || weights_end) && !unroll ? border::clip
                                                  : border::none);
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
    add_tile(p, g, r, k, vl, runtime && !has_border_tiles);

    if (pads && !peels && !tests) {
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

// Direct kernels hold one chain for each output while the whole reduction passes, in the order of the definition; where
// it passes in blocks, those of the innermost axis stand outside the windows.
constexpr error_class class_of(const direct_knobs& k)
{
    return k.reduce_block > 0 ? error_class::reassociated : error_class::exact_order;
}

struct direct {
    using knobs = direct_knobs;
    using target = isa;
    static constexpr const char* name = "direct";
    static constexpr error_class strictest = error_class::exact_order;
    static constexpr const auto& constraints = direct_constraints;
    static constexpr int default_steps = 8; // the closed form and what it steps down to
    static constexpr bool transforms_weights = false;

    static constexpr bool applies(const definition& d) { return has_direct_roles(d) && !is_product_of_inputs(d); }
    static constexpr knobs fitted(const definition& d, const knobs& k, isa set) { return schedules::fitted(d, k, set); }
    static constexpr knobs standard(const definition& d, isa set, int step) { return default_direct(d, set, step); }
    static constexpr packed_tensors packed(const definition& d, const knobs& k, isa set)
    {
        return packed_weights(d, k, set);
    }
    static constexpr schedule packing(const definition& d, const knobs& k, isa set, std::size_t which)
    {
        return packing_schedule(weights_of(d)[which], packed_weights(d, k, set)[which], set);
    }
    static constexpr schedule scheduled(const definition& d, const knobs& k, isa set)
    {
        return direct_schedule(d, k, set);
    }
};

} // namespace hone::schedules

namespace hone { // API
using schedules::direct, schedules::direct_knobs, schedules::padding;
} // namespace hone
