// SPDX-License-Identifier: BSL-1.0
// Groups of few channels: the lanes of a vector walk several groups and all of their channels, as one axis. Else 4
// channels of a group would be 4 of 16 lanes.
//
// Of 32 groups of 4 outputs each, of 4 inputs, as ResNeXt has them, and vectors of 16, the axes g and oc
//
//     y[g][oc] += x[g][ic] * w[g][oc][ic]      for g below 32, oc and ic below 4
//
// become one axis c of 128, along which y and packed weights are contiguous. It is in blocks of 4 in x, whose elements
// are one element of memory (lower/levels.hpp): lane i of a vector reads x[.. + i / 4][ic].
//
//     y[c] += x[c / 4][ic] * w[c][ic]          for c below 128
//
// Where channels do not divide a vector, as 3 of 16, the axis holds as many groups as divide all and fit one: of 30
// groups 5, and 15 lanes work.
#pragma once

#include <cstddef>
#include <cstdint>

#include <hone/core/isa.hpp>
#include <hone/op/definition.hpp>
#include <hone/schedule/packed.hpp>
#include <hone/schedule/roles.hpp>
#include <hone/schedule/transform.hpp>

#ifndef HONE_SHOW_WARNINGS // see core/config.hpp
#pragma GCC system_header
#endif

namespace hone::schedules {

// The axis that vectors walk together with the vector axis; -1: none, where that fills more than half of one alone.
struct lane_fusion {
    int outer = -1;
    int inner = -1;
    std::int64_t steps = 1;      // of the outer one that are in the fused axis
    std::int64_t one_vector = 0; // elements of the fused axis where that is one vector at most; 0: any number
    constexpr bool applies() const { return outer >= 0; }
};

// Where an operand stands along both axes: in dimensions of their own, so that both are one axis of it (together), or
// that steps of the inner one stay where they are (outer alone), or that neither moves it (neither).
enum class fused_place : std::uint8_t { impossible, neither, outer_alone, together };
constexpr fused_place fused_place_of(const definition& d, const operand& o, int outer, int inner)
{
    const bool by_outer = moves_along(o, outer), by_inner = moves_along(o, inner);
    if (!by_outer && !by_inner) return fused_place::neither;
    const tensor& t = d.tensors[o.tensor];
    const int a = dimension_of_all(d, o, outer);
    int readers = 0;
    for (const operand& other : d.stages[0].operands) readers += other.tensor == o.tensor ? 1 : 0;
    if (a < 0 || readers > 1) return fused_place::impossible;
    if (!by_inner)
        return t.dims.size() < decltype(t.dims)::capacity ? fused_place::outer_alone : fused_place::impossible;
    const int b = dimension_of_all(d, o, inner);
    const bool is_one = b >= 0 && t.dims[a].stride == t.dims[b].stride * t.dims[b].extent;
    return is_one ? fused_place::together : fused_place::impossible;
}

constexpr bool are_fused_lanes(const definition& d, const direct_roles& r, int outer)
{
    const stage& s = d.stages[0];
    if (s.axes[outer].reduction || s.axes[outer].extent < 2 || s.axes[outer].parameter >= 0) return false;
    for (const table_operand& t : s.tables)
        for (const index_term& term : t.index.terms)
            if (term.axis == outer || term.axis == r.vector) return false;
    const auto place = [&](const operand& o) { return fused_place_of(d, o, outer, r.vector); };
    if (!is_dense_along(d, s.output, r.vector) || place(s.output) != fused_place::together) return false;
    if (place(s.operands[r.weights]) != fused_place::together) return false;
    if (place(s.operands[r.x]) != fused_place::outer_alone) return false;
    for (std::size_t o = 0; o < s.operands.size(); ++o) {
        const fused_place p = place(s.operands[o]);
        const bool is_weights = d.tensors[s.operands[o].tensor].role == role::weights;
        if (p == fused_place::impossible || (is_weights && p == fused_place::outer_alone)) return false;
    }
    for (const further_output& f : s.further)
        if (place(f.to) != fused_place::together) return false;
    return true;
}

// Of a definition with direct roles.
constexpr lane_fusion lane_fusion_of(const definition& d, isa set)
{
    const direct_roles r = roles_of(d);
    const stage& s = d.stages[0];
    if (r.vector < 0 || r.weights < 0 || r.x < 0 || s.axes[r.vector].parameter >= 0) return {};
    const std::int64_t lanes = lanes_of(set, d), own = s.axes[r.vector].extent;
    if (own < 2 || 2 * own > lanes) return {};
    for (int outer = 0; outer < static_cast<int>(s.axes.size()); ++outer) {
        if (outer == r.vector || !are_fused_lanes(d, r, outer)) continue;
        std::int64_t steps = s.axes[outer].extent;
        if (lanes % own != 0)
            for (steps = lanes / own; s.axes[outer].extent % steps != 0;) --steps;
        if (steps > 1)
            return {
                .outer = outer, .inner = r.vector, .steps = steps, .one_vector = lanes % own == 0 ? 0 : steps * own};
    }
    return {};
}

// The definition with the fused axis in the place of the inner one; of the outer one the other steps are left.
constexpr definition with_fused_lanes(const definition& original, const lane_fusion& f)
{
    definition d = original;
    stage& s = d.stages[0];
    const std::int64_t own = s.axes[f.inner].extent, rest = s.axes[f.outer].extent / f.steps;
    const auto fuse = [&](operand& o) {
        const fused_place p = fused_place_of(original, o, f.outer, f.inner);
        if (p == fused_place::neither) return;
        tensor& t = d.tensors[o.tensor];
        dimension& outer = t.dims[dimension_of_all(original, o, f.outer)];
        const std::int64_t stride = outer.stride;
        outer.extent = rest;
        outer.stride = stride * f.steps;
        if (p == fused_place::together) {
            t.dims[dimension_of_all(original, o, f.inner)].extent = own * f.steps;
            return;
        }
        // Behind all others, so that a copy has the lanes side by side.
        t.dims.push_back({.extent = own * f.steps, .stride = 0, .block = own, .outer_stride = stride});
        o.index.push_back(along(f.inner));
    };
    for (operand& o : s.operands) fuse(o);
    for (further_output& o : s.further) fuse(o.to);
    fuse(s.output);
    s.axes[f.outer].extent = rest;
    s.axes[f.inner].extent = own * f.steps;
    return d;
}

// Weights of a definition with the fused axis as packed_along() packs them for tiles of `vectors`; of one vector at
// most they have no padding.
constexpr packed_tensors packed_along(const definition& fused, const lane_fusion& f, std::int64_t vectors, isa set)
{
    if (f.one_vector == 0) return packed_along(fused, vectors * lanes_of(set, fused));
    packed_tensors all = packed_along(fused, f.one_vector);
    for (tensor& t : all)
        for (dimension& dim : t.dims) dim.block = 0; // the whole axis is one
    return all;
}

// Packed weights of the definition with the fused axis, as the operator has their dimensions.
constexpr packed_tensors split_lanes(const definition& original, const lane_fusion& f, packed_tensors packed)
{
    const stage& s = original.stages[0];
    std::size_t which = 0;
    for (std::size_t w = 0; w < original.tensors.size(); ++w) {
        if (original.tensors[w].role != role::weights) continue;
        tensor& t = packed[which++];
        for (const operand& o : s.operands) {
            if (o.tensor != static_cast<int>(w) || !moves_along(o, f.outer)) continue;
            dimension& outer = t.dims[dimension_of_all(original, o, f.outer)];
            dimension& inner = t.dims[dimension_of_all(original, o, f.inner)];
            const std::int64_t own = s.axes[f.inner].extent;
            const bool has_blocks = f.one_vector == 0; // of the fused axis; else each is one
            outer = {.extent = s.axes[f.outer].extent,
                     .stride = own,
                     .block = has_blocks ? inner.block / own : f.steps,
                     .outer_stride = has_blocks ? inner.outer_stride : outer.stride};
            inner = {.extent = own, .stride = 1};
        }
    }
    return packed;
}

} // namespace hone::schedules

namespace hone { // API
using schedules::packed_along;
} // namespace hone
