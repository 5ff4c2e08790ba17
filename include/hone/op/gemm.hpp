// SPDX-License-Identifier: BSL-1.0
// Matrix product y[b][m][n] = sum over k of x[b][m][k] * weights[b][k][n], with transposed operands, leading dimensions
// and batch strides that may be views, and m, n, k or such a distance known only at the call.
#pragma once

#include <cstdint>
#include <initializer_list>

#include <hone/op/definition.hpp>
#include <hone/op/definition_check.hpp>
#include <hone/op/epilogue.hpp>
#include <hone/op/leading.hpp>
#include <hone/op/operator.hpp>

#ifndef HONE_SHOW_WARNINGS // see core/config.hpp
#pragma GCC system_header
#endif

namespace hone::operators {

enum class transposed : std::uint8_t { no, yes };

struct gemm_shape {
    std::int64_t batch = 1;
    extent m = 1, n = 1, k = 1;
    transposed x = transposed::no;       // yes: x is stored [k][m]
    transposed weights = transposed::no; // yes: weights are stored [n][k]
    leading ldx{};
    leading ldw{}; // known before the call, as the weights are packed before
    leading ldy{};
    // Dense: the matrices of a batch lie as many rows apart as they have, of the call where that gives it.
    leading batch_stride_x{};
    leading batch_stride_w{}; // as ldw
    leading batch_stride_y{};
};

// As gemm<...>::signature(), for shapes that are known when a model is loaded; the words behind the type in
// order, each as signature_word gives it: "bias", "relu".
template <class Words = std::initializer_list<const char*>>
constexpr signature_text signature_of(const gemm_shape& s, operand_types type, const Words& epilogue = {})
{
    signature_text t;
    t.word("gemm").field("b", s.batch).field(s.m.at_call ? "m<=" : "m", s.m.value);
    t.field(s.n.at_call ? "n<=" : "n", s.n.value).field(s.k.at_call ? "k<=" : "k", s.k.value);
    if (s.x == transposed::yes) t.word("xt");
    if (s.weights == transposed::yes) t.word("wt");
    add_leading(t, "ldx", s.ldx);
    t.field("ldw", s.ldw.value);
    add_leading(t, "ldy", s.ldy);
    add_named(t, "bsx", s.batch_stride_x);
    add_named(t, "bsw", s.batch_stride_w);
    add_named(t, "bsy", s.batch_stride_y);
    add_types(t, type);
    for (const char* name : epilogue) t.word(name);
    return t;
}

// Parameters of a call, in this order, where the shape leaves them open: m, n, k, ldx, ldy, batch_stride_x,
// batch_stride_y. Weights are packed for n and k of the calls to come. A call with rows closer than they are long is
// refused, and with a batch_stride_y below (m - 1) * ldy + n where the shape gives m, n and ldy. Where the call gives
// one of them, only n is demanded, and that no two elements of y share a place is the caller's part: batch_stride_y >=
// (m - 1) * ldy + n, or ldy >= (batch - 1) * batch_stride_y + n for matrices whose rows alternate. Matrices of x may
// overlap, from a batch_stride_x of one row on.
template <gemm_shape S, class Type, operator_word... E>
struct gemm {
    static_assert(accuracy_words<E...> <= 1, "hone::gemm: a workload has one accuracy; name hone::exact or hone::fast");
    // Read instead of S: where a member follows padding, clang reads the wrong bytes of a template parameter at run
    // time (llvm-project issue 146272).
    static constexpr gemm_shape shape = S;

    enum axes : int { batch, m, n, k };

    static constexpr hone::definition definition()
    {
        hone::definition d;
        constexpr extent em = shape.m, en = shape.n, ek = shape.k;
        for (const std::int64_t e : {shape.batch, em.value, en.value, ek.value})
            if (d.found.ok() && e < 1) d.found = {fault::extent_zero, 1, 0, "gemm"};
        for (const std::int64_t e : {shape.batch, em.value, en.value, ek.value})
            if (d.found.ok() && e > most_elements) d.found = {fault::extent_too_large, most_elements, e, "gemm"};
        constexpr bool xt = shape.x == transposed::yes, wt = shape.weights == transposed::yes;
        // Rows of a view must not overlap, nor matrices.
        const auto reaches = [&](const leading& l, std::int64_t least, const char* name) {
            if (d.found.ok() && l.value != 0 && l.value < least)
                d.found = {fault::shape_mismatch, least, l.value, name};
        };
        // From the first element of a matrix to one past its last, as far as that is known before the call.
        const auto span_of = [](const leading& ld, std::int64_t rows, std::int64_t columns) {
            const std::int64_t distance = ld.value > 0 ? ld.value : columns;
            return ld.is_at_call ? columns : saturated_sum(saturated_product(rows - 1, distance), columns);
        };
        const auto matrix_reaches = [&](const leading& l, const leading& ld, std::int64_t rows, std::int64_t columns,
                                        const char* name) { reaches(l, span_of(ld, rows, columns), name); };
        constexpr extent x_rows = xt ? ek : em, x_columns = xt ? em : ek;
        constexpr extent w_rows = wt ? en : ek, w_columns = wt ? ek : en;
        reaches(shape.ldx, x_columns.value, "gemm: ldx");
        reaches(shape.ldw, w_columns.value, "gemm: ldw");
        reaches(shape.ldy, en.value, "gemm: ldy");
        matrix_reaches(shape.batch_stride_x, shape.ldx, x_rows.value, x_columns.value, "gemm: batch_stride_x");
        matrix_reaches(shape.batch_stride_w, shape.ldw, w_rows.value, w_columns.value, "gemm: batch_stride_w");
        matrix_reaches(shape.batch_stride_y, shape.ldy, em.value, en.value, "gemm: batch_stride_y");
        if (d.found.ok() && (shape.ldw.is_at_call || shape.batch_stride_w.is_at_call))
            d.found = {fault::shape_mismatch, 0, 1, "gemm: ldw"};

        const auto extent_of_call = [&](const char* name, const extent& e) {
            const parameter p{.name = name, .least = 1, .most = e.value, .typical = e.typical};
            return e.at_call ? static_cast<std::int16_t>(d.parameters.push_back(p)) : std::int16_t{-1};
        };
        const auto distance_of_call = [&](const char* name, const leading& l, std::int64_t least,
                                          std::int16_t reached) {
            const parameter p{
                .name = name, .least = least, .most = most_distance, .reaches = reached, .typical = l.typical};
            return l.is_at_call ? static_cast<std::int16_t>(d.parameters.push_back(p)) : std::int16_t{-1};
        };
        const std::int16_t pm = extent_of_call("m", em), pn = extent_of_call("n", en), pk = extent_of_call("k", ek);
        // Rows are at least as long as those of the call.
        constexpr auto known = [](const extent& e) { return e.at_call ? std::int64_t{1} : e.value; };
        const std::int16_t px_rows = xt ? pk : pm, px_columns = xt ? pm : pk;
        const std::int16_t px = distance_of_call("ldx", shape.ldx, known(x_columns), px_columns);
        const std::int16_t py = distance_of_call("ldy", shape.ldy, known(en), pn);
        const std::int16_t bx = distance_of_call("batch_stride_x", shape.batch_stride_x, known(x_columns), px_columns);
        const std::int64_t rows_of_y = shape.batch == 1 ? 1 : known(em); // at least
        const std::int16_t by =
            distance_of_call("batch_stride_y", shape.batch_stride_y, span_of(shape.ldy, rows_of_y, known(en)), pn);

        d.tensors.push_back(matrix("x", role::input, {em, pm}, {ek, pk}, shape.x, shape.ldx, px));
        d.tensors.push_back(matrix("weights", role::weights, {ek, pk}, {en, pn}, shape.weights, shape.ldw, -1));
        d.tensors.push_back(matrix("y", role::output, {em, pm}, {en, pn}, transposed::no, shape.ldy, py));
        set_batch_stride(d, d.tensors[0], xt ? 2 : 1, px_rows, shape.batch_stride_x, bx,
                         xt ? (px < 0 ? "k * m" : "k * ldx") : (px < 0 ? "m * k" : "m * ldx"));
        set_batch_stride(d, d.tensors[1], wt ? 2 : 1, wt ? pn : pk, shape.batch_stride_w, -1, wt ? "n * k" : "k * n");
        set_batch_stride(d, d.tensors[2], 1, pm, shape.batch_stride_y, by, py < 0 ? "m * n" : "m * ldy");

        stage s;
        s.name = "gemm";
        s.axes.push_back({"batch", shape.batch});
        s.axes.push_back({"m", em.value, false, pm});
        s.axes.push_back({"n", en.value, false, pn});
        s.axes.push_back({"k", ek.value, true, pk});
        s.operands.push_back(at(0, m, k));
        s.operands.push_back(at(1, k, n));
        s.output = at(2, m, n);
        s.reduce = reduction::add;
        s.body = ex::load(0) * ex::load(1);
        d.stages.push_back(s);

        tensor bias_shape;
        bias_shape.dims.push_back({.extent = en.value, .extent_parameter = pn});
        operand bias_index;
        bias_index.index.push_back(along(n));
        (add_epilogue<E>(d, 0, bias_shape, bias_index), ...);
        if (d.found.ok()) d.found = wrong_sizes(d);
        return d;
    }

    static constexpr signature_text signature()
    {
        return signature_of(shape, types_of<Type>(), {signature_word<E>()...});
    }

private:
    // An extent, and the parameter that gives it; -1: none.
    struct side {
        std::int64_t extent;
        std::int16_t parameter;
    };
    static constexpr tensor matrix(const char* name, hone::role role, const side& rows, const side& columns,
                                   transposed order, const leading& ld, std::int16_t parameter)
    {
        const bool swap = order == transposed::yes;
        // Dense rows are as long as those of the call.
        const side& row = swap ? rows : columns;
        const bool is_dense = parameter < 0 && ld.value == 0;
        const std::int16_t by = is_dense ? row.parameter : parameter;
        dimension far{.stride = by >= 0 ? 1 : is_dense ? row.extent : ld.value, .stride_parameter = by};
        dimension near{};
        constexpr operand_types type = types_of<Type>();
        tensor t{.name = name, .type = role == role::weights ? type.weights : type.others, .role = role};
        t.dims.push_back({.extent = shape.batch});
        t.dims.push_back(swap ? near : far);
        t.dims.push_back(swap ? far : near);
        t.dims[1].extent = rows.extent;
        t.dims[2].extent = columns.extent;
        t.dims[1].extent_parameter = rows.parameter;
        t.dims[2].extent_parameter = columns.parameter;
        return t;
    }
    // Distance of the matrices of tensor t, whose rows are its dimension `far`: what the shape or the call gives, else
    // all rows of one, `rows` of the call where that gives them.
    static constexpr void set_batch_stride(hone::definition& d, tensor& t, int far, std::int16_t rows,
                                           const leading& given, std::int16_t parameter, const char* product)
    {
        dimension& batches = t.dims[0];
        const dimension& row = t.dims[far];
        batches.stride_parameter = row.stride_parameter;
        batches.stride = saturated_product(row.extent, row.stride);
        if (parameter >= 0 || given.value != 0) {
            batches.stride = parameter >= 0 ? 1 : given.value;
            batches.stride_parameter = parameter;
        } else if (rows >= 0 && shape.batch > 1) {
            batches.stride = row.stride;
            batches.stride_parameter = rows;
            if (row.stride_parameter >= 0)
                batches.stride_parameter = static_cast<std::int16_t>(
                    d.parameters.push_back(product_of(d.parameters, product, rows, row.stride_parameter)));
        }
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

} // namespace hone::operators

namespace hone { // API
using operators::gemm, operators::gemm_shape, operators::signature_of, operators::transposed;
} // namespace hone
