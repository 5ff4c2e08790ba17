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
#include <hone/op/open_window.hpp>
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

    extent n = 1;                // images: also as many as each call gives
    extent h = 1, w = 1;         // rows and columns of x: also as many as each call gives, of NHWC
    extent ic = 1, oc = 1;       // channels: also as many as each call gives, of NHWC and one group
    std::int64_t kh = 1, kw = 1; // at most so many taps, where window_at_call
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
    // Whether each call gives kh, kw, strides, paddings at the top and at the left, and how many rows and columns y
    // has: of NHWC in one group, not dilated, with h and w of the call, too. What y has says how much is left out at
    // its end, or added: pad_bottom, pad_right and output_padding.
    bool window_at_call = false;
    std::int64_t most_outputs = 4096; // rows and columns of y, where window_at_call

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
    // The most of them, where a call says how many there are.
    constexpr std::int64_t oh() const { return window_at_call ? most_outputs : rows().outputs(); }
    constexpr std::int64_t ow() const { return window_at_call ? most_outputs : columns().outputs(); }
    constexpr image_view x() const { return view_of_x(*this, ic, saturated_product(h, w)); }
    constexpr image_view y() const { return view_of_y(*this, oc, saturated_product(oh(), ow())); }
    constexpr status check() const
    {
        constexpr const char* name = "conv2d_transposed";
        for (std::int64_t e : {n.value, h.value, w.value, ic.value, oc.value, groups, most_outputs})
            if (e < 1) return {fault::extent_zero, 1, e, name};
        for (std::int64_t e : {n.value, h.value, w.value, ic.value, oc.value, most_outputs})
            if (e > most_elements) return {fault::extent_too_large, most_elements, e, name};
        const status at_call = check_at_call();
        if (!at_call.ok()) return at_call;
        if (ic % groups != 0) return {fault::shape_mismatch, groups, ic, "conv2d_transposed: ic"};
        if (oc % groups != 0) return {fault::shape_mismatch, groups, oc, "conv2d_transposed: oc"};
        status found = check_numbers(*this, {name, "conv2d_transposed: pad", "conv2d_transposed: window", "", ""});
        if (found.ok() && !window_at_call) found = rows().check("conv2d_transposed: h");
        if (found.ok() && !window_at_call) found = columns().check("conv2d_transposed: w");
        if (!found.ok()) return found;
        // Schedules may copy the image with its borders, where they are known.
        const std::int64_t image_rows = window_at_call ? h.value : rows().reach();
        const std::int64_t image_columns = window_at_call ? w.value : columns().reach();
        const std::int64_t sizes[] = {saturated_product(n, image_rows, image_columns, ic),
                                      saturated_product(n, oh(), ow(), oc), saturated_product(oc, kh, kw, ic / groups)};
        constexpr const char* names[] = {"conv2d_transposed: x", "conv2d_transposed: y", "conv2d_transposed: weights"};
        for (int i = 0; i < 3; ++i)
            if (sizes[i] > most_elements) return {fault::extent_too_large, most_elements, sizes[i], names[i]};
        return check_views(x(), y());
    }
    // Whether a call can give what the shape leaves open.
    constexpr status check_at_call() const
    {
        const bool has_image = h.at_call || w.at_call, has_channels = ic.at_call || oc.at_call;
        if (has_image && layout != layout::nhwc)
            return {fault::extents_at_call, 0, h.at_call ? h : w, "conv2d_transposed: layout"};
        if (has_channels && layout != layout::nhwc) return {fault::channels_at_call, 0, 0, "conv2d_transposed: layout"};
        if (has_channels && groups > 1) return {fault::channels_at_call, 1, groups, "conv2d_transposed: groups"};
        if (window_at_call && groups > 1) return {fault::window_at_call, 1, groups, "conv2d_transposed: groups"};
        if (window_at_call && (rows().more != 0 || columns().more != 0))
            return {fault::window_at_call, 0, 0, "conv2d_transposed: output_padding"};
        return check_open_window(*this, "conv2d_transposed: layout", "conv2d_transposed: h, w",
                                 "conv2d_transposed: stride, pad, dilation");
    }
};

// As conv2d_transposed<...>::signature(), for shapes that are known when a model is loaded; the words behind the type
// in order, each as signature_word gives it: "bias", "relu".
template <class Words = std::initializer_list<const char*>>
constexpr signature_text signature_of(const conv2d_transposed_shape& s, operand_types type, const Words& epilogue = {})
{
    signature_text t;
    t.word("conv2d_transposed")
        .field(s.n.at_call ? "n<=" : "n", s.n.value)
        .field(s.h.at_call ? "h<=" : "h", s.h.value)
        .field(s.w.at_call ? "w<=" : "w", s.w.value)
        .field(s.ic.at_call ? "ic<=" : "ic", s.ic.value)
        .field(s.oc.at_call ? "oc<=" : "oc", s.oc.value);
    t.field(s.window_at_call ? "kh<=" : "kh", s.kh).field(s.window_at_call ? "kw<=" : "kw", s.kw);
    if (s.window_at_call)
        t.word("s").word("p").word("d1");
    else
        add_window(t, s.window());
    if (s.window_at_call)
        t.field("o<=", s.most_outputs);
    else if (s.rows().more == s.columns().more)
        t.field("op", s.rows().more);
    else
        t.field("oph", s.rows().more).field("opw", s.columns().more);
    t.field("g", s.groups).word(name_of(s.layout));
    add_views(t, s);
    add_types(t, type);
    for (const char* name : epilogue) t.word(name);
    return t;
}

// What a call gives, in the order of conv2d_transposed, and what comes of it: extents of axes. There are as many phases
// as the stride says, in a parameter of their own: a stride of 0 is out of range, not no work.
struct conv2d_transposed_parameters : window_parameters {
    struct direction {
        std::int16_t phases = -1, q = -1, steps = -1;
    };
    direction rows, columns;
    std::int16_t ic = -1, oc = -1, tap_rows = -1, taps = -1;

    // Of a window that is known there are stride * h + some outputs, and h + some q.
    constexpr void add_outputs(const phases::direction& v, std::int16_t image, const char* name, std::int16_t& outputs,
                               const char* q_name, std::int16_t& q)
    {
        if (image < 0) return;
        outputs = add(quotient_of(all, name, image, v.outputs() - v.stride * v.extent, 1, v.stride));
        q = add(quotient_of(all, q_name, image, v.count(v.turn()) - v.extent, 1));
    }
    // Of one that the call gives, those that it gives; q begins with the padding, and the taps of a phase with phase 0.
    constexpr void add_counts(std::int16_t image, std::int16_t outputs, const direction_parameters& v,
                              const char* phases_name, const char* q_name, const char* steps_name, direction& to)
    {
        const ir::window_numbers q{
            .image = outputs, .before = v.before, .taps = v.taps, .stride = v.stride, .spread = image};
        to.phases = add(quotient_of(all, phases_name, v.stride, 0, 1));
        to.q = add(windows_of(all, q_name, q));
        to.steps = add(windows_of(all, steps_name, {.image = v.taps, .stride = v.stride}));
    }
};
constexpr conv2d_transposed_parameters parameters_of(const conv2d_transposed_shape& s)
{
    conv2d_transposed_parameters p;
    const auto least = [&](const phases::direction& v) {
        phases::direction one = v;
        one.extent = 1;
        return s.window_at_call ? 1 : 1 + ceil_div(1 - one.outputs(), v.stride);
    };
    p.n = p.open(s.n, "n");
    p.x.h = p.open(s.h, "h", least(s.rows()));
    p.x.w = p.open(s.w, "w", least(s.columns()));
    p.ic = p.x.c = p.open(s.ic, "ic");
    p.oc = p.y.c = p.open(s.oc, "oc");
    if (s.window_at_call) {
        const auto given = [&](const char* name, std::int64_t lowest, std::int64_t most, std::int64_t typical) {
            return p.add({.name = name, .least = lowest, .most = most, .typical = typical <= most ? typical : 0});
        };
        // Most windows are of 4 x 4, and double an image.
        p.down.taps = given("kh", 1, s.kh, 4);
        p.across.taps = given("kw", 1, s.kw, 4);
        p.down.stride = given("stride_h", 1, most_stride, 2);
        p.across.stride = given("stride_w", 1, most_stride, 2);
        p.down.before = given("pad_top", 0, most_padding, s.kh >= 4 ? 1 : 0);
        p.across.before = given("pad_left", 0, most_padding, s.kw >= 4 ? 1 : 0);
        p.y.h = given("oh", 1, s.most_outputs, 2 * s.h.typical);
        p.y.w = given("ow", 1, s.most_outputs, 2 * s.w.typical);
        p.add_counts(p.x.h, p.y.h, p.down, "phases_h", "q_h", "steps_h", p.rows);
        p.add_counts(p.x.w, p.y.w, p.across, "phases_w", "q_w", "steps_w", p.columns);
    } else {
        p.add_outputs(s.rows(), p.x.h, "oh", p.y.h, "q_h", p.rows.q);
        p.add_outputs(s.columns(), p.x.w, "ow", p.y.w, "q_w", p.columns.q);
    }
    p.x.row = p.times(p.x.w, p.x.c, "row");
    p.x.image = p.times(p.x.h, p.x.row, "image");
    p.y.row = p.times(p.y.w, p.y.c, "row of y");
    p.y.image = p.times(p.y.h, p.y.row, "image of y");
    p.tap_rows = p.times(p.across.taps, p.ic, "kw * ic");
    p.taps = p.times(p.down.taps, p.tap_rows, "kh * kw * ic");
    // What indices of a window of the call are made of.
    const auto steps = [&](std::int16_t by, std::int16_t distance, const char* name) {
        if (by >= 0 && distance >= 0) p.times(by, distance, name);
    };
    steps(p.rows.phases, p.y.row, "stride_h * row of y");
    steps(p.down.before, p.y.row, "pad_top * row of y");
    steps(p.columns.phases, p.y.c, "stride_w * pixel of y");
    steps(p.across.before, p.y.c, "pad_left * pixel of y");
    steps(p.rows.phases, p.tap_rows, "stride_h * kw * ic");
    steps(p.columns.phases, p.ic, "stride_w * ic");
    return p;
}

constexpr conv2d_tensors tensors_of(const conv2d_transposed_shape& s, operand_types type,
                                    const conv2d_transposed_parameters& open)
{
    conv2d_shape as{.n = s.n, .h = s.h, .w = s.w, .ic = s.ic, .oc = s.oc, .kh = s.kh, .kw = s.kw};
    as.groups = s.groups;
    as.layout = s.layout;
    as.window_at_call = s.window_at_call;
    conv2d_parameters of_x;
    static_cast<window_parameters&>(of_x) = open;
    of_x.ic = open.ic;
    of_x.oc = open.oc;
    of_x.tap_rows = open.tap_rows;
    of_x.taps = open.taps;
    conv2d_tensors t = tensors_of(as, type, of_x);
    as.h = s.oh();
    as.w = s.ow();
    as.ic = s.oc;
    conv2d_parameters of_y = of_x;
    of_y.x = open.y;
    of_y.ic = open.oc;
    t.y = tensors_of(as, type, of_y).x;
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
    // With stride and padding of the call, over q and taps that begin with 0.
    constexpr indices(std::int16_t stride, std::int16_t before, int q, int phase, int tap)
    {
        x = along(q, 1, tap, -1, 0);
        weights = along(tap, 1, phase, 1, 0);
        y = along(q, 1, phase, 1, -1);
        weights.terms[0].parameter = y.terms[0].parameter = stride;
        y.offset_parameter = before;
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
    const conv2d_transposed_parameters open = parameters_of(shape);
    const conv2d_tensors t = tensors_of(shape, type, open);
    for (const tensor& own : {t.x, t.weights, t.y}) d.tensors.push_back(own);
    for (const parameter& p : open.all) d.parameters.push_back(p);

    const bool is_open = shape.window_at_call;
    const phases::direction rows = shape.rows(), columns = shape.columns();
    stage s;
    s.name = "conv2d_transposed";
    lay_out(d, d.tensors[0], shape.x(), {0, 1, 2});
    lay_out(d, d.tensors[2], shape.y(), {0, 1, 2});
    const auto add = [&](const char* name, std::int64_t known, std::int64_t most, std::int16_t parameter,
                         bool reduction = false) {
        s.axes.push_back({name, is_open ? most : known, reduction, parameter});
    };
    const std::int64_t most_q = shape.most_outputs + most_padding;
    add("n", shape.n.value, shape.n.value, open.n);
    add("ph", rows.phases(), most_stride, open.rows.phases);
    add("pw", columns.phases(), most_stride, open.columns.phases);
    add("g", shape.groups, 1, -1);
    add("oh", rows.count(rows.turn()), most_q, open.rows.q);
    add("ow", columns.count(columns.turn()), most_q, open.columns.q);
    add("oc", shape.oc / shape.groups, shape.oc, open.oc);
    add("kh", rows.steps(), shape.kh, open.rows.steps, true);
    add("kw", columns.steps(), shape.kw, open.columns.steps, true);
    add("ic", shape.ic / shape.groups, shape.ic, open.ic, true);
    const int rh = rows.common() > 1 ? s.axes.push_back({"rh", rows.common()}) : -1;
    const int rw = columns.common() > 1 ? s.axes.push_back({"rw", columns.common()}) : -1;
    const phases::indices h = is_open ? phases::indices(open.rows.phases, open.down.before, oh, ph, kh)
                                      : phases::indices(rows, oh, ph, kh, rh);
    const phases::indices w = is_open ? phases::indices(open.columns.phases, open.across.before, ow, pw, kw)
                                      : phases::indices(columns, ow, pw, kw, rw);
    const auto operand_of = [&](std::int8_t tensor, std::initializer_list<dim_index> index) {
        operand o{.tensor = tensor};
        for (const dim_index& i : index) o.index.push_back(i);
        o.may_leave = !outside(d, s, o).ok();
        return o;
    };
    s.operands.push_back(operand_of(0, {along(n), h.x, w.x, along(g), along(ic)}));
    s.operands.push_back(operand_of(1, {along(g), along(oc), h.weights, w.weights, along(ic)}));
    s.output = operand_of(2, {along(n), h.y, w.y, along(g), along(oc)});
    // Where the call says how many outputs there are, each is tested.
    s.output.may_leave = s.output.may_leave || open.y.h >= 0 || open.y.w >= 0;
    s.reduce = reduction::add;
    s.body = ex::load(0) * ex::load(1);
    d.stages.push_back(s);

    operand bias_index;
    for (int a : {g, oc}) bias_index.index.push_back(along(a));
    (add_epilogue<E>(d, 0, t.bias, bias_index), ...);
    return d;
}

// Parameters of a call are n, h, w, ic and oc, in this order, where the shape leaves them open, then kh, kw, stride_h,
// stride_w, pad_top, pad_left, oh and ow of a window of the call, and behind them the distances of x and y. No images
// or output channels are no work; an h or w that has no outputs is out of range, and so is a pad_top that leaves none,
// or an oh that is a stride or more behind the last tap. Weights are packed for kh, kw, ic and oc of the calls to come.
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
