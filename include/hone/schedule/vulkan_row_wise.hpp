// SPDX-License-Identifier: BSL-1.0
// The row-wise template for Vulkan: operators of several stages over the same rows, as softmax and normalisations. Some
// invocations of a workgroup share each row. Of a reduction each has a part; behind a barrier each takes all parts of
// its row together, for itself, and goes on:
//
//     parts[row][lane] += x[row][(step * lanes + lane) * components + component]     a barrier
//     scale[row][lane] = epilogue(sum over other of parts[row][other])               a barrier
//     y[row][(step * lanes + lane) * components + component] = ... * scale[row][lane]
//
// What other stages make of each element is computed where it is read.
#pragma once

#include <cstddef>
#include <cstdint>

#include <hone/core/target.hpp>
#include <hone/ir/visit.hpp>
#include <hone/op/accuracy.hpp>
#include <hone/op/definition.hpp>
#include <hone/op/definition_check.hpp>
#include <hone/schedule/inline_stages.hpp>
#include <hone/schedule/knob.hpp>
#include <hone/schedule/row_wise.hpp>
#include <hone/schedule/schedule.hpp>
#include <hone/schedule/vulkan_direct.hpp>

#ifndef HONE_SHOW_WARNINGS // see core/config.hpp
#pragma GCC system_header
#endif

namespace hone::schedules {

struct vulkan_row_wise_knobs {
    std::int32_t components = 4;    // of a vector
    std::int32_t lane_rows = 4;     // rows of a workgroup; they divide the rows of the operator
    std::int32_t lane_vectors = 16; // invocations that share a row
    std::int32_t unroll = 1;        // steps along a row that are written out
    friend constexpr bool operator==(const vulkan_row_wise_knobs&, const vulkan_row_wise_knobs&) = default;
};

inline constexpr knob<vulkan_row_wise_knobs> vulkan_row_wise_knob_table[] = {
    knob_member<&vulkan_row_wise_knobs::components>::listed("components", {1, 2, 4}),
    knob_member<&vulkan_row_wise_knobs::lane_rows>::range("lane_rows", 1, 1024, {1, 2, 4, 8, 16, 32}),
    knob_member<&vulkan_row_wise_knobs::lane_vectors>::range("lane_vectors", 1, 1024, {1, 2, 4, 8, 16, 32, 64, 128}),
    knob_member<&vulkan_row_wise_knobs::unroll>::range("unroll", 1, most_steps, {1, 2, 4}),
};

constexpr const auto& knobs_of(const vulkan_row_wise_knobs&) { return vulkan_row_wise_knob_table; }

inline constexpr constraint<vulkan_row_wise_knobs, vulkan_limits> vulkan_row_wise_constraints[] = {
    {"workgroup",
     [](const vulkan_row_wise_knobs& k, const vulkan_limits& limits) { return fits_workgroup(k, limits); }},
};

// One lane of one component takes its terms in order.
constexpr error_class class_of(const vulkan_row_wise_knobs& k)
{
    return k.components * k.lane_vectors == 1 ? error_class::exact_order : error_class::reassociated;
}

// Whether rows are as long as is known before the call, no expression reads a place, and there is room for what the
// schedule adds to a definition.
constexpr bool applies_vulkan_row_wise(const definition& original)
{
    if (!has_shared_rows(original)) return false;
    if (original.stages.back().axes[row_wise_parts::along_of(original)].parameter >= 0) return false;
    const definition d = with_stages_inlined(original);
    std::size_t reductions = 0;
    for (const stage& s : d.stages) {
        if (!s.tables.empty() || s.operands.overflowed() || s.body.nodes.overflowed() || s.epilogue.nodes.overflowed())
            return false;
        if (s.operands.size() + 1 > s.operands.capacity || s.axes.size() + 2 > s.axes.capacity) return false;
        if (s.body.nodes.size() + 5 > expr::max_nodes) return false;
        for (const operand& o : s.operands)
            for (const dim_index& i : o.index)
                if (i.terms.size() > 1) return false;
        reductions += s.reduce != reduction::none ? 1 : 0;
    }
    return 2 * reductions + 1 <= d.stages.capacity && d.tensors.size() + reductions <= d.tensors.capacity;
}

constexpr vulkan_row_wise_knobs fitted_vulkan_row_wise(const definition& d, vulkan_row_wise_knobs k)
{
    if (!d.found.ok() || !check_knobs(k).ok()) return k;
    const stage& last = d.stages.back();
    const axis& row = last.axes[row_wise_parts::row_of(d)];
    const std::int64_t n = last.axes[row_wise_parts::along_of(d)].extent;
    const auto limit = [](std::int32_t& knob, std::int64_t most) {
        if (knob > most) knob = static_cast<std::int32_t>(most < 1 ? 1 : most);
    };
    if (has_rows_as_lanes(d)) k.components = 1; // elements of a row are apart
    // A vector that ends early is taken apart.
    while (n % k.components != 0) k.components /= 2;
    limit(k.lane_vectors, n / k.components);
    if (n > most_position)
        while (n / k.components % k.lane_vectors != 0) --k.lane_vectors;
    // All invocations of a workgroup come to its barriers: none has a row that a call leaves out.
    limit(k.lane_rows, row.parameter >= 0 ? 1 : row.extent);
    while (row.extent % k.lane_rows != 0) --k.lane_rows;
    limit(k.unroll, ceil_div(n, std::int64_t{k.lane_vectors} * k.components));
    return k;
}

namespace row_wise_parts {

class shared_rows {
public:
    // Precondition: has_shared_rows(d) with stages inlined, and the knobs are fitted.
    constexpr shared_rows(const definition& d, const vulkan_row_wise_knobs& k, schedule& to)
        : s_(to), given_(d), k_(k), along_(along_of(d)), row_(row_of(d)), n_(d.stages.back().axes[along_].extent),
          in_step_(std::int64_t{k.lane_vectors} * k.components), ends_early_(n_ % in_step_ != 0)
    {
    }

    constexpr void add()
    {
        definition& d = s_.definition;
        d = given_;
        for (tensor& t : d.tensors)
            if (is_between(t)) t = of_lanes(t);
        d.stages.resize(0);
        int reductions = 0;
        for (const stage& s : given_.stages) reductions += s.reduce != reduction::none ? 1 : 0;
        stage_plan outer;
        for (int a = 0; a < row_; ++a)
            if (given_.stages.back().axes[a].extent > 1 || given_.stages.back().axes[a].parameter >= 0)
                outer.add(a, 1, binding::grid);
        outer.add(row_, k_.lane_rows, binding::grid);
        const attach_point inside{static_cast<std::int8_t>(2 * reductions),
                                  static_cast<std::int8_t>(outer.levels.size())};
        for (const stage& s : given_.stages)
            if (s.reduce != reduction::none) add_reduction(s, inside);

        stage last = in_steps(given_.stages.back());
        const auto place = [&](operand& o) {
            split(o);
            o.may_leave = ends_early_ && moves_along(o, along_);
        };
        place(last.output);
        for (further_output& f : last.further) place(f.to);
        add_lanes(outer);
        add_steps(outer);
        d.stages.push_back(last);
        s_.plans.push_back(outer);
    }

private:
    // The axes that stages have beside those of the rows and the steps along one.
    constexpr int lane() const { return along_ + 1; }
    constexpr int component() const { return along_ + 2; }

    // A number of each row becomes one of each of its invocations.
    constexpr tensor of_lanes(tensor t) const
    {
        t.memory = memory::workgroup;
        for (int i = 0; i < static_cast<int>(t.dims.size()); ++i) t.dims[i] = {.extent = i == row_ ? k_.lane_rows : 1};
        t.dims.push_back({.extent = k_.lane_vectors});
        set_dense(t);
        return t;
    }

    // Where an operand moves along a row, it does so by steps, invocations and components.
    constexpr void split(operand& o) const
    {
        for (dim_index& index : o.index) {
            if (index.terms.size() != 1 || index.terms[0].axis != along_) continue;
            index.terms[0].coefficient = static_cast<std::int32_t>(in_step_);
            index.terms.push_back({static_cast<std::int8_t>(lane()), k_.components});
            if (k_.components > 1) index.terms.push_back({static_cast<std::int8_t>(component()), 1});
        }
    }

    constexpr stage in_steps(stage s) const
    {
        const bool reduces = s.reduce != reduction::none;
        s.axes[along_].extent = ceil_div(n_, in_step_);
        s.axes.push_back({"lane", k_.lane_vectors});
        s.axes.push_back({"component", k_.components, reduces});
        for (operand& o : s.operands) {
            split(o);
            // Where nothing is reduced, the test of what is written is one of what is read.
            o.may_leave = reduces && ends_early_ && moves_along(o, along_);
            if (is_between(given_.tensors[o.tensor])) o.index.push_back(hone::along(lane()));
        }
        return s;
    }

    constexpr void add_lanes(stage_plan& p) const
    {
        p.add(row_, 1, binding::lane).add(lane(), 1, binding::lane).open_tile();
    }
    constexpr void add_steps(stage_plan& p) const
    {
        p.add(along_, k_.unroll, binding::serial, tail::peel);
        if (k_.unroll > 1) p.add(along_, 1, binding::unroll);
        if (k_.components > 1) p.add(component(), 1, binding::vectorize);
    }
    // Of the rows of the workgroup.
    constexpr stage_plan attached(stage& s, const attach_point& inside) const
    {
        stage_plan p;
        p.attach = inside;
        for (int a = 0; a < static_cast<int>(s.axes.size()); ++a)
            p.base.push_back(a < along_ ? hone::along(a) : dim_index{});
        for (int a = 0; a < along_; ++a) {
            s.axes[a].extent = a == row_ ? k_.lane_rows : 1;
            s.axes[a].parameter = -1;
        }
        return p;
    }

    constexpr void add_reduction(const stage& given, const attach_point& inside)
    {
        definition& d = s_.definition;
        const auto of_parts = static_cast<std::int8_t>(d.tensors.push_back(of_parts_of(given)));
        operand own = given.output; // an element for each invocation
        own.index.push_back(hone::along(lane()));

        stage parts = in_steps(given);
        parts.epilogue = ex::acc();
        parts.output = own;
        parts.output.tensor = of_parts;
        if (ends_early_) {
            table_operand place{.index = {}};
            place.index.terms.push_back({static_cast<std::int8_t>(along_), static_cast<std::int32_t>(in_step_)});
            place.index.terms.push_back({static_cast<std::int8_t>(lane()), k_.components});
            if (k_.components > 1) place.index.terms.push_back({static_cast<std::int8_t>(component()), 1});
            parts.tables.push_back(place);
            parts.body =
                ex::select(ex::less(ex::position(0), static_cast<float>(n_)), parts.body, identity_of(given.reduce));
        }
        stage_plan p = attached(parts, inside);
        add_lanes(p);
        p.add(along_, k_.unroll, binding::serial, tail::peel);
        if (k_.unroll > 1) p.add(along_, 1, binding::unroll);
        if (k_.components > 1) p.accumulate_apart().add(component(), 1, binding::vectorize);
        d.stages.push_back(parts);
        s_.plans.push_back(p);

        stage fold = given;
        fold.axes[along_].extent = k_.lane_vectors;
        fold.axes.push_back({"lane", k_.lane_vectors});
        for (operand& o : fold.operands)
            if (is_between(given_.tensors[o.tensor])) o.index.push_back(hone::along(lane()));
        operand all = given.output;
        all.tensor = of_parts;
        all.index.push_back(hone::along(along_));
        fold.body = ex::load(static_cast<int>(fold.operands.push_back(all)));
        fold.output = own;
        stage_plan q = attached(fold, inside);
        add_lanes(q);
        q.add(along_, 1);
        d.stages.push_back(fold);
        s_.plans.push_back(q);
    }
    constexpr tensor of_parts_of(const stage& given) const
    {
        tensor t = of_lanes(given_.tensors[given.output.tensor]);
        t.name = "parts";
        return t;
    }

    schedule& s_;
    const definition& given_;
    vulkan_row_wise_knobs k_;
    int along_;
    int row_;
    std::int64_t n_;
    std::int64_t in_step_; // elements that all invocations of a row take together
    bool ends_early_;
};

} // namespace row_wise_parts

constexpr schedule vulkan_row_wise_schedule(const definition& original, const vulkan_row_wise_knobs& knobs)
{
    schedule s;
    s.definition = original;
    s.set = isa::none;
    s.found = check_knobs(knobs);
    if (!original.found.ok() || !s.found.ok()) {
        s.plans.resize(original.stages.size());
        return s;
    }
    const definition d = with_stages_inlined(original);
    const vulkan_row_wise_knobs k = fitted_vulkan_row_wise(d, knobs);
    s.vector_length = static_cast<std::int16_t>(k.components);
    row_wise_parts::shared_rows(d, k, s).add();
    return s;
}

// The default when nothing is tuned: a few rows for each workgroup. Step 1 keeps the order of sums, a row for each
// invocation.
constexpr vulkan_row_wise_knobs default_vulkan_row_wise(const definition& d, int step = 0)
{
    if (!d.found.ok()) return {};
    // Drivers stop loops of too many steps: lavapipe those of 65,536.
    constexpr std::int64_t steps = 8192;
    const std::int64_t unroll = ceil_div(d.stages.back().axes[row_wise_parts::along_of(d)].extent, steps);
    const vulkan_row_wise_knobs kept{.components = 1,
                                     .lane_rows = 32,
                                     .lane_vectors = 1,
                                     .unroll = static_cast<std::int32_t>(unroll < most_steps ? unroll : most_steps)};
    // A row of a call has a workgroup of its own.
    const bool is_open = d.stages.back().axes[row_wise_parts::row_of(d)].parameter >= 0;
    if (step == 0 && has_rows_as_lanes(d)) step = 1; // neighbouring invocations read neighbouring rows
    return fitted_vulkan_row_wise(d, step == 0 ? vulkan_row_wise_knobs{.lane_vectors = is_open ? 32 : 16} : kept);
}

struct vulkan_row_wise {
    using knobs = vulkan_row_wise_knobs;
    using target = vulkan_limits;
    static constexpr const char* name = "row_wise";
    static constexpr error_class strictest = error_class::exact_order;
    static constexpr const auto& constraints = vulkan_row_wise_constraints;
    static constexpr int default_steps = 2;
    static constexpr bool transforms_weights = false;

    static constexpr bool applies(const definition& d) { return applies_vulkan_row_wise(d); }
    static constexpr knobs fitted(const definition& d, const knobs& k, const target&)
    {
        return fitted_vulkan_row_wise(d, k);
    }
    static constexpr knobs standard(const definition& d, const target&, int step)
    {
        return default_vulkan_row_wise(d, step);
    }
    static constexpr packed_tensors packed(const definition&, const knobs&, const target&) { return packed_tensors(); }
    static constexpr schedule packing(const definition&, const knobs&, const target&, std::size_t) { return {}; }
    static constexpr schedule scheduled(const definition& d, const knobs& k, const target&)
    {
        return vulkan_row_wise_schedule(d, k);
    }
};

} // namespace hone::schedules

namespace hone { // API
using schedules::vulkan_row_wise, schedules::vulkan_row_wise_knobs;
} // namespace hone
