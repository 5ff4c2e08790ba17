// SPDX-License-Identifier: BSL-1.0
// Steps that change what a schedule computes with, never what it computes: packing, copies of an operand into nearer
// memory. Each returns a definition in which the tensor, the copying stage and the indices agree.
#pragma once

#include <cstdint>

#include <hone/ir/visit.hpp>
#include <hone/schedule/packed.hpp>
#include <hone/schedule/schedule.hpp>

#ifndef HONE_SHOW_WARNINGS // see core/config.hpp
#pragma GCC system_header
#endif

namespace hone::schedules {

// Leaves axes of one step out of an index, as those of the outputs of a window that is as large as its image.
constexpr void drop_still_axes(const stage& s, operand& o)
{
    for (dim_index& index : o.index) {
        const auto terms = index.terms;
        index.terms.clear();
        for (const index_term& t : terms)
            if (s.axes[t.axis].extent > 1 || s.axes[t.axis].parameter >= 0) index.terms.push_back(t);
    }
}

// The dimension of an operand in which nothing but this axis moves, one by one over all of it; -1: there is none.
constexpr int dimension_of_all(const definition& d, const operand& o, int axis)
{
    for (std::size_t k = 0; k < o.index.size(); ++k) {
        const dim_index& index = o.index[k];
        if (index.terms.size() != 1 || index.terms[0].axis != axis) continue;
        const dimension& dim = d.tensors[o.tensor].dims[k];
        const bool is_whole = index.terms[0].coefficient == 1 && index.offset == 0 && dim.block == 0 &&
                              dim.extent_parameter < 0 && dim.stride_parameter < 0 &&
                              dim.extent == d.stages[0].axes[axis].extent;
        return is_whole ? static_cast<int>(k) : -1;
    }
    return -1;
}

// f(operand) for all that a stage reads and writes.
template <class Stage, class F>
constexpr void for_each_operand(Stage& s, F&& f)
{
    for (auto& o : s.operands) f(o);
    f(s.output);
    for (auto& further : s.further) f(further.to);
}

constexpr bool moves_with(const dim_index& index, int axis)
{
    for (const index_term& t : index.terms)
        if (t.axis == axis) return true;
    return false;
}

// Whether two axes of a stage, the inner next to the outer, walk through memory as one would: each tensor that moves
// along them has a dimension of each, one behind the other, and is nobody else's.
constexpr bool are_one_axis(const definition& d, int outer, int inner)
{
    const stage& s = d.stages[0];
    bool all = s.axes[outer].parameter < 0 && s.axes[inner].parameter < 0;
    for (const table_operand& t : s.tables) all = all && !moves_with(t.index, outer) && !moves_with(t.index, inner);
    for_each_operand(s, [&](const operand& o) {
        bool is_moved = false;
        for (const dim_index& index : o.index)
            is_moved = is_moved || moves_with(index, outer) || moves_with(index, inner);
        if (!is_moved) return;
        const int a = dimension_of_all(d, o, outer), b = dimension_of_all(d, o, inner);
        int users = 0;
        for_each_operand(s, [&](const operand& other) { users += other.tensor == o.tensor ? 1 : 0; });
        if (a < 0 || b < 0 || o.may_leave || users != 1) {
            all = false;
            return;
        }
        const tensor& t = d.tensors[o.tensor];
        all = all && t.dims[a].stride == t.dims[b].stride * t.dims[b].extent;
    });
    return all;
}
// Makes one of them: the inner, of all steps; the other has an extent of 1 from then on.
constexpr void make_one_axis(definition& d, int outer, int inner)
{
    stage& s = d.stages[0];
    const std::int64_t steps = s.axes[outer].extent;
    for_each_operand(s, [&](operand& o) {
        const int a = dimension_of_all(d, o, outer), b = dimension_of_all(d, o, inner);
        if (a < 0 || b < 0) return;
        o.index[a] = {};
        d.tensors[o.tensor].dims[a].extent = 1;
        d.tensors[o.tensor].dims[b].extent *= steps;
    });
    s.axes[outer].extent = 1;
    s.axes[inner].extent *= steps;
}

// Makes one axis of neighbouring reduction axes that walk through memory as one: of h and w of y[c] += x[h][w][c] one
// of h * w rows. The order of the terms stays.
constexpr void fuse_reductions(definition& d)
{
    stage& s = d.stages[0];
    for (operand& o : s.operands) drop_still_axes(s, o);
    int outer = -1;
    for (int inner = 0; inner < static_cast<int>(s.axes.size()); ++inner) {
        if (!s.axes[inner].reduction || s.axes[inner].extent == 1) continue;
        if (outer >= 0 && are_one_axis(d, outer, inner)) make_one_axis(d, outer, inner);
        outer = inner;
    }
}

// The schedule that fills `packed` from `source`, padding with zeros. Runs once per set of weights.
constexpr schedule packing_schedule(const tensor& source, const tensor& packed, isa set)
{
    schedule s;
    s.set = set;
    s.definition.tensors.push_back(source);
    s.definition.tensors.push_back(packed);
    s.definition.tensors[0].role = role::weights;
    s.definition.tensors[1].role = role::output;
    s.definition.tensors[1].name = "packed";
    stage copy;
    copy.name = "pack";
    stage_plan plan;
    operand from{.tensor = 0, .may_leave = true};
    copy.output.tensor = 1;
    constexpr const char* names[] = {"p0", "p1", "p2", "p3", "p4", "p5"};
    for (std::size_t k = 0; k < packed.dims.size(); ++k) {
        const dimension& d = packed.dims[k];
        const int axis = copy.axes.push_back({names[k], d.block > 0 ? round_up(d.extent, d.block) : d.extent});
        from.index.push_back(along(axis));
        copy.output.index.push_back(along(axis));
        if (d.block > 1) plan.add(axis, d.block);
    }
    for (std::size_t k = 0; k < packed.dims.size(); ++k) plan.add(static_cast<int>(k), 1);
    copy.operands.push_back(from);
    copy.body = ex::load(0);
    s.definition.stages.push_back(copy);
    s.plans.push_back(plan);
    return s;
}

// Operand `o` of stage `st` is read from a copy in workspace memory that holds its padding. `pad_before` is
// the distance by which indices start before the tensor, `extents` those of the padded tensor. The copy runs first.
constexpr void pad_operand(schedule& s, int st, int o, const inline_vector<std::int64_t, 6>& extents, int parallel_dim)
{
    definition& d = s.definition;
    operand& use = d.stages[st].operands[o];
    const tensor source = d.tensors[use.tensor];
    tensor padded = source;
    padded.name = "padded";
    padded.role = role::none;
    padded.memory = memory::workspace;
    for (std::size_t k = 0; k < extents.size(); ++k) padded.dims[k].extent = extents[k];
    set_dense(padded);

    stage copy;
    copy.name = "pad";
    stage_plan plan;
    operand from{.tensor = use.tensor, .may_leave = true, .outside = use.outside};
    copy.output.tensor = static_cast<std::int8_t>(d.tensors.push_back(padded));
    constexpr const char* names[] = {"q0", "q1", "q2", "q3", "q4", "q5"};
    for (std::size_t k = 0; k < extents.size(); ++k) {
        // As many as the call gives, of what is not padded.
        const bool is_whole = use.index[k].offset == 0 && extents[k] == source.dims[k].extent;
        const std::int16_t parameter = is_whole ? source.dims[k].extent_parameter : std::int16_t{-1};
        const int axis = copy.axes.push_back({names[k], extents[k], false, parameter});
        // The copy starts where the use's index starts.
        from.index.push_back(along(axis, 1, use.index[k].offset));
        copy.output.index.push_back(along(axis));
        use.index[k].offset = 0;
    }
    copy.operands.push_back(from);
    copy.body = ex::load(0);
    const std::size_t last = extents.size() - 1;
    // Of a dimension in blocks that are one element each, lanes read whole blocks of a vector, or steps one block.
    const std::int64_t block = source.dims[last].block, length = s.vector_length;
    const bool is_even = block == 0 ? source.dims[last].stride == 1 : length % block == 0;
    const bool vectors = extents[last] % length == 0 && is_even && length > 1;
    for (std::size_t k = 0; k < last; ++k)
        plan.add(static_cast<int>(k), 1, static_cast<int>(k) == parallel_dim ? binding::parallel : binding::serial);
    if (vectors)
        plan.add(static_cast<int>(last), s.vector_length).add(static_cast<int>(last), 1, binding::vectorize);
    else if (block > 0)
        plan.add(static_cast<int>(last), block).add(static_cast<int>(last), 1);
    else
        plan.add(static_cast<int>(last), 1);
    use.tensor = copy.output.tensor;
    use.may_leave = false;

    // Stages run in order: the copy goes in front.
    d.stages.push_back({});
    s.plans.push_back({});
    for (std::size_t i = d.stages.size() - 1; i > 0; --i) {
        d.stages[i] = d.stages[i - 1];
        s.plans[i] = s.plans[i - 1];
        if (s.plans[i].attach.stage >= 0) ++s.plans[i].attach.stage;
    }
    d.stages[0] = copy;
    s.plans[0] = plan;
}

} // namespace hone::schedules

namespace hone { // API
using schedules::packing_schedule, schedules::pad_operand;
} // namespace hone
