// SPDX-License-Identifier: BSL-1.0
// One number for what a nest does: two configs whose nests have the same hash are one, and a record holds as long as
// the hash of its config's nest is the recorded one. It is the same on every compiler and machine.
#pragma once

#include <cstdint>

#include <hone/ir/hasher.hpp>
#include <hone/ir/nest.hpp>

#ifndef HONE_SHOW_WARNINGS // see core/config.hpp
#pragma GCC system_header
#endif

namespace hone::ir {

// With what nests are made of.
struct nest_hasher : hasher {
    using hasher::add;
    constexpr void add(const range& r) { add(r.first, r.count); }
    constexpr void add(const affine& a)
    {
        add_signed(a.constant);
        add(a.first, a.count);
    }
};

// Hash over nodes, tables and buffers. What only people read is left out: names, levels and stages of variables, so
// that a schedule with one more level of one iteration is the same nest if it lowers to the same loops.
template <class Nest>
constexpr std::uint64_t nest_hash(const Nest& n)
{
    constexpr auto number = [](auto e) { return static_cast<std::int64_t>(e); };
    nest_hasher h;
    h.add(n.root, n.vector_length, number(n.set));
    h.add_signed(n.lanes);
    h.add_signed(n.registers);
    h.add(n.nodes.size());
    for (const node& x : n.nodes) {
        h.add(number(x.kind), number(x.bind), x.parent, x.child);
        h.add(x.next, x.variable, x.statement, x.outermost ? 1 : 0);
        h.add_signed(x.radix_stride);
        h.add(x.lower.first, x.lower.count, x.upper.first, x.upper.count);
        h.add(x.conditions);
    }
    h.add(n.variables.size());
    for (const variable& x : n.variables) h.add(x.reduction ? 1 : 0);
    h.add(n.parameters.size());
    for (const parameter& x : n.parameters) {
        h.add_signed(x.least);
        h.add_signed(x.most);
        if (x.first_factor >= 0) h.add(x.first_factor, x.second_factor);
        if (const window_numbers& w = x.window; w.image >= 0) {
            h.add(w.image, w.before, w.behind, w.taps);
            h.add(w.dilation, w.stride);
            if (w.spread >= 0) h.add(w.spread); // later than records
        }
        if (x.scale > 0) {
            h.add(x.over, x.under);
            h.add_signed(x.scale);
        }
        if (x.dividend < 0 && x.scale == 0) continue;
        h.add_signed(x.dividend);
        if (x.groups >= 0) h.add(x.groups);
        h.add_signed(x.added);
        h.add_signed(x.divisor);
        if (x.times != 1) h.add_signed(x.times);
    }
    h.add(n.buffers.size());
    for (const buffer& x : n.buffers) {
        h.add(number(x.type), number(x.memory), number(x.role), x.position);
        h.add(x.elements);
        h.add_signed(x.vectors);
        h.add_signed(x.first_register);
    }
    h.add(n.accesses.size());
    for (const access& x : n.accesses) {
        h.add_signed(x.buffer);
        h.add(x.index);
        h.add(x.conditions);
        // Records of before there was anything but zeros outside keep their hash.
        if (x.outside != 0) h.add(__builtin_bit_cast(std::uint32_t, x.outside));
    }
    h.add(n.statements.size());
    for (const statement& x : n.statements) h.add(number(x.reduce), x.target, x.value);
    h.add(n.exprs.size());
    for (const expr_node& x : n.exprs) {
        h.add(word_of(x.op).number, x.a, x.b, x.ref);
        if (arity(x.op) > 2) h.add_signed(x.c);
        h.add(__builtin_bit_cast(std::uint32_t, x.value));
    }
    h.add(n.terms.size());
    for (const affine_term& x : n.terms) {
        h.add(x.variable, x.parameter);
        h.add_signed(x.coefficient);
        if (x.divisor != 1) h.add_signed(x.divisor);
    }
    h.add(n.bounds.size());
    for (const bound& x : n.bounds) {
        h.add(x.value);
        h.add_signed(x.divisor);
    }
    h.add(n.conditions.size());
    for (const affine& x : n.conditions) h.add(x);
    h.add(n.table_accesses.size());
    for (const table_access& x : n.table_accesses) {
        h.add(x.values);
        h.add(x.index);
    }
    h.add(n.table_values.size());
    for (float x : n.table_values) h.add(__builtin_bit_cast(std::uint32_t, x));
    return h.value;
}

} // namespace hone::ir
