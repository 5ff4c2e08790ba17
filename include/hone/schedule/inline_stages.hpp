// SPDX-License-Identifier: BSL-1.0
// A step of schedules that keep no rows between stages: what a stage makes of each element alone is computed wherever
// it is read. Of softmax, whose exponentials are read by their sum and by what is divided by it,
//
//     power[r][i] = exp(x[r][i] - largest[r])        share[r] = 1 / (+= exp(x[r][i] - largest[r]))
//     share[r] = 1 / (+= power[r][i])                y[r][i] = exp(x[r][i] - largest[r]) * share[r]
//     y[r][i] = power[r][i] * share[r]
#pragma once

#include <cstddef>
#include <cstdint>

#include <hone/ir/expr.hpp>
#include <hone/op/definition.hpp>

#ifndef HONE_SHOW_WARNINGS // see core/config.hpp
#pragma GCC system_header
#endif

namespace hone::schedules {

namespace inlining {

// The expression with loads of one operand replaced; number[k]: what operand k of `inner` is here.
constexpr expr with_load(const expr& of, int operand, expr inner, const inline_vector<std::int8_t, 6>& number)
{
    for (expr_node& n : inner.nodes)
        if (n.op == expr_op::load) n.ref = number[n.ref];
    expr e = inner;
    std::int16_t at[expr::max_nodes]{};
    bool is_read = false;
    for (std::size_t i = 0; i < of.nodes.size(); ++i) {
        expr_node n = of.nodes[i];
        if (n.op == expr_op::load && n.ref == operand) {
            is_read = true;
            at[i] = static_cast<std::int16_t>(inner.root());
            continue;
        }
        if (n.a >= 0) n.a = at[n.a];
        if (n.b >= 0) n.b = at[n.b];
        if (n.c >= 0) n.c = at[n.c];
        at[i] = static_cast<std::int16_t>(e.nodes.push_back(n));
    }
    e.nodes.overflowed_ = e.nodes.overflowed_ || of.nodes.overflowed_;
    return is_read ? e : of;
}

// Operand `o` of a stage reads what `source` makes at the same place.
constexpr void inline_into(stage& s, int o, const stage& source)
{
    // The first operand of the source takes its place; a source of none has nothing to read.
    inline_vector<std::int8_t, 6> number;
    for (std::size_t k = 0; k < source.operands.size(); ++k) {
        if (k == 0)
            s.operands[o] = source.operands[0];
        else
            s.operands.push_back(source.operands[k]);
        number.push_back(static_cast<std::int8_t>(k == 0 ? o : static_cast<int>(s.operands.size()) - 1));
    }
    const expr made = source.epilogue.with_accumulator(source.body);
    s.body = with_load(s.body, o, made, number);
    s.epilogue = with_load(s.epilogue, o, made, number);
    for (further_output& f : s.further) f.value = with_load(f.value, o, made, number);
}

constexpr void remove(definition& d, int stage, int tensor)
{
    for (std::size_t i = static_cast<std::size_t>(stage); i + 1 < d.stages.size(); ++i) d.stages[i] = d.stages[i + 1];
    d.stages.pop_back();
    for (std::size_t i = static_cast<std::size_t>(tensor); i + 1 < d.tensors.size(); ++i)
        d.tensors[i] = d.tensors[i + 1];
    d.tensors.pop_back();
    const auto follow = [&](operand& o) {
        if (o.tensor > tensor) --o.tensor;
    };
    for (hone::stage& s : d.stages) {
        for (operand& o : s.operands) follow(o);
        follow(s.output);
        for (further_output& f : s.further) follow(f.to);
    }
}

} // namespace inlining

// Precondition: stages but the last write tensors between stages, which all stages meet at the same places of their
// axes. Tables that do not fit overflow, as lowering says.
constexpr definition with_stages_inlined(definition d)
{
    for (int st = 0; st + 1 < static_cast<int>(d.stages.size());) {
        const stage source = d.stages[st];
        if (source.reduce != reduction::none) {
            ++st;
            continue;
        }
        const int made = source.output.tensor;
        for (int later = st + 1; later < static_cast<int>(d.stages.size()); ++later)
            for (int o = 0; o < static_cast<int>(d.stages[later].operands.size()); ++o)
                if (d.stages[later].operands[o].tensor == made) inlining::inline_into(d.stages[later], o, source);
        inlining::remove(d, st, made);
    }
    return d;
}

} // namespace hone::schedules
