// SPDX-License-Identifier: BSL-1.0
// Tests of where the rows of a tile lie, for border::test: a loop over taps asks once for all rows which of them are
// inside, and has a body for each answer. What all rows meet or miss together is one guard. Of what moves with the
// rows, the last ones meet the lower end and the first ones the upper, so that guards of opposite conditions, one
// within the other, find how many do.
//
// Of y[i] = sum over t of x[i + t - 1] * w[t], for i below 10 and t below 3 with zeros outside x, and a plan of these
// levels
//
//     p.add(i, 2, binding::parallel).open_tile();
//     p.add(t, 1, binding::serial, tail::exact, border::test).add(i, 1, binding::unroll);
//
// a tap of both rows comes first, that of the first row alone next, then that of the second. Where no row is inside
// there is nothing; of more rows, leaves test what is left, rows outside at both ends among it:
//
//     parallel i.0 in [0, 5)
//       tile 2 registers
//         unroll i.1 in [0, 2)
//           acc[i.1] = 0
//         serial t.0 in [0, 3)
//           if i.0*2 + t.0 >= 1
//             if i.0*2 + t.0 < 10
//               unroll i.1 in [0, 2)
//                 acc[i.1] += x[i.0*2 + i.1 + t.0 - 1] * w[t.0]
//             if i.0*2 + t.0 >= 10
//               if i.0*2 + t.0 < 11
//                 unroll i.1 in [0, 1)
//                   acc[i.1] += x[i.0*2 + i.1 + t.0 - 1] * w[t.0]
//           if i.0*2 + t.0 < 1
//             if i.0*2 + t.0 < 10
//               if i.0*2 + t.0 >= 0
//                 unroll i.1 in [1, 2)
//                   acc[i.1] += x[i.0*2 + i.1 + t.0 - 1] * w[t.0]
//         unroll i.1 in [0, 2)
//           y[i.0*2 + i.1] = acc[i.1]
#pragma once

#include <cstdint>

#include <hone/ir/nest.hpp>
#include <hone/ir/visit.hpp>
#include <hone/lower/leaves.hpp>
#include <hone/schedule/schedule.hpp>

#ifndef HONE_SHOW_WARNINGS // see core/config.hpp
#pragma GCC system_header
#endif

namespace hone::schedules {

class lowering_row_tests : protected lowering_leaves {
protected:
    using lowering_leaves::lowering_leaves;

    // Requirements that move with a level of rows, which are written out inside; -1: there is none.
    struct row_tests {
        int stage = -1;
        int level = -1;
        int lower = -1, upper = -1;
    };
    // Those of an open level l. What it decides for all rows becomes a guard, which is the parent from then on, and is
    // noted in `c`. What moves with several levels inside is left to leaves.
    constexpr row_tests tests_of(int st, int l, context& c, int& parent)
    {
        row_tests tests{.stage = st};
        const std::size_t first_term = n_.terms.size();
        range whole{static_cast<std::int16_t>(n_.conditions.size()), 0};
        for (std::size_t r = 0; r < requirements_.size(); ++r) {
            const requirement& q = requirements_[r];
            if (q.stage != st || q.operand < 0 || q.operand == output_slot || (c.satisfied >> r & 1)) continue;
            bool moves = false;
            for (const index_term& t : index_of_requirement(q).terms)
                moves = moves || t.axis == plan(st).levels[l].axis;
            if (!moves || !may_skip(st, q.operand) || masks(st, q.operand) || always(st, q, c)) continue;
            int inner = -1;
            std::int64_t step = 0;
            bool is_known = true;
            for (int i = q.value.first; i < q.value.first + q.value.count; ++i) {
                const int o = n_.terms[i].variable - variable_of(st, 0);
                if (n_.terms[i].variable < 0 || o < 0 || o >= levels(st) || (c.opened >> o & 1)) continue;
                is_known = is_known && inner < 0 && plan(st).levels[o].bind == binding::unroll;
                inner = o;
                step = n_.terms[i].coefficient;
            }
            if (!is_known) continue;
            if (inner < 0) {
                if (put(n_.conditions, q.value, "conditions")) ++whole.count;
                c.satisfied |= std::uint64_t{1} << r;
                continue;
            }
            int& side = step > 0 ? tests.lower : tests.upper;
            if (side >= 0 || (tests.level >= 0 && tests.level != inner)) continue;
            side = static_cast<int>(r);
            tests.level = inner;
        }
        if (whole.count > 0) {
            node g{.kind = node_kind::guard};
            g.conditions = interned_conditions(whole, first_term);
            parent = append(parent, g);
        }
        return tests;
    }

    // More of the first rows that are outside than these are left to leaves, and so are rows outside at both ends.
    static constexpr std::int64_t most_first = 2;

    // emit(context, parent) for each answer.
    template <class Emit>
    constexpr void for_each_rows(const row_tests& t, const context& c, int parent, Emit&& emit)
    {
        const std::int64_t all = count_of(t.stage, t.level);
        if (t.lower < 0) {
            first_rows(t, c, parent, all, emit);
            return;
        }
        const auto [met, missed] = branch(t, t.lower, 0, parent, all > 1);
        first_rows(t, c, met, all, emit);
        if (all == 1) return;
        int within = missed;
        if (t.upper >= 0) { // of two rows, one would be outside at each end
            const auto [whole, both] = branch(t, t.upper, all - 1, missed, all > 2);
            if (all > 2) emit(c, both);
            within = whole;
        }
        for (std::int64_t first = 1; first <= most_first; ++first) {
            const bool may_be_fewer = first + 1 < all;
            const auto [last_rows, fewer] = branch(t, t.lower, first, within, may_be_fewer);
            emit(of_rows(t, c, first, all), last_rows);
            if (!may_be_fewer) return;
            within = fewer;
        }
        emit(c, within);
    }

private:
    // All rows meet the lower end; the first ones the upper.
    template <class Emit>
    constexpr void first_rows(const row_tests& t, const context& c, int parent, std::int64_t count, Emit&& emit)
    {
        for (; t.upper >= 0 && count > 0; --count) {
            const auto [met, missed] = branch(t, t.upper, count - 1, parent, count > 1);
            emit(of_rows(t, c, 0, count), met);
            parent = missed;
        }
        if (t.upper < 0) emit(of_rows(t, c, 0, count), parent);
    }
    constexpr context of_rows(const row_tests& t, context c, std::int64_t first, std::int64_t end) const
    {
        for (const int r : {t.lower, t.upper})
            if (r >= 0) c.satisfied |= std::uint64_t{1} << r;
        c.narrowed = static_cast<std::int8_t>(t.level);
        c.first = first;
        c.end = end;
        return c;
    }

    // Guards of a requirement and, where there is something for it, of its negation, for one row.
    struct guard_pair {
        int met, missed;
    };
    constexpr guard_pair branch(const row_tests& t, int r, std::int64_t row, int parent, bool has_missed = true)
    {
        const auto guard = [&](std::int64_t sign) {
            const std::size_t first_term = n_.terms.size();
            const affine value = requirements_[r].value;
            affine condition{.constant = sign < 0 ? -value.constant - 1 : value.constant};
            for (int i = value.first; i < value.first + value.count; ++i) {
                const affine_term x = n_.terms[i];
                const bool is_row = x.variable == variable_of(t.stage, t.level);
                const std::int64_t by = sign * x.coefficient * (is_row ? row : 1);
                if (is_row && x.parameter < 0)
                    condition.constant += by;
                else
                    add_term(condition, is_row ? -1 : x.variable, x.parameter, by);
            }
            node g{.kind = node_kind::guard};
            g.conditions = {static_cast<std::int16_t>(n_.conditions.size()), 0};
            if (put(n_.conditions, condition, "conditions")) g.conditions.count = 1;
            g.conditions = interned_conditions(g.conditions, first_term);
            return append(parent, g);
        };
        const int met = guard(1);
        return {met, has_missed ? guard(-1) : -1};
    }
};

} // namespace hone::schedules
