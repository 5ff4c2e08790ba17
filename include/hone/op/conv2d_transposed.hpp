// SPDX-License-Identifier: BSL-1.0
// Transposed convolution, as ONNX counts it (ConvTranspose): each pixel of x is spread over a window of y, with stride
// and dilation per direction, padding per side that is cut off y, and groups.
//
//     y[n][ih * stride_h + kh * dilation_h - pad_top][..][oc] += x[n][ih][..][ic] * weights[oc][kh][..][ic]
//
// It is computed by output: those that are a stride apart meet the same taps, and are a convolution of stride 1. These
// phases are axes of the definition: of a window of 4 and a stride of 2 each output takes its 2 taps, and no other.
// Activations NHWC with weights OHWI, seen from the output as above, or NCHW with ONNX's weights: ic, oc / groups, kh,
// kw.
#pragma once

#include <cstdint>
#include <initializer_list>

#include <hone/ir/visit.hpp>
#include <hone/op/conv2d.hpp>
#include <hone/op/definition.hpp>
#include <hone/op/definition_check.hpp>
#include <hone/op/epilogue.hpp>
#include <hone/op/operator.hpp>
#include <hone/op/window.hpp>

#ifndef HONE_SHOW_WARNINGS // see core/config.hpp
#pragma GCC system_header
#endif

namespace hone::operators {

struct conv2d_transposed_shape {
    static constexpr std::int64_t as_above = -1; // as the wider field says

    extent n = 1; // images: also as many as each call gives
    std::int64_t h = 1;
    std::int64_t w = 1;
    std::int64_t ic = 1;
    std::int64_t oc = 1;
    std::int64_t kh = 1;
    std::int64_t kw = 1;
    std::int64_t stride = 1;
    std::int64_t stride_h = as_above;
    std::int64_t stride_w = as_above;
    std::int64_t pad = 0; // outputs that are left out at the borders
    std::int64_t pad_h = as_above;
    std::int64_t pad_w = as_above;
    std::int64_t pad_top = as_above;
    std::int64_t pad_left = as_above;
    std::int64_t pad_bottom = as_above;
    std::int64_t pad_right = as_above;
    std::int64_t dilation = 1;
    std::int64_t dilation_h = as_above;
    std::int64_t dilation_w = as_above;
    std::int64_t output_padding = 0; // outputs more, below and at the right: fewer than the stride or the dilation
    std::int64_t output_padding_h = as_above;
    std::int64_t output_padding_w = as_above;
    std::int64_t groups = 1;
    hone::layout layout = hone::layout::nhwc;

    constexpr image_window window() const { return window_of(*this); }
    constexpr std::int64_t oh() const;
    constexpr std::int64_t ow() const;
    constexpr status check() const;
};

namespace phases {

// One direction. With u = output + before, tap k of pixel i meets the output at
//
//     u = i * stride + k * dilation
//
// Taps k and k + phases() meet outputs that are a multiple of the stride apart. So u is written as
//
//     u = stride * q + turn() * phase + rest      for phase < phases(), rest < common()
//     k = phases() * t + phase                    for t < steps(), where there is such a tap
//     i = q - t * dilation / common() - phase * (dilation - turn()) / stride
//
// uniquely, and only a rest of 0 has taps.
struct direction {
    std::int64_t extent, taps, stride, dilation, before, after, more; // padding, and output padding

    constexpr std::int64_t outputs() const
    {
        return saturated_product(extent - 1, stride) + dilation * (taps - 1) + 1 + more - before - after;
    }
    constexpr std::int64_t common() const { return greatest_common_divisor(stride, dilation); }
    constexpr std::int64_t phases() const { return stride / common(); }
    constexpr std::int64_t steps() const { return ceil_div(taps, phases()); }

    // The q that have an output, where a phase turns by so much.
    constexpr std::int64_t first(std::int64_t turn) const
    {
        const std::int64_t far = turn * (phases() - 1);
        return ceil_div(before - (far > 0 ? far : 0) - (common() - 1), stride);
    }
    constexpr std::int64_t count(std::int64_t turn) const
    {
        const std::int64_t far = turn * (phases() - 1);
        return floor_div(before + outputs() - 1 - (far < 0 ? far : 0), stride) - first(turn) + 1;
    }
    // Congruent to the dilation: of the two that are less than a stride, the one that has fewer q beyond the outputs.
    constexpr std::int64_t turn() const
    {
        const std::int64_t ahead = dilation % stride, back = ahead - stride;
        return count(back) < count(ahead) ? back : ahead;
    }
    constexpr std::int64_t shift() const { return (dilation - turn()) / stride; } // of x from phase to phase
    // Pixels from the first that is read to the last, borders included.
    constexpr std::int64_t reach() const
    {
        return count(turn()) + (steps() - 1) * (dilation / common()) + (phases() - 1) * shift();
    }
    constexpr status check(const char* name) const
    {
        const std::int64_t most = (stride > dilation ? stride : dilation) - 1;
        if (more < 0 || more > most)
            return {fault::shape_mismatch, more < 0 ? 0 : most, more, "conv2d_transposed: output_padding"};
        for (std::int64_t e : {dilation * (taps - 1) + 1, stride * phases()}) // numbers of an index
            if (e > most_of_window) return {fault::shape_mismatch, most_of_window, e, "conv2d_transposed: window"};
        return outputs() < 1 ? status{fault::shape_mismatch, 1, outputs(), name} : status{};
    }
};

// The axes of a direction: a later q, phases and taps in falling order, and rests.
struct axes {
    int output, phase, tap, rest;
};
struct indices {
    dim_index x, weights, y;
};
constexpr indices along_phases(const direction& v, const axes& a)
{
    const auto narrow = [](std::int64_t i) { return static_cast<std::int32_t>(i); };
    const std::int64_t turn = v.turn(), last = v.phases() - 1, dilation = v.dilation / v.common();
    const std::int64_t taps = v.phases() * v.steps();
    indices i;
    i.y = along(a.output, narrow(v.stride), narrow(v.first(turn) * v.stride + turn * last - v.before));
    i.x = along(a.output, 1, a.tap, narrow(dilation),
                narrow(v.first(turn) - (v.steps() - 1) * dilation - last * v.shift()));
    i.weights = along(a.tap, narrow(-v.phases()), narrow(taps - 1));
    const auto add = [&](dim_index& to, int axis, std::int64_t coefficient) {
        if (coefficient != 0) to.terms.push_back({static_cast<std::int8_t>(axis), narrow(coefficient)});
    };
    if (last > 0) {
        add(i.y, a.phase, -turn);
        add(i.x, a.phase, v.shift());
        add(i.weights, a.phase, -1);
    }
    if (v.common() > 1) {
        add(i.y, a.rest, 1);
        add(i.weights, a.rest, taps); // behind the last one
    }
    return i;
}

constexpr direction down(const conv2d_transposed_shape& s)
{
    const image_window v = s.window();
    const std::int64_t more = s.output_padding_h == s.as_above ? s.output_padding : s.output_padding_h;
    return {s.h, s.kh, v.stride_h, v.dilation_h, v.pad_top, v.pad_bottom, more};
}
constexpr direction across(const conv2d_transposed_shape& s)
{
    const image_window v = s.window();
    const std::int64_t more = s.output_padding_w == s.as_above ? s.output_padding : s.output_padding_w;
    return {s.w, s.kw, v.stride_w, v.dilation_w, v.pad_left, v.pad_right, more};
}

} // namespace phases

constexpr std::int64_t conv2d_transposed_shape::oh() const { return phases::down(*this).outputs(); }
constexpr std::int64_t conv2d_transposed_shape::ow() const { return phases::across(*this).outputs(); }
constexpr status conv2d_transposed_shape::check() const
{
    constexpr const char* name = "conv2d_transposed";
    for (std::int64_t e : {n.value, h, w, ic, oc, groups})
        if (e < 1) return {fault::extent_zero, 1, e, name};
    for (std::int64_t e : {n.value, h, w, ic, oc})
        if (e > most_elements) return {fault::extent_too_large, most_elements, e, name};
    if (ic % groups != 0) return {fault::shape_mismatch, groups, ic, "conv2d_transposed: ic"};
    if (oc % groups != 0) return {fault::shape_mismatch, groups, oc, "conv2d_transposed: oc"};
    status found = check_numbers(*this, {name, "conv2d_transposed: pad", "conv2d_transposed: window", "", ""});
    const phases::direction rows = phases::down(*this), columns = phases::across(*this);
    if (found.ok()) found = rows.check("conv2d_transposed: h");
    if (found.ok()) found = columns.check("conv2d_transposed: w");
    if (!found.ok()) return found;
    // Schedules may copy the image with its borders.
    const std::int64_t image = saturated_product(n, rows.reach(), columns.reach(), ic);
    if (image > most_elements) return {fault::extent_too_large, most_elements, image, "conv2d_transposed: x"};
    const std::int64_t outputs = saturated_product(n, oh(), ow(), oc);
    if (outputs > most_elements) return {fault::extent_too_large, most_elements, outputs, "conv2d_transposed: y"};
    const std::int64_t weights = saturated_product(oc, kh, kw, ic / groups);
    if (weights > most_elements) return {fault::extent_too_large, most_elements, weights, "conv2d_transposed: weights"};
    return {};
}

// As conv2d_transposed<...>::signature(), for shapes that are known when a model is loaded; the words behind the type
// in order, each as signature_word gives it: "bias", "relu".
template <class Words = std::initializer_list<const char*>>
constexpr signature_text signature_of(const conv2d_transposed_shape& s, operand_types type, const Words& epilogue = {})
{
    signature_text t;
    t.word("conv2d_transposed").field(s.n.at_call ? "n<=" : "n", s.n.value).field("h", s.h).field("w", s.w);
    t.field("ic", s.ic).field("oc", s.oc).field("kh", s.kh).field("kw", s.kw);
    add_window(t, s.window());
    const std::int64_t below = phases::down(s).more, right = phases::across(s).more;
    if (below == right)
        t.field("op", below);
    else
        t.field("oph", below).field("opw", right);
    t.field("g", s.groups).word(name_of(s.layout));
    add_types(t, type);
    for (const char* name : epilogue) t.word(name);
    return t;
}

constexpr conv2d_tensors tensors_of(const conv2d_transposed_shape& s, operand_types type)
{
    conv2d_shape as{.n = s.n, .h = s.h, .w = s.w, .ic = s.ic, .oc = s.oc, .kh = s.kh, .kw = s.kw};
    as.groups = s.groups;
    as.layout = s.layout;
    conv2d_tensors t = tensors_of(as, type);
    as.h = s.oh();
    as.w = s.ow();
    as.ic = s.oc;
    t.y = tensors_of(as, type).x;
    t.y.name = "y";
    t.y.role = role::output;
    if (s.layout == layout::nchw) {
        const std::int64_t taps = s.kh * s.kw, ocg = s.oc / s.groups;
        const std::int64_t strides[] = {s.ic / s.groups * ocg * taps, taps, s.kw, 1, ocg * taps};
        for (std::size_t i = 0; i < t.weights.dims.size(); ++i) t.weights.dims[i].stride = strides[i];
    }
    return t;
}

// The definition of a transposed convolution of any shape, with epilogues E.
template <class... E>
constexpr definition conv2d_transposed_definition(const conv2d_transposed_shape& shape, operand_types type)
{
    enum : int { n, ph, pw, g, oh, ow, oc, kh, kw, ic };
    definition d;
    d.found = shape.check();
    if (!d.found.ok()) return d;
    const conv2d_tensors t = tensors_of(shape, type);
    d.tensors.push_back(t.x);
    d.tensors.push_back(t.weights);
    d.tensors.push_back(t.y);

    const phases::direction rows = phases::down(shape), columns = phases::across(shape);
    stage s;
    s.name = "conv2d_transposed";
    if (shape.n.at_call)
        d.parameters.push_back({.name = "n", .least = 1, .most = shape.n.value, .typical = shape.n.typical});
    s.axes.push_back({"n", shape.n.value, false, t.x.dims[0].extent_parameter});
    s.axes.push_back({"ph", rows.phases()});
    s.axes.push_back({"pw", columns.phases()});
    s.axes.push_back({"g", shape.groups});
    s.axes.push_back({"oh", rows.count(rows.turn())});
    s.axes.push_back({"ow", columns.count(columns.turn())});
    s.axes.push_back({"oc", shape.oc / shape.groups});
    s.axes.push_back({"kh", rows.steps(), true});
    s.axes.push_back({"kw", columns.steps(), true});
    s.axes.push_back({"ic", shape.ic / shape.groups, true});
    phases::axes of_rows{oh, ph, kh, -1}, of_columns{ow, pw, kw, -1};
    if (rows.common() > 1) of_rows.rest = s.axes.push_back({"rh", rows.common()});
    if (columns.common() > 1) of_columns.rest = s.axes.push_back({"rw", columns.common()});
    const phases::indices h = phases::along_phases(rows, of_rows), w = phases::along_phases(columns, of_columns);

    const auto operand_of = [&](int tensor, std::initializer_list<dim_index> index) {
        operand o{.tensor = static_cast<std::int8_t>(tensor)};
        for (const dim_index& i : index) o.index.push_back(i);
        o.may_leave = !outside(d, s, o).ok();
        return o;
    };
    s.operands.push_back(operand_of(0, {along(n), h.x, w.x, along(g), along(ic)}));
    s.operands.push_back(operand_of(1, {along(g), along(oc), h.weights, w.weights, along(ic)}));
    s.output = operand_of(2, {along(n), h.y, w.y, along(g), along(oc)});
    s.reduce = reduction::add;
    s.body = ex::load(0) * ex::load(1);
    d.stages.push_back(s);

    operand bias_index;
    for (int a : {g, oc}) bias_index.index.push_back(along(a));
    (add_epilogue<E>(d, 0, t.bias, bias_index), ...);
    return d;
}

// The one parameter of a call is n, where the shape leaves it open.
// x: n * h * w * ic, weights: oc * kh * kw * (ic / groups), bias: oc, y and residual: n * oh * ow * oc elements.
template <conv2d_transposed_shape S, class Type, operator_word... E>
struct conv2d_transposed {
    static_assert(accuracy_words<E...> <= 1,
                  "hone::conv2d_transposed: a workload has one accuracy; name hone::exact or hone::fast");
    static constexpr conv2d_transposed_shape shape = S;

    static constexpr hone::definition definition()
    {
        return conv2d_transposed_definition<E...>(shape, types_of<Type>());
    }
    static constexpr signature_text signature()
    {
        return signature_of(shape, types_of<Type>(), {signature_word<E>()...});
    }
};

} // namespace hone::operators

namespace hone { // API
using operators::conv2d_transposed, operators::conv2d_transposed_shape, operators::signature_of;
} // namespace hone
