// SPDX-License-Identifier: BSL-1.0
// A workload's twin: the same formula over small odd extents, which no tile, vector or block divides. A kernel whose
// twin is wrong owes its results to the workload's round numbers, and is not chosen. What calls give, they give the
// twin, too.
#pragma once

#include <cstddef>
#include <cstdint>

#include <hone/op/flops.hpp>
#include <hone/op/operator.hpp>

#ifndef HONE_SHOW_WARNINGS // see core/config.hpp
#pragma GCC system_header
#endif

namespace hone::tune {

// One whole tile of most templates and a rest; windows, small batches and groups stay.
constexpr std::int64_t odd_extent(std::int64_t extent)
{
    return extent > 37 ? 37 : extent > 13 ? 13 : extent > 5 ? 5 : extent;
}

// Strides of a tensor that was shrunk, in the order of the given ones. What a stride that a call gives is multiplied
// by, is the stride of another dimension, or all of it: of rows of w * channels, the channels; of rows of 56 pixels, as
// far apart as the call has channels, the pixels. False where it is neither, or a dimension is in blocks.
constexpr bool give_dense_strides(tensor& t, const tensor& given)
{
    std::int64_t stride = 1;
    bool placed[6]{};
    for (std::size_t n = 0; n < t.dims.size(); ++n) {
        std::size_t next = t.dims.size();
        for (std::size_t i = t.dims.size(); i-- > 0;)
            if (!placed[i] && given.dims[i].stride_parameter < 0 &&
                (next == t.dims.size() || given.dims[i].stride < given.dims[next].stride))
                next = i;
        if (next == t.dims.size()) break;
        if (t.dims[next].block > 0) return false;
        placed[next] = true;
        // 0: the same elements for each place of the dimension.
        if (given.dims[next].stride == 0) continue;
        t.dims[next].stride = stride;
        stride *= t.dims[next].extent;
    }
    const auto is_left = [&](std::size_t i) { return i < t.dims.size() && !placed[i]; };
    for (;;) {
        std::size_t i = t.dims.size();
        for (std::size_t k = t.dims.size(); k-- > 0;)
            if (!placed[k] && (!is_left(i) || given.dims[k].stride < given.dims[i].stride)) i = k;
        if (!is_left(i)) break;
        if (t.dims[i].block > 0) return false;
        bool is_known = given.dims[i].stride <= 1 || given.dims[i].extent == 1;
        // Of dimensions that are multiplied by the same, by nothing, and by what theirs is a product of: of groups that
        // are oc * ic apart, the outputs.
        for (const int way : {0, 1, 2})
            for (std::size_t j = 0; j < t.dims.size() && !is_known; ++j) {
                const std::int16_t by = given.dims[j].stride_parameter;
                const bool is_meant = way == 0 ? by == given.dims[i].stride_parameter : way == 1 ? by < 0 : by >= 0;
                if (!placed[j] || !is_meant) continue;
                const bool is_whole = given.dims[i].stride == given.dims[j].stride * given.dims[j].extent;
                is_known = is_whole || given.dims[i].stride == given.dims[j].stride;
                if (is_known) t.dims[i].stride = t.dims[j].stride * (is_whole ? t.dims[j].extent : 1);
            }
        if (!is_known) return false;
        placed[i] = true;
    }
    return true;
}

// Tensors shrink with the axes that walk them, and keep the order of their dimensions: of a convolution of 56 rows with
// a window of 3 and padding 1, the input of 56 becomes 37. A definition with a fault where a workload has no twin: one
// with tables or dimensions in blocks.
constexpr definition with_odd_extents(definition d)
{
    const auto none = [&] {
        d.found = {fault::shape_mismatch, 1, 0, "odd twin"};
        return d;
    };
    if (!d.found.ok()) return d;
    if (!d.table_values.empty()) return none();
    // Of each dimension what the walk that reaches furthest leaves.
    const auto shrink = [](operand& o, tensor& t, const std::int64_t* lost, bool is_first) {
        for (std::size_t i = 0; i < o.index.size(); ++i) {
            std::int64_t span = 0;
            for (const index_term& term : o.index[i].terms) {
                const std::int64_t far = term.coefficient * lost[term.axis];
                span += far < 0 ? -far : far;
                // One that runs backwards begins at the new end.
                if (far < 0) o.index[i].offset = static_cast<std::int32_t>(o.index[i].offset + far);
            }
            const std::int64_t left = t.dims[i].extent - span;
            if (left < 1) continue;
            if (is_first || left < t.dims[i].extent) t.dims[i].extent = left;
        }
    };
    bool seen[12]{};
    const definition given = d;
    for (stage& s : d.stages) {
        std::int64_t lost[16]{}, last[16]{}; // of each axis
        for (std::size_t a = 0; a < s.axes.size(); ++a) {
            if (s.axes[a].is_quotient()) // of an axis before it, which is shorter now
                lost[a] = s.axes[a].extent - steps_at(s.axes[a], last).most - 1;
            else if (s.axes[a].parameter < 0)
                lost[a] = s.axes[a].extent - odd_extent(s.axes[a].extent);
            s.axes[a].extent -= lost[a];
            last[a] = s.axes[a].extent - 1;
        }
        const auto visit = [&](operand& o) {
            tensor& t = d.tensors[o.tensor];
            if (!seen[o.tensor]) {
                shrink(o, t, lost, true);
            } else {
                // A tensor that is read in two ways stays as it is: both then stay inside. Another stage reads it in
                // the same way where as much is left.
                tensor again = given.tensors[o.tensor];
                if (d.stages.size() > 1) shrink(o, again, lost, true);
                bool is_same = d.stages.size() > 1;
                for (std::size_t i = 0; i < t.dims.size(); ++i)
                    is_same = is_same && again.dims[i].extent == t.dims[i].extent;
                if (!is_same) t.dims = given.tensors[o.tensor].dims;
            }
            seen[o.tensor] = true;
        };
        for (operand& o : s.operands) visit(o);
        visit(s.output);
        for (further_output& f : s.further) visit(f.to);
    }
    for (std::size_t t = 0; t < d.tensors.size(); ++t)
        if (!give_dense_strides(d.tensors[t], given.tensors[t])) return none();
    return d;
}

inline constexpr const char* odd_signature = "odd";

template <tensor_operator Op>
struct odd_twin {
    static constexpr hone::definition definition() { return with_odd_extents(Op::definition()); }
    static constexpr signature_text signature() { return signature_text{}.word(odd_signature); }
};

} // namespace hone::tune
