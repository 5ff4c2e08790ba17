// SPDX-License-Identifier: BSL-1.0
// The index expression e of the paper: tensors, and stages that compute some of them from others over named axes.
// It says what is computed; loop order, memory and binding are a schedule's business.
#pragma once

#include <cstdint>
#include <initializer_list>

#include <hone/core/dtype.hpp>
#include <hone/core/inline_vector.hpp>
#include <hone/core/isa.hpp>
#include <hone/core/saturate.hpp>
#include <hone/ir/expr.hpp>
#include <hone/ir/nest.hpp>

#ifndef HONE_SHOW_WARNINGS // see core/config.hpp
#pragma GCC system_header
#endif

namespace hone::operators {

// floor(((times * value of axis `of` + added) * parameter + rest) / divisor), where parameter -1 stands for 1. An axis
// that is summed over has all values from there to floor((... + rest + span) / divisor). Of it, and with a parameter,
// values outside of the axis are left out.
struct axis_quotient {
    std::int8_t of = -1;
    std::int64_t times = 1, added = 0, divisor = 1, rest = 0, span = 0;
    std::int16_t parameter = -1;
};

// A loop axis of a stage. With a parameter, `extent` is its largest value and the parameter gives the extent of a call.
// A quotient of an axis before it has one value where that stands, below the extent: the source of a pixel.
struct axis {
    const char* name = "";
    std::int64_t extent = 1;
    bool reduction = false;
    std::int16_t parameter = -1;
    axis_quotient quotient{};

    constexpr bool is_quotient() const { return quotient.of >= 0; }
};

// One dimension of a tensor: element i stands at i * stride (* parameter stride_parameter), and with a block at
// (i / block) * outer_stride (* parameter outer_parameter) + (i % block) * stride. Blocked dimensions are padded to
// whole blocks; with a stride of 0 a block is one element.
struct dimension {
    std::int64_t extent = 1, stride = 1, block = 0, outer_stride = 0;
    std::int16_t extent_parameter = -1, stride_parameter = -1, outer_parameter = -1;

    constexpr bool has_padded_blocks() const { return block > 0 && stride != 0; }
};

struct tensor {
    const char* name = "";
    dtype type = dtype::f32;
    hone::role role = hone::role::none;
    hone::memory memory = hone::memory::argument;
    inline_vector<dimension, 6> dims{};

    // Elements from the first to the last, of the largest extents; for tensors whose run-time strides are multiples of
    // one of their extents, and for dense ones, whose strides may be products of several.
    constexpr std::int64_t elements() const
    {
        std::int64_t last = 0, all = 1;
        bool is_dense = false;
        for (const dimension& d : dims) {
            is_dense = is_dense || !is_known(d.stride_parameter) || !is_known(d.outer_parameter);
            all =
                saturated_product(all, d.has_padded_blocks() ? (d.extent + d.block - 1) / d.block * d.block : d.extent);
        }
        if (is_dense) return all;
        for (const dimension& d : dims) {
            if (d.block > 0)
                last += ((d.extent + d.block - 1) / d.block - 1) * d.outer_stride * largest(d.outer_parameter) +
                        (d.block - 1) * d.stride;
            else
                last += (d.extent - 1) * d.stride * largest(d.stride_parameter);
        }
        return last + 1;
    }
    constexpr bool is_known(std::int16_t parameter) const
    {
        bool is_extent = parameter < 0;
        for (const dimension& d : dims) is_extent = is_extent || d.extent_parameter == parameter;
        return is_extent;
    }
    // Of a parameter that is the extent of a dimension; else 1.
    constexpr std::int64_t largest(std::int16_t parameter) const
    {
        for (const dimension& d : dims)
            if (parameter >= 0 && d.extent_parameter == parameter) return d.extent;
        return 1;
    }
};

// coefficient * axis * parameter; -1 stands for 1.
struct index_term {
    std::int8_t axis = -1;
    std::int32_t coefficient = 1;
    std::int16_t parameter = -1;
    friend constexpr bool operator==(const index_term&, const index_term&) = default;
};

// The sum of terms, plus offset * parameter: where a stage stands in one dimension of a tensor. Parameters are given by
// the call, and none is negative.
struct dim_index {
    inline_vector<index_term, 3> terms{};
    std::int32_t offset = 0;
    std::int16_t offset_parameter = -1;

    constexpr bool has_parameters() const
    {
        bool has = offset_parameter >= 0;
        for (const index_term& t : terms) has = has || t.parameter >= 0;
        return has;
    }
    friend constexpr bool operator==(const dim_index&, const dim_index&) = default;
};
constexpr dim_index along(int axis, int coefficient = 1, int offset = 0)
{
    dim_index d;
    d.terms.push_back({static_cast<std::int8_t>(axis), coefficient});
    d.offset = offset;
    return d;
}
constexpr dim_index along(int axis, int coefficient, int second, int second_coefficient, int offset)
{
    dim_index d = along(axis, coefficient, offset);
    d.terms.push_back({static_cast<std::int8_t>(second), second_coefficient});
    return d;
}

struct operand {
    std::int8_t tensor = -1;
    inline_vector<dim_index, 6> index{};
    // Whether the index may leave the tensor. Reads are `outside` there (padding), and as the output nothing is
    // written.
    bool may_leave = false;
    float outside = 0;
};

// Entry of a constant table [first, first + count) of the definition; the index is affine in the axes. A table of no
// entries is for ex::position, which is the index itself. There it may be a number of the call: offset * parameter.
struct table_operand {
    std::int16_t first = 0, count = 0;
    dim_index index{};
};

// One more tensor that a stage writes where it writes its output: `to` = `value`, an expression in acc() and the
// operands, as the epilogue is.
struct further_output {
    operand to{};
    expr value{};
};

// Tensors of role::output that an operator may have.
inline constexpr int most_outputs = 3;

// Axes that a stage may have.
inline constexpr int most_axes = 12;

// output[...] (reduce)= body over the axes; then output = epilogue, an expression in acc() and the operands.
struct stage {
    const char* name = "";
    inline_vector<axis, most_axes> axes{};
    inline_vector<operand, 6> operands{};
    inline_vector<table_operand, 8> tables{};
    operand output{};
    hone::reduction reduce = hone::reduction::none;
    expr body{};
    expr epilogue = ex::acc();
    // Where sums wait whose reduction is split outside the register tile: a tensor with the dimensions of the output's;
    // -1: in the output itself.
    std::int8_t sums = -1;
    inline_vector<further_output, most_outputs - 1> further{};
};

// Tensors of role::weights that an operator may have.
inline constexpr int most_weights = 4;

// Stages in order of execution; a later stage reads what an earlier one wrote.
struct definition {
    inline_vector<tensor, 12> tensors{};
    inline_vector<stage, 8> stages{};
    inline_vector<parameter, 40> parameters{};
    inline_vector<float, 128> table_values{};
    status found{};

    constexpr int tensor_of(hone::role role) const
    {
        for (std::size_t i = 0; i < tensors.size(); ++i)
            if (tensors[i].role == role) return static_cast<int>(i);
        return -1;
    }
};

// Lanes of a vector in which an operator is computed.
constexpr int lanes_of(isa set, const definition& d) { return lanes_of(set, accumulator_of(d.tensors)); }

// Whether a stage reads an operand through a window, in a dimension that several axes move.
constexpr bool is_windowed(const operand& o)
{
    for (const dim_index& k : o.index)
        if (k.terms.size() > 1) return true;
    return false;
}

// Whether a call gives by how much windows move over an operand.
constexpr bool has_open_windows(const operand& o)
{
    for (const dim_index& k : o.index)
        if (k.has_parameters()) return true;
    return false;
}

// Whether a call gives the extents of an image, from which those of axes come, or how many channels it has: a copy
// would be as large as the largest. How many images there are, the first dimension, says nothing.
constexpr bool has_open_image(const definition& d)
{
    for (const parameter& p : d.parameters)
        if (p.dividend >= 0 || p.window.image >= 0 || p.scale > 0) return true;
    for (const stage& s : d.stages)
        for (const operand& o : s.operands)
            for (std::size_t k = 1; is_windowed(o) && k < o.index.size(); ++k)
                if (d.tensors[o.tensor].dims[k].extent_parameter >= 0) return true;
    return false;
}

// Whether an index stays below the end of a dimension that the call gives: along an axis of that extent, or along the
// windows of such an image.
constexpr bool ends_in_image(const definition& d, const stage& s, const dim_index& index, const dimension& dim)
{
    std::int64_t most = index.offset;
    int windows = -1;
    std::int64_t stride = 0;
    for (const index_term& t : index.terms) {
        if (s.axes[t.axis].parameter >= 0 && windows < 0) {
            windows = s.axes[t.axis].parameter;
            stride = t.coefficient;
        } else if (t.coefficient > 0) {
            most += t.coefficient * (s.axes[t.axis].extent - 1);
        }
    }
    if (windows < 0 || dim.extent_parameter < 0) return false;
    if (windows == dim.extent_parameter) return stride == 1 && most <= 0;
    const parameter& p = d.parameters[windows];
    return p.dividend == dim.extent_parameter && p.divisor == stride && p.added - stride + most < 0;
}

// Parameters that are the extent of axes of an output, or a factor of one, and of no sum that is an output: where one
// is 0, nothing is to be computed.
constexpr std::uint64_t emptying_parameters(const definition& d)
{
    std::uint64_t spatial = 0, reduced = 0;
    for (const stage& s : d.stages)
        for (const axis& a : s.axes)
            if (const auto t = static_cast<std::size_t>(s.output.tensor); a.parameter >= 0 && t < d.tensors.size())
                if (d.tensors[t].role == role::output)
                    (a.reduction || a.is_quotient() ? reduced : spatial) |= std::uint64_t{1} << a.parameter;
    for (std::size_t p = d.parameters.size(); p-- > 0;) {
        const parameter& x = d.parameters[p];
        for (const std::int16_t of : {x.first_factor, x.second_factor, x.is_share ? x.dividend : x.first_factor})
            if (of >= 0) spatial |= (spatial >> p & 1) << of;
        if (x.groups >= 0) reduced |= std::uint64_t{1} << x.groups;
    }
    return spatial & ~reduced;
}

// Gives the dimensions of a tensor dense strides, the last one varying fastest.
constexpr void set_dense(tensor& t)
{
    std::int64_t stride = 1;
    for (std::size_t i = t.dims.size(); i-- > 0;) {
        t.dims[i].stride = stride;
        t.dims[i].stride_parameter = -1;
        t.dims[i].block = 0;
        stride = saturated_product(stride, t.dims[i].extent);
    }
}

} // namespace hone::operators

namespace hone { // API
using operators::along, operators::axis, operators::axis_quotient, operators::definition, operators::dim_index,
    operators::dimension, operators::further_output, operators::lanes_of, operators::operand, operators::set_dense,
    operators::stage, operators::table_operand, operators::tensor;
} // namespace hone
