// SPDX-License-Identifier: BSL-1.0
// The loops of a stage, level by level from the outermost: whole steps and what is left of them, tiles that touch a
// border beside those that do not, and what is attached inside. Which loops an axis gets is told in lower.hpp.
#pragma once

#include <cstdint>

#include <hone/ir/nest.hpp>
#include <hone/ir/visit.hpp>
#include <hone/lower/row_tests.hpp>
#include <hone/schedule/schedule.hpp>

#ifndef HONE_SHOW_WARNINGS // see core/config.hpp
#pragma GCC system_header
#endif

namespace hone::schedules {

class lowering_loops : protected lowering_row_tests {
protected:
    using lowering_row_tests::lowering_row_tests;

    enum class pass : std::uint8_t { whole, init, reduce, clear, fold, store };
    // Passes that walk the outputs of a tile once, whatever its reduction.
    static constexpr bool is_spatial(pass p) { return p != pass::whole && p != pass::reduce; }

    constexpr void emit_stage(int st, int parent)
    {
        context c;
        const stage& g = d_.stages[st];
        for (std::size_t a = 0; a < g.axes.size(); ++a) c.axes[a] = {g.axes[a].extent, g.axes[a].parameter >= 0, false};
        if (g.reduce != reduction::none && accumulator_[st] < 0) {
            emit(st, 0, c, pass::init, parent);
            emit(st, 0, c, pass::reduce, parent);
        } else {
            emit(st, 0, c, pass::whole, parent);
        }
    }

    // Emits the stages attached before level l; true if they fill memory that the whole workgroup reads.
    constexpr bool emit_attached(int st, int l, int parent)
    {
        bool shared = false;
        for (int q = 0; q < stages(); ++q) {
            if (plan(q).attach.stage != st || plan(q).attach.level != l) continue;
            if (shared && reads_attached(q)) append(parent, {.kind = node_kind::barrier});
            emit_stage(q, parent);
            if (writes(q, memory::workgroup)) shared = true;
        }
        if (shared) append(parent, {.kind = node_kind::barrier});
        return shared;
    }

    // Whether a stage reads what the lanes of the workgroup fill together in one that is attached at the same point.
    constexpr bool reads_attached(int st) const
    {
        for (int q = 0; q < st; ++q) {
            if (plan(q).attach.stage != plan(st).attach.stage || plan(q).attach.level != plan(st).attach.level)
                continue;
            for (const operand& o : d_.stages[st].operands)
                if (o.tensor == d_.stages[q].output.tensor && writes(q, memory::workgroup)) return true;
        }
        return false;
    }

    constexpr void emit(int st, int l, const context& c, pass p, int parent)
    {
        if (!n_.ok()) return;
        if (p == pass::whole && l == plan(st).tile_at && needs_tile(st)) {
            const int tile = append(parent, {.kind = node_kind::tile});
            const bool shared = emit_attached(st, l, tile);
            if (accumulator_[st] >= 0) {
                emit(st, l, c, pass::init, tile);
                emit_levels(st, l, c, pass::reduce, tile);
                emit_folds(st, l, c, tile);
                emit(st, l, c, pass::store, tile);
            } else {
                emit_levels(st, l, c, pass::whole, tile);
            }
            if (shared && serial_depth_ > 0) append(tile, {.kind = node_kind::barrier});
            return;
        }
        const bool attaches = (p == pass::whole || p == pass::reduce);
        const bool shared = attaches && emit_attached(st, l, parent);
        emit_levels(st, l, c, p, parent);
        // The next round must not overwrite what slower lanes still read.
        if (shared && serial_depth_ > 0) append(parent, {.kind = node_kind::barrier});
    }

    // What accumulates apart is taken together level by level, the outermost first:
    //
    //     for v in [1, vectors): acc[0, lanes] += acc[v, lanes]
    //     for lane in lanes:     folded += acc[0, lane]
    constexpr void emit_folds(int st, int l, const context& c, int parent)
    {
        for (int f = plan(st).tile_at; f < levels(st); ++f) {
            if (!is_apart(st, f) || trivial(st, f)) continue;
            if (plan(st).levels[f].bind == binding::vectorize) emit(st, l, c, pass::clear, parent);
            fold_level_ = f;
            emit(st, l, c, pass::fold, parent);
        }
    }
    // Whether a pass walks a level that accumulates apart.
    constexpr bool walks_apart(int st, int l, pass p) const
    {
        return is_apart(st, l) && (p == pass::init || (p == pass::fold && l >= fold_level_));
    }

    constexpr void emit_levels(int st, int l, const context& c, pass p, int parent)
    {
        if (l == levels(st)) {
            emit_leaves(st, c, p, parent);
            return;
        }
        const level& own = plan(st).levels[l];
        axis_state a = c.axes[own.axis];
        const std::int64_t step = own.step;
        if (is_spatial(p) && walks_apart(st, l, p)) {
            const bool is_kept = p == pass::fold && l == fold_level_ && own.bind != binding::vectorize;
            emit_loop(st, l, c, p, parent, {is_kept ? 1 : 0}, {count_of(st, l)}, {step, false, false});
            return;
        }
        if (is_spatial(p) && is_reduction(st, l)) {
            context next = c;
            next.axes[own.axis].extent = a.extent < step ? a.extent : step;
            emit(st, l + 1, next, p, parent);
            return;
        }
        if (c.hoisted >> l & 1) {
            emit(st, l + 1, c, p, parent);
            return;
        }
        if (c.narrowed == l) {
            emit_loop(st, l, c, p, parent, {c.first}, {c.end}, {step, false, a.guarded});
            return;
        }
        if (d_.stages[st].axes[own.axis].is_quotient() && !trivial(st, l)) {
            emit_quotient(st, l, c, p, parent);
            return;
        }
        if (own.bind == binding::vectorize) {
            if (a.extent > s_.vector_length) {
                fail(fault::vector_length_unsupported, s_.vector_length, a.extent, name(st, own.axis));
                return;
            }
            const bool past = a.extent < s_.vector_length || a.partial;
            emit_loop(st, l, c, p, parent, {0}, {s_.vector_length}, {1, false, a.guarded || past});
            return;
        }
        if (own.parts > 1) {
            emit_parts(st, l, c, p, parent);
            return;
        }
        if (parted_by(st, l) >= 0) {
            emit_loop(st, l, c, p, parent, {0}, {a.parts}, {a.extent, a.partial, a.guarded});
            return;
        }
        if (a.partial) {
            emit_partial(st, l, c, p, parent);
            return;
        }
        const std::int64_t full = a.extent / step;
        const std::int64_t rest = a.extent % step;
        if (full == 0) {
            emit_loop(st, l, c, p, parent, {0}, {1}, {a.extent, false, a.guarded});
        } else if (rest == 0) {
            emit_whole(st, l, c, p, parent, full);
        } else if (own.tail == tail::exact) {
            fail(fault::factor_does_not_divide, a.extent, step, name(st, own.axis));
        } else if (own.tail == tail::peel) {
            emit_whole(st, l, c, p, parent, full);
            emit_loop(st, l, c, p, parent, {full}, {full + 1}, {rest, false, a.guarded});
        } else {
            const bool bounded = own.tail == tail::bound;
            emit_loop(st, l, c, p, parent, {0}, {full + 1}, {step, bounded, a.guarded || !bounded});
        }
    }

    // The values of a quotient: one, or those that are summed over. Where the axis that it is a quotient of may be past
    // its end, so may they be; others may be anywhere.
    constexpr void emit_quotient(int st, int l, const context& c, pass p, int parent)
    {
        const axis& own = d_.stages[st].axes[plan(st).levels[l].axis];
        const axis_quotient& q = own.quotient;
        const bool is_open = q.parameter >= 0 || own.reduction, passes_end = c.axes[q.of].guarded || is_open;
        const limit from{.constant = 0, .has_constant = passes_end, .past = 0};
        const limit to{own.extent, -1, passes_end && own.parameter < 0, own.parameter, 0, 1, q.divisor + q.span};
        emit_loop(st, l, c, p, parent, from, to, {1, false, false});
    }

    // The same steps of all parts, and then what is left: whole steps, and one of the rest.
    constexpr void emit_parts(int st, int l, const context& c, pass p, int parent)
    {
        const level& own = plan(st).levels[l];
        const axis_state a = c.axes[own.axis];
        if (a.partial) {
            fail(fault::axis_not_covered, 1, own.parts, name(st, own.axis));
            return;
        }
        const std::int64_t steps = steps_of_part(st, l), full = a.extent / own.step, rest = a.extent % own.step;
        emit_loop(st, l, c, p, parent, {0}, {steps}, {own.step, false, a.guarded, own.parts});
        if (steps * own.parts < full)
            emit_loop(st, l, c, p, parent, {steps * own.parts}, {full}, {own.step, false, a.guarded});
        if (rest > 0) emit_loop(st, l, c, p, parent, {full}, {full + 1}, {rest, false, a.guarded});
    }

    // Steps [0, count) of a level, with the tiles that touch padding as siblings if the level asks for it.
    constexpr void emit_whole(int st, int l, const context& c, pass p, int parent, std::int64_t count)
    {
        const level& own = plan(st).levels[l];
        const axis_state inside{own.step, false, c.axes[own.axis].guarded};
        std::int64_t first = 0;
        std::int64_t last = count;
        if (own.border == border::peel && count > 1 && (p == pass::whole || p == pass::reduce)) {
            while (first < count && first <= most_peeled && touches_border(st, l, c, first)) ++first;
            while (last > first && count - last <= most_peeled && touches_border(st, l, c, last - 1)) --last;
            if (first + (count - last) > most_peeled) {
                first = 0;
                last = count;
            }
        }
        for (std::int64_t i = 0; i < first; ++i) emit_loop(st, l, c, p, parent, {i}, {i + 1}, inside);
        if (first < last) emit_loop(st, l, c, p, parent, {first}, {last}, inside);
        for (std::int64_t i = last; i < count; ++i) emit_loop(st, l, c, p, parent, {i}, {i + 1}, inside);
    }

    // A level whose axis may end early: what is left is known to the loops, or only to the call.
    constexpr void emit_partial(int st, int l, const context& c, pass p, int parent)
    {
        const level& own = plan(st).levels[l];
        const axis_state a = c.axes[own.axis];
        const axis& whole = d_.stages[st].axes[own.axis];
        const std::int64_t step = own.step;
        // Guards and bounds know the end of the axis, not that of a block: inside a block, steps must meet its end.
        if (a.extent != whole.extent && a.extent > step && a.extent % step != 0) {
            fail(fault::factor_does_not_divide, a.extent, step, whole.name);
            return;
        }
        if (a.extent < step) {
            emit_loop(st, l, c, p, parent, {0}, {1}, {a.extent, true, a.guarded});
            return;
        }
        if (own.bind == binding::unroll || own.bind == binding::lane) {
            emit_loop(st, l, c, p, parent, {0}, {ceil_div(a.extent, step)}, {step, false, true});
            return;
        }
        const bool dynamic = whole.parameter >= 0;
        const inner_steps inner = p == pass::whole || p == pass::reduce ? inner_steps_of(st, l, c) : inner_steps();
        if (inner.end.parameter >= 0) {
            emit_open(st, l, c, p, parent, inner);
            return;
        }
        const std::int64_t rest = dynamic ? step - 1 : whole.extent % step;
        const limit whole_steps{a.extent / step, 0};
        const limit all_steps{ceil_div(a.extent, step), static_cast<int>(step - 1)};
        if (step == 1 || rest == 0) {
            emit_loop(st, l, c, p, parent, {0}, whole_steps, {step, false, a.guarded});
        } else if (own.tail == tail::peel) {
            emit_loop(st, l, c, p, parent, {0}, whole_steps, {step, false, a.guarded});
            const limit from{0, 0, false};
            if (dynamic)
                emit_loop(st, l, c, p, parent, from, all_steps, {rest, true, a.guarded}, true);
            else
                emit_loop(st, l, c, p, parent, from, all_steps, {rest, false, a.guarded});
        } else if (own.tail == tail::exact) {
            fail(fault::factor_does_not_divide, whole.extent, step, whole.name);
        } else {
            const bool bounded = own.tail == tail::bound;
            emit_loop(st, l, c, p, parent, {0}, all_steps, {step, bounded, a.guarded || !bounded});
        }
    }

    // The windows in an image that ends where the call says: the steps that touch no padding stand between those that
    // may, and end no later than whole steps of the axis do. The last one may be a step in part.
    constexpr void emit_open(int st, int l, const context& c, pass p, int parent, const inner_steps& inner)
    {
        const std::int64_t step = plan(st).levels[l].step;
        const axis_state tested{step, false, true};
        context inside = c;
        inside.satisfied |= inner.satisfied;
        if (inner.first > 0) emit_loop(st, l, c, p, parent, {0}, inner.before, tested);
        emit_loop(st, l, inside, p, parent, {inner.first}, inner.end, {step, false, false});
        emit_loop(st, l, c, p, parent, inner.behind, inner.all, tested);
    }

    // A remainder known only at run time cannot be a register tile. Its unrolled levels are opened at once, each with
    // whole steps and a remainder of its own: a cascade of tiles, halved where the schedule halves.
    constexpr void emit_cascade(int st, int l, int after, const context& c, pass p, int parent)
    {
        const int ax = plan(st).levels[l].axis;
        int next = after + 1;
        while (next < levels(st) && (plan(st).levels[next].axis != ax || (c.hoisted >> next & 1))) ++next;
        if (next == levels(st) || plan(st).levels[next].bind == binding::vectorize) {
            emit(st, l + 1, c, p, parent);
            return;
        }
        context inside = c;
        inside.hoisted |= std::uint32_t{1} << next;
        const std::int64_t step = plan(st).levels[next].step;
        const std::int64_t extent = c.axes[ax].extent;
        // Vectors one by one, of which the last one may be filled in part.
        if (is_vector_axis(st, ax) && step <= s_.vector_length) {
            const limit all{ceil_div(extent, step), static_cast<int>(step - 1)};
            emit_loop(st, next, inside, p, parent, {0}, all, {step, true, c.axes[ax].guarded}, false, l);
            return;
        }
        if (extent >= step)
            emit_loop(st, next, inside, p, parent, {0}, {extent / step, 0}, {step, false, c.axes[ax].guarded}, false,
                      l);
        if (step > 1) {
            const limit all{ceil_div(extent, step), static_cast<int>(step - 1)};
            emit_loop(st, next, inside, p, parent, {0, 0, false}, all, {step - 1, true, c.axes[ax].guarded}, true, l);
        }
    }

    // One loop of level l and everything inside. `cascade`: the inside is a run-time remainder. `resume`: the level to
    // go on after, where l was opened ahead of its turn.
    constexpr void emit_loop(int st, int l, const context& c, pass p, int parent, const limit& from, const limit& to,
                             const axis_state& inside, bool cascade = false, int resume = -1)
    {
        if (!n_.ok()) return;
        const level& own = plan(st).levels[l];
        const int after = resume >= 0 ? resume : l;
        context next = c;
        next.axes[own.axis] = inside;
        next.opened |= std::uint32_t{1} << l;
        const bool constant = from.is_constant() && to.is_constant();
        if (trivial(st, l) && constant) {
            emit(st, after + 1, next, p, parent);
            return;
        }
        if (constant && own.bind == binding::unroll && !is_band(st, l, p)) {
            for (std::int64_t i = from.constant; i < to.constant;) {
                std::int64_t end = i + 1;
                if (own.border == border::share && !touches_border(st, l, c, i))
                    while (end < to.constant && !touches_border(st, l, c, end)) ++end;
                open_loop(st, l, next, p, parent, {i}, {end}, binding::serial, cascade, after, c);
                i = end;
            }
            return;
        }
        binding bind = own.bind;
        if (bind == binding::unroll && !constant) bind = binding::serial;
        open_loop(st, l, next, p, parent, from, to, bind, cascade, after, c);
    }

    constexpr void open_loop(int st, int l, context next, pass p, int parent, const limit& from, const limit& to,
                             binding bind, bool cascade, int after, const context& outer)
    {
        const level& own = plan(st).levels[l];
        node x{.kind = node_kind::loop, .bind = bind};
        const int v = variable_of(st, l);
        x.variable = static_cast<std::int16_t>(v);
        // The limits of a loop stand side by side: lower ones first, then upper ones, clips included.
        const std::uint64_t before = next.satisfied;
        std::size_t first_term = n_.terms.size();
        x.lower = limits(st, l, outer, from);
        if (own.border == border::clip) clip(st, l, next, x.lower, false);
        x.lower = interned_bounds(x.lower, first_term);
        first_term = n_.terms.size();
        x.upper = limits(st, l, outer, to);
        if (own.border == border::clip) {
            next.satisfied = before;
            clip(st, l, next, x.upper, true);
            next.satisfied = before;
            clip_satisfied(st, l, next);
        }
        x.upper = interned_bounds(x.upper, first_term);
        if (bind == binding::grid || bind == binding::lane) set_radix(st, l, x);
        const int id = append(parent, x);
        if (!n_.ok()) return;
        const interval kept = variables_[v];
        variables_[v] = interval_of(n_, n_.nodes[id], variables_);
        const bool is_serial = bind == binding::serial;
        if (is_serial) ++serial_depth_;
        if (variables_[v].most >= variables_[v].least) {
            if (cascade)
                emit_cascade(st, after, l, next, p, id);
            else if (own.border == border::test && p == pass::reduce)
                emit_tested(st, l, after, next, p, id);
            else
                emit(st, after + 1, next, p, id);
        }
        if (is_serial) --serial_depth_;
        variables_[v] = kept;
    }

    // What is inside of level l, whose axis moves what is tested: see row_tests.hpp.
    constexpr void emit_tested(int st, int l, int after, const context& c, pass p, int parent)
    {
        context inside = c;
        const row_tests t = tests_of(st, l, inside, parent);
        const auto emit_inside = [&](const context& own, int at) { emit(st, after + 1, own, p, at); };
        if (t.level < 0)
            emit_inside(inside, parent);
        else
            for_each_rows(t, inside, parent, emit_inside);
    }

    // Inside an unrolled level only unrolled and vector levels may follow; otherwise its copies are siblings.
    constexpr bool is_band(int st, int l, pass p) const
    {
        const bool spatial = is_spatial(p);
        for (int o = l + 1; o < levels(st); ++o) {
            const binding b = plan(st).levels[o].bind;
            if (spatial && is_reduction(st, o)) continue;
            if (b != binding::unroll && b != binding::vectorize && !trivial(st, o)) return false;
        }
        if (spatial) return true;
        for (int q = 0; q < stages(); ++q)
            if (plan(q).attach.stage == st && plan(q).attach.level > l) return false;
        return !(needs_tile(st) && plan(st).tile_at > l);
    }

    // The leaves of a pass: one, or two of a reduction that is resumed and suspended.
    constexpr void emit_leaves(int st, const context& c, pass p, int parent)
    {
        if (p == pass::whole) {
            emit_leaf(st, c, leaf_kind::whole, parent);
            return;
        }
        if (p == pass::reduce) {
            emit_leaf(st, c, leaf_kind::reduce, parent);
            return;
        }
        if (p == pass::clear || p == pass::fold) {
            emit_leaf(st, c, p == pass::clear ? leaf_kind::clear : leaf_kind::fold, parent);
            return;
        }
        const int outer = outer_reduction(st);
        if (outer < 0) {
            emit_leaf(st, c, p == pass::init ? leaf_kind::init : leaf_kind::store, parent);
            return;
        }
        if (plan(st).apart_at >= 0)
            fail(fault::reduction_not_apart, plan(st).tile_at, outer, name(st, plan(st).levels[outer].axis));
        const int v = variable_of(st, outer);
        if (p == pass::init) {
            // Lanes past the end of the axis are set too: the resumption leaves them alone.
            emit_leaf(st, c, leaf_kind::init, parent);
            emit_leaf(st, c, leaf_kind::resume, at_edge(parent, v, 0, false));
        } else {
            const std::int64_t last = last_of(st, outer);
            const bool is_known = d_.stages[st].axes[plan(st).levels[outer].axis].parameter < 0;
            const auto edge = [&](bool equal) {
                return is_known ? at_edge(parent, v, last, equal) : at_end(parent, st, outer, equal);
            };
            emit_leaf(st, c, leaf_kind::suspend, edge(false));
            emit_leaf(st, c, leaf_kind::store, edge(true));
        }
    }

    int serial_depth_ = 0;
};

} // namespace hone::schedules
