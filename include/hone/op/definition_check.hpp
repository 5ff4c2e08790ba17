// SPDX-License-Identifier: BSL-1.0
// Whether a definition can be worked with: nothing was left out of its tables, a call can give each tensor, and all
// that is computed of its extents and strides stays in 64 bits. Nothing here overflows itself.
#pragma once

#include <cstddef>
#include <cstdint>

#include <hone/core/fault.hpp>
#include <hone/core/saturate.hpp>
#include <hone/ir/nest.hpp>
#include <hone/op/definition.hpp>

#ifndef HONE_SHOW_WARNINGS // see core/config.hpp
#pragma GCC system_header
#endif

namespace hone {

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
        for (const operand& o : s.operands) indexes(o);
    }
    return found;
}

// The most elements that an axis has or a tensor spans: 4 TiB. Schedules add padding and whole blocks, and bounds are
// sums of a few of it.
inline constexpr std::int64_t most_elements = std::int64_t{1} << 40;

namespace sizes {

// Of its largest value, where a call gives it.
constexpr std::int64_t stride_of(const definition& d, const dimension& own)
{
    const bool is_at_call = own.stride_parameter >= 0;
    return saturated_product(saturated_magnitude(own.stride), is_at_call ? d.parameters[own.stride_parameter].most : 1);
}
// Elements from the first to the last.
constexpr std::int64_t span_of(const definition& d, const tensor& t)
{
    std::int64_t span = 1;
    for (const dimension& own : t.dims) {
        const std::int64_t blocks = own.block > 0 ? (own.extent - 1) / own.block : 0;
        const std::int64_t steps = own.block > 0 ? own.block - 1 : own.extent - 1;
        span = saturated_sum(span, saturated_product(blocks, saturated_magnitude(own.outer_stride)));
        span = saturated_sum(span, saturated_product(steps, stride_of(d, own)));
    }
    return span;
}
// How far from the first element a stage stands at most, padding included.
constexpr std::int64_t reach_of(const definition& d, const stage& s, const operand& o)
{
    std::int64_t reach = 0;
    if (o.tensor < 0 || o.tensor >= static_cast<int>(d.tensors.size())) return reach;
    const auto& dims = d.tensors[o.tensor].dims;
    for (std::size_t i = 0; i < o.index.size() && i < dims.size(); ++i) {
        std::int64_t position = saturated_magnitude(o.index[i].offset);
        for (const index_term& x : o.index[i].terms)
            if (x.axis >= 0 && x.axis < static_cast<int>(s.axes.size()))
                position = saturated_sum(position,
                                         saturated_product(saturated_magnitude(x.coefficient), s.axes[x.axis].extent));
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
            is_at_call = is_at_call || own.stride_parameter >= 0;
        }
        const std::int64_t most = is_at_call ? saturated - 1 : most_elements, span = sizes::span_of(d, t);
        if (span > most) return too_large(most, span, t.name);
    }
    for (const stage& s : d.stages) {
        for (const axis& a : s.axes) {
            if (a.extent < 1) return {fault::extent_zero, 1, a.extent, a.name};
            if (a.extent > most_elements) return too_large(most_elements, a.extent, a.name);
        }
        bool leaves = sizes::reach_of(d, s, s.output) >= saturated;
        for (const operand& o : s.operands) leaves = leaves || sizes::reach_of(d, s, o) >= saturated;
        if (leaves) return too_large(saturated - 1, saturated, s.name);
    }
    return {};
}

// The definition with the fault that is found first: of its tables, of the roles, without which a call could not give
// each tensor and a template lacks what it multiplies, of its sizes.
constexpr definition with_roles_checked(definition d)
{
    if (d.found.ok()) d.found = outgrown_table(d);
    if (!d.found.ok()) return d;
    for (const role needed : {role::input, role::weights, role::output})
        if (d.tensor_of(needed) < 0) {
            d.found = {fault::role_missing, 1, 0, name_of(needed)};
            return d;
        }
    for (std::size_t t = 0; t < d.tensors.size(); ++t) {
        const tensor& own = d.tensors[t];
        if (own.memory != memory::argument || own.role == role::operand) continue;
        if (d.tensor_of(own.role) != static_cast<int>(t)) {
            d.found = {fault::role_taken, 1, 2, own.name};
            return d;
        }
    }
    d.found = wrong_sizes(d);
    return d;
}

} // namespace hone
