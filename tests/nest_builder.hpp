// SPDX-License-Identifier: BSL-1.0
// Writes small nests by hand, so that tests of the readers of a nest need no lowering.
// Nodes are opened and closed in the order of the text; affine forms are written as sums.
#pragma once

#include <cstddef>
#include <cstdint>
#include <initializer_list>

#include <hone/ir/nest.hpp>

namespace hone::test {

using namespace schedules;

// A sum of terms before it is put into a nest's table.
struct form {
    std::int64_t constant = 0;
    affine_term terms[10]{};
    int count = 0;

    constexpr form() = default;
    constexpr form(std::int64_t value) : constant{value} {}
    constexpr form(affine_term t) : count{1} { terms[0] = t; }

    friend constexpr form operator+(form a, const form& b)
    {
        a.constant += b.constant;
        for (int i = 0; i < b.count; ++i) a.terms[a.count++] = b.terms[i];
        return a;
    }
    friend constexpr form operator*(form a, std::int64_t factor)
    {
        a.constant *= factor;
        for (int i = 0; i < a.count; ++i) a.terms[i].coefficient *= factor;
        return a;
    }
    friend constexpr form operator-(const form& a, const form& b) { return a + b * -1; }
};

// floor(value / divisor)
struct quotient {
    form value{};
    std::int64_t divisor = 1;

    constexpr quotient(std::int64_t constant) : value{constant} {}
    constexpr quotient(const form& f, std::int64_t by = 1) : value{f}, divisor{by} {}
};

class nest_builder {
public:
    nest n{};

    constexpr explicit nest_builder(isa set = isa::baseline, int vector_length = 1, int lanes = 1)
    {
        n.set = set;
        n.vector_length = static_cast<std::int16_t>(vector_length);
        n.lanes = lanes;
    }

    constexpr form axis(const char* name, int level = 0, bool reduction = false, int stage = 0)
    {
        const int v = n.variables.push_back({.name = name,
                                             .level = static_cast<std::int8_t>(level),
                                             .stage = static_cast<std::int8_t>(stage),
                                             .reduction = reduction});
        return affine_term{.variable = static_cast<std::int16_t>(v), .coefficient = 1};
    }
    constexpr form extent(const char* name, std::int64_t least, std::int64_t most)
    {
        const int p = n.parameters.push_back({.name = name, .least = least, .most = most});
        return affine_term{.parameter = static_cast<std::int16_t>(p), .coefficient = 1};
    }
    // variable * parameter
    static constexpr form product(const form& variable, const form& parameter)
    {
        return affine_term{
            .variable = variable.terms[0].variable, .parameter = parameter.terms[0].parameter, .coefficient = 1};
    }

    constexpr int buffer(const char* name, memory where, const form& elements, role part = role::none)
    {
        hone::ir::buffer b{.name = name, .memory = where, .role = part};
        b.elements = put(elements);
        if (where == memory::argument) b.position = arguments_++;
        if (where == memory::registers) {
            b.vectors = static_cast<std::int32_t>(elements.constant / n.vector_length);
            b.first_register = n.registers;
            n.registers += b.vectors;
        }
        return n.buffers.push_back(b);
    }

    constexpr int access(int buffer, const form& index, std::initializer_list<form> conditions = {})
    {
        return n.accesses.push_back(
            {.buffer = static_cast<std::int16_t>(buffer), .index = put(index), .conditions = put(conditions)});
    }
    constexpr int table(std::initializer_list<float> values, const form& index)
    {
        table_access t{.values = {.first = static_cast<std::int16_t>(n.table_values.size()),
                                  .count = static_cast<std::int16_t>(values.size())},
                       .index = put(index)};
        for (float v : values) n.table_values.push_back(v);
        return n.table_accesses.push_back(t);
    }

    constexpr nest_builder& loop(binding bind, const form& variable, std::initializer_list<quotient> lower,
                                 std::initializer_list<quotient> upper)
    {
        node x{.kind = node_kind::loop, .bind = bind, .variable = variable.terms[0].variable};
        x.lower = put(lower);
        x.upper = put(upper);
        return open(x);
    }
    constexpr nest_builder& loop(binding bind, const form& variable, const quotient& upper)
    {
        return loop(bind, variable, {0}, {upper});
    }
    // A grid or lane loop: the digit of weight `radix_stride`.
    enum class digit : std::uint8_t { inner, outermost };
    constexpr nest_builder& bound_loop(binding bind, const form& variable, const quotient& upper, int radix_stride = 1,
                                       digit place = digit::outermost)
    {
        loop(bind, variable, upper);
        node& x = n.nodes[open_];
        x.radix_stride = radix_stride;
        x.outermost = place == digit::outermost;
        return *this;
    }
    constexpr nest_builder& guard(std::initializer_list<form> conditions)
    {
        return open({.kind = node_kind::guard, .conditions = put(conditions)});
    }
    constexpr nest_builder& tile() { return open({.kind = node_kind::tile}); }
    constexpr nest_builder& end(int count = 1)
    {
        for (; count > 0; --count) {
            last_ = open_;
            open_ = n.nodes[open_].parent;
        }
        return *this;
    }
    constexpr nest_builder& barrier() { return open({.kind = node_kind::barrier}).end(); }
    // The loads of the expression are accesses, its tables and positions table accesses.
    constexpr nest_builder& leaf(int target, reduction reduce, const expr& value)
    {
        const int base = static_cast<int>(n.exprs.size());
        for (expr_node e : value.nodes) {
            if (e.a >= 0) e.a = static_cast<std::int16_t>(e.a + base);
            if (e.b >= 0) e.b = static_cast<std::int16_t>(e.b + base);
            n.exprs.push_back(e);
        }
        const int s = n.statements.push_back({.reduce = reduce,
                                              .target = static_cast<std::int16_t>(target),
                                              .value = static_cast<std::int16_t>(base + value.root())});
        return repeat(s);
    }
    // One more leaf of a statement that is there.
    constexpr nest_builder& repeat(int statement)
    {
        return open({.kind = node_kind::leaf, .statement = static_cast<std::int16_t>(statement)}).end();
    }
    constexpr nest_builder& store(int target, const expr& value) { return leaf(target, reduction::none, value); }
    constexpr nest_builder& add(int target, const expr& value) { return leaf(target, reduction::add, value); }

private:
    constexpr affine put(const form& f)
    {
        affine a{.constant = f.constant, .first = static_cast<std::int16_t>(n.terms.size())};
        for (int i = 0; i < f.count; ++i) n.terms.push_back(f.terms[i]);
        a.count = static_cast<std::int16_t>(f.count);
        return a;
    }
    constexpr range put(std::initializer_list<form> conditions)
    {
        range r{.first = static_cast<std::int16_t>(n.conditions.size())};
        for (const form& f : conditions) n.conditions.push_back(put(f));
        r.count = static_cast<std::int16_t>(conditions.size());
        return r;
    }
    constexpr range put(std::initializer_list<quotient> bounds)
    {
        range r{.first = static_cast<std::int16_t>(n.bounds.size())};
        for (const quotient& q : bounds) n.bounds.push_back({.value = put(q.value), .divisor = q.divisor});
        r.count = static_cast<std::int16_t>(bounds.size());
        return r;
    }
    constexpr nest_builder& open(node x)
    {
        x.parent = static_cast<std::int16_t>(open_);
        const auto i = static_cast<std::int16_t>(n.nodes.push_back(x));
        if (last_ >= 0)
            n.nodes[last_].next = i;
        else if (open_ >= 0)
            n.nodes[open_].child = i;
        else
            n.root = i;
        open_ = i;
        last_ = -1;
        return *this;
    }

    int open_ = -1;
    int last_ = -1; // the sibling before the next node
    std::int8_t arguments_ = 0;
};

} // namespace hone::test
