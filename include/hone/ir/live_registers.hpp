// SPDX-License-Identifier: BSL-1.0
// How many vector registers a tile keeps busy, estimated from its nest: what check() holds against the registers of the
// instruction set.
#pragma once

#include <cstdint>

#include <hone/core/target.hpp>
#include <hone/ir/nest.hpp>
#include <hone/ir/visit.hpp>

#ifndef HONE_SHOW_WARNINGS // see core/config.hpp
#pragma GCC system_header
#endif

namespace hone::ir {

// Live vector registers of one tile. A band is a leaf with the unrolled and vector loops right around it: what a code
// generator writes out as one piece. Bands count where a serial loop of the tile runs them more than once: what
// straight-line code cannot hold it spills once (the transforms of Winograd do), a loop in each iteration. Live in a
// band are
//   the register buffers in use from before it to after it, as far as the tile touches them,
// + the vector loads that it must keep for reuse: a load is used again by each loop of the band that its index lacks,
//   so of the loops it has, those inside the outermost it lacks need a register each (b[k, n] under unrolled m: all n;
//   under n, m: one),
// + one for a value used in all lanes, if it loads any; AVX-512 takes one that is used once from memory. (Of one vector
//   a row, 31 rows fit 32 registers there, and 15 rows spill from the 16 of AVX2, with both g++ and clang.)
// Where such a value is a lane, each row has a register of them, for as many steps as it has lanes. And the vectors of
// the next step are loaded while this one's multiply (schedule/register_tile.hpp names tiles that spill without).
// Intermediate values of an expression are not counted: compilers find room for them in what a band has used up.
template <class Nest>
struct register_estimate {
    static constexpr std::size_t buffers = decltype(Nest::buffers)::capacity + 1; // a nest may have none
    static constexpr std::size_t variables = decltype(Nest::variables)::capacity + 1;
    static constexpr int max_depth = 16;
    static constexpr int max_loads = 16;

    struct use {
        int first = -1; // leaves, numbered in order
        int last = -1;
        std::int64_t least = 0; // elements touched
        std::int64_t most = -1;
        bool by_vector = false;
    };

    const Nest& n;
    interval values[variables]{};
    use uses[buffers]{};
    int band[max_depth]{}; // loops of the open band, outermost first
    int leaves = 0;
    int live = 0;

    constexpr const node& at(int i) const { return n.nodes[i]; }

    // Whether the index moves with a variable that can take more than one value.
    constexpr bool depends(const affine& a, int variable) const
    {
        for (int i = a.first; i < a.first + a.count; ++i) {
            const affine_term& t = n.terms[i];
            if (t.variable == variable && t.coefficient != 0) return !values[variable].constant();
        }
        return false;
    }
    constexpr bool by_vector(const affine& a, int depth) const
    {
        for (int i = 0; i < depth; ++i)
            if (at(band[i]).bind == binding::vectorize && depends(a, at(band[i]).variable)) return true;
        return n.vector_length == 1;
    }

    constexpr void touch(const access& a, int depth)
    {
        if (n.buffers[a.buffer].memory != memory::registers) return;
        use& u = uses[a.buffer];
        const interval i = interval_of(n, a.index, values);
        if (u.first < 0) u = {.first = leaves, .last = leaves, .least = i.least, .most = i.most};
        u.last = leaves;
        if (i.least < u.least) u.least = i.least;
        if (i.most > u.most) u.most = i.most;
        if (by_vector(a.index, depth)) u.by_vector = true;
    }

    // First walk: which leaves use which register buffer.
    constexpr void collect(int node_index, int depth)
    {
        const node& here = at(node_index);
        if (here.kind == node_kind::leaf) {
            const statement& s = n.statements[here.statement];
            touch(n.accesses[s.target], depth);
            for_each_load(n, s.value, [&](int load) { touch(n.accesses[load], depth); });
            ++leaves;
            return;
        }
        const int before = leaves;
        const int inner = enter(here, node_index, depth);
        for (int c = here.child; c >= 0; c = at(c).next) collect(c, inner);
        // What a loop finds in registers it finds again in its next iteration.
        if (here.kind == node_kind::loop && here.bind != binding::vectorize)
            for (use& u : uses)
                if (u.first >= 0 && u.first < before && u.last >= before) u.last = leaves - 1;
    }

    // Second walk: the fullest band that is run again and again.
    constexpr void measure(int node_index, int depth, bool repeats)
    {
        const node& here = at(node_index);
        if (here.kind != node_kind::leaf) {
            const int inner = enter(here, node_index, depth);
            const bool again = repeats || (here.kind == node_kind::loop && here.bind == binding::serial &&
                                           !values[here.variable].constant());
            for (int c = here.child; c >= 0; c = at(c).next) measure(c, inner, again);
            return;
        }
        if (!repeats) {
            ++leaves;
            return;
        }
        std::int64_t count = 0;
        for (const use& u : uses) {
            if (u.first < 0 || u.first > leaves || u.last < leaves) continue;
            const std::int64_t length = u.by_vector ? n.vector_length : 1;
            count += (u.most - u.least + length) / length;
        }
        const broadcast from = n.vector_length == 1 ? broadcast::in_register : row_of(n.set).broadcast;
        bool has_scalar = false;
        int seen[max_loads]{};
        int loads = 0;
        for_each_load(n, n.statements[here.statement].value, [&](int load) {
            const access& a = n.accesses[load];
            if (n.buffers[a.buffer].memory == memory::registers) return;
            for (int i = 0; i < loads; ++i)
                if (seen[i] == load) return;
            if (loads < max_loads) seen[loads++] = load;
            if (by_vector(a.index, depth))
                count += kept(a.index, depth);
            else if (from == broadcast::from_lane)
                count += rows(a.index, depth);
            else if (from != broadcast::from_memory || is_reused(a.index, depth))
                has_scalar = true;
        });
        if (has_scalar) ++count;
        if (count > live) live = static_cast<int>(count > 1 << 20 ? 1 << 20 : count);
        ++leaves;
    }

    constexpr bool is_reused(const affine& a, int depth) const
    {
        for (int i = 0; i < depth; ++i) {
            const node& l = at(band[i]);
            if (l.bind == binding::unroll && !values[l.variable].constant() && !depends(a, l.variable)) return true;
        }
        return false;
    }

    constexpr std::int64_t kept(const affine& a, int depth) const
    {
        std::int64_t count = 1;
        bool repeats = false;
        bool has_next = false;
        for (int i = 0; i < depth; ++i) {
            const node& l = at(band[i]);
            const interval v = values[l.variable];
            if (l.bind == binding::vectorize || v.most <= v.least) continue;
            if (!depends(a, l.variable))
                repeats = true;
            else if (repeats)
                count *= v.most - v.least + 1;
            else
                has_next = true;
        }
        return row_of(n.set).broadcast == broadcast::from_lane && repeats && has_next ? 2 * count : count;
    }

    // Registers for lanes: one for each step of the innermost unrolled loop that they move with.
    constexpr std::int64_t rows(const affine& a, int depth) const
    {
        for (int i = depth; i-- > 0;) {
            const node& l = at(band[i]);
            const interval v = values[l.variable];
            if (l.bind != binding::unroll || v.most <= v.least || !depends(a, l.variable)) continue;
            const std::int64_t steps = v.most - v.least + 1;
            return moves_by_one(a, l.variable) ? (steps + n.vector_length - 1) / n.vector_length : steps;
        }
        return 1;
    }
    constexpr bool moves_by_one(const affine& a, int variable) const
    {
        for (int i = a.first; i < a.first + a.count; ++i)
            if (n.terms[i].variable == variable) return n.terms[i].coefficient == 1 && n.terms[i].parameter < 0;
        return false;
    }

    // Opens a node for its children: the depth of their band.
    constexpr int enter(const node& here, int node_index, int depth)
    {
        if (here.kind != node_kind::loop) return here.kind == node_kind::guard ? depth : 0;
        values[here.variable] = interval_of(n, here, values);
        if (here.bind != binding::unroll && here.bind != binding::vectorize) return 0;
        if (depth < max_depth) band[depth++] = node_index;
        return depth;
    }
};

// Estimate of the vector registers (scalars, where the nest has no vector loop) that the tile at node `tile` needs in
// its serial loops; 0 without one that runs more than once.
template <class Nest>
constexpr int live_registers(const Nest& n, int tile)
{
    register_estimate<Nest> e{n};
    open_intervals(n, tile, e.values);
    e.collect(tile, 0);
    e.leaves = 0;
    e.measure(tile, 0, false);
    return e.live;
}

// The same for the hungriest tile of the nest; 0 without one.
template <class Nest>
constexpr int live_registers(const Nest& n)
{
    int most = 0;
    for (std::size_t i = 0; i < n.nodes.size(); ++i) {
        if (n.nodes[i].kind != node_kind::tile) continue;
        const int live = live_registers(n, static_cast<int>(i));
        if (live > most) most = live;
    }
    return most;
}

} // namespace hone::ir
