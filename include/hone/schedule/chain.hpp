// SPDX-License-Identifier: BSL-1.0
// The chain template for CPUs: operators of several stages, each of them a product with weights or what becomes of each
// element alone, as recurrent cells have them. Each product is scheduled as the direct template would schedule it
// alone, and one after the other is computed whole:
//
//     from_input[m][gate][n] = sum over k of x[m][k] * weights[gate][n][k]                            parallel
//     gates[m][gate][n] = from_input[m][gate][n] + sum over k of h[m][k] * recurrent[gate][n][k]      parallel
//     y[m][n] = f(gates[m][0][n], gates[m][1][n], ...)                                                parallel
//
// What stands between them is workspace: it is few elements, where weights and steps are many.
#pragma once

#include <cstddef>
#include <cstdint>

#include <hone/core/target.hpp>
#include <hone/op/accuracy.hpp>
#include <hone/op/definition.hpp>
#include <hone/op/flops.hpp>
#include <hone/schedule/direct.hpp>
#include <hone/schedule/knob.hpp>
#include <hone/schedule/packed.hpp>
#include <hone/schedule/roles.hpp>
#include <hone/schedule/row_wise.hpp>
#include <hone/schedule/schedule.hpp>
#include <hone/schedule/transform.hpp>

#ifndef HONE_SHOW_WARNINGS // see core/config.hpp
#pragma GCC system_header
#endif

namespace hone::schedules {

// Those of the direct template, for all products; each takes what it can use of them.
struct chain_knobs {
    std::int32_t rows = 6;
    std::int32_t vectors = 2;
    std::int32_t reduce_unroll = 1;
    std::int32_t reduce_block = 0;
    walk order = walk::weights_outer;
    std::int32_t step_vectors = 4; // written out, and taken by a thread at once, where nothing is reduced
    friend constexpr bool operator==(const chain_knobs&, const chain_knobs&) = default;
};

inline constexpr knob<chain_knobs> chain_knob_table[] = {
    knob_member<&chain_knobs::rows>::range("rows", 1, most_rows, {1, 2, 3, 4, 5, 6, 7, 8, 10, 12, 14}),
    knob_member<&chain_knobs::vectors>::range("vectors", 1, most_vectors, {1, 2, 3, 4, 6, 8}),
    knob_member<&chain_knobs::reduce_unroll>::range("reduce_unroll", 1, most_steps, {1, 2, 4, 8}),
    knob_member<&chain_knobs::reduce_block>::range("reduce_block", 0, most_block, {0, 64, 128, 256, 512}),
    knob_member<&chain_knobs::order>::listed("order", {0, 1}, {"weights_outer", "rows_outer"}),
    knob_member<&chain_knobs::step_vectors>::range("step_vectors", 1, most_vectors, {1, 2, 4, 8}),
};

constexpr const auto& knobs_of(const chain_knobs&) { return chain_knob_table; }

inline constexpr constraint<chain_knobs, isa> chain_constraints[] = {
    {"registers",
     [](const chain_knobs& k, const isa& set) {
         return check_registers({k.rows, k.vectors, k.reduce_unroll}, set);
     }},
};

constexpr error_class class_of(const chain_knobs& k)
{
    return k.reduce_block > 0 ? error_class::reassociated : error_class::exact_order;
}

namespace chains {

// The operand that is a factor of the sum of products and no weights; -1: the stage is no such sum.
constexpr int factor_of(const definition& d, const stage& s)
{
    if (s.reduce != reduction::add || s.body.empty()) return -1;
    const expr_node& root = s.body.nodes[s.body.root()];
    if (root.op != expr_op::mul) return -1;
    const expr_node &a = s.body.nodes[root.a], &b = s.body.nodes[root.b];
    if (a.op != expr_op::load || b.op != expr_op::load) return -1;
    const auto is_weights = [&](int o) { return d.tensors[s.operands[o].tensor].role == role::weights; };
    if (is_weights(a.ref) == is_weights(b.ref)) return -1;
    return is_weights(a.ref) ? b.ref : a.ref;
}
// The tensor of weights that a product reads.
constexpr int weights_of_product(const definition& d, const stage& s)
{
    for (const operand& o : s.operands)
        if (d.tensors[o.tensor].role == role::weights) return o.tensor;
    return -1;
}

// A product as an operator of its own, as the direct template expects one: its factor is x, and no others are weights.
constexpr definition alone(const definition& d, int stage)
{
    definition own;
    own.tensors = d.tensors;
    own.parameters = d.parameters;
    own.stages.push_back(d.stages[stage]);
    const hone::stage& s = d.stages[stage];
    const int weights = weights_of_product(d, s), factor = s.operands[factor_of(d, s)].tensor;
    for (int t = 0; t < static_cast<int>(own.tensors.size()); ++t) {
        role& part = own.tensors[t].role;
        if (t == factor)
            part = role::input;
        else if (part == role::input)
            part = role::operand;
        else if (part == role::weights && t != weights)
            part = role::none;
    }
    return own;
}

constexpr bool is_product(const stage& s) { return s.reduce != reduction::none; }
// f(number of the stage, its definition alone) for each product.
template <class F>
constexpr void for_each_product(const definition& d, F&& f)
{
    for (int st = 0; st < static_cast<int>(d.stages.size()); ++st)
        if (is_product(d.stages[st])) f(st, alone(d, st));
}

// The last axis, along which all that a stage meets without a reduction lies; -1: it does not.
constexpr int vector_of(const definition& d, const stage& s)
{
    const int last = static_cast<int>(s.axes.size()) - 1;
    if (last < 0 || s.axes[last].parameter >= 0 || has_open_stride(d, s, last)) return -1;
    bool all = moves_along(s.output, last);
    for_each_operand(s, [&](const operand& o) { all = all && row_wise_parts::lies_along(d, o, last); });
    return all ? last : -1;
}
// Whether the direct template computes a product, whose rows alone a call may give the number of.
constexpr bool has_roles_of_product(const definition& d, int stage)
{
    if (factor_of(d, d.stages[stage]) < 0 || weights_of_product(d, d.stages[stage]) < 0) return false;
    const definition own = alone(d, stage);
    if (!has_direct_roles(own)) return false;
    const hone::stage& s = own.stages[0];
    const direct_roles r = roles_of(own);
    for (int a = 0; a < static_cast<int>(s.axes.size()); ++a)
        if (s.axes[a].parameter >= 0 && a != r.row) return false;
    return true;
}

// Whether a stage writes what stands between stages, or the last one what a call gives. Weights have one reader each.
constexpr bool is_step(const definition& d, int stage, std::uint32_t& read)
{
    const hone::stage& s = d.stages[stage];
    const bool is_last = stage + 1 == static_cast<int>(d.stages.size());
    if (!s.tables.empty() || s.sums >= 0 || s.output.may_leave || (!is_last && !s.further.empty())) return false;
    if (row_wise_parts::is_between(d.tensors[s.output.tensor]) == is_last) return false;
    int weights = 0;
    for (const operand& o : s.operands) {
        if (o.may_leave || (read >> o.tensor & 1) != 0) return false;
        if (d.tensors[o.tensor].role != role::weights) continue;
        read |= std::uint32_t{1} << o.tensor;
        ++weights;
    }
    return is_product(s) ? weights == 1 && has_roles_of_product(d, stage) : weights == 0 && vector_of(d, s) >= 0;
}

} // namespace chains

// Whether an operator of several stages has products with weights, and all else is computed of each element alone.
constexpr bool is_chain(const definition& d)
{
    if (!d.found.ok() || d.stages.size() < 2 || d.tensor_of(role::weights) < 0) return false;
    std::uint32_t read = 0; // weights
    for (int st = 0; st < static_cast<int>(d.stages.size()); ++st)
        if (!chains::is_step(d, st, read)) return false;
    return read != 0;
}

namespace chains {

// What a product takes of the knobs.
constexpr direct_knobs knobs_of_product(const definition& own, const chain_knobs& k, isa set)
{
    return fitted(own,
                  {.rows = k.rows,
                   .vectors = k.vectors,
                   .reduce_unroll = k.reduce_unroll,
                   .reduce_block = k.reduce_block,
                   .order = k.order},
                  set);
}

// A stage without a reduction: its elements by blocks of vectors, rows by themselves.
constexpr stage_plan of_elements(const definition& d, const stage& s, const chain_knobs& k, std::int64_t lanes)
{
    const int last = vector_of(d, s);
    stage_plan p;
    p.add(last, k.step_vectors * lanes, binding::parallel, tail::peel);
    for (int a = 0; a < last; ++a)
        if (s.axes[a].extent > 1 || s.axes[a].parameter >= 0) p.add(a, 1, binding::parallel);
    if (k.step_vectors > 1) p.add(last, lanes, binding::unroll, tail::guard);
    p.add(last, 1, binding::vectorize);
    return p;
}

// Rows that a call gives take a body for each half of the tile: vectors that end early are stored with a test instead
// of having bodies of their own.
constexpr void guard_columns(stage_plan& p, const definition& own)
{
    const direct_roles r = roles_of(own);
    if (r.row < 0 || own.stages[0].axes[r.row].parameter < 0) return;
    for (level& l : p.levels)
        if (l.axis == r.vector && l.bind == binding::parallel) l.tail = tail::guard;
}

} // namespace chains

// The knobs as far as some stage can use them.
constexpr chain_knobs fitted_chain(const definition& d, const chain_knobs& k, isa set)
{
    if (!d.found.ok() || !check_knobs(k).ok()) return k;
    chain_knobs most{.rows = 1, .vectors = 1, .reduce_unroll = 1, .order = k.order, .step_vectors = 1};
    const auto raise = [](std::int32_t& knob, std::int64_t to) {
        if (knob < to) knob = static_cast<std::int32_t>(to);
    };
    chains::for_each_product(d, [&](int, const definition& own) {
        const direct_knobs f = chains::knobs_of_product(own, k, set);
        raise(most.rows, f.rows);
        raise(most.vectors, f.vectors);
        raise(most.reduce_unroll, f.reduce_unroll);
        raise(most.reduce_block, f.reduce_block);
    });
    for (const stage& s : d.stages) {
        if (chains::is_product(s)) continue;
        const std::int64_t vectors = ceil_div(s.axes[s.axes.size() - 1].extent, lanes_of(set, d));
        raise(most.step_vectors, vectors < k.step_vectors ? vectors : k.step_vectors);
    }
    return most;
}

// The default when nothing is tuned: what the direct template would choose for the product that has most to do, with
// fewer rows where bodies of tiles of all products would be too many.
constexpr chain_knobs default_chain(const definition& d, isa set, int step = 0)
{
    if (!d.found.ok()) return {};
    chain_knobs k;
    double most = -1;
    int products = 0;
    bool is_open = false; // the number of rows
    chains::for_each_product(d, [&](int, const definition& own) {
        ++products;
        for (const axis& a : own.stages[0].axes) is_open = is_open || a.parameter >= 0;
        const double flops = flops_of(own);
        if (flops <= most) return;
        most = flops;
        const direct_knobs of = default_direct(own, set, step);
        k.rows = of.rows;
        k.vectors = of.vectors;
        k.reduce_unroll = of.reduce_unroll;
        k.reduce_block = of.reduce_block;
        k.order = of.order;
    });
    const std::int32_t rows = products <= 2 ? 8 : 2;
    if (is_open && k.rows > rows) k.rows = rows;
    return fitted_chain(d, k, set);
}

// One for each of the weights, in the order of the definition.
constexpr packed_tensors packed_chain(const definition& d, const chain_knobs& k, isa set)
{
    packed_tensors all;
    if (!check_knobs(k).ok()) return all;
    for (int t = 0; t < static_cast<int>(d.tensors.size()); ++t)
        chains::for_each_product(d, [&](int st, const definition& own) {
            if (chains::weights_of_product(d, d.stages[st]) == t)
                all.push_back(packed_weights(own, chains::knobs_of_product(own, k, set), set)[0]);
        });
    return all;
}

constexpr schedule chain_schedule(const definition& original, const chain_knobs& knobs, isa set)
{
    schedule s;
    s.definition = original;
    s.set = set;
    s.found = check_knobs(knobs);
    s.plans.resize(original.stages.size());
    if (!original.found.ok() || !s.found.ok()) return s;
    s.vector_length = static_cast<std::int16_t>(lanes_of(set, original));
    const chain_knobs k = fitted_chain(original, knobs, set);
    for (int st = 0; st < static_cast<int>(original.stages.size()); ++st)
        if (!chains::is_product(original.stages[st]))
            s.plans[st] = chains::of_elements(original, original.stages[st], k, s.vector_length);
    chains::for_each_product(original, [&](int st, const definition& own) {
        const schedule direct = direct_schedule(own, chains::knobs_of_product(own, k, set), set);
        const int weights = chains::weights_of_product(original, original.stages[st]);
        s.plans[st] = direct.plans[0];
        s.definition.stages[st] = direct.definition.stages[0];
        s.definition.tensors[weights] = direct.definition.tensors[weights];
        chains::guard_columns(s.plans[st], own);
    });
    return s;
}

struct chain {
    using knobs = chain_knobs;
    using target = isa;
    static constexpr const char* name = "chain";
    static constexpr error_class strictest = error_class::exact_order;
    static constexpr const auto& constraints = chain_constraints;
    static constexpr int default_steps = direct::default_steps;
    static constexpr bool transforms_weights = false;

    static constexpr bool applies(const definition& d) { return is_chain(d); }
    static constexpr knobs fitted(const definition& d, const knobs& k, isa set) { return fitted_chain(d, k, set); }
    static constexpr knobs standard(const definition& d, isa set, int step) { return default_chain(d, set, step); }
    static constexpr packed_tensors packed(const definition& d, const knobs& k, isa set)
    {
        return packed_chain(d, k, set);
    }
    static constexpr schedule packing(const definition& d, const knobs& k, isa set, std::size_t which)
    {
        return packing_schedule(weights_of(d)[which], packed_chain(d, k, set)[which], set);
    }
    static constexpr schedule scheduled(const definition& d, const knobs& k, isa set)
    {
        return chain_schedule(d, k, set);
    }
};

} // namespace hone::schedules

namespace hone { // API
using schedules::chain, schedules::chain_knobs;
} // namespace hone
