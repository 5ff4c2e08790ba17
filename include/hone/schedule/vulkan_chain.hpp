// SPDX-License-Identifier: BSL-1.0
// The chain template for Vulkan: operators of several stages, each of them a product with weights or what becomes of
// each element alone, as recurrent cells have them. A workgroup takes all stages of some rows and columns of the
// output, one behind the other with a barrier between them; each invocation has a row and a vector of columns:
//
//     from_input[row][gate][column] = sum over k of x[row][k] * weights[gate][column][k]
//     gates[row][gate][column] = from_input[row][gate][column] + sum over k of h[row][k] * recurrent[gate][column][k]
//     y[row][column] = f(gates[row][0][column], gates[row][1][column], ...)
//
// Axes of one number are one axis in all stages. Those of which the last stage has one step, as gates, are whole in
// each workgroup, and written out in the tiles of products.
#pragma once

#include <cstddef>
#include <cstdint>

#include <hone/core/target.hpp>
#include <hone/op/accuracy.hpp>
#include <hone/op/definition.hpp>
#include <hone/schedule/chain.hpp>
#include <hone/schedule/knob.hpp>
#include <hone/schedule/roles.hpp>
#include <hone/schedule/row_wise.hpp>
#include <hone/schedule/schedule.hpp>
#include <hone/schedule/transform.hpp>
#include <hone/schedule/vulkan_direct.hpp>

#ifndef HONE_SHOW_WARNINGS // see core/config.hpp
#pragma GCC system_header
#endif

namespace hone::schedules {

struct vulkan_chain_knobs {
    std::int32_t components = 4;    // of a vector; they divide the columns of the operator
    std::int32_t lane_rows = 2;     // rows of a workgroup; they divide the rows of the operator
    std::int32_t lane_vectors = 16; // invocations that share a row
    std::int32_t reduce_unroll = 1; // steps of the innermost reduction written out
    friend constexpr bool operator==(const vulkan_chain_knobs&, const vulkan_chain_knobs&) = default;
};

inline constexpr knob<vulkan_chain_knobs> vulkan_chain_knob_table[] = {
    knob_member<&vulkan_chain_knobs::components>::listed("components", {1, 2, 4}),
    knob_member<&vulkan_chain_knobs::lane_rows>::range("lane_rows", 1, 1024, {1, 2, 4, 8, 16}),
    knob_member<&vulkan_chain_knobs::lane_vectors>::range("lane_vectors", 1, 1024, {1, 2, 4, 8, 16, 32, 64}),
    knob_member<&vulkan_chain_knobs::reduce_unroll>::range("reduce_unroll", 1, most_steps, {1, 2, 4}),
};

constexpr const auto& knobs_of(const vulkan_chain_knobs&) { return vulkan_chain_knob_table; }

inline constexpr constraint<vulkan_chain_knobs, vulkan_limits> vulkan_chain_constraints[] = {
    {"workgroup", [](const vulkan_chain_knobs& k, const vulkan_limits& limits) { return fits_workgroup(k, limits); }},
};

// One chain for each output, in the order of the definition.
constexpr error_class class_of(const vulkan_chain_knobs&) { return error_class::exact_order; }

namespace chains {

// Axes that the stages have in common: those of the last. The first one is rows, the last one columns.
constexpr int shared_axes(const definition& d) { return static_cast<int>(d.stages.back().axes.size()); }
// Whether each workgroup has all of an axis.
constexpr bool is_whole(const definition& d, int axis)
{
    return axis > 0 && axis + 1 < shared_axes(d) && d.stages.back().axes[axis].extent == 1;
}
// Whether what stands between stages has a dimension for each shared axis, and each stage meets its own place there.
constexpr bool is_of_shared(const definition& d, const operand& o)
{
    if (static_cast<int>(o.index.size()) != shared_axes(d)) return false;
    for (int a = 0; a < shared_axes(d); ++a)
        if (!row_wise_parts::is_axis(o.index[a], a) && !(is_whole(d, a) && o.index[a].terms.empty())) return false;
    return true;
}
constexpr bool has_shared_axes(const definition& d, const stage& s)
{
    const int shared = shared_axes(d);
    if (static_cast<int>(s.axes.size()) < shared) return false;
    for (int a = 0; a < static_cast<int>(s.axes.size()); ++a) {
        if (s.axes[a].reduction != (a >= shared)) return false;
        if (a >= shared || is_whole(d, a)) continue;
        const axis& of = d.stages.back().axes[a];
        if (s.axes[a].extent != of.extent || s.axes[a].parameter != of.parameter) return false;
    }
    bool all = true;
    for_each_operand(s, [&](const operand& o) {
        if (row_wise_parts::is_between(d.tensors[o.tensor])) all = all && is_of_shared(d, o);
    });
    return all;
}

} // namespace chains

// Whether the stages of a chain go through the same rows and columns, and the last one reduces nothing.
constexpr bool is_vulkan_chain(const definition& d)
{
    if (!is_chain(d) || chains::shared_axes(d) < 2 || chains::is_product(d.stages.back())) return false;
    for (const stage& s : d.stages)
        if (!chains::has_shared_axes(d, s)) return false;
    return true;
}

// The knobs as far as an operator can use them.
constexpr vulkan_chain_knobs fitted_vulkan_chain(const definition& d, vulkan_chain_knobs k)
{
    if (!d.found.ok() || !check_knobs(k).ok()) return k;
    const auto& axes = d.stages.back().axes;
    const axis& row = axes[0];
    const std::int64_t columns = axes.back().extent;
    const auto limit = [](std::int32_t& knob, std::int64_t most) {
        if (knob > most) knob = static_cast<std::int32_t>(most);
    };
    std::int64_t steps = 1;
    for (const stage& s : d.stages)
        if (chains::is_product(s) && s.axes.back().extent > steps) steps = s.axes.back().extent;
    // A vector that ends early is taken apart.
    while (columns % k.components != 0) k.components /= 2;
    limit(k.lane_vectors, columns / k.components);
    // All invocations of a workgroup come to its barriers: none has a row that a call leaves out.
    limit(k.lane_rows, row.parameter >= 0 ? 1 : row.extent);
    while (row.extent % k.lane_rows != 0) --k.lane_rows;
    limit(k.reduce_unroll, steps);
    return k;
}

namespace chains {

class workgroup_of_chain {
public:
    // Precondition: is_vulkan_chain(d), and the knobs are fitted.
    constexpr workgroup_of_chain(const definition& d, const vulkan_chain_knobs& k, schedule& to)
        : s_(to), given_(d), k_(k), column_(shared_axes(d) - 1), columns_(std::int64_t{k.components} * k.lane_vectors),
          ends_early_(d.stages.back().axes.back().extent % columns_ != 0)
    {
    }

    constexpr void add()
    {
        definition& d = s_.definition;
        const int last = static_cast<int>(d.stages.size()) - 1;
        stage_plan outer;
        for (int a = 0; a < column_; ++a)
            if (d.stages[last].axes[a].extent > 1 || d.stages[last].axes[a].parameter >= 0)
                outer.add(a, a == 0 ? k_.lane_rows : 1, binding::grid);
        outer.add(column_, columns_, binding::grid, tail::guard);
        const attach_point inside{static_cast<std::int8_t>(last), static_cast<std::int8_t>(outer.levels.size())};
        for (int st = 0; st < last; ++st) s_.plans.push_back(attached(d.stages[st], inside));
        add_lanes(outer);
        if (k_.components > 1) outer.add(column_, 1, binding::vectorize);
        s_.plans.push_back(outer);
        for (tensor& t : d.tensors)
            if (row_wise_parts::is_between(t)) t = of_workgroup(t);
    }

private:
    constexpr tensor of_workgroup(tensor t) const
    {
        t.memory = memory::workgroup;
        for (int a = 0; a <= column_; ++a)
            if (!is_whole(given_, a)) t.dims[a].extent = a == 0 ? k_.lane_rows : a == column_ ? columns_ : 1;
        set_dense(t);
        return t;
    }
    constexpr void add_lanes(stage_plan& p) const
    {
        p.add(0, 1, binding::lane).add(column_, k_.components, binding::lane);
    }
    // Of the rows and columns of the workgroup.
    constexpr stage_plan attached(stage& s, const attach_point& inside) const
    {
        stage_plan p;
        p.attach = inside;
        for (int a = 0; a < static_cast<int>(s.axes.size()); ++a) {
            const bool is_own = a > column_ || is_whole(given_, a);
            p.base.push_back(is_own ? dim_index{} : hone::along(a));
            if (is_own) continue;
            s.axes[a].extent = a == 0 ? k_.lane_rows : a == column_ ? columns_ : 1;
            s.axes[a].parameter = -1;
        }
        // Weights are there in whole blocks, and what stands between stages is.
        for (operand& o : s.operands) {
            const tensor& t = given_.tensors[o.tensor];
            o.may_leave =
                ends_early_ && t.role != role::weights && !row_wise_parts::is_between(t) && moves_along(o, column_);
        }
        add_lanes(p);
        p.open_tile();
        for (int a = column_ + 1; a < static_cast<int>(s.axes.size()); ++a) {
            const bool is_innermost = a + 1 == static_cast<int>(s.axes.size());
            const std::int64_t unroll = is_innermost && k_.reduce_unroll < s.axes[a].extent ? k_.reduce_unroll : 1;
            p.add(a, unroll, binding::serial, tail::peel);
            if (unroll > 1) p.add(a, 1, binding::unroll);
        }
        for (int a = 1; a < column_; ++a)
            if (s.axes[a].extent > 1) p.add(a, 1, binding::unroll);
        if (k_.components > 1) p.add(column_, 1, binding::vectorize);
        return p;
    }

    schedule& s_;
    const definition& given_;
    vulkan_chain_knobs k_;
    int column_;
    std::int64_t columns_; // of a workgroup
    bool ends_early_;
};

} // namespace chains

// One for each of the weights: blocks of the columns of a workgroup.
constexpr packed_tensors packed_vulkan_chain(const definition& d, const vulkan_chain_knobs& knobs)
{
    packed_tensors all;
    if (!d.found.ok() || !check_knobs(knobs).ok()) return all;
    const vulkan_chain_knobs k = fitted_vulkan_chain(d, knobs);
    for (int t = 0; t < static_cast<int>(d.tensors.size()); ++t)
        chains::for_each_product(d, [&](int st, const definition& own) {
            if (chains::weights_of_product(d, d.stages[st]) == t)
                all.push_back(packed_along(own, std::int64_t{k.components} * k.lane_vectors)[0]);
        });
    return all;
}

constexpr schedule vulkan_chain_schedule(const definition& original, const vulkan_chain_knobs& knobs)
{
    schedule s;
    s.definition = original;
    s.set = isa::none;
    s.found = check_knobs(knobs);
    if (!original.found.ok() || !s.found.ok()) {
        s.plans.resize(original.stages.size());
        return s;
    }
    const vulkan_chain_knobs k = fitted_vulkan_chain(original, knobs);
    s.vector_length = static_cast<std::int16_t>(k.components);
    packed_tensors packed = packed_vulkan_chain(original, k);
    for (tensor& weights : packed)
        for (dimension& dim : weights.dims)
            if (dim.block > 0) dim.extent = round_up(dim.extent, dim.block);
    replace_weights(s.definition, packed);
    chains::workgroup_of_chain(original, k, s).add();
    return s;
}

// The default when nothing is tuned: a few rows and some vectors for each workgroup, fewer where a device has little
// memory for what stands between stages.
constexpr vulkan_chain_knobs default_vulkan_chain(const definition& d, int step = 0)
{
    if (!d.found.ok()) return {};
    constexpr vulkan_chain_knobs steps[] = {
        {}, {.lane_rows = 1}, {.components = 1, .lane_rows = 1, .reduce_unroll = 8}};
    return fitted_vulkan_chain(d, steps[step]);
}

struct vulkan_chain {
    using knobs = vulkan_chain_knobs;
    using target = vulkan_limits;
    static constexpr const char* name = "chain";
    static constexpr error_class strictest = error_class::exact_order;
    static constexpr const auto& constraints = vulkan_chain_constraints;
    static constexpr int default_steps = 3;
    static constexpr bool transforms_weights = false;

    static constexpr bool applies(const definition& d) { return is_vulkan_chain(d); }
    static constexpr knobs fitted(const definition& d, const knobs& k, const target&)
    {
        return fitted_vulkan_chain(d, k);
    }
    static constexpr knobs standard(const definition& d, const target&, int step)
    {
        return default_vulkan_chain(d, step);
    }
    static constexpr packed_tensors packed(const definition& d, const knobs& k, const target&)
    {
        return packed_vulkan_chain(d, k);
    }
    static constexpr schedule packing(const definition& d, const knobs& k, const target&, std::size_t which)
    {
        return packing_schedule(weights_of(d)[which], packed_vulkan_chain(d, k)[which], isa::baseline);
    }
    static constexpr schedule scheduled(const definition& d, const knobs& k, const target&)
    {
        return vulkan_chain_schedule(d, k);
    }
};

} // namespace hone::schedules

namespace hone { // API
using schedules::vulkan_chain, schedules::vulkan_chain_knobs;
} // namespace hone
