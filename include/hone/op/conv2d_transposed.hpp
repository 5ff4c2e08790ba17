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
#include <hone/op/leading.hpp>
#include <hone/op/operator.hpp>
#include <hone/op/window.hpp>

#ifndef HONE_SHOW_WARNINGS // see core/config.hpp
#pragma GCC system_header
#endif

namespace hone::operators {

namespace phases {

// One direction. With u = output + before, tap k of pixel i meets the output at
//
//     u = i * stride + k * dilation
//
// Taps k and k + phases() meet outputs that are a multiple of the stride apart. So u is written as
//
//     u = stride * q + turn() * phase + rest      for phase < phases(), rest < common()
//     k = phases() * t + phase                    for t < steps(), where there is such a tap
//     i = q - t * dilation / common() - phase * shift()
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
    // The q that have an output, where a phase turns by so much: from the first one on, and how many.
    constexpr std::int64_t first(std::int64_t turn) const
    {
        return ceil_div(before + 1 - common() - (turn > 0 ? turn * (phases() - 1) : 0), stride);
    }
    constexpr std::int64_t count(std::int64_t turn) const
    {
        const std::int64_t last = before + outputs() - 1 - (turn < 0 ? turn * (phases() - 1) : 0);
        return floor_div(last, stride) - first(turn) + 1;
    }
    // Congruent to the dilation: of the two that are less than a stride, the one that has fewer q beyond the outputs.
    constexpr std::int64_t turn() const
    {
        const std::int64_t ahead = dilation % stride, back = ahead - stride;
        return count(back) < count(ahead) ? back : ahead;
    }
    constexpr std::int64_t shift() const { return (dilation - turn()) / stride; }
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

} // namespace phases

struct conv2d_transposed_shape {
    static constexpr std::int64_t as_above = -1; // as the wider field says

    extent n = 1; // images: also as many as each call gives
    std::int64_t h = 1, w = 1, ic = 1, oc = 1, kh = 1, kw = 1;
    std::int64_t stride = 1, stride_h = as_above, stride_w = as_above;
    std::int64_t pad = 0, pad_h = as_above, pad_w = as_above; // outputs that are left out at the borders
    std::int64_t pad_top = as_above, pad_left = as_above, pad_bottom = as_above, pad_right = as_above;
    std::int64_t dilation = 1, dilation_h = as_above, dilation_w = as_above;
    // Outputs more, below and at the right: fewer than the stride or the dilation.
    std::int64_t output_padding = 0, output_padding_h = as_above, output_padding_w = as_above;
    std::int64_t groups = 1;
    hone::layout layout = hone::layout::nhwc;
    leading ldx{}, ldy{};                       // NHWC: pixels of x and y are so far apart; 0: dense
    leading batch_stride_x{}, batch_stride_y{}; // NCHW: images

    constexpr image_window window() const { return window_of(*this); }
    constexpr phases::direction rows() const
    {
        const std::int64_t more = output_padding_h == as_above ? output_padding : output_padding_h;
        const image_window v = window();
        return {h, kh, v.stride_h, v.dilation_h, v.pad_top, v.pad_bottom, more};
    }
    constexpr phases::direction columns() const
    {
        const std::int64_t more = output_padding_w == as_above ? output_padding : output_padding_w;
        const image_window v = window();
        return {w, kw, v.stride_w, v.dilation_w, v.pad_left, v.pad_right, more};
    }
    constexpr std::int64_t oh() const { return rows().outputs(); }
    constexpr std::int64_t ow() const { return columns().outputs(); }
    constexpr image_view x() const { return view_of_x(*this, ic, saturated_product(h, w)); }
    constexpr image_view y() const { return view_of_y(*this, oc, saturated_product(oh(), ow())); }
    constexpr status check() const
    {
        constexpr const char* name = "conv2d_transposed";
        for (std::int64_t e : {n.value, h, w, ic, oc, groups})
            if (e < 1) return {fault::extent_zero, 1, e, name};
        for (std::int64_t e : {n.value, h, w, ic, oc})
            if (e > most_elements) return {fault::extent_too_large, most_elements, e, name};
        if (ic % groups != 0) return {fault::shape_mismatch, groups, ic, "conv2d_transposed: ic"};
        if (oc % groups != 0) return {fault::shape_mismatch, groups, oc, "conv2d_transposed: oc"};
        status found = check_numbers(*this, {name, "conv2d_transposed: pad", "conv2d_transposed: window", "", ""});
        if (found.ok()) found = rows().check("conv2d_transposed: h");
        if (found.ok()) found = columns().check("conv2d_transposed: w");
        if (!found.ok()) return found;
        // Schedules may copy the image with its borders.
        const std::int64_t sizes[] = {saturated_product(n, rows().reach(), columns().reach(), ic),
                                      saturated_product(n, oh(), ow(), oc), saturated_product(oc, kh, kw, ic / groups)};
        constexpr const char* names[] = {"conv2d_transposed: x", "conv2d_transposed: y", "conv2d_transposed: weights"};
        for (int i = 0; i < 3; ++i)
            if (sizes[i] > most_elements) return {fault::extent_too_large, most_elements, sizes[i], names[i]};
        return check_views(x(), y());
    }
};

// As conv2d_transposed<...>::signature(), for shapes that are known when a model is loaded; the words behind the type
// in order, each as signature_word gives it: "bias", "relu".
template <class Words = std::initializer_list<const char*>>
constexpr signature_text signature_of(const conv2d_transposed_shape& s, operand_types type, const Words& epilogue = {})
{
    signature_text t;
    t.word("conv2d_transposed").field(s.n.at_call ? "n<=" : "n", s.n.value).field("h", s.h).field("w", s.w);
    t.field("ic", s.ic).field("oc", s.oc).field("kh", s.kh).field("kw", s.kw);
    add_window(t, s.window());
    if (s.rows().more == s.columns().more)
        t.field("op", s.rows().more);
    else
        t.field("oph", s.rows().more).field("opw", s.columns().more);
    t.field("g", s.groups).word(name_of(s.layout));
    add_views(t, s);
    add_types(t, type);
    for (const char* name : epilogue) t.word(name);
    return t;
}

constexpr conv2d_tensors tensors_of(const conv2d_transposed_shape& s, operand_types type)
{
    conv2d_shape as{.n = s.n, .h = s.h, .w = s.w, .ic = s.ic, .oc = s.oc, .kh = s.kh, .kw = s.kw};
    as.groups = s.groups;
    as.layout = s.layout;
    conv2d_tensors t = tensors_of(as, type, parameters_of(as));
    as.h = s.oh();
    as.w = s.ow();
    as.ic = s.oc;
    t.y = tensors_of(as, type, parameters_of(as)).x;
    t.y.name = "y";
    t.y.role = role::output;
    if (s.layout == layout::nchw) {
        const std::int64_t taps = s.kh * s.kw, ocg = s.oc / s.groups;
        const std::int64_t strides[] = {s.ic / s.groups * ocg * taps, taps, s.kw, 1, ocg * taps};
        for (std::size_t i = 0; i < t.weights.dims.size(); ++i) t.weights.dims[i].stride = strides[i];
    }
    return t;
}

namespace phases {

// Where the operands stand along a direction, over the q from the first on, phases and taps in falling order, and rests
// (-1: there is one).
struct indices {
    dim_index x, weights, y;

    constexpr indices(const direction& v, int q, int phase, int tap, int rest)
    {
        const auto narrow = [](std::int64_t i) { return static_cast<std::int32_t>(i); };
        const std::int64_t turn = v.turn(), last = v.phases() - 1, dilation = v.dilation / v.common();
        const std::int64_t taps = v.phases() * v.steps(), first = v.first(turn);
        y = along(q, narrow(v.stride), narrow(first * v.stride + turn * last - v.before));
        x = along(q, 1, tap, narrow(dilation), narrow(first - (v.steps() - 1) * dilation - last * v.shift()));
        weights = along(tap, narrow(-v.phases()), narrow(taps - 1));
        const auto add = [&](dim_index& to, int axis, std::int64_t by) {
            if (by != 0) to.terms.push_back({static_cast<std::int8_t>(axis), narrow(by)});
        };
        add(y, phase, last > 0 ? -turn : 0);
        add(x, phase, last > 0 ? v.shift() : 0);
        add(weights, phase, last > 0 ? -1 : 0);
        add(y, rest, rest >= 0 ? 1 : 0);
        add(weights, rest, rest >= 0 ? taps : 0); // behind the last one
    }
};

} // namespace phases

// The definition of a transposed convolution of any shape, with epilogues E.
template <class... E>
constexpr definition conv2d_transposed_definition(const conv2d_transposed_shape& shape, operand_types type)
{
    enum : int { n, ph, pw, g, oh, ow, oc, kh, kw, ic };
    definition d;
    d.found = shape.check();
    if (!d.found.ok()) return d;
    const conv2d_tensors t = tensors_of(shape, type);
    for (const tensor& own : {t.x, t.weights, t.y}) d.tensors.push_back(own);

    const phases::direction rows = shape.rows(), columns = shape.columns();
    stage s;
    s.name = "conv2d_transposed";
    if (shape.n.at_call)
        d.parameters.push_back({.name = "n", .least = 1, .most = shape.n.value, .typical = shape.n.typical});
    lay_out(d, d.tensors[0], shape.x(), {0, 1, 2});
    lay_out(d, d.tensors[2], shape.y(), {0, 1, 2});
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
    const int rh = rows.common() > 1 ? s.axes.push_back({"rh", rows.common()}) : -1;
    const int rw = columns.common() > 1 ? s.axes.push_back({"rw", columns.common()}) : -1;
    const phases::indices h(rows, oh, ph, kh, rh), w(columns, ow, pw, kw, rw);
    const auto operand_of = [&](std::int8_t tensor, std::initializer_list<dim_index> index) {
        operand o{.tensor = tensor};
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

// Parameters of a call are n, where the shape leaves it open, and behind it the distances of x and y.
// x: n * h * w * ic, weights: oc * kh * kw * (ic / groups), bias: oc, y and residual: n * oh * ow * oc elements.
// A residual lies as y does.
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
