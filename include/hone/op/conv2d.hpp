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
    // Channels of all groups: also as many as each call gives, of NHWC. Where it gives the number of groups, it gives
    // ic and oc, too, which these divide; of a depthwise convolution ic, oc and groups are one extent, given once.
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
    bool window_at_call = false; // whether each call gives kh, kw, strides, paddings and dilations, as it gives h and w

    constexpr image_window window() const { return window_of(*this); }
    // The most channels of a group, of so many in all; and whether these are one extent, with the groups of the call.
    constexpr std::int64_t of_group(std::int64_t all) const
    {
        return groups.at_call && !is_each() ? all : all / groups;
    }
    constexpr bool is_each() const { return groups.at_call && ic.value == groups.value && oc.value == groups.value; }
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
        if ((ic.at_call || oc.at_call || groups.at_call) && layout != layout::nhwc)
            return {fault::channels_at_call, 0, 0, "conv2d: layout"};
        if (groups.at_call && !(ic.at_call && oc.at_call))
            return {fault::channels_at_call, ic.at_call ? oc.value : ic.value, groups, "conv2d: groups"};
        if (!groups.at_call && ic % groups != 0) return {fault::shape_mismatch, groups, ic, "conv2d: ic"};
        if (!groups.at_call && oc % groups != 0) return {fault::shape_mismatch, groups, oc, "conv2d: oc"};
        constexpr window_subjects subjects{"conv2d", "conv2d: pad", "conv2d: window", "conv2d: h", "conv2d: w"};
        status found = check_open_window(*this, "conv2d: layout", "conv2d: h, w", "conv2d: stride, pad, dilation");
        if (found.ok()) found = window_at_call ? check_numbers(*this, subjects) : check_window(*this, subjects);
        if (!found.ok()) return found;
        // Schedules may copy the image with its padding.
        const std::int64_t image = saturated_product(n, h + v.pad_top + v.pad_bottom, w + v.pad_left + v.pad_right, ic);
        if (image > most_elements) return {fault::extent_too_large, most_elements, image, "conv2d: x"};
        const std::int64_t outputs = saturated_product(n, oh(), ow(), oc);
        if (outputs > most_elements) return {fault::extent_too_large, most_elements, outputs, "conv2d: y"};
        const std::int64_t weights = saturated_product(oc, kh, kw, of_group(ic));
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
    s.is_each() ? t.word("oc=ic") : t.field(s.oc.at_call ? "oc<=" : "oc", s.oc.value);
    t.field(s.window_at_call ? "kh<=" : "kh", s.kh).field(s.window_at_call ? "kw<=" : "kw", s.kw);
    if (s.window_at_call)
        t.word("s").word("p").word("d");
    else
        add_window(t, s.window());
    s.is_each() ? t.word("g=ic") : t.field(s.groups.at_call ? "g<=" : "g", s.groups.value);
    t.word(name_of(s.layout));
    add_views(t, s);
    add_types(t, type);
    for (const char* name : epilogue) t.word(name);
    return t;
}

// Channels of a group, and groups, which are the channels of a depthwise convolution. What weights have of a call: kw *
// ic, kh * kw * ic and oc * kh * kw * ic of a group, as far as it gives them.
struct conv2d_parameters : window_parameters {
    std::int16_t ic = -1, oc = -1, groups = -1, tap_rows = -1, taps = -1, weights = -1;
};
constexpr conv2d_parameters parameters_of(const conv2d_shape& s)
{
    conv2d_parameters p;
    p.add_image(s);
    const std::int64_t known = s.groups.at_call ? 1 : s.groups.value; // of the groups
    const std::int16_t ic = p.open(s.ic, "ic", known), oc = s.is_each() ? ic : p.open(s.oc, "oc", known);
    p.add_window(s);
    p.groups = s.is_each() ? ic : p.open(s.groups, "groups");
    const auto share = [&](std::int16_t all, const char* name) {
        if (all < 0 || s.groups == 1) return all;
        parameter own = quotient_of(p.all, name, all, 0, known);
        own.groups = p.groups;
        own.is_share = true;
        return s.is_each() ? std::int16_t{-1} : p.add(own);
    };
    p.ic = share(ic, "ic / groups");
    p.oc = share(oc, "oc / groups");
    p.x.c = p.times(p.groups, p.ic, "pixel"); // but for groups that are known
    p.y.c = p.times(p.groups, p.oc, "pixel of y");
    p.count_windows(s);
    p.add_distances();
    p.tap_rows = p.times(p.across.taps, p.ic, "kw * ic");
    p.taps = p.times(p.down.taps, p.tap_rows, "kh * kw * ic");
    if (s.groups > 1) p.weights = p.times(p.oc, p.taps, "oc * kh * kw * ic");
    if (p.groups >= 0 && p.oc >= 0) p.times(p.groups, p.taps, "block"); // of packed weights
    return p;
}

// The tensors of a convolution with its channels as (group, channel in the group).
struct conv2d_tensors {
    tensor x, weights, bias, y;
};
constexpr conv2d_tensors tensors_of(const conv2d_shape& s, operand_types type, const conv2d_parameters& open)
{
    const std::int64_t icg = s.of_group(s.ic), ocg = s.of_group(s.oc);
    const bool nhwc = s.layout == layout::nhwc;
    const auto add = [](tensor& to, std::int64_t extent, std::int16_t parameter, std::int64_t stride, std::int16_t by) {
        to.dims.push_back({.extent = extent, .stride = stride, .extent_parameter = parameter, .stride_parameter = by});
    };
    // What the call does not give.
    const std::int64_t ic = open.ic < 0 ? icg : 1, oc = open.oc < 0 || s.groups == 1 ? ocg : 1;
    const std::int64_t kh = s.window_at_call ? 1 : s.kh, kw = s.window_at_call ? 1 : s.kw;
    const std::int64_t groups = s.groups.at_call ? 1 : s.groups.value;
    // Distances of groups: `channels` is the parameter of those of a group.
    const auto add_groups = [&](tensor& to, std::int64_t stride, std::int16_t channels, std::int16_t by) {
        add(to, s.groups, open.groups, stride, s.groups > 1 && channels >= 0 ? channels : by);
    };
    const auto activation = [&](const char* name, hone::role role, std::int64_t h, std::int64_t w, std::int64_t most,
                                std::int16_t channels, const image_parameters& p) {
        const std::int64_t c = channels < 0 ? most : 1, all = groups * c;
        const std::int64_t row = p.w < 0 ? w : 1, pixels = (p.h < 0 ? h : 1) * row;
        const std::int64_t channel = nhwc ? 1 : pixels, column = nhwc ? all : 1;
        const std::int16_t by = nhwc ? std::int16_t{-1} : p.image;
        tensor t{.name = name, .type = type.others, .role = role};
        add(t, s.n.value, open.n, pixels * all, p.image);
        add(t, h, p.h, row * column, p.row);
        add(t, w, p.w, column, p.c);
        add_groups(t, c * channel, channels, by);
        add(t, most, channels, channel, by);
        return t;
    };
    conv2d_tensors t;
    t.x = activation("x", role::input, s.h, s.w, icg, open.ic, open.x);
    t.y = activation("y", role::output, s.oh(), s.ow(), ocg, open.oc, open.y);
    t.weights = {.name = "weights", .type = type.weights, .role = role::weights};
    add(t.weights, s.groups, open.groups, oc * kh * kw * ic, open.weights);
    add(t.weights, ocg, open.oc, kh * kw * ic, open.taps);
    add(t.weights, s.kh, open.down.taps, kw * (nhwc ? ic : 1), open.tap_rows);
    add(t.weights, s.kw, open.across.taps, nhwc ? ic : 1, open.ic);
    add(t.weights, icg, open.ic, nhwc ? 1 : kh * kw, -1);
    t.bias = {.name = "bias", .type = type.others, .role = role::bias};
    add_groups(t.bias, oc, open.oc, -1);
    add(t.bias, ocg, open.oc, 1, -1);
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
    s.axes.push_back({"oc", shape.of_group(shape.oc), false, open.oc});
    s.axes.push_back({"kh", shape.kh, true, open.down.taps});
    s.axes.push_back({"kw", shape.kw, true, open.across.taps});
    s.axes.push_back({"ic", shape.of_group(shape.ic), true, open.ic});
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
// of the call, then groups, and behind them the distances of x and y. No images or outputs are no work; an h or w whose
// padded image holds no window is out of range, 0 among them, and so is an ic of 0. ic or oc that groups do not divide
// are a shape_mismatch. Weights are packed for ic, oc and groups of the calls to come. x: n * h * w * ic, weights: oc *
// kh * kw * (ic / groups), bias: oc, y and residual: n * oh * ow * oc elements. A residual lies as y does.
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
