// SPDX-License-Identifier: BSL-1.0
// x = g(e, s): turns a definition and a schedule into a nest. One function for compile time, where kernels come from
// it, and for run time, where thousands of candidates a second are priced.
//
// Each level of a stage owns one variable; an axis is the sum of step * variable over its levels. What stands in the
// tree are bounds and guards: tails and borders become siblings, bounds or conditions as the level asks, and whatever
// interval arithmetic proves is left out.
#pragma once

#include <cstdint>

#include <hone/ir/nest.hpp>
#include <hone/ir/visit.hpp>
#include <hone/schedule/schedule.hpp>

namespace hone {

class lowering {
public:
    // `out` is empty.
    constexpr lowering(const schedule& s, nest& out) : s_(s), d_(s.definition), n_(out) {}

    constexpr void run()
    {
        n_.set = s_.set;
        n_.vector_length = s_.vector_length;
        fail(d_.found);
        fail(s_.found);
        if (outgrows_tables()) fail(fault::capacity, 0, 0, "definition or schedule");
        if (d_.stages.size() != s_.plans.size()) fail(fault::attach_unknown, 0, 0, "plans");
        if (!n_.ok()) return;
        for (const parameter& p : d_.parameters) n_.parameters.push_back(p);
        for (float v : d_.table_values) n_.table_values.push_back(v);
        for (int t = 0; t < tensors(); ++t) add_buffer(t);
        for (int st = 0; st < stages() && n_.ok(); ++st) add_variables(st);
        for (int st = 0; st < stages() && n_.ok(); ++st) prepare(st);
        if (!n_.ok()) return;
        for (int st = 0; st < stages() && n_.ok(); ++st)
            if (plan(st).attach.stage < 0) emit_stage(st, -1);
        for (buffer& b : n_.buffers) {
            if (b.memory != memory::registers) continue;
            b.first_register = n_.registers;
            n_.registers += b.vectors;
        }
        if (n_.overflowed()) fail(fault::capacity, 0, 0, "nest");
    }

private:
    enum class pass : std::uint8_t { whole, init, reduce, store };

    struct axis_state {
        std::int64_t extent = 1; // most iterations that are left
        bool partial = false;    // possibly fewer: what the outer levels leave of the axis
        bool guarded = false;    // inner iterations may run past the end
    };
    struct context {
        axis_state axes[10]{};
        std::uint32_t opened = 0;    // levels whose loops are open
        std::uint32_t hoisted = 0;   // levels opened ahead of their turn, by a remainder known only at run time
        std::uint64_t satisfied = 0; // conditions that open loops guarantee
    };
    // A condition "value >= 0" that a stage may need: an axis stays below its extent, or an operand inside its tensor.
    struct requirement {
        std::int8_t stage = 0;
        std::int8_t axis = -1;    // guard of this axis, or
        std::int8_t operand = -1; // border of this operand in
        std::int8_t dim = -1;     // this dimension
        bool upper = false;
        affine value{};
    };

    const schedule& s_;
    const definition& d_;
    nest& n_;
    std::int16_t first_variable_[8]{};
    interval variables_[96]{};
    std::int64_t counts_[96]{}; // iterations of the level of a variable, if its axis is whole
    inline_vector<requirement, 64> requirements_{};
    std::int16_t last_child_[512]{};
    std::int16_t last_root_ = -1;
    std::int16_t accumulator_[8] = {-1, -1, -1, -1, -1, -1, -1, -1}; // buffer
    std::int16_t access_of_[8][8]{};                                 // stage, operand (7: output); +1, 0: none
    int serial_depth_ = 0;

    struct made_statement {
        std::int8_t stage;
        std::int8_t kind;
        std::uint32_t hoisted;
        std::int16_t index;
    };
    inline_vector<made_statement, 32> made_{};

    // Operands are numbered; the output of a stage has this number.
    static constexpr int output_slot = 7;
    constexpr const operand& operand_of(int st, int o) const
    {
        return o == output_slot ? d_.stages[st].output : d_.stages[st].operands[o];
    }

    // What does not fit a table is left out of it: computing the rest would be a wrong result.
    constexpr bool outgrows_tables() const
    {
        if (d_.tensors.overflowed() || d_.stages.overflowed() || d_.parameters.overflowed() ||
            d_.table_values.overflowed() || s_.plans.overflowed())
            return true;
        const auto outgrows = [](const operand& o) {
            if (o.index.overflowed()) return true;
            for (const dim_index& i : o.index)
                if (i.terms.overflowed()) return true;
            return false;
        };
        for (const tensor& t : d_.tensors)
            if (t.dims.overflowed()) return true;
        for (const stage& st : d_.stages) {
            if (st.axes.overflowed() || st.operands.overflowed() || st.tables.overflowed() ||
                st.body.nodes.overflowed() || st.epilogue.nodes.overflowed() || outgrows(st.output))
                return true;
            for (const operand& o : st.operands)
                if (outgrows(o)) return true;
        }
        for (const stage_plan& p : s_.plans)
            if (p.levels.overflowed() || p.base.overflowed()) return true;
        return false;
    }

    constexpr int stages() const { return static_cast<int>(d_.stages.size()); }
    constexpr int tensors() const { return static_cast<int>(d_.tensors.size()); }
    constexpr const stage_plan& plan(int st) const { return s_.plans[st]; }
    constexpr int levels(int st) const { return static_cast<int>(plan(st).levels.size()); }

    constexpr void fail(fault what, std::int64_t expected, std::int64_t found, const char* subject)
    {
        fail({what, expected, found, subject});
    }
    constexpr void fail(const status& s)
    {
        if (n_.ok()) n_.found = s;
    }

    // --- what the levels mean -------------------------------------------------------------------------------

    constexpr std::int64_t count_of(int st, int l) const { return counts_[variable_of(st, l)]; }
    // A level that always runs once has no loop, and its variable stands in no access.
    constexpr bool trivial(int st, int l) const { return count_of(st, l) == 1; }
    constexpr int variable_of(int st, int l) const { return first_variable_[st] + l; }

    constexpr bool writes(int st, memory m) const { return d_.tensors[d_.stages[st].output.tensor].memory == m; }

    // f(variable, coefficient, stage, level) for each level that moves `coefficient` times the axis.
    // Memory of the workgroup is filled by all its lanes together: where one of them stands in the tile of the stage
    // that reads it does not move the region.
    template <class F>
    constexpr void contributions(int st, int ax, std::int64_t coefficient, int below, F&& f,
                                 bool for_workgroup = false) const
    {
        const stage_plan& p = plan(st);
        if (p.attach.stage >= 0 && ax < static_cast<int>(p.base.size()))
            for (const index_term& t : p.base[ax].terms)
                contributions(p.attach.stage, t.axis, coefficient * t.coefficient, p.attach.level, f,
                              for_workgroup || writes(st, memory::workgroup));
        for (int l = 0; l < below; ++l)
            if (p.levels[l].axis == ax && !trivial(st, l) && !(for_workgroup && p.levels[l].bind == binding::lane))
                f(variable_of(st, l), coefficient * p.levels[l].step, st, l);
    }
    constexpr std::int64_t base_offset(int st, int ax) const
    {
        const stage_plan& p = plan(st);
        if (p.attach.stage < 0 || ax >= static_cast<int>(p.base.size())) return 0;
        std::int64_t offset = p.base[ax].offset;
        for (const index_term& t : p.base[ax].terms) offset += t.coefficient * base_offset(p.attach.stage, t.axis);
        return offset;
    }
    constexpr bool has_base(int st, int ax) const
    {
        return plan(st).attach.stage >= 0 && ax < static_cast<int>(plan(st).base.size()) &&
               !plan(st).base[ax].terms.empty();
    }

    // Whether a level stands outside the point where the tensor is computed, so that it does not move inside it.
    constexpr bool is_outside(int t, int st, int l) const
    {
        if (d_.tensors[t].memory == memory::argument || d_.tensors[t].memory == memory::workspace) return false;
        int producer = -1;
        for (int p = 0; p < stages(); ++p)
            if (d_.stages[p].output.tensor == t) producer = p;
        if (producer < 0) return false;
        attach_point at = plan(producer).attach;
        if (d_.tensors[t].memory == memory::workgroup && plan(st).levels[l].bind == binding::lane) return false;
        if (st == at.stage) return l < at.level;
        while (at.stage >= 0) {
            at = plan(at.stage).attach;
            if (at.stage >= 0 && st == at.stage) return true;
        }
        return false;
    }

    constexpr void add_term(affine& a, int variable, int parameter, std::int64_t coefficient)
    {
        if (coefficient == 0) return;
        for (int i = a.first; i < a.first + a.count; ++i)
            if (n_.terms[i].variable == variable && n_.terms[i].parameter == parameter) {
                n_.terms[i].coefficient += coefficient;
                return;
            }
        if (a.count == 0) a.first = static_cast<std::int16_t>(n_.terms.size());
        n_.terms.push_back({static_cast<std::int16_t>(variable), static_cast<std::int16_t>(parameter), coefficient});
        ++a.count;
    }

    // --- tables of the nest ---------------------------------------------------------------------------------

    constexpr void add_buffer(int t)
    {
        const tensor& from = d_.tensors[t];
        buffer b{.name = from.name, .type = from.type, .memory = from.memory, .role = from.role};
        int position = 0;
        for (int o = 0; o < t; ++o)
            if (d_.tensors[o].memory == memory::argument) ++position;
        if (from.memory == memory::argument) b.position = static_cast<std::int8_t>(position);
        b.elements.constant = 1;
        for (const dimension& dim : from.dims) {
            const std::int64_t steps = dim.block > 0 ? ceil_div(dim.extent, dim.block) - 1 : dim.extent - 1;
            const std::int64_t stride = dim.block > 0 ? dim.outer_stride : dim.stride;
            if (dim.block > 0) b.elements.constant += (dim.block - 1) * dim.stride;
            if (dim.stride_parameter >= 0)
                add_term(b.elements, -1, dim.stride_parameter, steps * stride);
            else
                b.elements.constant += steps * stride;
        }
        if (from.memory == memory::registers)
            b.vectors = static_cast<std::int32_t>(ceil_div(b.elements.constant, s_.vector_length));
        n_.buffers.push_back(b);
    }

    constexpr void add_variables(int st)
    {
        const stage& g = d_.stages[st];
        const stage_plan& p = plan(st);
        first_variable_[st] = static_cast<std::int16_t>(n_.variables.size());
        std::int8_t depth[10]{};
        std::int64_t left[10]{};
        for (std::size_t a = 0; a < g.axes.size(); ++a) {
            left[a] = g.axes[a].extent;
            if (left[a] < 1) fail(fault::extent_zero, 1, left[a], g.axes[a].name);
        }
        for (int l = 0; l < levels(st); ++l) {
            const level& own = p.levels[l];
            if (own.axis < 0 || own.axis >= static_cast<int>(g.axes.size())) {
                fail(fault::axis_unknown, static_cast<std::int64_t>(g.axes.size()), own.axis, g.name);
                return;
            }
            const axis& a = g.axes[own.axis];
            if (own.step < 1) fail(fault::factor_not_positive, 1, own.step, a.name);
            if (own.bind == binding::vectorize && own.step != 1)
                fail(fault::vector_level_not_innermost, 1, own.step, a.name);
            if (a.reduction &&
                (own.bind == binding::parallel || own.bind == binding::grid || own.bind == binding::lane))
                fail(fault::reduction_parallel, 0, 0, a.name);
            if (!n_.ok()) return;
            counts_[variable_of(st, l)] =
                own.bind == binding::vectorize ? s_.vector_length : ceil_div(left[own.axis], own.step);
            left[own.axis] = own.step;
            n_.variables.push_back({.name = a.name,
                                    .level = depth[own.axis]++,
                                    .stage = static_cast<std::int8_t>(st),
                                    .reduction = a.reduction});
            variables_[variable_of(st, l)] = {0, count_of(st, l) - 1};
        }
        for (std::size_t a = 0; a < g.axes.size(); ++a)
            if (left[a] != 1) fail(fault::axis_not_covered, 1, left[a], g.axes[a].name);
        const attach_point at = p.attach;
        if (at.stage >= stages() || (at.stage >= 0 && at.level > levels(at.stage)) || at.stage == st)
            fail(fault::attach_unknown, stages(), at.stage, g.name);
    }

    // What needs the variables of all stages: accumulators, lanes, and the conditions that leaves may have to test.
    constexpr void prepare(int st)
    {
        const stage& g = d_.stages[st];
        const stage_plan& p = plan(st);
        const attach_point at = p.attach;
        if (g.reduce != reduction::none && d_.tensors[g.output.tensor].memory != memory::registers) add_accumulator(st);
        if (s_.set == isa::none && at.stage < 0) {
            std::int32_t lanes = 1;
            for (int l = 0; l < levels(st); ++l)
                if (p.levels[l].bind == binding::lane) lanes *= static_cast<std::int32_t>(count_of(st, l));
            if (lanes > n_.lanes) n_.lanes = lanes;
        }
        for (std::size_t a = 0; a < g.axes.size(); ++a) {
            requirement r{.stage = static_cast<std::int8_t>(st), .axis = static_cast<std::int8_t>(a), .upper = true};
            // Where whole vectors fill the axis, one test speaks for all lanes.
            std::uint32_t tested = ~std::uint32_t{0};
            if (g.axes[a].parameter < 0 && g.axes[a].extent % s_.vector_length == 0)
                for (int l = 0; l < levels(st); ++l)
                    if (p.levels[l].axis == static_cast<int>(a) && p.levels[l].bind == binding::vectorize)
                        tested &= ~(std::uint32_t{1} << l);
            r.value = rest_of(st, static_cast<int>(a), tested);
            r.value.constant -= tested == ~std::uint32_t{0} ? 1 : s_.vector_length;
            requirements_.push_back(r);
        }
        for (int o = 0; o <= output_slot; ++o)
            if ((o < static_cast<int>(g.operands.size()) || o == output_slot) && operand_of(st, o).zero_outside)
                for (std::size_t k = 0; k < operand_of(st, o).index.size(); ++k) add_border(st, o, static_cast<int>(k));
        if (requirements_.overflowed()) fail(fault::capacity, 64, 65, "requirements");
    }

    // Extent of the axis minus what the opened levels have walked.
    constexpr affine rest_of(int st, int ax, std::uint32_t opened)
    {
        const axis& a = d_.stages[st].axes[ax];
        affine rest{};
        if (a.parameter >= 0)
            add_term(rest, -1, a.parameter, 1);
        else
            rest.constant = a.extent;
        for (int l = 0; l < levels(st); ++l)
            if (plan(st).levels[l].axis == ax && !trivial(st, l) && (opened >> l & 1))
                add_term(rest, variable_of(st, l), -1, -plan(st).levels[l].step);
        return rest;
    }

    constexpr void add_border(int st, int o, int k)
    {
        const operand& op = operand_of(st, o);
        const dimension& dim = d_.tensors[op.tensor].dims[k];
        const interval all = index_interval(st, op.index[k], nullptr);
        for (int upper = 0; upper < 2; ++upper) {
            if (dim.extent_parameter < 0 && (upper ? all.most < dim.extent : all.least >= 0)) continue;
            requirement r{.stage = static_cast<std::int8_t>(st),
                          .operand = static_cast<std::int8_t>(o),
                          .dim = static_cast<std::int8_t>(k),
                          .upper = upper != 0};
            const std::int64_t sign = upper ? -1 : 1;
            r.value.constant = sign * op.index[k].offset;
            for (const index_term& t : op.index[k].terms) {
                r.value.constant += sign * t.coefficient * base_offset(st, t.axis);
                contributions(st, t.axis, sign * t.coefficient, levels(st),
                              [&](int v, std::int64_t c, int, int) { add_term(r.value, v, -1, c); });
            }
            if (upper) {
                r.value.constant -= 1;
                if (dim.extent_parameter >= 0)
                    add_term(r.value, -1, dim.extent_parameter, 1);
                else
                    r.value.constant += dim.extent;
            }
            requirements_.push_back(r);
        }
    }

    // Interval of an index for the open loops; an axis that is not guarded never passes its extent.
    constexpr interval index_interval(int st, const dim_index& index, const context* c) const
    {
        interval r{index.offset, index.offset};
        for (const index_term& t : index.terms) {
            const std::int64_t offset = base_offset(st, t.axis);
            interval a{offset, offset};
            contributions(st, t.axis, 1, levels(st), [&](int v, std::int64_t k, int, int) {
                a.least += k * variables_[v].least;
                a.most += k * variables_[v].most;
            });
            if (!has_base(st, t.axis) && (c == nullptr || !c->axes[t.axis].guarded)) {
                const std::int64_t last = d_.stages[st].axes[t.axis].extent - 1;
                if (a.most > last) a.most = last;
            }
            r.least += t.coefficient * (t.coefficient > 0 ? a.least : a.most);
            r.most += t.coefficient * (t.coefficient > 0 ? a.most : a.least);
        }
        return r;
    }

    // The register tile of a reduction: strides from the spatial levels inside it, the vector level varying fastest.
    constexpr void add_accumulator(int st)
    {
        std::int64_t elements = 1;
        for (int l = plan(st).tile_at; l < levels(st); ++l)
            if (!is_reduction(st, l)) elements *= count_of(st, l);
        buffer b{.name = "acc", .memory = memory::registers};
        b.elements.constant = elements;
        b.vectors = static_cast<std::int32_t>(ceil_div(elements, s_.vector_length));
        accumulator_[st] = static_cast<std::int16_t>(n_.buffers.push_back(b));
    }
    constexpr bool is_reduction(int st, int l) const { return d_.stages[st].axes[plan(st).levels[l].axis].reduction; }

    constexpr int accumulator_access(int st, std::uint32_t hoisted)
    {
        access a{.buffer = accumulator_[st]};
        std::int64_t stride = 1;
        // Vector lanes stand side by side wherever the vector level is.
        for (int l = levels(st); l-- > plan(st).tile_at;)
            if (plan(st).levels[l].bind == binding::vectorize) {
                if (!trivial(st, l)) add_term(a.index, variable_of(st, l), -1, 1);
                stride = s_.vector_length;
            }
        for (int l = levels(st); l-- > plan(st).tile_at;) {
            if (is_reduction(st, l) || plan(st).levels[l].bind == binding::vectorize) continue;
            if (!trivial(st, l) && !(hoisted >> l & 1)) add_term(a.index, variable_of(st, l), -1, stride);
            stride *= count_of(st, l);
        }
        return n_.accesses.push_back(a);
    }

    constexpr affine index_of(int st, const operand& op)
    {
        const tensor& t = d_.tensors[op.tensor];
        affine index{};
        for (std::size_t k = 0; k < op.index.size(); ++k) {
            const dimension& dim = t.dims[k];
            const int parameter = dim.stride_parameter;
            std::int64_t constant = op.index[k].offset;
            std::int64_t inner_reach = 0;
            for (const index_term& term : op.index[k].terms) {
                if (!is_local(op.tensor)) constant += term.coefficient * base_offset(st, term.axis);
                contributions(st, term.axis, term.coefficient, levels(st), [&](int v, std::int64_t c, int ts, int tl) {
                    if (is_outside(op.tensor, ts, tl)) return;
                    if (dim.block == 0) {
                        add_term(index, v, parameter, c * dim.stride);
                    } else if (c % dim.block == 0) {
                        add_term(index, v, parameter, c / dim.block * dim.outer_stride);
                    } else {
                        add_term(index, v, parameter, c * dim.stride);
                        inner_reach += c * (count_of(ts, tl) - 1);
                    }
                });
            }
            if (dim.block > 0 && (inner_reach >= dim.block || constant % dim.block != 0))
                fail(fault::blocked_axis_not_affine, dim.block, inner_reach + 1, t.name);
            const std::int64_t offset = dim.block > 0 ? constant / dim.block * dim.outer_stride : constant * dim.stride;
            if (parameter >= 0)
                add_term(index, -1, parameter, offset);
            else
                index.constant += offset;
        }
        return index;
    }
    constexpr bool is_local(int t) const
    {
        const memory m = d_.tensors[t].memory;
        return m == memory::slot || m == memory::workgroup || m == memory::registers;
    }

    constexpr int operand_access(int st, int o)
    {
        std::int16_t& known = access_of_[st][o];
        if (known > 0) return known - 1;
        const operand& op = operand_of(st, o);
        access a{.buffer = op.tensor};
        a.index = index_of(st, op);
        if (o != output_slot && op.zero_outside && !may_skip(st, o)) {
            a.conditions.first = static_cast<std::int16_t>(n_.conditions.size());
            for (const requirement& r : requirements_)
                if (r.stage == st && r.operand == o) {
                    n_.conditions.push_back(r.value);
                    ++a.conditions.count;
                }
        }
        known = static_cast<std::int16_t>(n_.accesses.push_back(a) + 1);
        return known - 1;
    }
    // A sum of products in which this operand is a factor: where it reads padding, the whole leaf may be skipped.
    constexpr bool may_skip(int st, int o) const
    {
        const stage& g = d_.stages[st];
        if (g.reduce != reduction::add || g.body.empty()) return false;
        const expr_node& root = g.body.nodes[g.body.root()];
        if (root.op != expr_op::mul) return false;
        const expr_node& a = g.body.nodes[root.a];
        const expr_node& b = g.body.nodes[root.b];
        return (a.op == expr_op::load && a.ref == o) || (b.op == expr_op::load && b.ref == o);
    }

    constexpr int table_of(int st, int t)
    {
        const table_operand& op = d_.stages[st].tables[t];
        table_access a{.values = {op.first, op.count}};
        a.index.constant = op.index.offset;
        for (const index_term& term : op.index.terms)
            contributions(st, term.axis, term.coefficient, levels(st),
                          [&](int v, std::int64_t c, int, int) { add_term(a.index, v, -1, c); });
        return n_.table_accesses.push_back(a);
    }

    // Copies an expression of stage st into the nest; acc() becomes a load of access `accumulator`.
    constexpr int copy_expr(int st, const expr& e, int accumulator)
    {
        std::int16_t at[expr::max_nodes]{};
        for (std::size_t i = 0; i < e.nodes.size(); ++i) {
            expr_node x = e.nodes[i];
            if (x.a >= 0) x.a = at[x.a];
            if (x.b >= 0) x.b = at[x.b];
            if (x.op == expr_op::load) {
                x.ref = static_cast<std::int16_t>(operand_access(st, x.ref));
            } else if (x.op == expr_op::table) {
                x.ref = static_cast<std::int16_t>(table_of(st, x.ref));
            } else if (x.op == expr_op::accumulator) {
                x.op = expr_op::load;
                x.ref = static_cast<std::int16_t>(accumulator);
            }
            at[i] = static_cast<std::int16_t>(n_.exprs.push_back(x));
        }
        return e.empty() ? -1 : at[e.nodes.size() - 1];
    }

    // The leaves of a stage. `whole`: no reduction. resume and suspend stand in for init and store where a reduction
    // level is outside the tile and this is not its first or last step.
    enum class leaf_kind : std::int8_t { whole, init, resume, reduce, suspend, store };

    constexpr int statement_of(int st, leaf_kind kind, std::uint32_t hoisted)
    {
        for (const made_statement& m : made_)
            if (m.stage == st && m.kind == static_cast<std::int8_t>(kind) && m.hoisted == hoisted) return m.index;
        const stage& g = d_.stages[st];
        const bool to_registers = accumulator_[st] < 0;
        const int acc = to_registers ? -1 : accumulator_access(st, hoisted);
        statement x{};
        switch (kind) {
        case leaf_kind::whole:
            x.value = static_cast<std::int16_t>(copy_expr(st, g.epilogue.with_accumulator(g.body), -1));
            x.target = static_cast<std::int16_t>(operand_access(st, output_slot));
            break;
        case leaf_kind::init:
            x.value = static_cast<std::int16_t>(
                n_.exprs.push_back({.op = expr_op::constant, .value = identity_of(g.reduce)}));
            x.target = static_cast<std::int16_t>(to_registers ? operand_access(st, output_slot) : acc);
            break;
        case leaf_kind::resume:
            x.value = static_cast<std::int16_t>(n_.exprs.push_back(
                {.op = expr_op::load, .ref = static_cast<std::int16_t>(operand_access(st, output_slot))}));
            x.target = static_cast<std::int16_t>(acc);
            break;
        case leaf_kind::reduce:
            x.reduce = g.reduce;
            x.value = static_cast<std::int16_t>(copy_expr(st, g.body, -1));
            x.target = static_cast<std::int16_t>(to_registers ? operand_access(st, output_slot) : acc);
            break;
        case leaf_kind::suspend:
            x.value = static_cast<std::int16_t>(copy_expr(st, ex::acc(), acc));
            x.target = static_cast<std::int16_t>(operand_access(st, output_slot));
            break;
        case leaf_kind::store:
            x.value = static_cast<std::int16_t>(copy_expr(st, g.epilogue, acc));
            x.target = static_cast<std::int16_t>(operand_access(st, output_slot));
            break;
        }
        const auto index = static_cast<std::int16_t>(n_.statements.push_back(x));
        made_.push_back({static_cast<std::int8_t>(st), static_cast<std::int8_t>(kind), hoisted, index});
        if (made_.overflowed()) fail(fault::capacity, 32, 33, "statements");
        return index;
    }

    // --- the tree -------------------------------------------------------------------------------------------

    constexpr int append(int parent, node x)
    {
        x.parent = static_cast<std::int16_t>(parent);
        const int id = n_.nodes.push_back(x);
        if (n_.nodes.overflowed()) {
            fail(fault::capacity, static_cast<std::int64_t>(n_.nodes.capacity), 0, "nodes");
            return id;
        }
        last_child_[id] = -1;
        std::int16_t& last = parent < 0 ? last_root_ : last_child_[parent];
        if (last < 0)
            (parent < 0 ? n_.root : n_.nodes[parent].child) = static_cast<std::int16_t>(id);
        else
            n_.nodes[last].next = static_cast<std::int16_t>(id);
        last = static_cast<std::int16_t>(id);
        return id;
    }

    constexpr bool needs_tile(int st) const
    {
        if (accumulator_[st] >= 0) return true;
        for (int q = 0; q < stages(); ++q)
            if (plan(q).attach.stage == st && d_.tensors[d_.stages[q].output.tensor].memory == memory::registers)
                return d_.tensors[d_.stages[st].output.tensor].memory != memory::registers;
        return false;
    }

    constexpr void emit_stage(int st, int parent)
    {
        context c;
        const stage& g = d_.stages[st];
        for (std::size_t a = 0; a < g.axes.size(); ++a) c.axes[a] = {g.axes[a].extent, g.axes[a].parameter >= 0, false};
        if (g.reduce != reduction::none && accumulator_[st] < 0) {
            emit(st, 0, c, pass::init, parent);
            emit(st, 0, c, pass::reduce, parent);
        } else {
            emit(st, 0, c, pass::whole, parent);
        }
    }

    // Emits the stages attached before level l; true if they fill memory that the whole workgroup reads.
    constexpr bool emit_attached(int st, int l, int parent)
    {
        bool shared = false;
        for (int q = 0; q < stages(); ++q) {
            if (plan(q).attach.stage != st || plan(q).attach.level != l) continue;
            emit_stage(q, parent);
            if (writes(q, memory::workgroup)) shared = true;
        }
        if (shared) append(parent, {.kind = node_kind::barrier});
        return shared;
    }

    constexpr void emit(int st, int l, const context& c, pass p, int parent)
    {
        if (!n_.ok()) return;
        if (p == pass::whole && l == plan(st).tile_at && needs_tile(st)) {
            const int tile = append(parent, {.kind = node_kind::tile});
            const bool shared = emit_attached(st, l, tile);
            if (accumulator_[st] >= 0) {
                emit(st, l, c, pass::init, tile);
                emit_levels(st, l, c, pass::reduce, tile);
                emit(st, l, c, pass::store, tile);
            } else {
                emit_levels(st, l, c, pass::whole, tile);
            }
            if (shared && serial_depth_ > 0) append(tile, {.kind = node_kind::barrier});
            return;
        }
        const bool attaches = (p == pass::whole || p == pass::reduce);
        const bool shared = attaches && emit_attached(st, l, parent);
        emit_levels(st, l, c, p, parent);
        // The next round must not overwrite what slower lanes still read.
        if (shared && serial_depth_ > 0) append(parent, {.kind = node_kind::barrier});
    }

    constexpr void emit_levels(int st, int l, const context& c, pass p, int parent)
    {
        if (l == levels(st)) {
            emit_leaf(st, c, p, parent);
            return;
        }
        const level& own = plan(st).levels[l];
        axis_state a = c.axes[own.axis];
        const std::int64_t step = own.step;
        if ((p == pass::init || p == pass::store) && is_reduction(st, l)) {
            context next = c;
            next.axes[own.axis].extent = a.extent < step ? a.extent : step;
            emit(st, l + 1, next, p, parent);
            return;
        }
        if (c.hoisted >> l & 1) {
            emit(st, l + 1, c, p, parent);
            return;
        }
        if (own.bind == binding::vectorize) {
            if (a.extent > s_.vector_length) {
                fail(fault::vector_length_unsupported, s_.vector_length, a.extent, name(st, own.axis));
                return;
            }
            const bool past = a.extent < s_.vector_length || a.partial;
            emit_loop(st, l, c, p, parent, {0}, {s_.vector_length}, {1, false, a.guarded || past});
            return;
        }
        if (a.partial) {
            emit_partial(st, l, c, p, parent);
            return;
        }
        const std::int64_t full = a.extent / step;
        const std::int64_t rest = a.extent % step;
        if (full == 0) {
            emit_loop(st, l, c, p, parent, {0}, {1}, {a.extent, false, a.guarded});
        } else if (rest == 0) {
            emit_whole(st, l, c, p, parent, full);
        } else if (own.tail == tail::exact) {
            fail(fault::factor_does_not_divide, a.extent, step, name(st, own.axis));
        } else if (own.tail == tail::peel) {
            emit_whole(st, l, c, p, parent, full);
            emit_loop(st, l, c, p, parent, {full}, {full + 1}, {rest, false, a.guarded});
        } else {
            const bool bounded = own.tail == tail::bound;
            emit_loop(st, l, c, p, parent, {0}, {full + 1}, {step, bounded, a.guarded || !bounded});
        }
    }

    constexpr const char* name(int st, int ax) const { return d_.stages[st].axes[ax].name; }

    // A limit of a loop: a constant, and where `rounded` >= 0 also floor((rest + rounded) / step) of a partial axis.
    struct limit {
        std::int64_t constant = 0;
        int rounded = -1;
        bool has_constant = true;
    };

    // Steps [0, count) of a level, with the tiles that touch padding as siblings if the level asks for it.
    constexpr void emit_whole(int st, int l, const context& c, pass p, int parent, std::int64_t count)
    {
        const level& own = plan(st).levels[l];
        const axis_state inside{own.step, false, c.axes[own.axis].guarded};
        std::int64_t first = 0;
        std::int64_t last = count;
        if (own.border == border::peel && count > 1 && (p == pass::whole || p == pass::reduce)) {
            while (first < count && touches_border(st, l, c, first)) ++first;
            while (last > first && touches_border(st, l, c, last - 1)) --last;
            if (first + (count - last) > 4) { // more would be code, not speed: the leaves test
                first = 0;
                last = count;
            }
        }
        for (std::int64_t i = 0; i < first; ++i) emit_loop(st, l, c, p, parent, {i}, {i + 1}, inside);
        if (first < last) emit_loop(st, l, c, p, parent, {first}, {last}, inside);
        for (std::int64_t i = last; i < count; ++i) emit_loop(st, l, c, p, parent, {i}, {i + 1}, inside);
    }

    constexpr bool touches_border(int st, int l, const context& c, std::int64_t at)
    {
        const interval kept = variables_[variable_of(st, l)];
        variables_[variable_of(st, l)] = {at, at};
        bool touches = false;
        for (std::size_t r = 0; r < requirements_.size() && !touches; ++r) {
            const requirement& q = requirements_[r];
            if (q.stage != st || q.operand < 0 || (c.satisfied >> r & 1)) continue;
            bool moves = false;
            for (const index_term& t : index_of_requirement(q).terms)
                if (t.axis == plan(st).levels[l].axis) moves = true;
            touches = moves && !always(st, q, c);
        }
        variables_[variable_of(st, l)] = kept;
        return touches;
    }
    constexpr const dim_index& index_of_requirement(const requirement& q) const
    {
        return operand_of(q.stage, q.operand).index[q.dim];
    }

    // A level whose axis may end early: what is left is known to the loops, or only to the call.
    constexpr void emit_partial(int st, int l, const context& c, pass p, int parent)
    {
        const level& own = plan(st).levels[l];
        const axis_state a = c.axes[own.axis];
        const axis& whole = d_.stages[st].axes[own.axis];
        const std::int64_t step = own.step;
        // Guards and bounds know the end of the axis, not that of a block: inside a block, steps must meet its end.
        if (a.extent != whole.extent && a.extent > step && a.extent % step != 0) {
            fail(fault::factor_does_not_divide, a.extent, step, whole.name);
            return;
        }
        if (a.extent < step) {
            emit_loop(st, l, c, p, parent, {0}, {1}, {a.extent, true, a.guarded});
            return;
        }
        if (own.bind == binding::unroll || own.bind == binding::lane) {
            emit_loop(st, l, c, p, parent, {0}, {ceil_div(a.extent, step)}, {step, false, true});
            return;
        }
        const bool dynamic = whole.parameter >= 0;
        const std::int64_t rest = dynamic ? step - 1 : whole.extent % step;
        const limit whole_steps{a.extent / step, 0};
        const limit all_steps{ceil_div(a.extent, step), static_cast<int>(step - 1)};
        if (step == 1 || rest == 0) {
            emit_loop(st, l, c, p, parent, {0}, whole_steps, {step, false, a.guarded});
        } else if (own.tail == tail::peel) {
            emit_loop(st, l, c, p, parent, {0}, whole_steps, {step, false, a.guarded});
            const limit from{0, 0, false};
            if (dynamic)
                emit_loop(st, l, c, p, parent, from, all_steps, {rest, true, a.guarded}, true);
            else
                emit_loop(st, l, c, p, parent, from, all_steps, {rest, false, a.guarded});
        } else if (own.tail == tail::exact) {
            fail(fault::factor_does_not_divide, whole.extent, step, whole.name);
        } else {
            const bool bounded = own.tail == tail::bound;
            emit_loop(st, l, c, p, parent, {0}, all_steps, {step, bounded, a.guarded || !bounded});
        }
    }

    // A remainder known only at run time cannot be a register tile. Its unrolled levels are opened at once, each with
    // whole steps and a remainder of its own: a cascade of tiles, halved where the schedule halves.
    constexpr void emit_cascade(int st, int l, int after, const context& c, pass p, int parent)
    {
        const int ax = plan(st).levels[l].axis;
        int next = after + 1;
        while (next < levels(st) && (plan(st).levels[next].axis != ax || (c.hoisted >> next & 1))) ++next;
        if (next == levels(st)) {
            emit(st, l + 1, c, p, parent);
            return;
        }
        context inside = c;
        inside.hoisted |= std::uint32_t{1} << next;
        const std::int64_t step = plan(st).levels[next].step;
        const std::int64_t extent = c.axes[ax].extent;
        if (extent >= step)
            emit_loop(st, next, inside, p, parent, {0}, {extent / step, 0}, {step, false, c.axes[ax].guarded}, false,
                      l);
        if (step > 1) {
            const limit all{ceil_div(extent, step), static_cast<int>(step - 1)};
            emit_loop(st, next, inside, p, parent, {0, 0, false}, all, {step - 1, true, c.axes[ax].guarded}, true, l);
        }
    }

    constexpr range limits(int st, int l, const context& c, const limit& x)
    {
        const int ax = plan(st).levels[l].axis;
        const std::int64_t step = plan(st).levels[l].step;
        range r{static_cast<std::int16_t>(n_.bounds.size()), 0};
        if (x.has_constant) {
            n_.bounds.push_back({.value = {.constant = x.constant}});
            ++r.count;
        }
        if (x.rounded >= 0) {
            bound b{.value = rest_of(st, ax, c.opened), .divisor = step};
            b.value.constant += x.rounded;
            n_.bounds.push_back(b);
            ++r.count;
        }
        return r;
    }

    // Passes and siblings state the same limits and conditions again and again; each is kept once. `first_term` is the
    // size of the term table before the entries were made.
    constexpr bool same(const affine& a, const affine& b) const
    {
        if (a.constant != b.constant || a.count != b.count) return false;
        for (int i = 0; i < a.count; ++i)
            if (!(n_.terms[a.first + i] == n_.terms[b.first + i])) return false;
        return true;
    }
    constexpr range interned_bounds(range r, std::size_t first_term)
    {
        for (int at = 0; at + r.count <= r.first; ++at) {
            bool equal = true;
            for (int i = 0; i < r.count && equal; ++i)
                equal = n_.bounds[at + i].divisor == n_.bounds[r.first + i].divisor &&
                        same(n_.bounds[at + i].value, n_.bounds[r.first + i].value);
            if (!equal) continue;
            n_.bounds.resize(static_cast<std::size_t>(r.first));
            n_.terms.resize(first_term);
            return {static_cast<std::int16_t>(at), r.count};
        }
        return r;
    }
    constexpr range interned_conditions(range r, std::size_t first_term)
    {
        for (int at = 0; at + r.count <= r.first; ++at) {
            bool equal = true;
            for (int i = 0; i < r.count && equal; ++i) equal = same(n_.conditions[at + i], n_.conditions[r.first + i]);
            if (!equal) continue;
            n_.conditions.resize(static_cast<std::size_t>(r.first));
            n_.terms.resize(first_term);
            return {static_cast<std::int16_t>(at), r.count};
        }
        return r;
    }

    // One loop of level l and everything inside. `cascade`: the inside is a run-time remainder. `resume`: the level to
    // go on after, where l was opened ahead of its turn.
    constexpr void emit_loop(int st, int l, const context& c, pass p, int parent, const limit& from, const limit& to,
                             const axis_state& inside, bool cascade = false, int resume = -1)
    {
        if (!n_.ok()) return;
        const level& own = plan(st).levels[l];
        const int after = resume >= 0 ? resume : l;
        context next = c;
        next.axes[own.axis] = inside;
        next.opened |= std::uint32_t{1} << l;
        if (trivial(st, l) && from.rounded < 0 && to.rounded < 0) {
            emit(st, after + 1, next, p, parent);
            return;
        }
        const bool constant = from.rounded < 0 && to.rounded < 0;
        if (constant && own.bind == binding::unroll && !is_band(st, l, p)) {
            for (std::int64_t i = from.constant; i < to.constant;) {
                std::int64_t end = i + 1;
                if (own.border == border::share && !touches_border(st, l, c, i))
                    while (end < to.constant && !touches_border(st, l, c, end)) ++end;
                open_loop(st, l, next, p, parent, {i}, {end}, binding::serial, cascade, after, c);
                i = end;
            }
            return;
        }
        binding bind = own.bind;
        if (bind == binding::unroll && !constant) bind = binding::serial;
        open_loop(st, l, next, p, parent, from, to, bind, cascade, after, c);
    }

    constexpr void open_loop(int st, int l, context next, pass p, int parent, const limit& from, const limit& to,
                             binding bind, bool cascade, int after, const context& outer)
    {
        const level& own = plan(st).levels[l];
        node x{.kind = node_kind::loop, .bind = bind};
        const int v = variable_of(st, l);
        x.variable = static_cast<std::int16_t>(v);
        // The limits of a loop stand side by side: lower ones first, then upper ones, clips included.
        const std::uint64_t before = next.satisfied;
        std::size_t first_term = n_.terms.size();
        x.lower = limits(st, l, outer, from);
        if (own.border == border::clip) clip(st, l, next, x.lower, false);
        x.lower = interned_bounds(x.lower, first_term);
        first_term = n_.terms.size();
        x.upper = limits(st, l, outer, to);
        if (own.border == border::clip) {
            next.satisfied = before;
            clip(st, l, next, x.upper, true);
            next.satisfied = before;
            clip_satisfied(st, l, next);
        }
        x.upper = interned_bounds(x.upper, first_term);
        if (bind == binding::grid || bind == binding::lane) set_radix(st, l, x);
        const int id = append(parent, x);
        if (!n_.ok()) return;
        const interval kept = variables_[v];
        variables_[v] = interval_of(n_, n_.nodes[id], variables_);
        const bool is_serial = bind == binding::serial;
        if (is_serial) ++serial_depth_;
        if (variables_[v].most >= variables_[v].least) {
            if (cascade)
                emit_cascade(st, after, l, next, p, id);
            else
                emit(st, after + 1, next, p, id);
        }
        if (is_serial) --serial_depth_;
        variables_[v] = kept;
    }

    // Whether requirement q can bound level l: it moves with the level, and all else in it is already open.
    constexpr std::int64_t clip_step(int st, int l, const context& c, const requirement& q) const
    {
        if (q.stage != st || q.operand < 0 || q.operand == output_slot || !may_skip(st, q.operand)) return 0;
        std::int64_t step = 0;
        bool others_open = true;
        for (int i = q.value.first; i < q.value.first + q.value.count; ++i) {
            const affine_term& t = n_.terms[i];
            if (t.variable == variable_of(st, l)) {
                step = t.coefficient;
                continue;
            }
            if (t.variable < 0) continue;
            const int o = t.variable - variable_of(st, 0);
            if (o >= 0 && o < levels(st) && !(c.opened >> o & 1)) others_open = false;
        }
        return others_open ? step : 0;
    }
    constexpr void clip(int st, int l, context& c, range& limits, bool upper)
    {
        for (std::size_t r = 0; r < requirements_.size(); ++r) {
            const requirement& q = requirements_[r];
            if (c.satisfied >> r & 1) continue;
            const std::int64_t step = clip_step(st, l, c, q);
            if (step == 0 || (step < 0) != upper || plan(st).levels[l].step != 1 || always(st, q, c)) continue;
            // rest + step * v >= 0: v >= ceil(-rest / step), or v <= floor(rest / -step).
            bound b{.divisor = step > 0 ? step : -step};
            b.value.constant = step > 0 ? -q.value.constant + step - 1 : q.value.constant - step;
            for (int i = q.value.first; i < q.value.first + q.value.count; ++i) {
                const affine_term t = n_.terms[i];
                if (t.variable == variable_of(st, l)) continue;
                add_term(b.value, t.variable, t.parameter, step > 0 ? -t.coefficient : t.coefficient);
            }
            n_.bounds.push_back(b);
            ++limits.count;
            c.satisfied |= std::uint64_t{1} << r;
        }
    }
    constexpr void clip_satisfied(int st, int l, context& c) const
    {
        if (plan(st).levels[l].step != 1) return;
        for (std::size_t r = 0; r < requirements_.size(); ++r)
            if (clip_step(st, l, c, requirements_[r]) != 0) c.satisfied |= std::uint64_t{1} << r;
    }

    constexpr void set_radix(int st, int l, node& x) const
    {
        const binding bind = plan(st).levels[l].bind;
        x.outermost = true;
        for (int o = 0; o < l; ++o)
            if (plan(st).levels[o].bind == bind && !trivial(st, o)) x.outermost = false;
        for (int o = l + 1; o < levels(st); ++o)
            if (plan(st).levels[o].bind == bind) x.radix_stride *= static_cast<std::int32_t>(count_of(st, o));
    }

    // Inside an unrolled level only unrolled and vector levels may follow; otherwise its copies are siblings.
    constexpr bool is_band(int st, int l, pass p) const
    {
        const bool spatial = p == pass::init || p == pass::store;
        for (int o = l + 1; o < levels(st); ++o) {
            const binding b = plan(st).levels[o].bind;
            if (spatial && is_reduction(st, o)) continue;
            if (b != binding::unroll && b != binding::vectorize && !trivial(st, o)) return false;
        }
        if (spatial) return true;
        for (int q = 0; q < stages(); ++q)
            if (plan(q).attach.stage == st && plan(q).attach.level > l) return false;
        return !(needs_tile(st) && plan(st).tile_at > l);
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

    // Whether a leaf that runs past the end of the axis would touch memory that is not there.
    constexpr bool leaves_memory(int st, int ax, leaf_kind kind) const
    {
        const stage& g = d_.stages[st];
        if (kind == leaf_kind::init) return false;
        if (g.axes[ax].reduction) {
            // Staged copies hold zeros past the end, and adding them changes nothing.
            bool staged = kind == leaf_kind::reduce && g.reduce == reduction::add;
            for (const operand& o : g.operands)
                for (const dim_index& k : o.index)
                    for (const index_term& t : k.terms)
                        if (t.axis == ax && d_.tensors[o.tensor].memory != memory::workgroup) staged = false;
            return kind == leaf_kind::reduce && !staged;
        }
        const auto unpadded = [&](const operand& op) {
            const tensor& t = d_.tensors[op.tensor];
            if (t.memory != memory::argument && t.memory != memory::workspace) return false;
            for (std::size_t k = 0; k < op.index.size(); ++k)
                for (const index_term& term : op.index[k].terms)
                    if (term.axis == ax && t.dims[k].block == 0) return true;
            return false;
        };
        const auto reads = [&](const expr& e) {
            for (const expr_node& x : e.nodes)
                if (x.op == expr_op::load && unpadded(g.operands[x.ref])) return true;
            return false;
        };
        const bool body = kind == leaf_kind::whole || kind == leaf_kind::reduce;
        const bool output = kind != leaf_kind::reduce;
        return (body && reads(g.body)) || (output && (unpadded(g.output) || reads(g.epilogue)));
    }

    constexpr void emit_leaf(int st, const context& c, pass p, int parent)
    {
        if (p == pass::whole) {
            emit_leaf(st, c, leaf_kind::whole, parent);
            return;
        }
        if (p == pass::reduce) {
            emit_leaf(st, c, leaf_kind::reduce, parent);
            return;
        }
        const int outer = outer_reduction(st);
        if (outer < 0) {
            emit_leaf(st, c, p == pass::init ? leaf_kind::init : leaf_kind::store, parent);
            return;
        }
        const int v = variable_of(st, outer);
        if (p == pass::init) {
            // Lanes past the end of the axis are set too: the resumption leaves them alone.
            emit_leaf(st, c, leaf_kind::init, parent);
            emit_leaf(st, c, leaf_kind::resume, at_edge(parent, v, 0, false));
        } else {
            const std::int64_t last = count_of(st, outer) - 1;
            emit_leaf(st, c, leaf_kind::suspend, at_edge(parent, v, last, false));
            emit_leaf(st, c, leaf_kind::store, at_edge(parent, v, last, true));
        }
    }
    // A guard for variable == edge, or != edge, where edge is the first (0) or last value.
    constexpr int at_edge(int parent, int v, std::int64_t edge, bool equal)
    {
        const std::size_t first_term = n_.terms.size();
        affine value{};
        const std::int64_t sign = (edge == 0) == equal ? -1 : 1;
        value.constant = equal ? -sign * edge : (edge == 0 ? -1 : edge - 1);
        add_term(value, v, -1, equal ? sign : (edge == 0 ? 1 : -1));
        node g{.kind = node_kind::guard};
        g.conditions = interned_conditions({static_cast<std::int16_t>(n_.conditions.push_back(value)), 1}, first_term);
        return append(parent, g);
    }
    constexpr int outer_reduction(int st)
    {
        int outer = -1;
        for (int l = 0; l < plan(st).tile_at; ++l)
            if (is_reduction(st, l) && !trivial(st, l)) {
                if (outer >= 0) fail(fault::reduction_split_twice, 1, 2, name(st, plan(st).levels[l].axis));
                outer = l;
            }
        return outer;
    }

    constexpr void emit_leaf(int st, const context& c, leaf_kind kind, int parent)
    {
        range conditions{static_cast<std::int16_t>(n_.conditions.size()), 0};
        for (std::size_t r = 0; r < requirements_.size(); ++r) {
            const requirement& q = requirements_[r];
            if (q.stage != st || (c.satisfied >> r & 1)) continue;
            if (q.axis >= 0) {
                if (!c.axes[q.axis].guarded || !leaves_memory(st, q.axis, kind)) continue;
                if (interval_of(n_, q.value, variables_).least >= 0) continue;
            } else {
                const bool drops_store =
                    q.operand == output_slot && kind != leaf_kind::init && kind != leaf_kind::reduce;
                const bool skips_tap = kind == leaf_kind::reduce && may_skip(st, q.operand);
                if (!drops_store && !skips_tap) continue;
                if (never(st, q, c)) return;
                if (always(st, q, c)) continue;
            }
            n_.conditions.push_back(q.value);
            ++conditions.count;
        }
        if (conditions.count > 0) {
            node g{.kind = node_kind::guard};
            g.conditions = interned_conditions(conditions, n_.terms.size());
            parent = append(parent, g);
        }
        node x{.kind = node_kind::leaf};
        x.statement = static_cast<std::int16_t>(statement_of(st, kind, c.hoisted));
        append(parent, x);
    }
};

constexpr nest lower(const schedule& s)
{
    nest n;
    lowering(s, n).run();
    return n;
}

// The same into a nest that is there: a search that lowers one candidate after another saves a microsecond each.
constexpr void lower(const schedule& s, nest& out)
{
    out.clear();
    lowering(s, out).run();
}

} // namespace hone
