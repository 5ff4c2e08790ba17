// SPDX-License-Identifier: BSL-1.0
// The statements of a nest and what they read: accesses, expressions, register tiles, and the conditions that leaves
// may have to test because an axis ends or an operand reads padding.
//
// Of y[i] = sum over t of x[i + t - 1] * w[t], for i below 10 and t below 3, and a plan of these levels
//
//     p.add(i, 4, binding::parallel, tail::guard).open_tile();
//     p.add(t, 1).add(i, 1, binding::unroll);
//
// three statements come, whose accumulator has a register for each iteration of i.1. Steps of 4 pass the end of i, and
// taps both ends of x: each leaf is under the tests that no loop around it decides. The first one touches registers
// only, and tests nothing:
//
//     acc[i.1] = 0
//     if i.0*4 + i.1 < 10 && i.0*4 + i.1 + t.0 >= 1 && i.0*4 + i.1 + t.0 < 11
//     acc[i.1] += x[i.0*4 + i.1 + t.0 - 1] * w[t.0]
//     if i.0*4 + i.1 < 10
//     y[i.0*4 + i.1] = acc[i.1]
//
// With steps of 5, which do not pass the end of i, and p.mask(0), loads of x test for themselves, and sums are free:
//     acc[i.1] += (i.0*5 + i.1 + t.0 >= 1 && i.0*5 + i.1 + t.0 < 11 ? x[i.0*5 + i.1 + t.0 - 1] : 0) * w[t.0]
#pragma once

#include <cstdint>

#include <hone/ir/nest.hpp>
#include <hone/ir/visit.hpp>
#include <hone/lower/requirements.hpp>
#include <hone/schedule/schedule.hpp>

#ifndef HONE_SHOW_WARNINGS // see core/config.hpp
#pragma GCC system_header
#endif

namespace hone::schedules {

class lowering_statements : protected lowering_requirements {
protected:
    using lowering_requirements::lowering_requirements;

    struct made_statement {
        std::int8_t stage;
        std::int8_t kind;
        std::int8_t slot;   // of the output that is written
        std::int8_t folded; // level
        std::uint32_t hoisted;
        std::int16_t index;
    };

    // Whether two linear forms are of the same terms.
    constexpr bool same(const affine& a, const affine& b) const
    {
        if (a.constant != b.constant || a.count != b.count) return false;
        for (int i = 0; i < a.count; ++i)
            if (!(n_.terms[a.first + i] == n_.terms[b.first + i])) return false;
        return true;
    }

    // The leaves of a stage. `whole`: no reduction. resume and suspend stand in for init and store where a reduction
    // level is outside the tile and this is not its first or last step. Where a reduction accumulates apart, fold takes
    // the parts together, and lanes into a register that clear has prepared.
    enum class leaf_kind : std::int8_t { whole, init, resume, reduce, clear, fold, suspend, store };
    // Touches registers only, apart from what it reads.
    static constexpr bool stays_in_registers(leaf_kind k)
    {
        return k == leaf_kind::init || k == leaf_kind::reduce || k == leaf_kind::clear || k == leaf_kind::fold;
    }

    // What needs the variables of all stages: accumulators, lanes, and the conditions that leaves may have to test.
    constexpr void prepare(int st)
    {
        const stage& g = d_.stages[st];
        const stage_plan& p = plan(st);
        if (g.reduce != reduction::none && d_.tensors[g.output.tensor].memory != memory::registers) add_accumulator(st);
        if (s_.set == isa::none) {
            std::int32_t lanes = 1;
            for (int l = 0; l < levels(st); ++l)
                if (p.levels[l].bind == binding::lane) lanes *= static_cast<std::int32_t>(count_of(st, l));
            if (lanes > n_.lanes) n_.lanes = lanes;
        }
        add_requirements(st);
    }

    // The register tile of a reduction: strides from the spatial levels inside it, the vector level varying fastest.
    constexpr void add_accumulator(int st)
    {
        std::int64_t elements = 1;
        for (int l = plan(st).tile_at; l < levels(st); ++l)
            if (!is_reduction(st, l) || is_apart(st, l)) elements *= count_of(st, l);
        const auto add = [&](const char* name, std::int64_t size) {
            buffer b{.name = name, .type = accumulator_of(d_.tensors), .memory = memory::registers};
            b.elements.constant = size;
            b.vectors = static_cast<std::int32_t>(ceil_div(size, s_.vector_length));
            return static_cast<std::int16_t>(n_.buffers.push_back(b));
        };
        accumulator_[st] = add("acc", elements);
        if (!has_lanes_apart(st)) return;
        // One number in each register.
        std::int64_t outputs = s_.vector_length;
        for (int l = plan(st).tile_at; l < levels(st); ++l)
            if (!is_reduction(st, l)) outputs *= count_of(st, l);
        folded_[st] = add("folded", outputs);
    }

    constexpr bool needs_tile(int st) const
    {
        if (accumulator_[st] >= 0) return true;
        for (int q = 0; q < stages(); ++q)
            if (plan(q).attach.stage == st && d_.tensors[d_.stages[q].output.tensor].memory == memory::registers)
                return d_.tensors[d_.stages[st].output.tensor].memory != memory::registers;
        return false;
    }

    // `from`: of what accumulates apart, levels before this one are folded: their first iteration holds all.
    constexpr int accumulator_access(int st, std::uint32_t hoisted, int from)
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
            const bool apart = is_apart(st, l);
            if ((is_reduction(st, l) && !apart) || plan(st).levels[l].bind == binding::vectorize) continue;
            const bool is_folded = apart && l < from;
            if (!trivial(st, l) && !(hoisted >> l & 1) && !is_folded) add_term(a.index, variable_of(st, l), -1, stride);
            stride *= count_of(st, l);
        }
        return n_.accesses.push_back(a);
    }
    constexpr int folded_access(int st, std::uint32_t hoisted)
    {
        access a{.buffer = folded_[st]};
        std::int64_t stride = s_.vector_length;
        for (int l = levels(st); l-- > plan(st).tile_at;) {
            if (is_reduction(st, l)) continue;
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
            const std::int16_t parameter = dim.stride_parameter;
            std::int64_t constant = op.index[k].offset_parameter < 0 ? op.index[k].offset : 0;
            std::int64_t inner_reach = 0;
            if (dim.block > 0 && op.index[k].has_parameters())
                fail(fault::blocked_axis_not_affine, dim.block, 0, t.name);
            if (op.index[k].offset_parameter >= 0)
                add_term(index, -1, product(op.index[k].offset_parameter, parameter), op.index[k].offset * dim.stride);
            for (const index_term& term : op.index[k].terms) {
                const std::int64_t base = is_local(op.tensor) ? 0 : term.coefficient * base_offset(st, term.axis);
                if (term.parameter < 0)
                    constant += base;
                else
                    add_term(index, -1, product(term.parameter, parameter), base * dim.stride);
                if (is_quotient_of_lanes(st, term.axis)) fail(fault::axis_not_covered, 1, 0, name(st, term.axis));
                contributions(st, term.axis, term.coefficient, levels(st), [&](int v, std::int64_t c, int ts, int tl) {
                    if (is_outside(op.tensor, ts, tl)) return;
                    if (dim.block == 0) {
                        add_term(index, v, product(parameter, term.parameter), c * dim.stride);
                    } else if (c % dim.block == 0) {
                        add_term(index, v, dim.outer_parameter, c / dim.block * dim.outer_stride);
                    } else if (crosses_blocks(dim, c, ts, tl)) {
                        add_term(index, v, dim.outer_parameter, dim.outer_stride, static_cast<std::int16_t>(dim.block));
                    } else {
                        add_term(index, v, parameter, c * dim.stride);
                        inner_reach += c < 0 ? dim.block : c * (count_of(ts, tl) - 1);
                    }
                });
            }
            if (dim.block > 0 && (inner_reach >= dim.block || constant % dim.block != 0))
                fail(fault::blocked_axis_not_affine, dim.block, inner_reach + 1, t.name);
            const std::int64_t offset = dim.block > 0 ? constant / dim.block * dim.outer_stride : constant * dim.stride;
            if (const int by = dim.block > 0 ? dim.outer_parameter : parameter; by >= 0)
                add_term(index, -1, by, offset);
            else
                index.constant += offset;
        }
        return index;
    }

    constexpr int operand_access(int st, int o)
    {
        std::int16_t& known = access_of_[st][o];
        if (known > 0) return known - 1;
        const operand& op = operand_of(st, o);
        access a{.buffer = op.tensor};
        a.index = index_of(st, op);
        if (o != output_slot && (masks(st, o) || (op.may_leave && !may_skip(st, o)))) {
            a.outside = rounded_to(d_.tensors[op.tensor].type, op.outside);
            a.conditions.first = static_cast<std::int16_t>(n_.conditions.size());
            for (const requirement& r : requirements_) {
                if (r.stage != st) continue;
                const bool leaves_axis = r.axis >= 0 && masks(st, o) && passes_end(st, o, r);
                if (!leaves_axis && (r.operand != o || (masks(st, o) && is_clipped(st, r)))) continue;
                if (put(n_.conditions, r.value, "conditions")) ++a.conditions.count;
            }
        }
        known = static_cast<std::int16_t>(n_.accesses.push_back(a) + 1);
        return known - 1;
    }

    // Where the sums of a stage wait between the steps of a reduction level outside its tile.
    constexpr int sums_access(int st)
    {
        const stage& g = d_.stages[st];
        if (g.sums < 0) return operand_access(st, output_slot);
        if (sums_access_[st] < 0) {
            operand sums = g.output;
            sums.tensor = g.sums;
            access a{.buffer = g.sums};
            a.index = index_of(st, sums);
            sums_access_[st] = static_cast<std::int16_t>(n_.accesses.push_back(a));
        }
        return sums_access_[st];
    }

    constexpr int table_of(int st, int t)
    {
        const table_operand& op = d_.stages[st].tables[t];
        table_access a{.values = {op.first, op.count}};
        const std::size_t first_term = n_.terms.size();
        add_term(a.index, -1, op.index.offset_parameter, op.index.offset);
        for (const index_term& term : op.index.terms) {
            const axis_quotient& q = d_.stages[st].axes[term.axis].quotient;
            const bool divides = is_quotient_of_lanes(st, term.axis);
            contributions(st, divides ? q.of : term.axis, divides ? 1 : term.coefficient, levels(st),
                          [&](int v, std::int64_t c, int ts, int tl) {
                              if (!divides)
                                  add_term(a.index, v, term.parameter, c);
                              else if (c % q.divisor == 0)
                                  add_term(a.index, v, -1, c / q.divisor * term.coefficient);
                              else if (c == 1 && q.times == 1 && q.added == 0 && count_of(ts, tl) % q.divisor == 0)
                                  add_term(a.index, v, -1, term.coefficient, static_cast<std::int16_t>(q.divisor));
                              else
                                  fail(fault::axis_not_covered, q.divisor, c, name(st, term.axis));
                          });
        }
        for (std::size_t known = 0; known < n_.table_accesses.size(); ++known)
            if (n_.table_accesses[known].values == a.values && same(n_.table_accesses[known].index, a.index)) {
                n_.terms.resize(first_term);
                return static_cast<int>(known);
            }
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
            if (x.c >= 0) x.c = at[x.c];
            if (x.op == expr_op::load) {
                x.ref = static_cast<std::int16_t>(operand_access(st, x.ref));
            } else if (x.op == expr_op::table || x.op == expr_op::position) {
                x.ref = static_cast<std::int16_t>(table_of(st, x.ref));
            } else if (x.op == expr_op::accumulator) {
                x.op = expr_op::load;
                x.ref = static_cast<std::int16_t>(accumulator);
            }
            at[i] = static_cast<std::int16_t>(n_.exprs.push_back(x));
        }
        return e.empty() ? -1 : at[e.nodes.size() - 1];
    }

    // `slot`: which output a leaf of kind whole or store writes. `folded`: the level that a fold takes together, and 0
    // for other leaves.
    constexpr int statement_of(int st, leaf_kind kind, std::uint32_t hoisted, int slot, int folded)
    {
        hoisted = moving_registers(st, hoisted);
        for (const made_statement& m : made_)
            if (m.stage == st && m.kind == static_cast<std::int8_t>(kind) && m.hoisted == hoisted && m.slot == slot &&
                m.folded == folded)
                return m.index;
        const stage& g = d_.stages[st];
        const expr& epilogue = slot == output_slot ? g.epilogue : g.further[slot - output_slot - 1].value;
        const bool to_registers = accumulator_[st] < 0;
        const bool has_folded = folded_[st] >= 0;
        const bool is_folded = kind == leaf_kind::store && plan(st).apart_at >= 0;
        const int acc = to_registers || kind == leaf_kind::clear ? -1
                        : is_folded && has_folded                ? folded_access(st, hoisted)
                                                  : accumulator_access(st, hoisted, is_folded ? levels(st) : folded);
        statement x{};
        switch (kind) {
        case leaf_kind::whole:
            if (epilogue.with_accumulator(g.body).nodes.overflowed())
                fail(fault::expression_too_long, expr::max_nodes, expr::max_nodes + 1, g.name);
            x.value = static_cast<std::int16_t>(copy_expr(st, epilogue.with_accumulator(g.body), -1));
            x.target = static_cast<std::int16_t>(operand_access(st, slot));
            break;
        case leaf_kind::init:
            x.value = static_cast<std::int16_t>(
                n_.exprs.push_back({.op = expr_op::constant, .value = identity_of(g.reduce)}));
            x.target = static_cast<std::int16_t>(to_registers ? operand_access(st, output_slot) : acc);
            break;
        case leaf_kind::resume:
            x.value = static_cast<std::int16_t>(
                n_.exprs.push_back({.op = expr_op::load, .ref = static_cast<std::int16_t>(sums_access(st))}));
            x.target = static_cast<std::int16_t>(acc);
            break;
        case leaf_kind::reduce:
            x.reduce = g.reduce;
            x.value = static_cast<std::int16_t>(copy_expr(st, g.body, -1));
            x.target = static_cast<std::int16_t>(to_registers ? operand_access(st, output_slot) : acc);
            break;
        case leaf_kind::clear:
            x.value = static_cast<std::int16_t>(
                n_.exprs.push_back({.op = expr_op::constant, .value = identity_of(g.reduce)}));
            x.target = static_cast<std::int16_t>(folded_access(st, hoisted));
            break;
        case leaf_kind::fold:
            x.reduce = g.reduce;
            x.value = static_cast<std::int16_t>(copy_expr(st, ex::acc(), acc));
            x.target = static_cast<std::int16_t>(plan(st).levels[folded].bind == binding::vectorize
                                                     ? folded_access(st, hoisted)
                                                     : accumulator_access(st, hoisted, folded + 1));
            break;
        case leaf_kind::suspend:
            x.value = static_cast<std::int16_t>(copy_expr(st, ex::acc(), acc));
            x.target = static_cast<std::int16_t>(sums_access(st));
            break;
        case leaf_kind::store:
            x.value = static_cast<std::int16_t>(copy_expr(st, epilogue, acc));
            x.target = static_cast<std::int16_t>(operand_access(st, slot));
            break;
        }
        const auto index = static_cast<std::int16_t>(n_.statements.push_back(x));
        made_.push_back({static_cast<std::int8_t>(st), static_cast<std::int8_t>(kind), static_cast<std::int8_t>(slot),
                         static_cast<std::int8_t>(folded), hoisted, index});
        if (made_.overflowed()) fail(fault::capacity, 40, 41, "statements");
        return index;
    }

    // Whether a leaf that runs past the end of the axis would touch memory that is not there.
    constexpr bool leaves_memory(int st, int ax, leaf_kind kind) const
    {
        const stage& g = d_.stages[st];
        if (kind != leaf_kind::reduce && stays_in_registers(kind)) return false;
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
            const bool cut = is_cut(op.tensor);
            if (t.memory != memory::argument && t.memory != memory::workspace && !cut) return false;
            for (std::size_t k = 0; k < op.index.size(); ++k)
                for (const index_term& term : op.index[k].terms)
                    if (term.axis == ax && (!t.dims[k].has_padded_blocks() || cut)) return true;
            return false;
        };
        const auto reads = [&](const expr& e) {
            for (const expr_node& x : e.nodes)
                if (x.op == expr_op::load && unpadded(g.operands[x.ref]) &&
                    !(kind == leaf_kind::reduce && (masks(st, x.ref) || is_bordered(st, g.operands[x.ref], ax))))
                    return true;
            return false;
        };
        const bool body = kind == leaf_kind::whole || kind == leaf_kind::reduce;
        if (body && reads(g.body)) return true;
        if (kind == leaf_kind::reduce) return false;
        bool leaves = unpadded(g.output) || reads(g.epilogue);
        for (const further_output& f : g.further) leaves = leaves || unpadded(f.to) || reads(f.value);
        return leaves;
    }

    std::int16_t accumulator_[8] = {-1, -1, -1, -1, -1, -1, -1, -1}; // buffer
    std::int16_t folded_[8] = {-1, -1, -1, -1, -1, -1, -1, -1};      // buffer
    std::int16_t sums_access_[8] = {-1, -1, -1, -1, -1, -1, -1, -1};
    std::int16_t access_of_[8][slots]{}; // stage, operand or output; +1, 0: none
    inline_vector<made_statement, 40> made_{};
};

} // namespace hone::schedules
