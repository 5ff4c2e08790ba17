// SPDX-License-Identifier: BSL-1.0
// Operators that take x row by row: each row is reduced, once or more, and what comes of that changes each of its
// elements. Their definitions have one stage after the other over the same rows, with tensors between them.
#pragma once

#include <cstdint>
#include <initializer_list>

#include <hone/core/fault.hpp>
#include <hone/core/saturate.hpp>
#include <hone/op/definition.hpp>
#include <hone/op/definition_check.hpp>
#include <hone/op/epilogue.hpp>
#include <hone/op/leading.hpp>
#include <hone/op/operator.hpp>

#ifndef HONE_SHOW_WARNINGS // see core/config.hpp
#pragma GCC system_header
#endif

namespace hone::operators {

// A matrix of rows: the last dimension of any tensor, and all others as its rows, one behind the other or some distance
// apart. How many there are may be left to each call, and how long they are, as its parameters "rows" and "n", and
// distances, which stand behind these. Or a dimension that is not the last: then elements of a row stand `inner` apart,
// and there are rows * inner rows, of which distances part each `inner` from the next; n is known then. Channels of
// NCHW images are {n, c, h * w}.
struct row_shape {
    extent rows = 1;
    extent n = 1; // elements of a row
    std::int64_t inner = 1;
    leading ldx{}, ldy{}; // rows of x and y are so far apart; 0: dense

    constexpr std::int64_t dense() const { return saturated_product(n, inner); }
    // Whether rows stand without gaps, as is known before the call.
    constexpr bool is_dense(const leading& l) const { return l.is_dense(n.at_call ? 0 : dense()); }

    constexpr status check(const char* name) const
    {
        for (std::int64_t e : {rows.value, n.value, inner})
            if (e < 1) return {fault::extent_zero, 1, e, name};
        for (std::int64_t e : {rows.value, n.value, saturated_product(rows, n, inner)})
            if (e > most_elements) return {fault::extent_too_large, most_elements, e, name};
        if (n.at_call && inner > 1) return {fault::extents_at_call, 0, n, name};
        constexpr std::int64_t most = std::int64_t{1} << 30; // steps of a schedule have 32 bits
        if (inner > most) return {fault::extent_too_large, most, inner, name};
        const status found = ldx.check(dense(), "ldx");
        return found.ok() ? ldy.check(dense(), "ldy") : found;
    }
    constexpr void add_to(signature_text& t) const
    {
        t.field(rows.at_call ? "rows<=" : "rows", rows.value).field(n.at_call ? "n<=" : "n", n.value);
        if (inner > 1) t.field("inner", inner);
        add_named(t, "ldx", ldx);
        add_named(t, "ldy", ldy);
    }
};

// The axes of each stage, and what makes one of them.
namespace row_stages {

class stages {
public:
    constexpr stages(const row_shape& shape, operand_types type, const char* name) : shape_(shape), type_(type.others)
    {
        d_.found = shape.check(name);
        rows_ = add_extent(shape.rows, "rows");
        n_ = add_extent(shape.n, "n");
        const std::int64_t least = n_ < 0 ? shape.dense() : 1;
        px_ = add_distance(d_, shape.ldx, least, "ldx");
        py_ = add_distance(d_, shape.ldy, least, "ldy");
        for (const std::int16_t p : {px_, py_})
            if (p >= 0) d_.parameters[p].reaches = n_;
        if (rows_ >= 0 && n_ >= 0) d_.parameters.push_back(product_of(d_.parameters, "rows * n", rows_, n_));
        x_ = whole("x", role::input, memory::argument);
        if (d_.found.ok()) move_apart(x_, shape.ldx, px_);
    }

    // A stage that reads these, and writes a tensor between stages: of a number for each row where it reduces, and of
    // as many elements as x where it does not. The number of that tensor.
    constexpr int add(const char* name, reduction reduce, std::initializer_list<int> read, const expr& body,
                      const expr& epilogue = ex::acc())
    {
        const bool is_row = reduce == reduction::none;
        const int to = is_row ? whole(name, role::none, memory::workspace) : one_a_row(name);
        add_stage(name, reduce, read, to, body, epilogue);
        return to;
    }
    // 1 / n, for the stage that is added next.
    constexpr expr share() const
    {
        return n_ < 0 ? expr(1.0f / static_cast<float>(shape_.n.value)) : 1.0f / ex::position(0);
    }
    // The last stage, which writes y, and what follows it.
    template <operator_word... E>
    constexpr definition written(const char* name, std::initializer_list<int> read, const expr& body)
    {
        const int y = whole("y", role::output, memory::argument);
        add_stage(name, reduction::none, read, y, body, ex::acc());
        if (!d_.found.ok()) return d_;
        move_apart(y, shape_.ldy, py_);
        [[maybe_unused]] const int last = static_cast<int>(d_.stages.size()) - 1;
        tensor channels{.type = type_};
        channels.dims.push_back({.extent = shape_.n, .extent_parameter = n_});
        operand of_channel;
        of_channel.index.push_back(along(element()));
        (add_epilogue<E>(d_, last, channels, of_channel), ...);
        return d_;
    }

    constexpr int x() const { return x_; }

private:
    constexpr int whole(const char* name, hone::role role, hone::memory memory)
    {
        tensor t{.name = name, .type = type_, .role = role, .memory = memory};
        t.dims.push_back({.extent = shape_.rows});
        if (shape_.inner > 1) t.dims.push_back({.extent = shape_.inner});
        t.dims.push_back({.extent = shape_.n});
        set_dense(t);
        // What stands between stages has its place before the call.
        if (memory == memory::argument) {
            t.dims[0].extent_parameter = rows_;
            t.dims[element()].extent_parameter = n_;
            if (n_ >= 0) t.dims[0].stride = 1;
            t.dims[0].stride_parameter = n_;
        }
        if (shape_.inner > 1) {
            t.dims[1].stride = 1;
            t.dims[2].stride = shape_.inner;
        }
        return d_.tensors.push_back(t);
    }
    constexpr void move_apart(int tensor, const leading& l, std::int16_t parameter)
    {
        if (shape_.is_dense(l)) return;
        dimension& row = d_.tensors[tensor].dims[0];
        row.stride = shape_.dense();
        row.stride_parameter = -1;
        set_distance(row, l, shape_.dense(), parameter);
    }
    constexpr std::int16_t add_extent(const extent& e, const char* name)
    {
        const parameter p{.name = name, .least = 1, .most = e, .typical = e.typical};
        return e.at_call ? static_cast<std::int16_t>(d_.parameters.push_back(p)) : std::int16_t{-1};
    }
    constexpr int one_a_row(const char* name)
    {
        tensor t{.name = name, .type = type_, .memory = memory::workspace};
        t.dims.push_back({.extent = shape_.rows});
        if (shape_.inner > 1) t.dims.push_back({.extent = shape_.inner});
        set_dense(t);
        return d_.tensors.push_back(t);
    }
    // Dimensions are in the order of the axes.
    constexpr operand at(int tensor) const
    {
        operand o{.tensor = static_cast<std::int8_t>(tensor)};
        for (std::size_t a = 0; a < d_.tensors[tensor].dims.size(); ++a) o.index.push_back(along(static_cast<int>(a)));
        return o;
    }
    constexpr int element() const { return shape_.inner > 1 ? 2 : 1; }
    constexpr void add_stage(const char* name, reduction reduce, std::initializer_list<int> read, int to,
                             const expr& body, const expr& epilogue)
    {
        stage s{.name = name};
        s.axes.push_back({"row", shape_.rows, false, rows_});
        if (shape_.inner > 1) s.axes.push_back({"inner", shape_.inner});
        s.axes.push_back({"i", shape_.n, reduce != reduction::none, n_});
        // Where an expression asks for n, that is the position 1 * n.
        if (n_ >= 0 && reads_position(epilogue)) s.tables.push_back({.index = {.offset = 1, .offset_parameter = n_}});
        for (const int tensor : read) s.operands.push_back(at(tensor));
        s.output = at(to);
        s.reduce = reduce;
        s.body = body;
        s.epilogue = epilogue;
        d_.stages.push_back(s);
    }

    static constexpr bool reads_position(const expr& e)
    {
        bool reads = false;
        for (const expr_node& x : e.nodes) reads = reads || x.op == expr_op::position;
        return reads;
    }

    row_shape shape_;
    dtype type_;
    definition d_{};
    int x_ = -1;
    std::int16_t rows_ = -1, n_ = -1, px_ = -1, py_ = -1; // parameters of the call
};

} // namespace row_stages

} // namespace hone::operators

namespace hone { // API
using operators::row_shape;
} // namespace hone
