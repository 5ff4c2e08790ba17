// SPDX-License-Identifier: BSL-1.0
// What leaves of a stage may have to test: that an axis goes on, and that an operand is inside its tensor. Which of
// these tests loops, masked loads or intervals make unneeded.
//
// Of y[i] = sum over t of x[i + t - 1] * w[t], for i below 10 and t below 3, there are three; a plan of steps of 4 that
// pass the end of i needs all of them, and one of steps of 5 the latter two:
//
//     i.0*4 + i.1 < 10
//     i.0*4 + i.1 + t.0 >= 1
//     i.0*4 + i.1 + t.0 < 11
#pragma once

#include <cstdint>

#include <hone/ir/nest.hpp>
#include <hone/ir/visit.hpp>
#include <hone/lower/levels.hpp>
#include <hone/schedule/schedule.hpp>

#ifndef HONE_SHOW_WARNINGS // see core/config.hpp
#pragma GCC system_header
#endif

namespace hone::schedules {

class lowering_requirements : protected lowering_levels {
protected:
    using lowering_levels::lowering_levels;

    // A condition "value >= 0" that a stage may need: an axis stays below its extent, or an operand inside its tensor.
    struct requirement {
        std::int8_t stage = 0;
        std::int8_t axis = -1;    // guard of this axis, or
        std::int8_t operand = -1; // border of this operand in
        std::int8_t dim = -1;     // this dimension
        bool upper = false;
        affine value{};
    };

    constexpr void add_requirements(int st)
    {
        const stage& g = d_.stages[st];
        for (std::size_t a = 0; a < g.axes.size(); ++a) {
            requirement r{.stage = static_cast<std::int8_t>(st), .axis = static_cast<std::int8_t>(a), .upper = true};
            // Where whole vectors fill the axis, one test speaks for all lanes.
            std::uint32_t tested = ~std::uint32_t{0};
            if (g.axes[a].parameter < 0 && g.axes[a].extent % s_.vector_length == 0)
                for (int l = 0; l < levels(st); ++l)
                    if (plan(st).levels[l].axis == static_cast<int>(a) && plan(st).levels[l].bind == binding::vectorize)
                        tested &= ~(std::uint32_t{1} << l);
            r.value = rest_of(st, static_cast<int>(a), tested);
            r.value.constant -= tested == ~std::uint32_t{0} ? 1 : s_.vector_length;
            requirements_.push_back(r);
        }
        for (int o = 0; o <= output_slot; ++o)
            if ((o < static_cast<int>(g.operands.size()) || o == output_slot) && operand_of(st, o).may_leave)
                for (std::size_t k = 0; k < operand_of(st, o).index.size(); ++k) add_border(st, o, static_cast<int>(k));
        if (requirements_.overflowed()) fail(fault::capacity, 64, 65, "requirements");
    }

    constexpr void add_border(int st, int o, int k)
    {
        const operand& op = operand_of(st, o);
        const dimension& dim = d_.tensors[op.tensor].dims[k];
        const interval all = index_interval(st, op.index[k], nullptr);
        for (int upper = 0; upper < 2; ++upper) {
            if (upper ? !passes_end_of(st, op.index[k], dim, all.most) : all.least >= 0) continue;
            requirement r{.stage = static_cast<std::int8_t>(st),
                          .operand = static_cast<std::int8_t>(o),
                          .dim = static_cast<std::int8_t>(k),
                          .upper = upper != 0};
            const std::int64_t sign = upper ? -1 : 1;
            add_term(r.value, -1, op.index[k].offset_parameter, sign * op.index[k].offset);
            for (const index_term& t : op.index[k].terms) {
                add_term(r.value, -1, t.parameter, sign * t.coefficient * base_offset(st, t.axis));
                contributions(st, t.axis, sign * t.coefficient, levels(st),
                              [&](int v, std::int64_t c, int, int) { add_term(r.value, v, t.parameter, c); });
            }
            if (upper) {
                r.value.constant -= 1;
                add_term(r.value, -1, dim.extent_parameter, dim.extent_parameter < 0 ? dim.extent : 1);
            }
            requirements_.push_back(r);
        }
    }

    // Where this operand reads padding, the whole leaf may be skipped: a factor 0 in a sum of products, or what the
    // reduction begins with, as -inf of a maximum. Not of one that is read behind the reduction, too.
    constexpr bool may_skip(int st, int o) const
    {
        const stage& g = d_.stages[st];
        if (g.reduce == reduction::none || g.body.empty()) return false;
        const auto is_read = [&](const expr& e) {
            for (const expr_node& x : e.nodes)
                if (x.op == expr_op::load && x.ref == o) return true;
            return false;
        };
        if (is_read(g.epilogue)) return false;
        for (const further_output& f : g.further)
            if (is_read(f.value)) return false;
        const float outside = operand_of(st, o).outside;
        const expr_node& root = g.body.nodes[g.body.root()];
        if (root.op == expr_op::load) return root.ref == o && outside == identity_of(g.reduce);
        if (g.reduce != reduction::add || root.op != expr_op::mul || outside != 0) return false;
        const expr_node& a = g.body.nodes[root.a];
        const expr_node& b = g.body.nodes[root.b];
        return (a.op == expr_op::load && a.ref == o) || (b.op == expr_op::load && b.ref == o);
    }

    // Whether loads of this operand test for themselves, see stage_plan::masked.
    constexpr bool masks(int st, int o) const
    {
        return o != output_slot && (plan(st).masked >> o & 1) != 0 && may_skip(st, o);
    }

    // Whether the loops of a spatial axis, rounded up, take operand o past the end of that axis.
    constexpr bool passes_end(int st, int o, const requirement& r) const
    {
        if (d_.stages[st].axes[r.axis].reduction || interval_of(n_, r.value, variables_).least >= 0) return false;
        for (const dim_index& k : operand_of(st, o).index)
            for (const index_term& t : k.terms)
                if (t.axis == r.axis) return true;
        return false;
    }

    // Whether requirement q can bound level l where these levels are open: it moves with the level, and all else in it
    // is open. The step by which it moves; 0: it cannot.
    constexpr std::int64_t clip_step(int st, int l, std::uint32_t opened, const requirement& q) const
    {
        if (q.stage != st || q.operand < 0 || q.operand == output_slot || !may_skip(st, q.operand)) return 0;
        std::int64_t step = 0;
        bool others_open = true;
        for (int i = q.value.first; i < q.value.first + q.value.count; ++i) {
            const affine_term& t = n_.terms[i];
            if (t.variable == variable_of(st, l)) {
                if (t.parameter >= 0) return 0; // by what the call says
                step = t.coefficient;
                continue;
            }
            if (t.variable < 0) continue;
            const int o = t.variable - variable_of(st, 0);
            if (o >= 0 && o < levels(st) && !(opened >> o & 1)) others_open = false;
        }
        return others_open ? step : 0;
    }

    // Whether some loop runs over the iterations only that meet requirement q.
    constexpr bool is_clipped(int st, const requirement& q) const
    {
        for (int l = 0; l < levels(st); ++l) {
            const level& own = plan(st).levels[l];
            if (own.border != border::clip || own.step != 1 || trivial(st, l)) continue;
            if (clip_step(st, l, (std::uint32_t{1} << l) - 1, q) != 0) return true;
        }
        return false;
    }

    constexpr const dim_index& index_of_requirement(const requirement& q) const
    {
        return operand_of(q.stage, q.operand).index[q.dim];
    }

    constexpr bool always(int st, const requirement& q, const context& c) const
    {
        const interval i = index_interval(st, index_of_requirement(q), &c);
        if (!q.upper) return i.least >= 0;
        const dimension& dim = d_.tensors[operand_of(st, q.operand).tensor].dims[q.dim];
        return dim.extent_parameter < 0 && i.most < dim.extent;
    }

    constexpr bool never(int st, const requirement& q, const context& c) const
    {
        const interval i = index_interval(st, index_of_requirement(q), &c);
        const dimension& dim = d_.tensors[operand_of(st, q.operand).tensor].dims[q.dim];
        return q.upper ? dim.extent_parameter < 0 && i.least >= dim.extent : i.most < 0;
    }

    inline_vector<requirement, 64> requirements_{};
};

} // namespace hone::schedules
