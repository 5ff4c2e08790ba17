// SPDX-License-Identifier: BSL-1.0
// Which part each axis of an operator plays, read from its definition: so that gemm, convolutions and users' operators
// share the templates. And the weights in the order in which these read them.
#pragma once

#include <cstddef>
#include <cstdint>

#include <hone/core/inline_vector.hpp>
#include <hone/op/definition.hpp>
#include <hone/schedule/transform.hpp>

#ifndef HONE_SHOW_WARNINGS // see core/config.hpp
#pragma GCC system_header
#endif

namespace hone::schedules {

// What is walked outside of what: the innermost of these stays in the nearest cache.
enum class walk : std::uint8_t {
    weights_outer, // a block of weights stays while all rows pass
    rows_outer,    // a row of x stays while all weights pass
};

// Which axis plays which part in a reduction stage, as y += x * weights. Of several weights the first counts.
struct direct_roles {
    int vector = -1; // along the vectors: in the weights and the output; without weights where the output is dense
    int row = -1;    // the rows of the register tile: in x and the output, not in the weights
    int reduce = -1; // the innermost reduction axis
    inline_vector<std::int8_t, 10> batch{};   // spatial axes outside the tile, outermost first
    inline_vector<std::int8_t, 10> windows{}; // reduction axes outside `reduce`, outermost first
    int x = -1;                               // operands; -1: there is none
    int weights = -1;
};

constexpr bool moves_along(const operand& o, int axis)
{
    for (const dim_index& k : o.index)
        for (const index_term& t : k.terms)
            if (t.axis == axis) return true;
    return false;
}

// Whether two axes move in the same dimension of an operand, as a row and its taps do.
constexpr bool shares_dimension(const operand& o, int a, int b)
{
    for (const dim_index& k : o.index) {
        bool has_a = false;
        bool has_b = false;
        for (const index_term& t : k.terms) {
            has_a = has_a || t.axis == a;
            has_b = has_b || t.axis == b;
        }
        if (has_a && has_b) return true;
    }
    return false;
}

// Whether steps along an axis have a length in x, the weights or an output that only the call knows: lanes of a vector
// must not.
constexpr bool has_open_stride(const definition& d, const stage& s, int axis)
{
    const auto is_open = [&](const operand& o) {
        for (std::size_t k = 0; k < o.index.size(); ++k)
            for (const index_term& t : o.index[k].terms)
                if (t.axis == axis && d.tensors[o.tensor].dims[k].stride_parameter >= 0) return true;
        return false;
    };
    for (const operand& o : s.operands)
        if (is_open(o)) return true;
    for (const further_output& f : s.further)
        if (is_open(f.to)) return true;
    return is_open(s.output);
}

// Whether a step along an axis is one element.
constexpr bool is_dense_along(const definition& d, const operand& o, int axis)
{
    for (std::size_t k = 0; k < o.index.size(); ++k)
        for (const index_term& t : o.index[k].terms)
            if (t.axis == axis)
                return o.index[k].terms.size() == 1 && t.coefficient * d.tensors[o.tensor].dims[k].stride == 1;
    return false;
}

constexpr direct_roles roles_of(const definition& d)
{
    direct_roles r;
    const stage& s = d.stages[0];
    for (std::size_t o = 0; o < s.operands.size(); ++o) {
        const role part = d.tensors[s.operands[o].tensor].role;
        if (part == role::weights && r.weights < 0) r.weights = static_cast<int>(o);
        if (part == role::input && r.x < 0) r.x = static_cast<int>(o);
    }
    const int axes = static_cast<int>(s.axes.size());
    const auto may_be_vector = [&](int a) {
        return !s.axes[a].reduction && !has_open_stride(d, s, a) &&
               (r.weights < 0 ? is_dense_along(d, s.output, a) : moves_along(s.operands[r.weights], a));
    };
    for (int a = 0; a < axes; ++a)
        if (may_be_vector(a) && s.axes[a].extent > 1) r.vector = a;
    if (r.vector < 0)
        for (int a = 0; a < axes; ++a)
            if (may_be_vector(a)) r.vector = a;
    // The last spatial axis without weights has the rows that share them.
    for (int a = 0; a < axes; ++a) {
        const bool in_weights = r.weights >= 0 && moves_along(s.operands[r.weights], a);
        if (!s.axes[a].reduction && !in_weights && s.axes[a].extent > 1 && a != r.vector) r.row = a;
    }
    for (int a = axes; a-- > 0;)
        if (s.axes[a].reduction && r.reduce < 0 && (s.axes[a].extent > 1 || a == axes - 1)) r.reduce = a;
    for (int a = 0; a < axes; ++a) {
        const auto axis = static_cast<std::int8_t>(a);
        if (s.axes[a].reduction ? a == r.reduce : (a == r.vector || a == r.row)) continue;
        if (s.axes[a].reduction)
            r.windows.push_back(axis);
        else
            r.batch.push_back(axis);
    }
    return r;
}

// Whether a definition has what the direct templates need: one stage of an input, and an axis for vectors.
constexpr bool has_direct_roles(const definition& d)
{
    if (!d.found.ok() || d.stages.size() != 1) return false;
    const direct_roles r = roles_of(d);
    return r.x >= 0 && r.vector >= 0;
}

// Each of the weights in the order in which the direct templates read them: spatial axes, blocks of the vector axis,
// reduction axes, and `block` elements of the vector axis side by side. Of those without that axis no dimension is in
// blocks.
constexpr packed_tensors packed_along(const definition& d, std::int64_t block)
{
    const direct_roles r = roles_of(d);
    packed_tensors all;
    for (std::size_t w = 0; w < d.tensors.size(); ++w) {
        if (d.tensors[w].role != role::weights) continue;
        inline_vector<dim_index, 6> index; // where it is read first
        for (const operand& o : d.stages[0].operands)
            if (o.tensor == static_cast<int>(w) && index.empty()) index = o.index;
        const auto dim_of = [&](int axis) {
            for (std::size_t i = 0; i < index.size(); ++i)
                for (const index_term& t : index[i].terms)
                    if (t.axis == axis) return static_cast<int>(i);
            return -1;
        };
        inline_vector<std::int8_t, 6> order;
        const auto add_dim = [&](int dim) {
            for (std::int8_t known : order)
                if (known == dim) return;
            if (dim >= 0) order.push_back(static_cast<std::int8_t>(dim));
        };
        const auto add = [&](int axis) {
            if (axis >= 0) add_dim(dim_of(axis));
        };
        // Dimensions in which nothing moves, or an axis that another has, too.
        for (std::size_t i = 0; i < d.tensors[w].dims.size(); ++i) {
            bool is_first = false;
            for (std::size_t a = 0; a < d.stages[0].axes.size(); ++a)
                is_first = is_first || dim_of(static_cast<int>(a)) == static_cast<int>(i);
            if (!is_first) add_dim(static_cast<int>(i));
        }
        for (std::int8_t a : r.batch) add(a);
        add(r.row);
        add(r.vector);
        for (std::int8_t a : r.windows) add(a);
        add(r.reduce);
        const int blocked = dim_of(r.vector);
        all.push_back(packed_tensor(d.tensors[w], order, blocked, blocked < 0 ? 1 : block));
    }
    return all;
}

} // namespace hone::schedules

namespace hone { // API
using schedules::direct_roles;
using schedules::has_direct_roles;
using schedules::packed_along;
using schedules::roles_of;
using schedules::shares_dimension;
using schedules::walk;
} // namespace hone
