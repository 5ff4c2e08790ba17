// SPDX-License-Identifier: BSL-1.0
// Matrix product of two activations, as attention has them: y[b][m][n] = sum over k of x[b][m][k] * right[b][k][n].
// Both factors are given by the call and nothing is packed before it; all else is as of gemm.
//
//     struct scores : matmul<matmul_shape{.batch = 12, .m = 128, .n = 128, .k = 64, .right = transposed::yes}, f32,
//                            multiply<per::tensor>, add<per::element>> {};
//     kernel<scores>::run(executor, {.x = queries, .operands = others, .y = y, .workspace = workspace});
//
// `right` is the first of a call's operands, and those of the epilogue follow: others = {keys, &scale, mask}.
#pragma once

#include <cstdint>
#include <initializer_list>

#include <hone/op/definition.hpp>
#include <hone/op/definition_check.hpp>
#include <hone/op/epilogue.hpp>
#include <hone/op/gemm.hpp>
#include <hone/op/leading.hpp>
#include <hone/op/operator.hpp>

#ifndef HONE_SHOW_WARNINGS // see core/config.hpp
#pragma GCC system_header
#endif

namespace hone::operators {

struct matmul_shape {
    std::int64_t batch = 1;
    extent m = 1;
    extent n = 1;
    extent k = 1;
    transposed x = transposed::no;     // yes: x is stored [k][m]
    transposed right = transposed::no; // yes: right is stored [n][k]
    leading ldx{};
    leading ldr{};
    leading ldy{};
    leading batch_stride_x{};
    leading batch_stride_r{};
    leading batch_stride_y{};

    // What is known of it before the call, as a product whose weights are `right`.
    constexpr gemm_shape with_weights() const
    {
        const auto known = [](const leading& l) { return l.is_at_call ? leading() : l; };
        return {.batch = batch,
                .m = m,
                .n = n,
                .k = k,
                .x = x,
                .weights = right,
                .ldx = ldx,
                .ldw = known(ldr),
                .ldy = ldy,
                .batch_stride_x = batch_stride_x,
                .batch_stride_w = known(batch_stride_r),
                .batch_stride_y = batch_stride_y};
    }
};

// As matmul<...>::signature(), for shapes that are known when a model is loaded; the words behind the type in order,
// each as signature_word gives it: "relu".
template <class Words = std::initializer_list<const char*>>
constexpr signature_text signature_of(const matmul_shape& s, operand_types type, const Words& epilogue = {})
{
    signature_text t;
    t.word("matmul")
        .field("b", s.batch)
        .field(s.m.at_call ? "m<=" : "m", s.m.value)
        .field(s.n.at_call ? "n<=" : "n", s.n.value)
        .field(s.k.at_call ? "k<=" : "k", s.k.value);
    if (s.x == transposed::yes) t.word("xt");
    if (s.right == transposed::yes) t.word("rt");
    add_leading(t, "ldx", s.ldx);
    add_leading(t, "ldr", s.ldr);
    add_leading(t, "ldy", s.ldy);
    add_named(t, "bsx", s.batch_stride_x);
    add_named(t, "bsr", s.batch_stride_r);
    add_named(t, "bsy", s.batch_stride_y);
    add_types(t, type);
    for (const char* name : epilogue) t.word(name);
    return t;
}

namespace matmul_parts {

// Makes a parameter that each call gives number `at`; those behind it move.
constexpr std::int16_t insert_parameter(definition& d, int at, const parameter& p)
{
    const auto move = [&](std::int16_t& number) {
        if (number >= at) ++number;
    };
    for (tensor& t : d.tensors)
        for (dimension& own : t.dims) {
            move(own.extent_parameter);
            move(own.stride_parameter);
        }
    for (stage& s : d.stages)
        for (axis& a : s.axes) move(a.parameter);
    for (parameter& q : d.parameters) {
        move(q.dividend);
        move(q.first_factor);
        move(q.second_factor);
        move(q.reaches);
    }
    d.parameters.push_back(p);
    for (int i = static_cast<int>(d.parameters.size()) - 1; i > at; --i) d.parameters[i] = d.parameters[i - 1];
    d.parameters[at] = p;
    return static_cast<std::int16_t>(at);
}

// What a fault of the product with weights is about, in the words of matmul_shape.
constexpr const char* subject_of(const char* found)
{
    constexpr const char* words[][2] = {{"gemm", "matmul"},
                                        {"gemm: ldx", "matmul: ldx"},
                                        {"gemm: ldw", "matmul: ldr"},
                                        {"gemm: ldy", "matmul: ldy"},
                                        {"gemm: batch_stride_x", "matmul: batch_stride_x"},
                                        {"gemm: batch_stride_w", "matmul: batch_stride_r"},
                                        {"gemm: batch_stride_y", "matmul: batch_stride_y"},
                                        {"weights", "right"}};
    for (const auto& w : words)
        if (same_text(found, w[0])) return w[1];
    return found;
}

} // namespace matmul_parts

// Parameters of a call, in this order, where the shape leaves them open: m, n, k, ldx, ldr, ldy, batch_stride_x,
// batch_stride_r, batch_stride_y. What a call may give is as of gemm, of `right` as of x: its matrices may overlap.
// Where a call gives n or k, ldr and batch_stride_r are numbers, or rows and matrices of `right` are dense.
template <matmul_shape S, class Type, operator_word... E>
struct matmul {
    static_assert(accuracy_words<E...> <= 1,
                  "hone::matmul: a workload has one accuracy; name hone::exact or hone::fast");
    static constexpr matmul_shape shape = S; // read instead of S, as of gemm

    enum axes : int { batch, m, n, k };

    static constexpr hone::definition definition()
    {
        constexpr gemm_shape known = shape.with_weights();
        hone::definition d = gemm<known, Type, E...>::definition();
        d.stages[0].name = "matmul";
        tensor& right = d.tensors[1];
        right.name = "right";
        right.role = role::input;
        if (!d.found.ok()) {
            d.found.subject = matmul_parts::subject_of(d.found.subject);
            return d;
        }
        constexpr bool swap = shape.right == transposed::yes;
        constexpr extent n_of = shape.n, k_of = shape.k;
        constexpr std::int64_t row = swap ? k_of.value : n_of.value;
        if ((n_of.at_call || k_of.at_call) && (shape.ldr.is_at_call || shape.batch_stride_r.is_at_call)) {
            d.found = {fault::shape_mismatch, 0, 1, shape.ldr.is_at_call ? "matmul: ldr" : "matmul: batch_stride_r"};
            return d;
        }
        int at = static_cast<int>(shape.m.at_call) + shape.ldx.is_at_call;
        dimension& matrices = right.dims[0];
        if (shape.ldr.is_at_call) {
            dimension& rows = right.dims[swap ? 2 : 1];
            rows.stride = 1;
            rows.stride_parameter = matmul_parts::insert_parameter(
                d, at++, {.name = "ldr", .least = row, .most = most_distance, .typical = shape.ldr.typical});
            if (shape.batch_stride_r.value == 0) {
                matrices.stride = rows.extent;
                matrices.stride_parameter = rows.stride_parameter;
            }
        }
        at += shape.ldy.is_at_call + shape.batch_stride_x.is_at_call;
        if (shape.batch_stride_r.is_at_call) {
            matrices.stride = 1;
            matrices.stride_parameter = matmul_parts::insert_parameter(d, at,
                                                                       {.name = "batch_stride_r",
                                                                        .least = row,
                                                                        .most = most_distance,
                                                                        .typical = shape.batch_stride_r.typical});
        }
        d.found = wrong_sizes(d);
        return d;
    }

    static constexpr signature_text signature()
    {
        return signature_of(shape, types_of<Type>(), {signature_word<E>()...});
    }
};

} // namespace hone::operators

namespace hone { // API
using operators::matmul, operators::matmul_shape, operators::signature_of;
} // namespace hone
