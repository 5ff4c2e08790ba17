// SPDX-License-Identifier: BSL-1.0
// The direct template for outputs whose pixels in x are quotients of where they stand, as of a resized image. What
// finds a pixel is computed once for all channels:
//
//     for n, oh: ih = floor(oh * a / d): for ow: iw = floor(ow * a / d): for channels, by blocks of vectors
//         y[n, oh, ow, block] = sum over taps of x[n, ih + kh, iw + kw, block] * weight
//
// Where a call says how far apart they are, a sum is over the one or two pixels themselves, from floor(oh * a / d) on.
// Vectors lie along the channels: side by side in memory, or a plane apart, since neighbours along a row that is
// resized have sources of their own. A row that is not resized is a vector as any other, and so is one that is a few
// times as long, whose lanes share pixels.
#pragma once

#include <cstdint>

#include <hone/ir/visit.hpp>
#include <hone/op/definition.hpp>
#include <hone/schedule/roles.hpp>
#include <hone/schedule/schedule.hpp>

#ifndef HONE_SHOW_WARNINGS // see core/config.hpp
#pragma GCC system_header
#endif

namespace hone::schedules {

// Whether vectors along an axis are of elements that neighbouring lanes share.
constexpr bool shares_pixels(const definition& d, int axis)
{
    const operand& x = d.stages[0].operands[roles_of(d).x];
    for (std::size_t k = 0; k < x.index.size(); ++k)
        if (d.tensors[x.tensor].dims[k].block > 0 && moves_with(x.index[k], axis)) return true;
    return false;
}

// The definition with pixels of which each is the first one of a few neighbours in a row of y, as many as divide a
// vector. These are blocks of one element, and an axis u that begins with a whole block, in y or before it:
//
//     floor((times * o + added) / divisor) = floor(u / factor)    factor = divisor / times,  u = o + added / times
constexpr definition with_shared_pixels(definition d, isa set)
{
    stage& s = d.stages[0];
    const int row = roles_of(d).vector, own = quotient_along(s, row);
    if (own < 0 || s.axes[own].quotient.parameter >= 0) return d;
    axis_quotient& q = s.axes[own].quotient;
    if (q.times < 1 || q.divisor % q.times != 0 || lanes_of(set, d) % (q.divisor / q.times) != 0) return d;
    const int factor = static_cast<int>(q.divisor / q.times), before = static_cast<int>(q.added / q.times);
    operand& x = s.operands[roles_of(d).x];
    for (std::size_t k = 0; k < x.index.size(); ++k) {
        const dimension& dim = d.tensors[x.tensor].dims[k];
        const bool is_dense = dim.stride == 1 && dim.block == 0;
        if (moves_with(x.index[k], own) &&
            !(is_dense && x.index[k].terms[0] == index_term{static_cast<std::int8_t>(own), 1}))
            return d;
    }
    const auto shift = [&](dim_index& i) {
        for (const index_term& t : i.terms)
            if (t.axis == row) i.offset -= t.coefficient * before;
    };
    for (operand& o : s.operands)
        for (dim_index& i : o.index) shift(i);
    for (std::size_t k = 0; k < x.index.size(); ++k) {
        if (!moves_with(x.index[k], own)) continue;
        dimension& dim = d.tensors[x.tensor].dims[k];
        dim = {.extent = dim.extent * factor, .stride = 0, .block = factor, .outer_stride = 1};
        x.index[k].offset *= factor;
        for (index_term& t : x.index[k].terms) t.coefficient *= factor;
        x.index[k].terms[0] = {static_cast<std::int8_t>(row), 1};
    }
    for (table_operand& t : s.tables) shift(t.index);
    for (dim_index& i : s.output.index) shift(i);
    for (further_output& f : s.further)
        for (dim_index& i : f.to.index) shift(i);
    s.axes[row].extent += before;
    s.output.may_leave = s.output.may_leave || before > 0;
    q = {.of = q.of, .divisor = factor};
    return d;
}

// The axis of the vectors; -1: no axis of more than one step has lanes whose sources are found together.
constexpr int axis_of_samples(const definition& d)
{
    const stage& s = d.stages[0];
    const int dense = roles_of(d).vector;
    const bool is_together = dense >= 0 && (quotient_along(s, dense) < 0 || shares_pixels(d, dense));
    if (is_together && s.axes[dense].extent > 1) return dense;
    int longest = -1;
    for (int a = 0; a < static_cast<int>(s.axes.size()); ++a) {
        const bool is_free = !s.axes[a].reduction && !s.axes[a].is_quotient() && quotient_along(s, a) < 0 &&
                             s.axes[a].parameter < 0 && !has_open_stride(d, s, a) && s.axes[a].extent > 1;
        if (is_free && (longest < 0 || s.axes[a].extent > s.axes[longest].extent)) longest = a;
    }
    return longest;
}

// Vectors of such an axis.
constexpr std::int64_t vectors_of_samples(const definition& original, isa set)
{
    const definition d = with_shared_pixels(original, set);
    const int vector = axis_of_samples(d);
    return vector < 0 ? 1 : ceil_div(d.stages[0].axes[vector].extent, lanes_of(set, d));
}

// Channels of the call leave any remainder of a tile: means of 3 x 3 x 288 take 0.6 of the time with these halves.
constexpr void add_halves(stage_plan& p, const stage& s, int axis, std::int64_t vectors, std::int64_t lanes)
{
    for (; s.axes[axis].parameter >= 0 && vectors % 2 == 0 && vectors > 2;)
        p.add(axis, (vectors /= 2) * lanes, binding::unroll, tail::peel);
}

// A tile of so many vectors. Taps that are written out each test whether they are in x, else loops are over those that
// are.
constexpr schedule schedule_of_samples(const definition& original, std::int32_t vectors, bool unrolls_taps, isa set)
{
    schedule s;
    s.definition = with_shared_pixels(original, set);
    s.set = set;
    const definition& d = s.definition;
    const stage& g = d.stages[0];
    const int vector = axis_of_samples(d);
    s.vector_length = vector < 0 ? std::int16_t{1} : static_cast<std::int16_t>(lanes_of(set, d));

    stage_plan p;
    int last = -1, outer = 0; // the innermost axis around the tile stays with one thread
    for (int a = 0; a < static_cast<int>(g.axes.size()); ++a)
        if (a != vector && !g.axes[a].reduction && !g.axes[a].is_quotient() &&
            (g.axes[a].extent > 1 || g.axes[a].parameter >= 0))
            last = a, ++outer;
    for (int a = 0; a < static_cast<int>(g.axes.size()); ++a) {
        const bool runs = g.axes[a].extent > 1 || g.axes[a].parameter >= 0;
        if (a == vector || g.axes[a].reduction || !runs || (vector >= 0 && g.axes[a].quotient.of == vector)) continue;
        const bool is_serial = g.axes[a].is_quotient() || (a == last && outer > 1);
        p.add(a, 1, is_serial ? binding::serial : binding::parallel);
    }
    bool leaves = g.output.may_leave;
    for (const operand& o : g.operands) leaves = leaves || o.may_leave;
    const bool peels = leaves && vector >= 0 && shares_pixels(d, vector);
    if (vector >= 0)
        p.add(vector, std::int64_t{vectors} * s.vector_length, binding::serial, tail::peel,
              peels ? border::peel : border::none);
    p.open_tile();
    for (int a = 0; a < static_cast<int>(g.axes.size()); ++a)
        if (g.axes[a].reduction && g.axes[a].extent > 1) {
            // Lanes that leave x are known where the tap is.
            const bool along = peels && shares_dimension(g.operands[roles_of(d).x], a, vector);
            const bool clips = leaves && !along && !unrolls_taps, runs = clips || g.axes[a].is_quotient();
            p.add(a, 1, runs ? binding::serial : binding::unroll, tail::exact, clips ? border::clip : border::none);
        }
    if (vector >= 0) {
        add_halves(p, g, vector, vectors, s.vector_length);
        if (vectors > 1) p.add(vector, s.vector_length, binding::unroll, tail::guard);
        p.add(vector, 1, binding::vectorize);
    }
    s.plans.push_back(p);
    return s;
}

} // namespace hone::schedules
