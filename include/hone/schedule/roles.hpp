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

// Along what the vectors of a tile lie.
enum class vector_axis : std::uint8_t {
    weights, // an axis of the weights, as channels are: vectors of weights, single values of x. Legal always; costs a
             // store for each lane where neighbours in y are others.
    output,  // the axis along which y and x lie in memory, as columns of NCHW images: vectors of x, single weights.
             // Legal where the weights do not move along it; costs lanes where it fills no whole vectors.
};

// Which axis plays which part in a reduction stage, as y += x * weights. Of several weights the first counts; of a
// product of two activations it is the right one.
struct direct_roles {
    int vector = -1; // along the vectors: in the weights and the output; without weights where the output is dense
    int row = -1;    // the rows of the register tile: in the output, and in x or the weights alone
    int reduce = -1; // the innermost reduction axis
    inline_vector<std::int8_t, most_axes> batch{};   // spatial axes outside the tile, outermost first
    inline_vector<std::int8_t, most_axes> windows{}; // reduction axes outside `reduce`, outermost first
    int x = -1;                                      // operands; -1: there is none
    int weights = -1;
};

constexpr bool moves_along(const operand& o, int axis)
{
    for (const dim_index& k : o.index)
        for (const index_term& t : k.terms)
            if (t.axis == axis) return true;
    return false;
}

// Whether an axis moves an operand, and dimensions of it in which no other does.
constexpr bool moves_alone(const operand& o, int axis)
{
    bool alone = moves_along(o, axis);
    for (const dim_index& k : o.index)
        for (const index_term& t : k.terms) alone = alone && (t.axis != axis || k.terms.size() == 1);
    return alone;
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

// Whether what a stage reads is found by quotients of its axes, and the quotient of an axis; -1: there is none.
constexpr bool is_sampled(const definition& d)
{
    for (const axis& a : d.stages[0].axes)
        if (a.is_quotient()) return true;
    return false;
}
constexpr int quotient_along(const stage& s, int axis)
{
    for (int a = 0; a < static_cast<int>(s.axes.size()); ++a)
        if (axis >= 0 && s.axes[a].quotient.of == axis) return a;
    return -1;
}

// Whether steps along an axis have a length in an operand, or in x, an operand or an output, that only the call knows:
// lanes of a vector must not. Weights are packed, with strides of their own.
constexpr bool has_open_stride(const definition& d, const operand& o, int axis)
{
    if (d.tensors[o.tensor].role == role::weights) return false;
    for (std::size_t k = 0; k < o.index.size(); ++k)
        for (const index_term& t : o.index[k].terms)
            if (t.axis == axis && (t.parameter >= 0 || d.tensors[o.tensor].dims[k].stride_parameter >= 0)) return true;
    return false;
}
constexpr bool has_open_stride(const definition& d, const stage& s, int axis)
{
    for (const operand& o : s.operands)
        if (has_open_stride(d, o, axis)) return true;
    for (const further_output& f : s.further)
        if (has_open_stride(d, f.to, axis)) return true;
    return has_open_stride(d, s.output, axis);
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

// A product of two activations, y[batch][m][n] += x[batch][m][k] * right[batch][k][n] in any layout of x and right.
struct product_roles {
    int m = -1, n = -1, k = -1; // axes: y lies along n
    int x = -1, right = -1;     // operands; -1: the definition is no such product
};
constexpr product_roles product_roles_of(const definition& d)
{
    product_roles r;
    if (!d.found.ok() || d.stages.size() != 1 || d.tensor_of(role::weights) >= 0) return {};
    const stage& s = d.stages[0];
    if (s.body.empty()) return {};
    const expr_node& root = s.body.nodes[s.body.root()];
    if (s.reduce != reduction::add || root.op != expr_op::mul || !s.tables.empty()) return {};
    const expr_node &a = s.body.nodes[root.a], &b = s.body.nodes[root.b];
    if (a.op != expr_op::load || b.op != expr_op::load || a.ref == b.ref) return {};
    const auto is_factor = [&](int o) {
        return d.tensors[s.operands[o].tensor].role == role::input && !s.operands[o].may_leave;
    };
    if (!is_factor(a.ref) || !is_factor(b.ref)) return {};
    const auto is_along_y = [&](int axis) {
        if (!is_dense_along(d, s.output, axis)) return false;
        for (std::size_t o = 0; o < s.operands.size(); ++o)
            if (static_cast<int>(o) != a.ref && static_cast<int>(o) != b.ref && has_open_stride(d, s.operands[o], axis))
                return false;
        return !has_open_stride(d, s.output, axis);
    };
    int of_a = -1, of_b = -1;
    for (int axis = 0; axis < static_cast<int>(s.axes.size()); ++axis) {
        const bool in_a = moves_along(s.operands[a.ref], axis), in_b = moves_along(s.operands[b.ref], axis);
        int& own = s.axes[axis].reduction ? r.k : in_a && !in_b ? of_a : of_b;
        if (!s.axes[axis].reduction && in_a && in_b) continue; // of the batch
        if (own >= 0 || (s.axes[axis].reduction ? !(in_a && in_b) : !in_a && !in_b)) return {};
        own = axis;
    }
    if (of_a < 0 || of_b < 0 || r.k < 0) return {};
    const bool is_last = is_along_y(of_b); // where each of the two is one step, it is the second factor's
    if (!is_last && !is_along_y(of_a)) return {};
    r.m = is_last ? of_a : of_b;
    r.n = is_last ? of_b : of_a;
    r.x = is_last ? a.ref : b.ref;
    r.right = is_last ? b.ref : a.ref;
    return r;
}
constexpr bool is_product_of_inputs(const definition& d) { return product_roles_of(d).right >= 0; }

// What a step along an axis moves an operand by; 0 where nothing or more than one dimension does, or the call says how
// far.
constexpr std::int64_t step_along(const definition& d, const operand& o, int axis)
{
    std::int64_t step = 0;
    int movers = 0;
    for (std::size_t k = 0; k < o.index.size(); ++k)
        for (const index_term& t : o.index[k].terms) {
            if (t.axis != axis) continue;
            const dimension& dim = d.tensors[o.tensor].dims[k];
            step = dim.stride_parameter >= 0 || dim.block > 0 ? 0 : t.coefficient * dim.stride;
            ++movers;
        }
    return movers == 1 ? step : 0;
}

constexpr direct_roles roles_of(const definition& d, vector_axis of);

// The axis of vector_axis::output; -1: there is none, or weights lie along it, too. Every second to fourth element of x
// is as good as each: so many vectors are loaded, and sorted.
constexpr int axis_of_output(const definition& d)
{
    const direct_roles r = roles_of(d, vector_axis::weights);
    const stage& s = d.stages[0];
    if (r.weights < 0 || r.x < 0) return -1;
    if (r.vector >= 0 && s.axes[r.vector].extent > 1 && is_dense_along(d, s.output, r.vector)) return -1;
    constexpr std::int64_t most_step = 4;
    for (int a = static_cast<int>(s.axes.size()); a-- > 0;) {
        if (s.axes[a].reduction || s.axes[a].extent == 1 || s.axes[a].parameter >= 0) continue;
        const std::int64_t step = step_along(d, s.operands[r.x], a);
        bool is_one = step >= 1 && step <= most_step && is_dense_along(d, s.output, a) && !has_open_stride(d, s, a);
        for (const further_output& f : s.further) is_one = is_one && is_dense_along(d, f.to, a);
        for (const operand& o : s.operands)
            is_one = is_one && !(d.tensors[o.tensor].role == role::weights && moves_along(o, a));
        if (is_one) return a;
    }
    return -1;
}

// Precondition of vector_axis::output: there is such an axis.
constexpr direct_roles roles_of(const definition& d, vector_axis of = vector_axis::weights)
{
    direct_roles r;
    const stage& s = d.stages[0];
    for (std::size_t o = 0; o < s.operands.size(); ++o) {
        const role part = d.tensors[s.operands[o].tensor].role;
        if (part == role::weights && r.weights < 0) r.weights = static_cast<int>(o);
        if (part == role::input && r.x < 0) r.x = static_cast<int>(o);
    }
    const int axes = static_cast<int>(s.axes.size());
    if (const product_roles p = product_roles_of(d); p.right >= 0) {
        r = {.vector = p.n, .row = p.m, .reduce = p.k, .x = p.x, .weights = p.right};
        for (int a = 0; a < axes; ++a)
            if (a != p.m && a != p.n && a != p.k) r.batch.push_back(static_cast<std::int8_t>(a));
        return r;
    }
    const auto may_be_vector = [&](int a) {
        return !s.axes[a].reduction && !has_open_stride(d, s, a) &&
               (r.weights < 0 ? is_dense_along(d, s.output, a) : moves_alone(s.operands[r.weights], a));
    };
    for (int a = 0; a < axes; ++a)
        if (may_be_vector(a) && s.axes[a].extent > 1) r.vector = a;
    if (r.vector < 0)
        for (int a = 0; a < axes; ++a)
            if (may_be_vector(a)) r.vector = a;
    if (of == vector_axis::output) r.vector = axis_of_output(d);
    // The last spatial axis without weights has the rows that share them; that without x those that share its vectors.
    const auto last_without = [&](int operand) {
        int last = -1;
        for (int a = 0; a < axes; ++a) {
            const bool moves = operand >= 0 && moves_along(s.operands[operand], a);
            const bool shares_weights =
                r.weights >= 0 && moves_along(s.operands[r.weights], a) && !moves_alone(s.operands[r.weights], a);
            const bool is_row = !s.axes[a].reduction && !s.axes[a].is_quotient() && s.axes[a].extent > 1;
            if (is_row && !moves && !shares_weights && a != r.vector) last = a;
        }
        return last;
    };
    if (of == vector_axis::output) r.row = last_without(r.x);
    if (r.row < 0) r.row = last_without(r.weights);
    for (int a = axes; a-- > 0;)
        if (s.axes[a].reduction && r.reduce < 0 && (s.axes[a].extent > 1 || a == axes - 1)) r.reduce = a;
    for (int a = 0; a < axes; ++a) {
        const auto axis = static_cast<std::int8_t>(a);
        if (s.axes[a].reduction ? a == r.reduce : (a == r.vector || a == r.row || s.axes[a].is_quotient())) continue;
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
// blocks. Where vectors lie along the output, blocks are of rows. Blocks of a vector axis whose extent the call gives
// are outermost: fewer of them take less memory.
constexpr packed_tensors packed_along(const definition& d, std::int64_t block, vector_axis of = vector_axis::weights)
{
    const direct_roles r = roles_of(d, of);
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
        if (d.stages[0].axes[r.vector].parameter >= 0) add(r.vector);
        for (std::int8_t a : r.batch) add(a);
        add(r.row);
        add(r.vector);
        for (std::int8_t a : r.windows) add(a);
        add(r.reduce);
        const int blocked = dim_of(of == vector_axis::weights ? r.vector : r.row);
        all.push_back(packed_tensor(d.tensors[w], order, blocked, blocked < 0 ? 1 : block, d.parameters));
    }
    return all;
}

} // namespace hone::schedules

namespace hone { // API
using schedules::direct_roles, schedules::has_direct_roles, schedules::packed_along, schedules::roles_of,
    schedules::shares_dimension, schedules::vector_axis, schedules::walk;
} // namespace hone
