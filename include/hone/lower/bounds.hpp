// SPDX-License-Identifier: BSL-1.0
// The limits of a nest's loops: of whole and partial axes, and of reductions that run over live taps only. What passes
// and siblings state again and again is kept once.
//
// Of y[i] = sum over t of x[i + t - 1] * w[t], for i below 10 and t below 3 with zeros outside x, and a plan of these
// levels
//
//     p.add(i, 4, binding::parallel, tail::bound).add(i, 1).open_tile();
//     p.add(t, 1, binding::serial, tail::exact, border::clip);
//
// i.1 stops where i ends, and t.0 runs over the taps that are in x. Both limits of t.0 are solved from the conditions
// that x states, 4 i.0 + i.1 + t.0 - 1 >= 0 and 10 - 4 i.0 - i.1 - t.0 >= 0, so that no leaf tests them:
//
//     parallel i.0 in [0, 3)
//       serial i.1 in [0, min(4, -i.0*4 + 10))
//         tile 1 registers
//           acc[0] = 0
//           serial t.0 in [max(0, -i.0*4 - i.1 + 1), min(3, -i.0*4 - i.1 + 11))
//             acc[0] += x[i.0*4 + i.1 + t.0 - 1] * w[t.0]
//           y[i.0*4 + i.1] = acc[0]
#pragma once

#include <cstdint>

#include <hone/ir/nest.hpp>
#include <hone/ir/visit.hpp>
#include <hone/lower/statements.hpp>
#include <hone/schedule/schedule.hpp>

#ifndef HONE_SHOW_WARNINGS // see core/config.hpp
#pragma GCC system_header
#endif

namespace hone::schedules {

class lowering_bounds : protected lowering_statements {
protected:
    using lowering_statements::lowering_statements;

    // A limit of a loop: a constant, and where `rounded` >= 0 also floor((rest + rounded) / step) of a partial axis;
    // with a parameter also floor((parameter + added) / divisor); of a quotient also its value where `past` more is
    // divided, if that is 0 or more.
    struct limit {
        std::int64_t constant = 0;
        int rounded = -1;
        bool has_constant = true;
        std::int16_t parameter = -1;
        std::int64_t added = 0, divisor = 1;
        std::int64_t past = -1;

        constexpr bool is_constant() const { return rounded < 0 && parameter < 0 && past < 0; }
    };

    constexpr bool touches_border(int st, int l, const context& c, std::int64_t at)
    {
        const interval kept = variables_[variable_of(st, l)];
        variables_[variable_of(st, l)] = {at, at};
        bool touches = false;
        for (std::size_t r = 0; r < requirements_.size() && !touches; ++r) {
            const requirement& q = requirements_[r];
            if (q.stage != st || q.operand < 0 || (c.satisfied >> r & 1)) continue;
            bool moves = false;
            for (const index_term& t : index_of_requirement(q).terms)
                if (t.axis == plan(st).levels[l].axis) moves = true;
            touches = moves && !always(st, q, c);
        }
        variables_[variable_of(st, l)] = kept;
        return touches;
    }

    constexpr range limits(int st, int l, const context& c, const limit& x)
    {
        const int ax = plan(st).levels[l].axis;
        const std::int64_t step = plan(st).levels[l].step;
        range r{static_cast<std::int16_t>(n_.bounds.size()), 0};
        if (x.has_constant && put(n_.bounds, {.value = {.constant = x.constant}}, "bounds")) ++r.count;
        if (x.rounded >= 0) {
            bound b{.value = rest_of(st, ax, c.opened), .divisor = step};
            b.value.constant += x.rounded;
            if (put(n_.bounds, b, "bounds")) ++r.count;
        }
        if (x.parameter >= 0) {
            bound b{.value = {.constant = x.added}, .divisor = x.divisor};
            add_term(b.value, -1, x.parameter, 1);
            if (put(n_.bounds, b, "bounds")) ++r.count;
        }
        if (x.past >= 0) {
            const axis_quotient& q = d_.stages[st].axes[ax].quotient;
            bound b{.value = {.constant = q.rest + x.past}, .divisor = q.divisor};
            add_term(b.value, -1, q.parameter, q.added + q.times * base_offset(st, q.of));
            contributions(st, q.of, q.times, levels(st),
                          [&](int v, std::int64_t k, int, int) { add_term(b.value, v, q.parameter, k); });
            if (put(n_.bounds, b, "bounds")) ++r.count;
        }
        return r;
    }

    // Steps of level l that touch no padding, where its axis is the windows of an image that the call gives: [first,
    // floor((parameter + added) / divisor)), and the requirements that all of them meet. None where anything else ends
    // with that image.
    struct inner_steps {
        std::int64_t first = 0;
        limit end{}, before{}, behind{}, all{}; // ends of the steps in front, and where those behind begin and end
        std::uint64_t satisfied = 0;
    };
    constexpr inner_steps inner_steps_of(int st, int l, const context& c) const
    {
        const int ax = plan(st).levels[l].axis;
        const std::int64_t step = plan(st).levels[l].step;
        inner_steps inner;
        const axis_state& a = c.axes[ax];
        const axis& whole = d_.stages[st].axes[ax];
        if (plan(st).levels[l].border != border::peel || whole.parameter < 0 || a.extent != whole.extent || a.guarded)
            return inner;
        const parameter& windows = n_.parameters[whole.parameter];
        for (std::size_t r = 0; r < requirements_.size(); ++r) {
            const requirement& q = requirements_[r];
            if (q.stage != st || q.operand < 0 || (c.satisfied >> r & 1)) continue;
            const dim_index& index = index_of_requirement(q);
            if (index.has_parameters()) return {};
            std::int64_t moved = 0; // by a step of the axis
            interval others{index.offset, index.offset};
            for (const index_term& t : index.terms) {
                if (t.axis == ax) {
                    moved += t.coefficient;
                    continue;
                }
                const std::int64_t last = t.coefficient * (d_.stages[st].axes[t.axis].extent - 1);
                (last < 0 ? others.least : others.most) += last;
            }
            if (moved == 0) continue;
            const std::int16_t end = d_.tensors[operand_of(st, q.operand).tensor].dims[q.dim].extent_parameter;
            const bool is_window = end >= 0 && windows.dividend == end && windows.divisor == moved &&
                                   windows.added >= moved - 1 - others.most;
            if (!is_window || has_base(st, ax) || (q.upper && inner.end.parameter >= 0)) return {};
            inner.satisfied |= std::uint64_t{1} << r;
            // moved * step * i + others.least >= 0, and moved * (step * i + step - 1) + others.most < parameter.
            const std::int64_t first = ceil_div(-others.least, moved * step);
            if (!q.upper && first > inner.first) inner.first = first;
            if (q.upper) inner.end = {a.extent / step, 0, true, end, moved - 1 - others.most, moved * step};
        }
        inner.all = {ceil_div(a.extent, step), static_cast<int>(step - 1)};
        inner.before = {inner.first < inner.all.constant ? inner.first : inner.all.constant, inner.all.rounded};
        inner.behind = {inner.first, -1, true, inner.end.parameter, inner.end.added, inner.end.divisor};
        return inner;
    }

    // Passes and siblings state the same limits and conditions again and again; each is kept once. `first_term` is the
    // size of the term table before the entries were made.
    constexpr range interned_bounds(range r, std::size_t first_term)
    {
        for (int at = 0; at + r.count <= r.first; ++at) {
            bool equal = true;
            for (int i = 0; i < r.count && equal; ++i)
                equal = n_.bounds[at + i].divisor == n_.bounds[r.first + i].divisor &&
                        same(n_.bounds[at + i].value, n_.bounds[r.first + i].value);
            if (!equal) continue;
            n_.bounds.resize(static_cast<std::size_t>(r.first));
            n_.terms.resize(first_term);
            return {static_cast<std::int16_t>(at), r.count};
        }
        return r;
    }

    constexpr range interned_conditions(range r, std::size_t first_term)
    {
        for (int at = 0; at + r.count <= r.first; ++at) {
            bool equal = true;
            for (int i = 0; i < r.count && equal; ++i) equal = same(n_.conditions[at + i], n_.conditions[r.first + i]);
            if (!equal) continue;
            n_.conditions.resize(static_cast<std::size_t>(r.first));
            n_.terms.resize(first_term);
            return {static_cast<std::int16_t>(at), r.count};
        }
        return r;
    }

    constexpr void clip(int st, int l, context& c, range& limits, bool upper)
    {
        for (std::size_t r = 0; r < requirements_.size(); ++r) {
            const requirement& q = requirements_[r];
            if (c.satisfied >> r & 1) continue;
            const std::int64_t step = clip_step(st, l, c.opened, q);
            if (step == 0 || (step < 0) != upper || plan(st).levels[l].step != 1 || always(st, q, c)) continue;
            // rest + step * v >= 0: v >= ceil(-rest / step), or v <= floor(rest / -step).
            bound b{.divisor = step > 0 ? step : -step};
            b.value.constant = step > 0 ? -q.value.constant + step - 1 : q.value.constant - step;
            for (int i = q.value.first; i < q.value.first + q.value.count; ++i) {
                const affine_term t = n_.terms[i];
                if (t.variable == variable_of(st, l)) continue;
                add_term(b.value, t.variable, t.parameter, step > 0 ? -t.coefficient : t.coefficient);
            }
            if (put(n_.bounds, b, "bounds")) ++limits.count;
            c.satisfied |= std::uint64_t{1} << r;
        }
    }

    constexpr void clip_satisfied(int st, int l, context& c) const
    {
        if (plan(st).levels[l].step != 1) return;
        for (std::size_t r = 0; r < requirements_.size(); ++r)
            if (clip_step(st, l, c.opened, requirements_[r]) != 0) c.satisfied |= std::uint64_t{1} << r;
    }

    constexpr void set_radix(int st, int l, node& x) const
    {
        const binding bind = plan(st).levels[l].bind;
        x.outermost = true;
        for (int o = 0; o < l; ++o)
            if (plan(st).levels[o].bind == bind && !trivial(st, o)) x.outermost = false;
        for (int o = l + 1; o < levels(st); ++o)
            if (plan(st).levels[o].bind == bind) x.radix_stride *= static_cast<std::int32_t>(count_of(st, o));
    }
};

} // namespace hone::schedules
