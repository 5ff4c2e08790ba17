// SPDX-License-Identifier: BSL-1.0
// An operator and an epilogue that hone does not ship, in one file: a 1-D convolution followed by hard-swish. Nothing
// else is needed for it to be scheduled, tuned and run on the CPU and on Vulkan.
#pragma once

#include <cstdint>

#include <hone/hone.hpp>

namespace audio {

// x * clamp(x + 3, 0, 6) / 6
struct hard_swish {
    static constexpr const char* name = "hard_swish";
    static constexpr hone::expr apply(const hone::expr& acc)
    {
        return acc * hone::ex::min(hone::ex::max(acc + 3.0f, 0.0f), 6.0f) / 6.0f;
    }
};

struct conv1d_shape {
    std::int64_t length = 1;
    std::int64_t ic = 1;
    std::int64_t oc = 1;
    std::int64_t taps = 1;
    std::int64_t stride = 1;
    std::int64_t pad = 0;

    constexpr std::int64_t out() const { return (length + 2 * pad - taps) / stride + 1; }
};

// y[t][o] = epilogue(sum over tap, i of x[t * stride + tap - pad][i] * weights[tap][i][o])
template <conv1d_shape S, hone::operator_word... E>
struct conv1d {
    static constexpr conv1d_shape shape = S;
    enum axes : int { t, o, tap, i };

    static constexpr hone::definition definition()
    {
        hone::definition d;
        hone::tensor x{.name = "x", .role = hone::role::input};
        x.dims.push_back({.extent = S.length});
        x.dims.push_back({.extent = S.ic});
        hone::tensor weights{.name = "weights", .role = hone::role::weights};
        weights.dims.push_back({.extent = S.taps});
        weights.dims.push_back({.extent = S.ic});
        weights.dims.push_back({.extent = S.oc});
        hone::tensor y{.name = "y", .role = hone::role::output};
        y.dims.push_back({.extent = S.out()});
        y.dims.push_back({.extent = S.oc});
        for (hone::tensor* tensor : {&x, &weights, &y}) {
            hone::set_dense(*tensor);
            d.tensors.push_back(*tensor);
        }

        hone::stage s;
        s.name = "conv1d";
        s.axes.push_back({"t", S.out()});
        s.axes.push_back({"o", S.oc});
        s.axes.push_back({"tap", S.taps, true});
        s.axes.push_back({"i", S.ic, true});
        hone::operand read_x{.tensor = 0, .may_leave = S.pad > 0};
        read_x.index.push_back(hone::along(t, static_cast<int>(S.stride), tap, 1, static_cast<int>(-S.pad)));
        read_x.index.push_back(hone::along(i));
        hone::operand read_weights{.tensor = 1};
        for (int axis : {tap, i, o}) read_weights.index.push_back(hone::along(axis));
        s.operands.push_back(read_x);
        s.operands.push_back(read_weights);
        s.output.tensor = 2;
        for (int axis : {t, o}) s.output.index.push_back(hone::along(axis));
        s.reduce = hone::reduction::add;
        s.body = hone::ex::load(0) * hone::ex::load(1);
        d.stages.push_back(s);

        hone::tensor bias;
        bias.dims.push_back({.extent = S.oc});
        hone::operand bias_index;
        bias_index.index.push_back(hone::along(o));
        (hone::add_epilogue<E>(d, 0, bias, bias_index), ...);
        return d;
    }

    static constexpr hone::signature_text signature()
    {
        hone::signature_text text;
        text.word("conv1d").field("l", S.length).field("ic", S.ic).field("oc", S.oc).field("k", S.taps);
        text.field("s", S.stride).field("p", S.pad);
        (text.word(hone::signature_word<E>()), ...);
        return text;
    }
};

// The workload of the example and of its tests.
struct speech : conv1d<conv1d_shape{.length = 301, .ic = 40, .oc = 72, .taps = 5, .stride = 2, .pad = 2}, hone::bias,
                       hard_swish> {};

} // namespace audio
