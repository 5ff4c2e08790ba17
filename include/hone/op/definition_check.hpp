// SPDX-License-Identifier: BSL-1.0
// Whether a definition can be worked with: nothing was left out of its tables, all that it names is there, a call can
// give each tensor, what is computed of its extents and strides stays in 64 bits, stages stay in their tensors, and
// each of their points has an element of its own to write. Nothing here overflows itself.
#pragma once

#include <cstddef>
#include <cstdint>

#include <hone/core/fault.hpp>
#include <hone/core/saturate.hpp>
#include <hone/ir/nest.hpp>
#include <hone/ir/visit.hpp>
#include <hone/op/definition.hpp>

#ifndef HONE_SHOW_WARNINGS // see core/config.hpp
#pragma GCC system_header
#endif

namespace hone::operators {

// What does not fit a table of the definition has been left out of it: the rest is another operator.
constexpr status outgrown_table(const definition& d)
{
    status found;
    const auto holds = [&](const auto& table, const char* name, fault what = fault::definition_too_large) {
        const auto most = static_cast<std::int64_t>(table.capacity);
        if (found.ok() && table.overflowed()) found = {what, most, most + 1, name};
    };
    const auto indexes = [&](const operand& o) {
        holds(o.index, "dimensions of an index");
        for (const dim_index& i : o.index) holds(i.terms, "terms of an index");
    };
    holds(d.tensors, "tensors");
    holds(d.stages, "stages");
    holds(d.parameters, "parameters");
    holds(d.table_values, "values of tables");
    for (const tensor& t : d.tensors) holds(t.dims, "dimensions of a tensor");
    for (const stage& s : d.stages) {
        holds(s.axes, "axes of a stage");
        holds(s.operands, "operands of a stage");
        holds(s.tables, "tables of a stage");
        holds(s.body.nodes, "body", fault::expression_too_long);
        holds(s.epilogue.nodes, "epilogue", fault::expression_too_long);
        indexes(s.output);
        for (const further_output& f : s.further) {
            holds(f.value.nodes, "further output", fault::expression_too_long);
            indexes(f.to);
        }
        if (found.ok() && s.further.overflowed()) found = {fault::role_taken, most_outputs, most_outputs + 1, s.name};
        for (const operand& o : s.operands) indexes(o);
    }
    return found;
}

// The most elements that an axis has or a tensor spans: 4 TiB. Schedules add padding and whole blocks, and bounds are
// sums of a few of it.
inline constexpr std::int64_t most_elements = std::int64_t{1} << 40;
// The largest position that an expression reads, or a table has: floats hold all whole numbers up to it.
inline constexpr std::int64_t most_position = std::int64_t{1} << 24;

namespace sizes {

// Of the largest value of its parameter, where a call gives it.
constexpr std::int64_t largest(const definition& d, std::int64_t stride, std::int16_t parameter)
{
    return saturated_product(saturated_magnitude(stride), parameter >= 0 ? d.parameters[parameter].most : 1);
}
constexpr std::int64_t stride_of(const definition& d, const dimension& own)
{
    return largest(d, own.stride, own.stride_parameter);
}
// Elements from the first to the last.
constexpr std::int64_t span_of(const definition& d, const tensor& t)
{
    std::int64_t span = 1;
    for (const dimension& own : t.dims) {
        const std::int64_t blocks = own.block > 0 ? (own.extent - 1) / own.block : 0;
        const std::int64_t steps = own.block > 0 ? own.block - 1 : own.extent - 1;
        span = saturated_sum(span, saturated_product(blocks, largest(d, own.outer_stride, own.outer_parameter)));
        span = saturated_sum(span, saturated_product(steps, stride_of(d, own)));
    }
    return span;
}
// Of what a call may multiply it by, the most.
constexpr std::int64_t most_of(const definition& d, std::int16_t parameter)
{
    return parameter >= 0 ? d.parameters[parameter].most : 1;
}
constexpr std::int64_t reach_of(const definition& d, const stage& s, const dim_index& index)
{
    std::int64_t reach = saturated_product(saturated_magnitude(index.offset), most_of(d, index.offset_parameter));
    for (const index_term& x : index.terms)
        reach = saturated_sum(reach, saturated_product(saturated_magnitude(x.coefficient), s.axes[x.axis].extent,
                                                       most_of(d, x.parameter)));
    return reach;
}
// How far from the first element a stage stands at most, padding included.
constexpr std::int64_t reach_of(const definition& d, const stage& s, const operand& o)
{
    std::int64_t reach = 0;
    const auto& dims = d.tensors[o.tensor].dims;
    for (std::size_t i = 0; i < o.index.size(); ++i) {
        const std::int64_t position = reach_of(d, s, o.index[i]);
        if (position >= saturated) return saturated; // also along a stride of 0
        reach = saturated_sum(reach, saturated_product(position, stride_of(d, dims[i])));
    }
    return reach;
}
} // namespace sizes

// extent_too_large where an axis or a tensor has more than most_elements; with strides that a call gives, where the
// largest of them would leave 64 bits. extent_zero where one has none.
constexpr status wrong_sizes(const definition& d)
{
    const auto too_large = [](std::int64_t most, std::int64_t found, const char* name) {
        return status{fault::extent_too_large, most, found, name};
    };
    for (const tensor& t : d.tensors) {
        bool is_at_call = false;
        for (const dimension& own : t.dims) {
            if (own.extent < 1) return {fault::extent_zero, 1, own.extent, t.name};
            if (own.extent > most_elements) return too_large(most_elements, own.extent, t.name);
            is_at_call = is_at_call || own.stride_parameter >= 0 || own.outer_parameter >= 0;
        }
        const std::int64_t most = is_at_call ? saturated - 1 : most_elements, span = sizes::span_of(d, t);
        if (span > most) return too_large(most, span, t.name);
    }
    for (const stage& s : d.stages) {
        for (const table_operand& t : s.tables) {
            if (const std::int64_t reach = sizes::reach_of(d, s, t.index); reach > most_position)
                return too_large(most_position, reach, s.name);
        }
        for (const axis& a : s.axes) {
            if (a.extent < 1) return {fault::extent_zero, 1, a.extent, a.name};
            if (a.extent > most_elements) return too_large(most_elements, a.extent, a.name);
        }
        bool leaves = sizes::reach_of(d, s, s.output) >= saturated;
        for (const further_output& f : s.further) leaves = leaves || sizes::reach_of(d, s, f.to) >= saturated;
        for (const operand& o : s.operands) leaves = leaves || sizes::reach_of(d, s, o) >= saturated;
        if (leaves) return too_large(saturated - 1, saturated, s.name);
    }
    return {};
}

// definition_unknown_part where a number names no axis, tensor, operand, table or parameter of the definition;
// definition_rank where an index has not one entry for each dimension; definition_expression where an expression is
// empty or has nothing to read.
constexpr status unknown_part(const definition& d)
{
    status found;
    const auto knows = [&](std::int64_t number, std::size_t parts, const char* subject) {
        const auto count = static_cast<std::int64_t>(parts);
        if (found.ok() && (number < 0 || number >= count))
            found = {fault::definition_unknown_part, count - 1, number, subject};
    };
    const auto knows_parameter = [&](int number, const char* subject) {
        if (number != -1) knows(number, d.parameters.size(), subject);
    };
    const auto indexes = [&](const stage& s, const dim_index& i) {
        for (const index_term& t : i.terms) {
            knows(t.axis, s.axes.size(), s.name);
            knows_parameter(t.parameter, s.name);
        }
        knows_parameter(i.offset_parameter, s.name);
    };
    const auto stands = [&](const stage& s, const operand& o) {
        knows(o.tensor, d.tensors.size(), s.name);
        for (const dim_index& i : o.index) indexes(s, i);
        if (!found.ok()) return;
        const tensor& t = d.tensors[o.tensor];
        if (o.index.size() != t.dims.size())
            found = {fault::definition_rank, static_cast<std::int64_t>(t.dims.size()),
                     static_cast<std::int64_t>(o.index.size()), t.name};
        // Where steps and distances are both of the call, so are their products.
        const auto multiplies = [&](std::int16_t a, std::int16_t b) {
            if (a >= 0 && b >= 0) knows(find_product(d.parameters, a, b), d.parameters.size(), t.name);
        };
        for (std::size_t k = 0; k < o.index.size() && found.ok(); ++k) {
            multiplies(o.index[k].offset_parameter, t.dims[k].stride_parameter);
            for (const index_term& x : o.index[k].terms) multiplies(x.parameter, t.dims[k].stride_parameter);
        }
    };
    const auto computes = [&](const stage& s, const expr& e, bool has_accumulator) {
        bool is_whole = !e.empty();
        for (int i = 0; i < static_cast<int>(e.nodes.size()); ++i) {
            const expr_node& x = e.nodes[i];
            const auto is_earlier = [&](int node) { return node >= 0 && node < i; };
            const int operands = arity(x.op);
            is_whole = is_whole && (operands < 1 || is_earlier(x.a)) && (operands < 2 || is_earlier(x.b)) &&
                       (operands < 3 || is_earlier(x.c)) && (x.op != expr_op::accumulator || has_accumulator);
            if (x.op == expr_op::load) knows(x.ref, s.operands.size(), s.name);
            if (x.op == expr_op::table || x.op == expr_op::position) knows(x.ref, s.tables.size(), s.name);
            if (x.op == expr_op::table && found.ok()) knows(0, static_cast<std::size_t>(s.tables[x.ref].count), s.name);
        }
        if (found.ok() && !is_whole) found = {fault::definition_expression, 0, 0, s.name};
    };
    for (const tensor& t : d.tensors)
        for (const dimension& own : t.dims) {
            knows_parameter(own.extent_parameter, t.name);
            knows_parameter(own.stride_parameter, t.name);
            knows_parameter(own.outer_parameter, t.name);
        }
    if (d.stages.empty()) found = {fault::definition_expression, 0, 0, "stages"};
    for (const stage& s : d.stages) {
        for (std::size_t a = 0; a < s.axes.size(); ++a) {
            knows_parameter(s.axes[a].parameter, s.axes[a].name);
            if (s.axes[a].is_quotient()) knows(s.axes[a].quotient.of, a, s.axes[a].name);
            knows_parameter(s.axes[a].quotient.parameter, s.axes[a].name);
        }
        for (const operand& o : s.operands) stands(s, o);
        stands(s, s.output);
        for (const table_operand& t : s.tables) {
            indexes(s, t.index);
            if (t.count == 0) continue;
            knows(t.first, d.table_values.size(), s.name);
            knows(std::int64_t{t.first} + t.count - 1, d.table_values.size(), s.name);
        }
        computes(s, s.body, false);
        computes(s, s.epilogue, true);
        for (const further_output& f : s.further) {
            stands(s, f.to);
            computes(s, f.value, true);
        }
    }
    return found;
}

// expression_too_long where a stage without a reduction computes more in one statement, the body included. The parts of
// its expressions are known.
constexpr status outgrown_statement(const definition& d)
{
    for (const stage& s : d.stages) {
        if (s.reduce != reduction::none) continue;
        bool fits = !s.epilogue.with_accumulator(s.body).nodes.overflowed();
        for (const further_output& f : s.further) fits = fits && !f.value.with_accumulator(s.body).nodes.overflowed();
        if (!fits) return {fault::expression_too_long, expr::max_nodes, expr::max_nodes + 1, s.name};
    }
    return {};
}

// role_missing where nothing is read or written; role_taken where a kernel would write more than most_outputs, or pack
// more than most_weights.
constexpr status wrong_roles(const definition& d)
{
    for (const role needed : {role::input, role::output})
        if (d.tensor_of(needed) < 0) return {fault::role_missing, 1, 0, name_of(needed)};
    std::int64_t outputs = 0, weights = 0;
    for (const tensor& own : d.tensors) {
        if (own.role == role::output && ++outputs > most_outputs)
            return {fault::role_taken, most_outputs, outputs, own.name};
        if (own.role == role::weights && ++weights > most_weights)
            return {fault::role_taken, most_weights, weights, own.name};
    }
    return {};
}

// element_type_unknown where a tensor other than weights is of a type that kernels only read weights in.
constexpr status wrong_types(const definition& d)
{
    for (const tensor& own : d.tensors)
        if (own.role != role::weights && own.type != dtype::f32)
            return {fault::element_type_unknown, static_cast<std::int64_t>(dtype::f32),
                    static_cast<std::int64_t>(own.type), own.name};
    return {};
}

// typical_out_of_range where what calls are said to give is none that one can.
constexpr status wrong_typical(const definition& d)
{
    for (const parameter& p : d.parameters)
        if (p.typical != 0 && (p.typical < p.least || p.typical > p.most))
            return {fault::typical_out_of_range, p.typical < p.least ? p.least : p.most, p.typical, p.name};
    return {};
}

// output_not_written_once where no stage writes a tensor of role::output, or two places of stages do.
constexpr status wrong_writers(const definition& d)
{
    for (std::size_t t = 0; t < d.tensors.size(); ++t) {
        if (d.tensors[t].role != role::output) continue;
        std::int64_t writers = 0;
        for (const stage& s : d.stages) {
            writers += s.output.tensor == static_cast<int>(t);
            for (const further_output& f : s.further) writers += f.to.tensor == static_cast<int>(t);
        }
        if (writers != 1) return {fault::output_not_written_once, 1, writers, d.tensors[t].name};
    }
    return {};
}

// Whether an operand stands in a tensor like the output's where the output does: it is met only where that is written.
constexpr bool stands_with_output(const definition& d, const stage& s, const operand& o)
{
    bool is_same = o.index == s.output.index;
    for (std::size_t i = 0; i < o.index.size() && is_same; ++i)
        is_same = d.tensors[o.tensor].dims[i].extent == d.tensors[s.output.tensor].dims[i].extent;
    return is_same;
}

// definition_outside where a stage leaves a tensor in some dimension and does not say that there are zeros.
constexpr status outside(const definition& d, const stage& s, const operand& o)
{
    if (o.may_leave || (s.output.may_leave && stands_with_output(d, s, o))) return {};
    const tensor& t = d.tensors[o.tensor];
    for (std::size_t i = 0; i < o.index.size(); ++i) {
        std::int64_t least = o.index[i].offset, most = least;
        for (const index_term& x : o.index[i].terms)
            (x.coefficient < 0 ? least : most) += x.coefficient * (s.axes[x.axis].extent - 1);
        // How far a call steps is its own: only where that is tested.
        if (o.index[i].has_parameters()) return {fault::definition_outside, t.dims[i].extent - 1, most, t.name};
        const std::int64_t last = t.dims[i].extent - 1;
        if (least < 0 || most > last) return {fault::definition_outside, last, least < 0 ? least : most, t.name};
    }
    return {};
}

// definition_outside where a quotient is of one that is itself such, or is summed over, or where what is divided leaves
// 64 bits; and where it is not summed over and has no parameter, if it may have a value that its axis has not, or one
// of them ends at the call.
constexpr status wrong_quotients(const definition& d)
{
    for (const stage& s : d.stages)
        for (const axis& a : s.axes) {
            if (!a.is_quotient()) continue;
            const axis_quotient& q = a.quotient;
            const axis& of = s.axes[q.of];
            const std::int64_t last = of.extent - 1, far = saturated_product(saturated_magnitude(q.times), last);
            const std::int64_t edge = far < saturated ? q.times * last + q.added : -1;
            const std::int64_t all = saturated_product(saturated_sum(far, saturated_magnitude(q.added)),
                                                       sizes::most_of(d, q.parameter)),
                               reach = saturated_sum(saturated_sum(all, saturated_magnitude(q.rest)), q.span);
            const bool is_open = (q.parameter >= 0 || a.reduction) && q.span >= 0 && reach < saturated / 2;
            const bool is_known = q.parameter < 0 && of.parameter < 0 && a.parameter < 0 && !a.reduction;
            const bool is_plain = q.divisor > 0 && !of.is_quotient() && !of.reduction && (is_open || is_known);
            const std::int64_t least = q.added < edge ? q.added : edge, most = q.added < edge ? edge : q.added;
            if (!is_plain || (!is_open && (least < 0 || most / q.divisor >= a.extent)))
                return {fault::definition_outside, a.extent - 1, is_plain ? most / q.divisor : 0, a.name};
        }
    return {};
}

// The greatest common divisor of the steps of an index whose axes move no other; 0: two points of them could meet, or
// these are no such axes. Of 2 i + 3 j the first that meet are (3, 0) and (0, 2).
constexpr std::int64_t common_step(const stage& s, const operand& to, std::size_t dim)
{
    const auto steps = [&](const index_term& t) { return s.axes[t.axis].extent - 1; };
    std::int64_t common = 0, before = 0, moving = 0;
    for (const index_term& t : to.index[dim].terms) {
        if (steps(t) == 0) continue;
        for (std::size_t i = 0; i < to.index.size(); ++i)
            for (const index_term& other : to.index[i].terms)
                if (other.axis == t.axis && &other != &t) return 0;
        const std::int64_t own = saturated_magnitude(t.coefficient);
        const std::int64_t all = greatest_common_divisor(common, own);
        if (own == 0 || (moving > 0 && common / all <= steps(t) && (moving > 1 || own / all <= before))) return 0;
        common = all;
        before = steps(t);
        ++moving;
    }
    return common;
}

// Whether steps that a call gives lay no two points on one another: i * stride + j, where it gives the stride as the
// extent of j.
constexpr bool counts_phases(const stage& s, const dim_index& k)
{
    return k.terms.size() == 2 && k.terms[0].parameter >= 0 && k.terms[0].coefficient == 1 &&
           k.terms[1] == index_term{k.terms[1].axis} && k.terms[0].parameter == s.axes[k.terms[1].axis].parameter;
}

// Whether two points of a stage could write one element of `to`: some axis does not move it, one that is reduced does,
// or one moves it by no more than the others do together. Strides that a call gives are the caller's matter.
constexpr bool writes_twice(const definition& d, const stage& s, const operand& to)
{
    struct move {
        std::int64_t step = 0;
        std::int64_t reach = 0;
    };
    inline_vector<move, most_axes> moves; // by step, ascending
    const auto add = [&](std::int64_t step, std::int64_t reach) {
        moves.push_back({step, reach});
        for (std::size_t i = moves.size() - 1; i > 0 && moves[i].step < moves[i - 1].step; --i) {
            const move kept = moves[i];
            moves[i] = moves[i - 1];
            moves[i - 1] = kept;
        }
    };
    // Where a dimension may be left, its axes write no further than it reaches.
    std::uint32_t together = 0;
    for (std::size_t i = 0; to.may_leave && i < to.index.size(); ++i) {
        const dimension& own = d.tensors[to.tensor].dims[i];
        const std::int64_t common = own.stride_parameter < 0 ? common_step(s, to, i) : 0;
        if (common == 0) continue;
        std::int64_t span = 0;
        for (const index_term& t : to.index[i].terms) {
            together |= std::uint32_t{1} << t.axis;
            const std::int64_t far = saturated_magnitude(t.coefficient);
            span = saturated_sum(span, saturated_product(far, s.axes[t.axis].extent - 1));
        }
        const std::int64_t size = saturated_magnitude(own.stride);
        const std::int64_t reach = span < own.extent ? span : own.extent - 1;
        if (reach > 0) add(saturated_product(common, size), saturated_product(size, reach));
    }
    for (int a = 0; a < static_cast<int>(s.axes.size()); ++a) {
        const std::int64_t steps = s.axes[a].extent - 1;
        if (steps == 0 || s.axes[a].is_quotient()) continue;
        std::int64_t step = 0;
        bool is_at_call = false;
        for (std::size_t i = 0; i < to.index.size(); ++i)
            for (const index_term& x : to.index[i].terms) {
                if (x.axis != a || x.coefficient == 0) continue;
                if (to.index[i].has_parameters() && !counts_phases(s, to.index[i])) return true;
                const dimension& own = d.tensors[to.tensor].dims[i];
                is_at_call = is_at_call || own.stride_parameter >= 0 || to.index[i].has_parameters();
                step += saturated_product(x.coefficient, own.stride);
            }
        const bool is_moved = is_at_call || step != 0;
        if (is_moved == s.axes[a].reduction) return true;
        if (!is_moved || is_at_call || (together >> a & 1) != 0) continue;
        const std::int64_t size = saturated_magnitude(step);
        add(size, saturated_product(size, steps));
    }
    std::int64_t reach = 0;
    for (const move& m : moves) {
        if (m.step <= reach) return true;
        reach = saturated_sum(reach, m.reach);
    }
    return false;
}

// The definition with the fault that is found first: whatever enters, a kernel or a tuner, comes through here. Behind
// it all numbers name something, and each point of a stage has an element of its own to write.
constexpr definition checked(definition d)
{
    const auto look = [&](auto what) {
        if (d.found.ok()) d.found = what(d);
    };
    look(outgrown_table);
    look(unknown_part);
    look(outgrown_statement);
    look(wrong_roles);
    look(wrong_types);
    look(wrong_sizes);
    look(wrong_quotients);
    look(wrong_typical);
    for (const stage& s : d.stages) {
        if (!d.found.ok()) break;
        bool is_reduced = false;
        for (const axis& a : s.axes) is_reduced = is_reduced || a.reduction;
        if (is_reduced && s.reduce == reduction::none) d.found = {fault::definition_reduction, 0, 0, s.name};
        for (const operand& o : s.operands) look([&](const definition&) { return outside(d, s, o); });
        look([&](const definition&) { return outside(d, s, s.output); });
        look([&](const definition&) {
            const bool is_given = d.tensors[s.output.tensor].memory == memory::argument;
            const bool is_output = !is_given || d.tensors[s.output.tensor].role == role::output;
            return !is_output || writes_twice(d, s, s.output) ? status{fault::definition_output, 0, 0, s.name}
                                                              : status{};
        });
        // These are given by the call, and written wherever the output is.
        for (further_output f : s.further) {
            f.to.may_leave = s.output.may_leave && stands_with_output(d, s, f.to);
            look([&](const definition&) { return outside(d, s, f.to); });
            look([&](const definition&) {
                const tensor& to = d.tensors[f.to.tensor];
                const bool is_given = to.memory == memory::argument;
                if (is_given && to.role == role::output && !writes_twice(d, s, f.to)) return status{};
                return status{fault::definition_output, 0, 0, to.name};
            });
        }
    }
    look(wrong_writers);
    return d;
}

} // namespace hone::operators

namespace hone { // API
using operators::checked;
} // namespace hone
