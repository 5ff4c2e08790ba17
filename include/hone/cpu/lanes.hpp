// SPDX-License-Identifier: BSL-1.0
// Values that a product takes from a lane, as NEON's multiply-add by element does: where a band reads neighbours in
// memory one by one, for all lanes each, one load brings them into a register. Of four steps of k that are written out,
//
//     y[m, :] += x[m, k] * w[k, :]      k = 0, 1, 2, 3
//
// each row has one load of x[m, 0..3], of which the steps take lanes 0 to 3.
#pragma once

#include <cstdint>

#include <hone/core/isa.hpp>
#include <hone/cpu/environment.hpp>
#include <hone/ir/nest.hpp>
#include <hone/ir/visit.hpp>

#ifndef HONE_SHOW_WARNINGS // see core/config.hpp
#pragma GCC system_header
#endif

namespace hone::codegen::cpu {

// A value in memory that is read with the vector it stands in.
template <int Lane, class Element>
struct lane_place {
    static constexpr int lane = Lane;
    const Element* vector;
};

// The loop of a variable around a leaf; -1 where a guard between them knows it.
template <class Nest>
constexpr int loop_without_guards(const Nest& n, int leaf, int variable)
{
    for (int at = n.nodes[leaf].parent; at >= 0; at = n.nodes[at].parent) {
        const node& x = n.nodes[at];
        if (x.kind == node_kind::loop && x.variable == variable) return at;
        if (x.kind != node_kind::guard) continue;
        for (int c = x.conditions.first; c < x.conditions.first + x.conditions.count; ++c)
            for (int t = n.conditions[c].first; t < n.conditions[c].first + n.conditions[c].count; ++t)
                if (n.terms[t].variable == variable) return -1;
    }
    return -1;
}

// Notes in the plan of a leaf (cpu/band.hpp) which access is a lane, and of which variable its values are
// neighbours. Legal where the band reads all that is loaded, whatever else it does: nothing about the leaf is decided
// at run time, and no guard knows the loop.
template <class K, class Plan, class Accesses, class Instance>
constexpr void find_lane(Plan& p, const Accesses& accesses, const Instance& i)
{
    constexpr const auto& n = K::nest;
    if (row_of(K::set).broadcast != broadcast::from_lane || n.vector_length == 1 || i.vector_variable < 0) return;
    const ir::statement& st = n.statements[p.base.statement];
    if (st.reduce != reduction::add || n.exprs[st.value].op != expr_op::mul || p.accesses != 3) return;
    if (!p.base.plain || !p.in_registers[0]) return;
    for (std::int8_t a = 1; a < p.accesses; ++a) {
        if (p.in_registers[a] || facts<K>::coefficient(accesses.of[a], i.vector_variable) != 0) continue;
        for (int slot = 0; slot < i.depth; ++slot) {
            if (p.coefficients[a][slot] != 1) continue;
            const int loop = loop_without_guards(n, i.leaf, i.variable[slot]);
            if (loop < 0) continue;
            p.base.lane_of = a;
            p.lane_slot = slot;
            p.lane_values = interval_of(n, n.nodes[loop], nullptr);
            return;
        }
    }
}

// The lane of one step; none where too few values are left to fill a vector.
template <class K, class Step, class Plan>
constexpr void set_lane(Step& s, const Plan& p, std::int64_t value)
{
    s.lane = static_cast<std::int8_t>((value - p.lane_values.least) % K::nest.vector_length);
    if (value - s.lane + K::nest.vector_length - 1 > p.lane_values.most) s.lane_of = 0;
}

} // namespace hone::codegen::cpu
