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
// apart. How many there are may be left to each call, as its parameter "rows", and distances, which stand behind it. Or
// a dimension that is not the last: then elements of a row stand `inner` apart, and there are rows * inner rows, of
// which distances part each `inner` from the next. Channels of NCHW images are {n, c, h * w}.
struct row_shape {
    extent rows = 1;
    std::int64_t n = 1; // elements of a row
    std::int64_t inner = 1;
    leading ldx{}, ldy{}; // rows of x and y are so far apart; 0: dense

    constexpr std::int64_t dense() const { return saturated_product(n, inner); }

    constexpr status check(const char* name) const
    {
        for (std::int64_t e : {rows.value, n, inner})
            if (e < 1) return {fault::extent_zero, 1, e, name};
        for (std::int64_t e : {rows.value, n, saturated_product(rows, n, inner)})
            if (e > most_elements) return {fault::extent_too_large, most_elements, e, name};
        constexpr std::int64_t most = std::int64_t{1} << 30; // steps of a schedule have 32 bits
        if (inner > most) return {fault::extent_too_large, most, inner, name};
        const status found = ldx.check(dense(), "ldx");
        return found.ok() ? ldy.check(dense(), "ldy") : found;
    }
    constexpr void add_to(signature_text& t) const
    {
        t.field(rows.at_call ? "rows<=" : "rows", rows.value).field("n", n);
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
        if (shape.rows.at_call) d_.parameters.push_back({.name = "rows", .least = 1, .most = shape.rows});
        x_ = whole("x", role::input, memory::argument);
        if (!d_.found.ok()) return;
        px_ = add_distance(d_, shape.ldx, shape.dense(), "ldx");
        py_ = add_distance(d_, shape.ldy, shape.dense(), "ldy");
        move_apart(x_, shape.ldx, px_);
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
        channels.dims.push_back({.extent = shape_.n});
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
        // What stands between stages has its place before the call.
        const bool is_given = memory == memory::argument && shape_.rows.at_call;
        t.dims.push_back({.extent = shape_.rows, .extent_parameter = static_cast<std::int16_t>(is_given ? 0 : -1)});
        if (shape_.inner > 1) t.dims.push_back({.extent = shape_.inner});
        t.dims.push_back({.extent = shape_.n});
        set_dense(t);
        if (shape_.inner > 1) {
            t.dims[1].stride = 1;
            t.dims[2].stride = shape_.inner;
        }
        return d_.tensors.push_back(t);
    }
    constexpr void move_apart(int tensor, const leading& l, std::int16_t parameter)
    {
        if (!l.is_dense(shape_.dense())) set_distance(d_.tensors[tensor].dims[0], l, shape_.dense(), parameter);
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
        s.axes.push_back({"row", shape_.rows, false, static_cast<std::int16_t>(shape_.rows.at_call ? 0 : -1)});
        if (shape_.inner > 1) s.axes.push_back({"inner", shape_.inner});
        s.axes.push_back({"i", shape_.n, reduce != reduction::none});
        for (const int tensor : read) s.operands.push_back(at(tensor));
        s.output = at(to);
        s.reduce = reduce;
        s.body = body;
        s.epilogue = epilogue;
        d_.stages.push_back(s);
    }

    row_shape shape_;
    dtype type_;
    definition d_{};
    int x_ = -1;
    std::int16_t px_ = -1, py_ = -1; // distances that each call gives
};

} // namespace row_stages

} // namespace hone::operators

namespace hone { // API
using operators::row_shape;
} // namespace hone
