// SPDX-License-Identifier: BSL-1.0
// Two-dimensional convolution (cross-correlation, as frameworks count it), with stride, padding, dilation and groups;
// depthwise where groups == ic == oc. Activations NHWC with weights OHWI, or NCHW with weights OIHW.
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

enum class layout : std::uint8_t { nhwc, nchw };

struct conv2d_shape {
    std::int64_t n = 1;
    std::int64_t h = 1;
    std::int64_t w = 1;
    std::int64_t ic = 1;
    std::int64_t oc = 1;
    std::int64_t kh = 1;
    std::int64_t kw = 1;
    std::int64_t stride = 1;
    std::int64_t pad = 0;
    std::int64_t dilation = 1;
    std::int64_t groups = 1;
    hone::layout layout = hone::layout::nhwc;

    constexpr std::int64_t oh() const { return (h + 2 * pad - dilation * (kh - 1) - 1) / stride + 1; }
    constexpr std::int64_t ow() const { return (w + 2 * pad - dilation * (kw - 1) - 1) / stride + 1; }
    constexpr status check() const
    {
        for (std::int64_t e : {n, h, w, ic, oc, kh, kw, stride, dilation, groups})
            if (e < 1) return {fault::extent_zero, 1, e, "conv2d"};
        if (ic % groups != 0) return {fault::shape_mismatch, groups, ic, "conv2d: ic"};
        if (oc % groups != 0) return {fault::shape_mismatch, groups, oc, "conv2d: oc"};
        if (pad < 0) return {fault::shape_mismatch, 0, pad, "conv2d: pad"};
        if (h + 2 * pad < dilation * (kh - 1) + 1)
            return {fault::shape_mismatch, dilation * (kh - 1) + 1, h, "conv2d: h"};
        if (w + 2 * pad < dilation * (kw - 1) + 1)
            return {fault::shape_mismatch, dilation * (kw - 1) + 1, w, "conv2d: w"};
        return {};
    }
};

// As conv2d<...>::signature(), for shapes that are known when a model is loaded; the epilogue by its names, in order.
constexpr signature_text signature_of(const conv2d_shape& s, dtype type,
                                      std::initializer_list<const char*> epilogue = {})
{
    signature_text t;
    t.word("conv2d").field("n", s.n).field("h", s.h).field("w", s.w).field("ic", s.ic).field("oc", s.oc);
    t.field("kh", s.kh).field("kw", s.kw).field("s", s.stride).field("p", s.pad).field("d", s.dilation);
    t.field("g", s.groups).word(s.layout == layout::nhwc ? "nhwc" : "nchw").word(name_of(type));
    for (const char* name : epilogue) t.word(name);
    return t;
}

// The tensors of a convolution with its channels as (group, channel in the group).
struct conv2d_tensors {
    tensor x, weights, bias, y;
};
constexpr conv2d_tensors tensors_of(const conv2d_shape& s, dtype type)
{
    const std::int64_t icg = s.ic / s.groups;
    const std::int64_t ocg = s.oc / s.groups;
    const auto activation = [&](const char* name, hone::role role, std::int64_t h, std::int64_t w, std::int64_t c) {
        const bool nhwc = s.layout == layout::nhwc;
        const std::int64_t channel = nhwc ? 1 : h * w;
        const std::int64_t column = nhwc ? s.groups * c : 1;
        tensor t{.name = name, .type = type, .role = role};
        t.dims.push_back({.extent = s.n, .stride = h * w * s.groups * c});
        t.dims.push_back({.extent = h, .stride = w * column});
        t.dims.push_back({.extent = w, .stride = column});
        t.dims.push_back({.extent = s.groups, .stride = c * channel});
        t.dims.push_back({.extent = c, .stride = channel});
        return t;
    };
    const bool ohwi = s.layout == layout::nhwc;
    conv2d_tensors t;
    t.x = activation("x", role::input, s.h, s.w, icg);
    t.y = activation("y", role::output, s.oh(), s.ow(), ocg);
    t.weights = {.name = "weights", .type = type, .role = role::weights};
    t.weights.dims.push_back({.extent = s.groups, .stride = ocg * s.kh * s.kw * icg});
    t.weights.dims.push_back({.extent = ocg, .stride = s.kh * s.kw * icg});
    t.weights.dims.push_back({.extent = s.kh, .stride = s.kw * (ohwi ? icg : 1)});
    t.weights.dims.push_back({.extent = s.kw, .stride = ohwi ? icg : 1});
    t.weights.dims.push_back({.extent = icg, .stride = ohwi ? 1 : s.kh * s.kw});
    t.bias = {.name = "bias", .type = type, .role = role::bias};
    t.bias.dims.push_back({.extent = s.groups, .stride = ocg});
    t.bias.dims.push_back({.extent = ocg});
    return t;
}

// x: n * h * w * ic, weights: oc * kh * kw * (ic / groups), bias: oc, y and residual: n * oh * ow * oc elements.
template <conv2d_shape S, class Type, epilogue... E>
struct conv2d {
    static constexpr conv2d_shape shape = S;

    enum axes : int { n, g, oh, ow, oc, kh, kw, ic };

    static constexpr hone::definition definition()
    {
        hone::definition d;
        d.found = S.check();
        if (!d.found.ok()) return d;
        const conv2d_tensors t = tensors_of(S, Type::value);
        d.tensors.push_back(t.x);
        d.tensors.push_back(t.weights);
        d.tensors.push_back(t.y);

        constexpr int stride = static_cast<int>(S.stride);
        constexpr int dilation = static_cast<int>(S.dilation);
        constexpr int pad = static_cast<int>(S.pad);
        stage s;
        s.name = "conv2d";
        s.axes.push_back({"n", S.n});
        s.axes.push_back({"g", S.groups});
        s.axes.push_back({"oh", S.oh()});
        s.axes.push_back({"ow", S.ow()});
        s.axes.push_back({"oc", S.oc / S.groups});
        s.axes.push_back({"kh", S.kh, true});
        s.axes.push_back({"kw", S.kw, true});
        s.axes.push_back({"ic", S.ic / S.groups, true});
        operand x{.tensor = 0, .zero_outside = S.pad > 0};
        x.index.push_back(along(n));
        x.index.push_back(along(oh, stride, kh, dilation, -pad));
        x.index.push_back(along(ow, stride, kw, dilation, -pad));
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

    static constexpr signature_text signature() { return signature_of(S, Type::value, {E::name...}); }
};

} // namespace hone
