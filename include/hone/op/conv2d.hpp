// SPDX-License-Identifier: BSL-1.0
// Two-dimensional convolution (cross-correlation, as frameworks count it), with stride and dilation per direction,
// padding per side, and groups; depthwise where groups == ic == oc. Activations NHWC with weights OHWI, or NCHW with
// weights OIHW.
#pragma once

#include <cstdint>
#include <initializer_list>

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

struct conv2d_shape {
    static constexpr std::int64_t as_above = -1; // as the wider field says

    extent n = 1;        // images: also as many as each call gives
    extent h = 1, w = 1; // rows and columns of x: also as many as each call gives, of NHWC
    // Channels: also as many as each call gives, of NHWC and one group; of a depthwise convolution ic, oc and groups,
    // as one extent.
    extent ic = 1, oc = 1;
    std::int64_t kh = 1, kw = 1; // at most so many taps, where window_at_call
    std::int64_t stride = 1, stride_h = as_above, stride_w = as_above;
    std::int64_t pad = 0, pad_h = as_above, pad_w = as_above; // zeros; a window may lie in them altogether
    std::int64_t pad_top = as_above, pad_left = as_above, pad_bottom = as_above, pad_right = as_above;
    std::int64_t dilation = 1, dilation_h = as_above, dilation_w = as_above;
    extent groups = 1;
    hone::layout layout = hone::layout::nhwc;
    leading ldx{}, ldy{};                       // NHWC: pixels of x and y are so far apart; 0: dense
    leading batch_stride_x{}, batch_stride_y{}; // NCHW: images
    // Whether each call gives kh, kw, strides, paddings and dilations, as it gives h and w: of NHWC, in one group or
    // depthwise with channels of the call, too.
    bool window_at_call = false;

    constexpr image_window window() const { return window_of(*this); }
    // The most of them, where a call says how many there are.
    constexpr std::int64_t oh() const { return window_at_call ? h + 2 * most_padding : window().outputs_down(h, kh); }
    constexpr std::int64_t ow() const { return window_at_call ? w + 2 * most_padding : window().outputs_across(w, kw); }
    constexpr image_view x() const { return view_of_x(*this, ic, saturated_product(h, w)); }
    constexpr image_view y() const { return view_of_y(*this, oc, saturated_product(oh(), ow())); }
    constexpr status check() const
    {
        const image_window v = window();
        for (const extent& e : {n, h, w, ic, oc, groups})
            if (e < 1) return {fault::extent_zero, 1, e, "conv2d"};
        for (const extent& e : {n, h, w, ic, oc})
            if (e > most_elements) return {fault::extent_too_large, most_elements, e, "conv2d"};
        if (ic.at_call || oc.at_call || groups.at_call) {
            if (layout != layout::nhwc) return {fault::channels_at_call, 0, 0, "conv2d: layout"};
            const bool is_one = ic.at_call && oc.at_call && ic.value == groups.value && oc.value == groups.value;
            if (groups.at_call ? !is_one : groups.value > 1)
                return {fault::channels_at_call, groups.at_call ? ic.value : 1, groups, "conv2d: groups"};
        }
        if (window_at_call && groups.value > 1 && !groups.at_call)
            return {fault::window_at_call, 1, groups, "conv2d: groups"};
        if (ic % groups != 0) return {fault::shape_mismatch, groups, ic, "conv2d: ic"};
        if (oc % groups != 0) return {fault::shape_mismatch, groups, oc, "conv2d: oc"};
        constexpr window_subjects subjects{"conv2d", "conv2d: pad", "conv2d: window", "conv2d: h", "conv2d: w"};
        status found = check_open_window(*this, "conv2d: layout", "conv2d: h, w", "conv2d: stride, pad, dilation");
        if (found.ok()) found = window_at_call ? check_numbers(*this, subjects) : check_window(*this, subjects);
        if (!found.ok()) return found;
        // Schedules may copy the image with its padding.
        const std::int64_t image = saturated_product(n, h + v.pad_top + v.pad_bottom, w + v.pad_left + v.pad_right, ic);
        if (image > most_elements) return {fault::extent_too_large, most_elements, image, "conv2d: x"};
        const std::int64_t outputs = saturated_product(n, oh(), ow(), oc);
        if (outputs > most_elements) return {fault::extent_too_large, most_elements, outputs, "conv2d: y"};
        const std::int64_t weights = saturated_product(oc, kh, kw, ic / groups);
        if (weights > most_elements) return {fault::extent_too_large, most_elements, weights, "conv2d: weights"};
        return check_views(x(), y());
    }
};

// As conv2d<...>::signature(), for shapes that are known when a model is loaded; the words behind the type in
// order, each as signature_word gives it: "bias", "relu".
template <class Words = std::initializer_list<const char*>>
constexpr signature_text signature_of(const conv2d_shape& s, operand_types type, const Words& epilogue = {})
{
    signature_text t;
    t.word("conv2d")
        .field(s.n.at_call ? "n<=" : "n", s.n.value)
        .field(s.h.at_call ? "h<=" : "h", s.h.value)
        .field(s.w.at_call ? "w<=" : "w", s.w.value)
        .field(s.ic.at_call ? "ic<=" : "ic", s.ic.value);
    s.groups.at_call ? t.word("oc=ic") : t.field(s.oc.at_call ? "oc<=" : "oc", s.oc.value);
    t.field(s.window_at_call ? "kh<=" : "kh", s.kh).field(s.window_at_call ? "kw<=" : "kw", s.kw);
    if (s.window_at_call)
        t.word("s").word("p").word("d");
    else
        add_window(t, s.window());
    s.groups.at_call ? t.word("g=ic") : t.field("g", s.groups.value);
    t.word(name_of(s.layout));
    add_views(t, s);
    add_types(t, type);
    for (const char* name : epilogue) t.word(name);
    return t;
}

// Channels of a depthwise convolution are `ic`, and as many as groups. What weights have of a call: kw * ic and
// kh * kw * ic, as far as it gives them.
struct conv2d_parameters : window_parameters {
    std::int16_t ic = -1, oc = -1, groups = -1, tap_rows = -1, taps = -1;
};
constexpr conv2d_parameters parameters_of(const conv2d_shape& s)
{
    conv2d_parameters p;
    p.add_image(s);
    p.x.c = p.open(s.ic, "ic");
    p.y.c = s.groups.at_call ? p.x.c : p.open(s.oc, "oc");
    (s.groups.at_call ? p.groups : p.ic) = p.x.c;
    if (!s.groups.at_call) p.oc = p.y.c;
    p.add_window(s);
    p.add_distances();
    p.tap_rows = p.times(p.across.taps, p.ic, "kw * ic");
    p.taps = p.times(p.down.taps, p.tap_rows, "kh * kw * ic");
    return p;
}

// The tensors of a convolution with its channels as (group, channel in the group).
struct conv2d_tensors {
    tensor x, weights, bias, y;
};
constexpr conv2d_tensors tensors_of(const conv2d_shape& s, operand_types type, const conv2d_parameters& open)
{
    const std::int64_t icg = s.ic / s.groups, ocg = s.oc / s.groups;
    const auto activation = [&](const char* name, hone::role role, std::int64_t h, std::int64_t w, std::int64_t c,
                                std::int16_t channels, const image_parameters& p) {
        const bool nhwc = s.layout == layout::nhwc;
        const std::int64_t all = p.c < 0 ? s.groups * c : 1; // that the call does not give
        const std::int64_t row = p.w < 0 ? w : 1, pixels = (p.h < 0 ? h : 1) * row;
        const std::int64_t channel = nhwc ? 1 : pixels, column = nhwc ? all : 1;
        const std::int16_t by = nhwc ? std::int16_t{-1} : p.image;
        tensor t{.name = name, .type = type.others, .role = role};
        t.dims.push_back(
            {.extent = s.n.value, .stride = pixels * all, .extent_parameter = open.n, .stride_parameter = p.image});
        t.dims.push_back({.extent = h, .stride = row * column, .extent_parameter = p.h, .stride_parameter = p.row});
        t.dims.push_back({.extent = w, .stride = column, .extent_parameter = p.w, .stride_parameter = p.c});
        t.dims.push_back(
            {.extent = s.groups, .stride = c * channel, .extent_parameter = open.groups, .stride_parameter = by});
        t.dims.push_back({.extent = c, .stride = channel, .extent_parameter = channels, .stride_parameter = by});
        return t;
    };
    const bool ohwi = s.layout == layout::nhwc;
    // What the call does not give.
    const std::int64_t ic = open.ic < 0 ? icg : 1;
    const std::int64_t kh = s.window_at_call ? 1 : s.kh, kw = s.window_at_call ? 1 : s.kw;
    conv2d_tensors t;
    t.x = activation("x", role::input, s.h, s.w, icg, open.ic, open.x);
    t.y = activation("y", role::output, s.oh(), s.ow(), ocg, open.oc, open.y);
    t.weights = {.name = "weights", .type = type.weights, .role = role::weights};
    const auto add = [&](std::int64_t extent, std::int64_t stride, std::int16_t parameter, std::int16_t by) {
        t.weights.dims.push_back(
            {.extent = extent, .stride = stride, .extent_parameter = parameter, .stride_parameter = by});
    };
    const std::int16_t of_group = s.groups.at_call ? open.taps : -1; // there is one where the call gives ic
    add(s.groups, ocg * kh * kw * icg, open.groups, of_group);
    add(ocg, kh * kw * ic, open.oc, open.taps);
    add(s.kh, kw * (ohwi ? ic : 1), open.down.taps, open.tap_rows);
    add(s.kw, ohwi ? ic : 1, open.across.taps, open.ic);
    add(icg, ohwi ? 1 : kh * kw, open.ic, -1);
    t.bias = {.name = "bias", .type = type.others, .role = role::bias};
    t.bias.dims.push_back({.extent = s.groups, .stride = ocg, .extent_parameter = open.groups});
    t.bias.dims.push_back({.extent = ocg, .extent_parameter = open.oc});
    return t;
}

// Its axes, for templates that know a convolution when they see one.
namespace conv_axis {
enum : int { n, g, oh, ow, oc, kh, kw, ic };
}

// The definition of a convolution of any shape, with epilogues E.
template <class... E>
constexpr definition conv2d_definition(const conv2d_shape& shape, operand_types type)
{
    using namespace conv_axis;
    definition d;
    d.found = shape.check();
    if (!d.found.ok()) return d;
    const conv2d_parameters open = parameters_of(shape);
    const conv2d_tensors t = tensors_of(shape, type, open);
    d.tensors.push_back(t.x);
    d.tensors.push_back(t.weights);
    d.tensors.push_back(t.y);
    for (const parameter& p : open.all) d.parameters.push_back(p);
    lay_out(d, d.tensors[0], shape.x(), {0, 1, 2});
    lay_out(d, d.tensors[2], shape.y(), {0, 1, 2});

    const image_window v = shape.window();
    stage s;
    s.name = "conv2d";
    s.axes.push_back({"n", shape.n.value, false, open.n});
    s.axes.push_back({"g", shape.groups, false, open.groups});
    s.axes.push_back({"oh", shape.oh(), false, open.y.h});
    s.axes.push_back({"ow", shape.ow(), false, open.y.w});
    s.axes.push_back({"oc", shape.oc / shape.groups, false, open.oc});
    s.axes.push_back({"kh", shape.kh, true, open.down.taps});
    s.axes.push_back({"kw", shape.kw, true, open.across.taps});
    s.axes.push_back({"ic", shape.ic / shape.groups, true, open.ic});
    operand x{.tensor = 0, .may_leave = v.pads() || shape.window_at_call};
    x.index.push_back(along(n));
    const bool is_open = shape.window_at_call;
    x.index.push_back(is_open ? along_open_window(oh, kh, open.down)
                              : along_window(oh, v.stride_h, kh, v.dilation_h, v.pad_top));
    x.index.push_back(is_open ? along_open_window(ow, kw, open.across)
                              : along_window(ow, v.stride_w, kw, v.dilation_w, v.pad_left));
    x.index.push_back(along(g));
    x.index.push_back(along(ic));
    s.operands.push_back(x);
    operand w{.tensor = 1};
    for (int a : {g, oc, kh, kw, ic}) w.index.push_back(along(a));
    s.operands.push_back(w);
    s.output.tensor = 2;
    for (int a : {n, oh, ow, g, oc}) s.output.index.push_back(along(a));
    s.reduce = reduction::add;
    s.body = ex::load(0) * ex::load(1);
    d.stages.push_back(s);

    operand bias_index;
    for (int a : {g, oc}) bias_index.index.push_back(along(a));
    (add_epilogue<E>(d, 0, t.bias, bias_index), ...);
    return d;
}

// Parameters of a call are n, h, w, ic and oc, in this order, where the shape leaves them open, ic alone of a depthwise
// one, then kh, kw, stride_h, stride_w, pad_top, pad_left, pad_bottom, pad_right, dilation_h and dilation_w of a window
// of the call, and behind them the distances of x and y. No images or outputs are no work; an h or w whose padded image
// holds no window is out of range, 0 among them, and so is an ic of 0. Weights are packed for ic and oc of the calls to
// come. x: n * h * w * ic, weights: oc * kh * kw * (ic / groups), bias: oc, y and residual: n * oh * ow * oc elements.
// A residual lies as y does.
template <conv2d_shape S, class Type, operator_word... E>
struct conv2d {
    static_assert(accuracy_words<E...> <= 1,
                  "hone::conv2d: a workload has one accuracy; name hone::exact or hone::fast");
    static constexpr conv2d_shape shape = S;

    static constexpr hone::definition definition() { return conv2d_definition<E...>(shape, types_of<Type>()); }
    static constexpr signature_text signature()
    {
        return signature_of(shape, types_of<Type>(), {signature_word<E>()...});
    }
};

} // namespace hone::operators

namespace hone { // API
using operators::conv2d, operators::conv2d_shape, operators::signature_of;
} // namespace hone
