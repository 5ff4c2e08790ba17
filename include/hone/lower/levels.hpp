// SPDX-License-Identifier: BSL-1.0
// What the levels of a schedule mean to its lowering: the variable and iterations of each, how they move an axis, and
// the intervals of indices for the loops that are open. Buffers and variables of the nest come from here.
//
// Of y[i] = sum over t of x[i + t - 1] * w[t], for i below 10 and t below 3, and a plan of these levels
//
//     p.add(i, 4, binding::parallel, tail::guard).add(t, 1).add(i, 1, binding::unroll);
//
// the variables, how often each runs, and what a step of it adds to the index of x are
//
//     i.0  3 times  4
//     t.0  3 times  1
//     i.1  4 times  1
//
// So i is 4 i.0 + i.1, and 10 - 4 i.0 is what a step of i.0 leaves of it. Before a loop is open the index is in
// [-1, 10], since i ends at 9; where i is guarded, it may pass its end, and the index is in [-1, 12].
#pragma once

#include <cstdint>

#include <hone/ir/nest.hpp>
#include <hone/ir/visit.hpp>
#include <hone/schedule/schedule.hpp>

#ifndef HONE_SHOW_WARNINGS // see core/config.hpp
#pragma GCC system_header
#endif

namespace hone::schedules {

class lowering_levels {
protected:
    constexpr lowering_levels(const schedule& s, nest& out) : s_(s), d_(s.definition), n_(out)
    {
        for (const stage& g : d_.stages) {
            for (const operand& o : g.operands) has_windows_ = has_windows_ || is_windowed(o);
            for (const axis& a : g.axes)
                if (stages() > 1 ? a.reduction : a.is_quotient() || g.reduce == reduction::none)
                    has_open_rows_ |= a.parameter >= 0 || a.quotient.parameter >= 0;
        }
    }

    // What the open loops leave of an axis.
    struct axis_state {
        std::int64_t extent = 1; // most iterations that are left
        bool partial = false;    // possibly fewer: what the outer levels leave of the axis
        bool guarded = false;    // inner iterations may run past the end
        std::int64_t parts = 1;  // that the next level of the axis, which steps from part to part, has here
    };

    // Where in the levels of a stage the tree is being made.
    struct context {
        axis_state axes[most_axes]{};
        std::uint32_t opened = 0;    // levels whose loops are open
        std::uint32_t hoisted = 0;   // levels opened ahead of their turn, by a remainder known only at run time
        std::uint64_t satisfied = 0; // conditions that open loops and guards guarantee
        // A level of which iterations [first, end) are made; -1: all levels have all of theirs.
        std::int8_t narrowed = -1;
        std::int64_t first = 0, end = 0;
    };

    // Operands are numbered; the output of a stage has this number, and further ones those behind it.
    static constexpr int output_slot = 7;
    static constexpr int slots = output_slot + most_outputs;

    constexpr const operand& operand_of(int st, int o) const
    {
        const stage& g = d_.stages[st];
        return o > output_slot ? g.further[o - output_slot - 1].to : o == output_slot ? g.output : g.operands[o];
    }

    // What does not fit a table is left out of it: computing the rest would be a wrong result.
    constexpr bool outgrows_tables() const
    {
        for (const stage_plan& p : s_.plans)
            if (p.levels.overflowed() || p.base.overflowed()) return true;
        return s_.plans.overflowed();
    }

    constexpr int stages() const { return static_cast<int>(d_.stages.size()); }
    constexpr int tensors() const { return static_cast<int>(d_.tensors.size()); }
    constexpr const stage_plan& plan(int st) const { return s_.plans[st]; }
    constexpr int levels(int st) const { return static_cast<int>(plan(st).levels.size()); }

    constexpr void fail(fault what, std::int64_t expected, std::int64_t found, const char* subject)
    {
        fail({what, expected, found, subject});
    }

    constexpr void fail(const status& s)
    {
        if (n_.ok()) n_.found = s;
    }

    // Appends to a table of the nest. Of a full one that is the fault, and the item must not be counted as there.
    template <class Table>
    constexpr bool put(Table& table, const typename Table::value_type& item, const char* name)
    {
        table.push_back(item);
        if (table.overflowed()) [[unlikely]]
            fail_full(static_cast<std::int64_t>(Table::capacity), name);
        return !table.overflowed();
    }
    [[gnu::cold, gnu::noinline]] constexpr void fail_full(std::int64_t capacity, const char* name)
    {
        fail(fault::capacity, capacity, capacity + 1, name);
    }

    constexpr std::int64_t count_of(int st, int l) const { return counts_[variable_of(st, l)]; }

    // A level that always runs once has no loop, and its variable stands in no access.
    constexpr bool trivial(int st, int l) const { return count_of(st, l) == 1; }
    constexpr int variable_of(int st, int l) const { return first_variable_[st] + l; }
    constexpr bool writes(int st, memory m) const { return d_.tensors[d_.stages[st].output.tensor].memory == m; }

    // The level that walks parts of the axis of level l and stands next outside of it; -1: l does not step from part to
    // part.
    constexpr int parted_by(int st, int l) const
    {
        const stage_plan& p = plan(st);
        for (int o = l; o-- > 0;)
            if (p.levels[o].axis == p.levels[l].axis) return p.levels[o].parts > 1 ? o : -1;
        return -1;
    }
    // The level that steps through the parts that level l walks; -1: there is none.
    constexpr int steps_through(int st, int l) const
    {
        for (int i = l + 1; i < levels(st); ++i)
            if (plan(st).levels[i].axis == plan(st).levels[l].axis) return i;
        return -1;
    }

    // f(variable, coefficient, stage, level) for each level that moves `coefficient` times the axis.
    // Memory of the workgroup is filled by all its lanes together: where one of them stands in the tile of the stage
    // that reads it does not move the region.
    template <class F>
    constexpr void contributions(int st, int ax, std::int64_t coefficient, int below, F&& f,
                                 bool for_workgroup = false) const
    {
        const stage_plan& p = plan(st);
        if (p.attach.stage >= 0 && ax < static_cast<int>(p.base.size()))
            for (const index_term& t : p.base[ax].terms)
                contributions(p.attach.stage, t.axis, coefficient * t.coefficient, p.attach.level, f,
                              for_workgroup || writes(st, memory::workgroup));
        for (int l = 0; l < below; ++l)
            if (p.levels[l].axis == ax && !trivial(st, l) && !(for_workgroup && p.levels[l].bind == binding::lane))
                f(variable_of(st, l), coefficient * p.levels[l].step, st, l);
    }

    constexpr std::int64_t base_offset(int st, int ax) const
    {
        const stage_plan& p = plan(st);
        if (p.attach.stage < 0 || ax >= static_cast<int>(p.base.size())) return 0;
        std::int64_t offset = p.base[ax].offset;
        for (const index_term& t : p.base[ax].terms) offset += t.coefficient * base_offset(p.attach.stage, t.axis);
        return offset;
    }

    constexpr bool has_base(int st, int ax) const
    {
        return plan(st).attach.stage >= 0 && ax < static_cast<int>(plan(st).base.size()) &&
               !plan(st).base[ax].terms.empty();
    }

    // Whether an index, `most` at most, may pass the end of its dimension.
    constexpr bool passes_end_of(int st, const dim_index& index, const dimension& dim, std::int64_t most) const
    {
        if (dim.extent_parameter < 0) return most >= dim.extent;
        for (const index_term& t : index.terms)
            if (has_base(st, t.axis)) return true;
        return !ends_in_image(d_, d_.stages[st], index, dim);
    }
    // Whether an operand is tested for its end wherever this axis moves it, and the call gives that end.
    constexpr bool is_bordered(int st, const operand& op, int ax) const
    {
        for (std::size_t k = 0; k < op.index.size(); ++k) {
            const dimension& dim = d_.tensors[op.tensor].dims[k];
            for (const index_term& t : op.index[k].terms)
                if (t.axis == ax && (dim.extent_parameter < 0 || !passes_end_of(st, op.index[k], dim, 0))) return false;
        }
        return op.may_leave;
    }

    // Whether a level stands outside the point where the tensor is computed, so that it does not move inside it.
    constexpr bool is_outside(int t, int st, int l) const
    {
        if (d_.tensors[t].memory == memory::argument || d_.tensors[t].memory == memory::workspace) return false;
        int producer = -1;
        for (int p = 0; p < stages(); ++p)
            if (d_.stages[p].output.tensor == t) producer = p;
        if (producer < 0) return false;
        attach_point at = plan(producer).attach;
        if (d_.tensors[t].memory == memory::workgroup && plan(st).levels[l].bind == binding::lane) return false;
        if (st == at.stage) return l < at.level;
        while (at.stage >= 0) {
            at = plan(at.stage).attach;
            if (at.stage >= 0 && st == at.stage) return true;
        }
        return false;
    }

    // Whether the stage that computes a tensor leaves out what is past its ends, so that nothing stands there.
    constexpr bool is_cut(int t) const
    {
        for (int st = 0; st < stages(); ++st)
            if (d_.stages[st].output.tensor == t && (d_.stages[st].output.may_leave || plan(st).is_cut)) return true;
        return false;
    }

    // Whether a level is the lanes of a CPU's vector, one by one over blocks whose elements are one element of memory:
    // lane i stands in block i / block.
    constexpr bool crosses_blocks(const dimension& dim, std::int64_t coefficient, int st, int l) const
    {
        return dim.stride == 0 && coefficient == 1 && plan(st).levels[l].bind == binding::vectorize &&
               s_.set != isa::none && count_of(st, l) > dim.block && dim.block < 1 << 15;
    }

    constexpr void add_term(affine& a, int variable, int parameter, std::int64_t coefficient, std::int16_t divisor = 1)
    {
        if (variable < 0 && parameter < 0) a.constant += coefficient;
        if (coefficient == 0 || (variable < 0 && parameter < 0)) return;
        for (int i = a.first; i < a.first + a.count; ++i)
            if (n_.terms[i].variable == variable && n_.terms[i].parameter == parameter &&
                n_.terms[i].divisor == divisor) {
                n_.terms[i].coefficient += coefficient;
                return;
            }
        if (a.count == 0) a.first = static_cast<std::int16_t>(n_.terms.size());
        if (put(n_.terms,
                {static_cast<std::int16_t>(variable), static_cast<std::int16_t>(parameter), coefficient, divisor},
                "terms"))
            ++a.count;
    }

    // Whether a parameter is what pixels of an image are apart in a tensor: its channels.
    constexpr bool is_distance_in(const tensor& t, int p) const
    {
        bool is = false;
        for (const dimension& dim : t.dims) {
            const int by = dim.stride_parameter;
            is = is || by == p || (by >= 0 && d_.parameters[by].second_factor == p);
        }
        return is;
    }
    // The parameter that is the extent of a dimension times its stride parameter, where the extent is of an image or of
    // rows that the call gives. -1: none; then a tensor is stated as large as the largest.
    constexpr int end_of(const tensor& t, const dimension& dim) const
    {
        const auto is_of_image = [&](int p) {
            const parameter& own = d_.parameters[p];
            bool is = own.dividend >= 0 || own.window.image >= 0 || (has_windows_ && is_distance_in(t, p)) ||
                      (has_open_rows_ && t.memory == memory::argument);
            for (const parameter& q : d_.parameters)
                is = is || q.counts_windows_of(p) || q.window.taps == p || q.groups == p;
            return is;
        };
        if (dim.extent_parameter < 0 || !is_of_image(dim.extent_parameter)) return -1;
        if (dim.stride_parameter < 0) return dim.extent_parameter;
        for (std::size_t p = 0; p < d_.parameters.size(); ++p)
            if (d_.parameters[p].first_factor == dim.extent_parameter &&
                d_.parameters[p].second_factor == dim.stride_parameter)
                return static_cast<int>(p);
        return -1;
    }

    constexpr void add_buffer(int t)
    {
        const tensor& from = d_.tensors[t];
        buffer b{.name = from.name, .type = from.type, .memory = from.memory, .role = from.role};
        int position = 0;
        for (int o = 0; o < t; ++o)
            if (d_.tensors[o].memory == memory::argument) ++position;
        if (from.memory == memory::argument) b.position = static_cast<std::int8_t>(position);
        b.elements.constant = 1;
        for (const dimension& dim : from.dims) {
            const std::int64_t steps = dim.block > 0 ? ceil_div(dim.extent, dim.block) - 1 : dim.extent - 1;
            const std::int64_t stride = dim.block > 0 ? dim.outer_stride : dim.stride;
            if (dim.block > 0) b.elements.constant += (dim.block - 1) * dim.stride;
            const int parameter = dim.block > 0 ? dim.outer_parameter : dim.stride_parameter;
            const int last = dim.block > 0 ? -1 : end_of(from, dim);
            if (last >= 0) add_term(b.elements, -1, last, stride);
            add_term(b.elements, -1, parameter, last >= 0 ? -stride : steps * stride);
        }
        if (from.memory == memory::registers)
            b.vectors = static_cast<std::int32_t>(ceil_div(b.elements.constant, s_.vector_length));
        put(n_.buffers, b, "buffers");
    }

    constexpr void add_variables(int st)
    {
        const stage& g = d_.stages[st];
        const stage_plan& p = plan(st);
        first_variable_[st] = static_cast<std::int16_t>(n_.variables.size());
        std::int8_t depth[most_axes]{};
        std::int64_t left[most_axes]{};
        for (std::size_t a = 0; a < g.axes.size(); ++a) {
            left[a] = g.axes[a].extent;
            if (left[a] < 1) fail(fault::extent_zero, 1, left[a], g.axes[a].name);
        }
        for (int l = 0; l < levels(st); ++l) {
            const level& own = p.levels[l];
            if (own.axis < 0 || own.axis >= static_cast<int>(g.axes.size())) {
                fail(fault::axis_unknown, static_cast<std::int64_t>(g.axes.size()), own.axis, g.name);
                return;
            }
            const axis& a = g.axes[own.axis];
            if (own.step < 1) fail(fault::factor_not_positive, 1, own.step, a.name);
            if (own.bind == binding::vectorize && own.step != 1)
                fail(fault::vector_level_not_innermost, 1, own.step, a.name);
            if (a.reduction &&
                (own.bind == binding::parallel || own.bind == binding::grid || own.bind == binding::lane))
                fail(fault::reduction_parallel, 0, 0, a.name);
            // Lanes would meet in one element at each step, and what is not written out has no registers.
            const bool is_vector = own.bind == binding::vectorize;
            if (a.reduction && (is_vector ? !is_apart(st, l) : is_apart(st, l) && own.bind != binding::unroll))
                fail(fault::reduction_not_apart, p.apart_at, l, a.name);
            const ir::variable v{.name = a.name,
                                 .level = depth[own.axis]++,
                                 .stage = static_cast<std::int8_t>(st),
                                 .reduction = a.reduction};
            if (!n_.ok() || !put(n_.variables, v, "variables")) return;
            // A quotient has one step, where all of the axis that it is a quotient of is open.
            const bool is_inside = !a.is_quotient() || left[a.quotient.of] == 1;
            if (!is_inside || (a.is_quotient() && (own.step != 1 || own.bind != binding::serial)))
                fail(fault::axis_not_covered, 1, own.step, a.name);
            check_parts(st, l, left[own.axis]);
            const int outer = parted_by(st, l);
            counts_[variable_of(st, l)] = own.bind == binding::vectorize ? s_.vector_length
                                          : outer >= 0                   ? p.levels[outer].parts
                                                                         : ceil_div(left[own.axis], own.step);
            if (outer < 0) left[own.axis] = own.step;
            variables_[variable_of(st, l)] = {0, count_of(st, l) - 1};
        }
        for (std::size_t a = 0; a < g.axes.size(); ++a)
            if (left[a] != 1 && !g.axes[a].is_quotient()) fail(fault::axis_not_covered, 1, left[a], g.axes[a].name);
        const attach_point at = p.attach;
        if (at.stage >= stages() || (at.stage >= 0 && at.level > levels(at.stage)) || at.stage == st)
            fail(fault::attach_unknown, stages(), at.stage, g.name);
    }

    // Whether a quotient has no loop of its own, but is that of lanes: only tables may name such a one.
    constexpr bool is_quotient_of_lanes(int st, int ax) const
    {
        const axis& a = d_.stages[st].axes[ax];
        bool has_level = !a.is_quotient() || a.extent == 1;
        for (const level& own : plan(st).levels) has_level = has_level || own.axis == ax;
        return !has_level;
    }

    // A level that walks parts of the `extent` that is left of its axis.
    constexpr void check_parts(int st, int l, std::int64_t extent)
    {
        const level& own = plan(st).levels[l];
        if (own.parts == 1) return;
        const char* const subject = name(st, own.axis);
        const int next = steps_through(st, l);
        const std::int64_t length = next < 0 ? 0 : plan(st).levels[next].step;
        if (own.parts < 1 || length < own.step || length * own.parts > extent)
            fail(fault::axis_not_covered, own.step, length, subject);
        else if (length % own.step != 0)
            fail(fault::factor_does_not_divide, length, own.step, subject);
        else if (d_.stages[st].axes[own.axis].parameter >= 0 || plan(st).levels[next].parts > 1)
            fail(fault::axis_not_covered, 1, own.parts, subject);
    }

    // Extent of the axis minus what the opened levels have walked.
    constexpr affine rest_of(int st, int ax, std::uint32_t opened)
    {
        const axis& a = d_.stages[st].axes[ax];
        affine rest{};
        if (a.parameter >= 0)
            add_term(rest, -1, a.parameter, 1);
        else
            rest.constant = a.extent;
        for (int l = 0; l < levels(st); ++l)
            if (plan(st).levels[l].axis == ax && !trivial(st, l) && (opened >> l & 1))
                add_term(rest, variable_of(st, l), -1, -plan(st).levels[l].step);
        return rest;
    }

    // Times what a call gives, which is not negative.
    constexpr interval times(const interval& i, std::int16_t parameter) const
    {
        if (parameter < 0) return i;
        const hone::parameter& p = d_.parameters[parameter];
        return {i.least * (i.least < 0 ? p.most : p.least), i.most * (i.most < 0 ? p.least : p.most)};
    }
    // The parameter that is the product of two, of which -1 stands for 1. A checked definition has it.
    constexpr std::int16_t product(std::int16_t a, std::int16_t b)
    {
        if (a < 0 || b < 0) return a < 0 ? b : a;
        const std::int16_t p = find_product(d_.parameters, a, b);
        if (p < 0) fail(fault::definition_unknown_part, a, b, d_.parameters[a].name);
        return p;
    }

    // Interval of an index for the open loops; an axis that is not guarded never passes its extent.
    constexpr interval index_interval(int st, const dim_index& index, const context* c) const
    {
        interval r = times({index.offset, index.offset}, index.offset_parameter);
        for (const index_term& t : index.terms) {
            const std::int64_t offset = base_offset(st, t.axis);
            interval a{offset, offset};
            contributions(st, t.axis, 1, levels(st), [&](int v, std::int64_t k, int, int) {
                a.least += k * variables_[v].least;
                a.most += k * variables_[v].most;
            });
            if (!has_base(st, t.axis) && (c == nullptr || !c->axes[t.axis].guarded)) {
                const std::int64_t last = d_.stages[st].axes[t.axis].extent - 1;
                if (a.most > last) a.most = last;
            }
            a = times(a, t.parameter);
            r.least += t.coefficient * (t.coefficient > 0 ? a.least : a.most);
            r.most += t.coefficient * (t.coefficient > 0 ? a.most : a.least);
        }
        return r;
    }

    constexpr bool is_reduction(int st, int l) const { return d_.stages[st].axes[plan(st).levels[l].axis].reduction; }

    constexpr bool is_vector_axis(int st, int ax) const
    {
        for (const level& own : plan(st).levels)
            if (own.axis == ax && own.bind == binding::vectorize) return true;
        return false;
    }

    // Whether the iterations of a level accumulate apart, and whether those are the lanes of vectors.
    constexpr bool is_apart(int st, int l) const
    {
        return plan(st).apart_at >= 0 && l >= plan(st).apart_at && is_reduction(st, l);
    }
    // Those of a set of levels that register tiles are indexed by: none of a reduction, wherever its loops are.
    constexpr std::uint32_t moving_registers(int st, std::uint32_t of_levels) const
    {
        for (int l = 0; l < levels(st); ++l)
            if (is_reduction(st, l) && !is_apart(st, l)) of_levels &= ~(std::uint32_t{1} << l);
        return of_levels;
    }
    constexpr bool has_lanes_apart(int st) const
    {
        for (int l = 0; l < levels(st); ++l)
            if (is_apart(st, l) && plan(st).levels[l].bind == binding::vectorize && !trivial(st, l)) return true;
        return false;
    }

    // The reduction level outside of the tile that runs more than once; -1: there is none.
    constexpr int outer_reduction(int st)
    {
        int outer = -1;
        for (int l = 0; l < plan(st).tile_at; ++l)
            if (is_reduction(st, l) && !trivial(st, l)) {
                if (outer >= 0) fail(fault::reduction_split_twice, 1, 2, name(st, plan(st).levels[l].axis));
                outer = l;
            }
        return outer;
    }

    constexpr std::int64_t steps_of_part(int st, int l) const
    {
        return plan(st).levels[steps_through(st, l)].step / plan(st).levels[l].step;
    }
    // The last iteration of a level; of one that walks parts, it is in what is left, where anything is.
    constexpr std::int64_t last_of(int st, int l) const
    {
        const level& own = plan(st).levels[l];
        const std::int64_t parts = own.parts;
        return parts > 1 && count_of(st, l) == parts * steps_of_part(st, l) ? steps_of_part(st, l) - 1
                                                                            : count_of(st, l) - 1;
    }

    constexpr bool is_local(int t) const
    {
        const memory m = d_.tensors[t].memory;
        return m == memory::slot || m == memory::workgroup || m == memory::registers;
    }

    constexpr const char* name(int st, int ax) const { return d_.stages[st].axes[ax].name; }

    const schedule& s_;
    const definition& d_;
    bool has_windows_ = false;   // some operand is read through windows
    bool has_open_rows_ = false; // stages reduce or sample rows as long as a call says, or take so many elements alone
    nest& n_;
    std::int16_t first_variable_[8]{};
    interval variables_[96]{};
    std::int64_t counts_[96]{}; // iterations of the level of a variable, if its axis is whole
};

} // namespace hone::schedules
