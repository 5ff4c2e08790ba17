// SPDX-License-Identifier: BSL-1.0
// Matrix product y[b][m][n] = sum over k of x[b][m][k] * weights[b][k][n], with transposed operands, leading dimensions
// that may be views, and m or a leading dimension known only at the call.
#pragma once

#include <cstdint>

#include <hone/op/definition.hpp>
#include <hone/op/epilogue.hpp>
#include <hone/op/operator.hpp>

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

// Parameters of a call, in this order, where the shape leaves them open: m, ldx, ldy.
template <gemm_shape S, class Type, epilogue... E>
struct gemm {
    static constexpr gemm_shape shape = S;

    enum axes : int { batch, m, n, k };

    static constexpr hone::definition definition()
    {
        hone::definition d;
        if (S.batch < 1 || S.m.value < 1 || S.n < 1 || S.k < 1) d.found = {fault::extent_zero, 1, 0, "gemm"};
        const auto parameter_if = [&](bool open, const char* name, std::int64_t least, std::int64_t most) {
            return open ? static_cast<std::int16_t>(d.parameters.push_back({name, least, most})) : std::int16_t{-1};
        };
        constexpr std::int64_t longest_row = std::int64_t{1} << 31;
        const std::int16_t pm = parameter_if(S.m.at_call, "m", 1, S.m.value);
        const std::int16_t px =
            parameter_if(S.ldx.is_at_call, "ldx", S.x == transposed::yes ? S.m.value : S.k, longest_row);
        const std::int16_t py = parameter_if(S.ldy.is_at_call, "ldy", S.n, longest_row);

        d.tensors.push_back(matrix("x", role::input, S.m.value, S.k, S.x, S.ldx, px));
        d.tensors.push_back(matrix("weights", role::weights, S.k, S.n, S.weights, S.ldw, -1));
        d.tensors.push_back(matrix("y", role::output, S.m.value, S.n, transposed::no, S.ldy, py));
        d.tensors[0].dims[1].extent_parameter = pm;
        d.tensors[2].dims[1].extent_parameter = pm;

        stage s;
        s.name = "gemm";
        s.axes.push_back({"batch", S.batch});
        s.axes.push_back({"m", S.m.value, false, pm});
        s.axes.push_back({"n", S.n});
        s.axes.push_back({"k", S.k, true});
        s.operands.push_back(at(0, m, k));
        s.operands.push_back(at(1, k, n));
        s.output = at(2, m, n);
        s.reduce = reduction::add;
        s.body = ex::load(0) * ex::load(1);
        d.stages.push_back(s);

        tensor bias_shape;
        bias_shape.dims.push_back({.extent = S.n});
        operand bias_index;
        bias_index.index.push_back(along(n));
        (add_epilogue<E>(d, 0, bias_shape, bias_index), ...);
        return d;
    }

    static constexpr signature_text signature()
    {
        signature_text t;
        t.word("gemm").field("b", S.batch).field(S.m.at_call ? "m<=" : "m", S.m.value).field("n", S.n).field("k", S.k);
        if (S.x == transposed::yes) t.word("xt");
        if (S.weights == transposed::yes) t.word("wt");
        leading_field(t, "ldx", S.ldx).field("ldw", S.ldw.value);
        leading_field(t, "ldy", S.ldy).word(name_of(Type::value));
        (t.word(E::name), ...);
        return t;
    }

private:
    static constexpr signature_text& leading_field(signature_text& t, const char* name, const leading& l)
    {
        return l.is_at_call ? t.word(name) : t.field(name, l.value);
    }
    static constexpr tensor matrix(const char* name, hone::role role, std::int64_t rows, std::int64_t columns,
                                   transposed order, const leading& ld, std::int16_t parameter)
    {
        const bool swap = order == transposed::yes;
        const std::int64_t dense = swap ? rows : columns;
        const std::int64_t distance = ld.value > 0 ? ld.value : dense;
        dimension far{.stride = parameter >= 0 ? 1 : distance, .stride_parameter = parameter};
        dimension near{};
        tensor t{.name = name, .type = Type::value, .role = role};
        dimension batches{.extent = S.batch, .stride = (swap ? columns : rows) * (parameter >= 0 ? 1 : distance)};
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
