// SPDX-License-Identifier: BSL-1.0
// The leaves of the tree and the guards that stand right above them: a leaf is under the tests that no loop around it
// decides, and its place among its siblings is the order in which it is made.
//
// Of y[i] = sum over t of x[i + t - 1] * w[t], for i below 10 and t below 3 with zeros outside x, and a plan of these
// levels
//
//     p.add(i, 5, binding::parallel).add(t, 1).open_tile();
//     p.add(i, 1, binding::unroll);
//
// a tile holds its sums for one tap only, so that y keeps them from tap to tap. After the first one they are read back,
// and an epilogue is for the last one alone: guards of one condition tell which it is. Guards of the sums stand for the
// ends of x, which a loop over i.1 and t.0 does not know:
//
//     parallel i.0 in [0, 2)
//       serial t.0 in [0, 3)
//         tile 5 registers
//           unroll i.1 in [0, 5)
//             acc[i.1] = 0
//             if t.0 >= 1
//               acc[i.1] = y[i.0*5 + i.1]
//           unroll i.1 in [0, 5)
//             if i.0*5 + i.1 + t.0 >= 1 && i.0*5 + i.1 + t.0 < 11
//               acc[i.1] += x[i.0*5 + i.1 + t.0 - 1] * w[t.0]
//           unroll i.1 in [0, 5)
//             if t.0 < 2
//               y[i.0*5 + i.1] = acc[i.1]
//             if t.0 >= 2
//               y[i.0*5 + i.1] = acc[i.1]
#pragma once

#include <cstddef>
#include <cstdint>

#include <hone/ir/nest.hpp>
#include <hone/ir/visit.hpp>
#include <hone/lower/bounds.hpp>
#include <hone/schedule/schedule.hpp>

#ifndef HONE_SHOW_WARNINGS // see core/config.hpp
#pragma GCC system_header
#endif

namespace hone::schedules {

class lowering_leaves : protected lowering_bounds {
protected:
    using lowering_bounds::lowering_bounds;

    // Behind the children that the parent has; a parent of -1: among the roots.
    constexpr int append(int parent, node x)
    {
        x.parent = static_cast<std::int16_t>(parent);
        const int id = n_.nodes.push_back(x);
        if (n_.nodes.overflowed()) {
            fail(fault::capacity, static_cast<std::int64_t>(n_.nodes.capacity), 0, "nodes");
            return id;
        }
        last_child_[id] = -1;
        std::int16_t& last = parent < 0 ? last_root_ : last_child_[parent];
        if (last < 0)
            (parent < 0 ? n_.root : n_.nodes[parent].child) = static_cast<std::int16_t>(id);
        else
            n_.nodes[last].next = static_cast<std::int16_t>(id);
        last = static_cast<std::int16_t>(id);
        return id;
    }

    // A guard for variable == edge, or != edge, where edge is the first (0) or last value.
    constexpr int at_edge(int parent, int v, std::int64_t edge, bool equal)
    {
        const std::size_t first_term = n_.terms.size();
        affine value{};
        const std::int64_t sign = (edge == 0) == equal ? -1 : 1;
        value.constant = equal ? -sign * edge : (edge == 0 ? -1 : edge - 1);
        add_term(value, v, -1, equal ? sign : (edge == 0 ? 1 : -1));
        node g{.kind = node_kind::guard};
        g.conditions = interned_conditions({static_cast<std::int16_t>(n_.conditions.push_back(value)), 1}, first_term);
        return append(parent, g);
    }

    // A guard for the last iteration of a level whose end the call gives, or for those before it: after a step of it
    // nothing of the axis is left, or something.
    constexpr int at_end(int parent, int st, int l, bool equal)
    {
        const std::size_t first_term = n_.terms.size();
        affine value = rest_of(st, plan(st).levels[l].axis, std::uint32_t{1} << l);
        value.constant -= plan(st).levels[l].step + (equal ? 0 : 1);
        if (equal) {
            value.constant = -value.constant;
            for (int i = value.first; i < value.first + value.count; ++i) n_.terms[i].coefficient *= -1;
        }
        node g{.kind = node_kind::guard};
        g.conditions = interned_conditions({static_cast<std::int16_t>(n_.conditions.push_back(value)), 1}, first_term);
        return append(parent, g);
    }

    // The leaf of a stage, unless it never runs, under the conditions that are left to test here.
    constexpr void emit_leaf(int st, const context& c, leaf_kind kind, int parent)
    {
        range conditions{static_cast<std::int16_t>(n_.conditions.size()), 0};
        for (std::size_t r = 0; r < requirements_.size(); ++r) {
            const requirement& q = requirements_[r];
            if (q.stage != st || (c.satisfied >> r & 1)) continue;
            if (q.axis >= 0) {
                if (!c.axes[q.axis].guarded || !leaves_memory(st, q.axis, kind)) continue;
                if (interval_of(n_, q.value, variables_).least >= 0) continue;
            } else {
                const bool drops_store = q.operand == output_slot && !stays_in_registers(kind);
                const bool skips_tap = kind == leaf_kind::reduce && may_skip(st, q.operand) && !masks(st, q.operand);
                if (!drops_store && !skips_tap) continue;
                if (never(st, q, c)) return;
                if (always(st, q, c)) continue;
            }
            if (put(n_.conditions, q.value, "conditions")) ++conditions.count;
        }
        if (conditions.count > 0) {
            node g{.kind = node_kind::guard};
            g.conditions = interned_conditions(conditions, n_.terms.size());
            parent = append(parent, g);
        }
        const auto add = [&](int slot) {
            node x{.kind = node_kind::leaf};
            x.statement = static_cast<std::int16_t>(
                statement_of(st, kind, c.hoisted, slot, kind == leaf_kind::fold ? fold_level_ : 0));
            append(parent, x);
        };
        // The output last: it may stand in the place of what further ones read.
        if (kind == leaf_kind::whole || kind == leaf_kind::store)
            for (std::size_t f = 0; f < d_.stages[st].further.size(); ++f) add(output_slot + 1 + static_cast<int>(f));
        add(output_slot);
    }

    int fold_level_ = 0; // that a pass takes together

private:
    std::int16_t last_child_[512]{}, last_root_ = -1;
};

} // namespace hone::schedules
