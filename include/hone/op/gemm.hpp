// SPDX-License-Identifier: BSL-1.0
// Matrix product y[b][m][n] = sum over k of x[b][m][k] * weights[b][k][n], with transposed operands, leading dimensions
// that may be views, and m or a leading dimension known only at the call.
#pragma once

#include <cstdint>
#include <initializer_list>

#include <hone/op/definition.hpp>
#include <hone/op/epilogue.hpp>
#include <hone/op/operator.hpp>

#ifndef HONE_SHOW_WARNINGS // see core/config.hpp
#pragma GCC system_header
#endif

namespace hone {

enum class transposed : std::uint8_t { no, yes };

// An extent, or the largest value of one that each call gives.
struct extent {
    std::int64_t value = 1;
    bool at_call = false;
    constexpr extent(std::int64_t v) : value(v) {}
    static constexpr extent up_to(std::int64_t most)
    {
        extent e(most);
        e.at_call = true;
        return e;
    }
};
// Distance of rows in elements: 0 for dense rows, at_call() for one that each call gives.
struct leading {
    std::int64_t value = 0;
    bool is_at_call = false;
    constexpr leading(std::int64_t v = 0) : value(v) {}
    static constexpr leading at_call()
    {
        leading l;
        l.is_at_call = true;
        return l;
    }
};

struct gemm_shape {
    std::int64_t batch = 1;
    extent m = 1;
    std::int64_t n = 1;
    std::int64_t k = 1;
    transposed x = transposed::no;       // yes: x is stored [k][m]
    transposed weights = transposed::no; // yes: weights are stored [n][k]
    leading ldx{};
    leading ldw{};
    leading ldy{};
};

// As gemm<...>::signature(), for shapes that are known when a model is loaded; the epilogue by its names, in order.
constexpr signature_text signature_of(const gemm_shape& s, dtype type, std::initializer_list<const char*> epilogue = {})
{
    signature_text t;
    const auto leading_field = [&](const char* name, const leading& l) {
        l.is_at_call ? t.word(name) : t.field(name, l.value);
    };
    t.word("gemm").field("b", s.batch).field(s.m.at_call ? "m<=" : "m", s.m.value).field("n", s.n).field("k", s.k);
    if (s.x == transposed::yes) t.word("xt");
    if (s.weights == transposed::yes) t.word("wt");
    leading_field("ldx", s.ldx);
    t.field("ldw", s.ldw.value);
    leading_field("ldy", s.ldy);
    t.word(name_of(type));
    for (const char* name : epilogue) t.word(name);
    return t;
}

// Parameters of a call, in this order, where the shape leaves them open: m, ldx, ldy.
template <gemm_shape S, class Type, epilogue... E>
struct gemm {
    // Read instead of S: where a member follows padding, clang reads the wrong bytes of a template parameter at run
    // time (llvm-project issue 146272).
    static constexpr gemm_shape shape = S;

    enum axes : int { batch, m, n, k };

    static constexpr hone::definition definition()
    {
        hone::definition d;
        if (shape.batch < 1 || shape.m.value < 1 || shape.n < 1 || shape.k < 1)
            d.found = {fault::extent_zero, 1, 0, "gemm"};
        // Rows of a view must not overlap.
        const auto row_fits = [&](const leading& l, std::int64_t dense, const char* name) {
            if (d.found.ok() && l.value != 0 && l.value < dense)
                d.found = {fault::shape_mismatch, dense, l.value, name};
        };
        row_fits(shape.ldx, shape.x == transposed::yes ? shape.m.value : shape.k, "gemm: ldx");
        row_fits(shape.ldw, shape.weights == transposed::yes ? shape.k : shape.n, "gemm: ldw");
        row_fits(shape.ldy, shape.n, "gemm: ldy");
        const auto parameter_if = [&](bool open, const char* name, std::int64_t least, std::int64_t most) {
            return open ? static_cast<std::int16_t>(d.parameters.push_back({name, least, most})) : std::int16_t{-1};
        };
        constexpr std::int64_t longest_row = std::int64_t{1} << 31;
        const std::int16_t pm = parameter_if(shape.m.at_call, "m", 1, shape.m.value);
        const std::int16_t px = parameter_if(shape.ldx.is_at_call, "ldx",
                                             shape.x == transposed::yes ? shape.m.value : shape.k, longest_row);
        const std::int16_t py = parameter_if(shape.ldy.is_at_call, "ldy", shape.n, longest_row);

        d.tensors.push_back(matrix("x", role::input, shape.m.value, shape.k, shape.x, shape.ldx, px));
        d.tensors.push_back(matrix("weights", role::weights, shape.k, shape.n, shape.weights, shape.ldw, -1));
        d.tensors.push_back(matrix("y", role::output, shape.m.value, shape.n, transposed::no, shape.ldy, py));
        d.tensors[0].dims[1].extent_parameter = pm;
        d.tensors[2].dims[1].extent_parameter = pm;

        stage s;
        s.name = "gemm";
        s.axes.push_back({"batch", shape.batch});
        s.axes.push_back({"m", shape.m.value, false, pm});
        s.axes.push_back({"n", shape.n});
        s.axes.push_back({"k", shape.k, true});
        s.operands.push_back(at(0, m, k));
        s.operands.push_back(at(1, k, n));
        s.output = at(2, m, n);
        s.reduce = reduction::add;
        s.body = ex::load(0) * ex::load(1);
        d.stages.push_back(s);

        tensor bias_shape;
        bias_shape.dims.push_back({.extent = shape.n});
        operand bias_index;
        bias_index.index.push_back(along(n));
        (add_epilogue<E>(d, 0, bias_shape, bias_index), ...);
        return d;
    }

    static constexpr signature_text signature() { return signature_of(shape, Type::value, {E::name...}); }

private:
    static constexpr tensor matrix(const char* name, hone::role role, std::int64_t rows, std::int64_t columns,
                                   transposed order, const leading& ld, std::int16_t parameter)
    {
        const bool swap = order == transposed::yes;
        const std::int64_t dense = swap ? rows : columns;
        const std::int64_t distance = ld.value > 0 ? ld.value : dense;
        dimension far{.stride = parameter >= 0 ? 1 : distance, .stride_parameter = parameter};
        dimension near{};
        tensor t{.name = name, .type = Type::value, .role = role};
        dimension batches{.extent = shape.batch, .stride = (swap ? columns : rows) * (parameter >= 0 ? 1 : distance)};
        batches.stride_parameter = parameter;
        t.dims.push_back(batches);
        t.dims.push_back(swap ? near : far);
        t.dims.push_back(swap ? far : near);
        t.dims[1].extent = rows;
        t.dims[2].extent = columns;
        return t;
    }
    static constexpr operand at(int tensor, int row, int column)
    {
        operand o{.tensor = static_cast<std::int8_t>(tensor)};
        o.index.push_back(along(batch));
        o.index.push_back(along(row));
        o.index.push_back(along(column));
        return o;
    }
};

} // namespace hone
