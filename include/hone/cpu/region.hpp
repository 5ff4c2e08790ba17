// SPDX-License-Identifier: BSL-1.0
// How long a chunk of a parallel region takes, as far as its nest shows it: statements executed, at a rate that the
// register tiles of large kernels reach. run_region() compares it with what waking threads costs.
#pragma once

#include <cstdint>

#include <hone/core/config.hpp>
#include <hone/core/sequence.hpp>
#include <hone/ir/nest.hpp>
#include <hone/ir/visit.hpp>

#ifndef HONE_SHOW_WARNINGS // see core/config.hpp
#pragma GCC system_header
#endif

namespace hone::codegen {

// Of one vector, or of one scalar where the nest has no vectors. A Zen 5 core does 8.6 multiply-adds in a nanosecond,
// older ones half as many; what only moves data is bound by its loads and stores.
inline constexpr std::int64_t reduction_picoseconds = 250;
inline constexpr std::int64_t copy_picoseconds = 1000;

// Of a node and its later siblings; a loop whose bounds move counts with the most iterations that it has.
template <class Nest>
constexpr std::int64_t picoseconds_below(const Nest& n, int at, interval* variables)
{
    std::int64_t sum = 0, other = 0;
    for (; at >= 0; at = n.nodes[at].next) {
        const node& x = n.nodes[at];
        if (x.kind == node_kind::leaf) {
            sum += n.statements[x.statement].reduce == reduction::none ? copy_picoseconds : reduction_picoseconds;
            continue;
        }
        std::int64_t times = 1;
        if (x.kind == node_kind::loop) {
            const interval i = interval_of(n, x, variables);
            if (i.most < i.least) continue;
            variables[x.variable] = i;
            const std::int64_t runs = runs_for_quotient(n, x);
            if (x.bind != binding::vectorize) times = runs > 0 ? runs : i.most - i.least + 1;
        }
        const std::int64_t own = times * picoseconds_below(n, x.child, variables);
        sum += own > other ? own - other : 0;
        other = has_opposite(n, at) ? own : 0; // of two such guards one runs: the longer one counts
    }
    return sum;
}

// One iteration of the loop `at`, for the largest parameters.
template <class Nest>
constexpr std::int64_t chunk_picoseconds(Nest n, int at)
{
    // Between the least and the most, loops over what a tile leaves would each have all of it.
    for (parameter& p : n.parameters) p.least = p.most;
    interval variables[decltype(n.variables)::capacity + 1]{};
    open_intervals(n, at, variables);
    return picoseconds_below(n, n.nodes[at].child, variables);
}

// Whether the number of iterations of a loop below `at` hangs on the parameter. Of an image those of its windows count,
// which come of it; that of which pixels are taken, and how far apart, counts none.
template <class Nest>
constexpr bool is_bounded_by(const Nest& n, int at, int parameter)
{
    for (const ir::parameter& p : n.parameters)
        if (p.counts_windows_of(parameter) || p.over == parameter || n.parameters[parameter].scale > 0) return false;
    const auto names = [&](const range& bounds) {
        for (int b = bounds.first; b < bounds.first + bounds.count; ++b) {
            const affine& v = n.bounds[b].value;
            for (int i = v.first; i < v.first + v.count; ++i)
                if (n.terms[i].parameter == parameter) return true;
        }
        return false;
    };
    for (int c = n.nodes[at].child; c >= 0; c = n.nodes[c].next)
        if (names(n.nodes[c].lower) || names(n.nodes[c].upper) || is_bounded_by(n, c, parameter)) return true;
    return false;
}

// Nanoseconds of so many iterations of the loop Node of K::nest: in proportion to the parameters that bound loops in
// it.
template <class K, int Node>
HONE_INLINE constexpr std::int64_t chunks_ns(std::int64_t chunks, const std::int64_t* parameters)
{
    constexpr std::int64_t picoseconds = chunk_picoseconds(K::nest, Node);
    std::int64_t ns = chunks * picoseconds / 1000;
    [&]<int... P>(sequence<P...>) HONE_INLINE_LAMBDA {
        (
            [&]() HONE_INLINE_LAMBDA {
                constexpr std::int64_t most = K::nest.parameters[P].most;
                if constexpr (most > 0 && is_bounded_by(K::nest, Node, P)) ns = ns * parameters[P] / most;
            }(),
            ...);
    }(make_sequence<static_cast<int>(K::nest.parameters.size())>{});
    return ns;
}

} // namespace hone::codegen
