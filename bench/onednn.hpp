// SPDX-License-Identifier: BSL-1.0
// oneDNN's primitives as benchmarks and the demo ask for them, the same with oneDNN 2, which builds an operation
// descriptor first, and oneDNN 3, which has none.
#pragma once

#include <cstdint>

#include <oneapi/dnnl/dnnl.hpp>
#include <oneapi/dnnl/dnnl_version.h>

namespace onednn {

using dnnl::memory;

inline memory::desc described(const memory::dims& dims, memory::format_tag tag)
{
    return {dims, memory::data_type::f32, tag};
}

inline dnnl::primitive_attr relu_fused()
{
    dnnl::post_ops operations;
#if DNNL_VERSION_MAJOR >= 3
    operations.append_eltwise(dnnl::algorithm::eltwise_relu, 0, 0);
#else
    operations.append_eltwise(1, dnnl::algorithm::eltwise_relu, 0, 0);
#endif
    dnnl::primitive_attr attributes;
    attributes.set_post_ops(operations);
    return attributes;
}

struct convolution_tensors {
    memory::desc x, weights, bias, y;
};

// Of both directions, down and across; dilation as oneDNN counts it, 0 for none.
struct window {
    memory::dims strides, dilations, pads_before, pads_behind;
};

// Throws where oneDNN has no such convolution. A bias that is an empty description is none.
inline dnnl::convolution_forward::primitive_desc convolution(const dnnl::engine& engine, dnnl::algorithm algorithm,
                                                             const convolution_tensors& t, const window& w,
                                                             const dnnl::primitive_attr& attributes)
{
    constexpr auto kind = dnnl::prop_kind::forward_inference;
#if DNNL_VERSION_MAJOR >= 3
    return {engine, kind,      algorithm,   t.x,           t.weights,     t.bias,
            t.y,    w.strides, w.dilations, w.pads_before, w.pads_behind, attributes};
#else
    return {{kind, algorithm, t.x, t.weights, t.bias, t.y, w.strides, w.dilations, w.pads_before, w.pads_behind},
            attributes,
            engine};
#endif
}
// With bias and ReLU; the same stride and padding in both directions.
inline dnnl::convolution_forward::primitive_desc convolution(const dnnl::engine& engine, dnnl::algorithm algorithm,
                                                             const convolution_tensors& t, std::int64_t stride,
                                                             std::int64_t pad)
{
    return convolution(engine, algorithm, t, {{stride, stride}, {0, 0}, {pad, pad}, {pad, pad}}, relu_fused());
}

// A bias that is an empty description is none.
inline dnnl::matmul::primitive_desc product(const dnnl::engine& engine, const memory::desc& x,
                                            const memory::desc& weights, const memory::desc& bias,
                                            const memory::desc& y, const dnnl::primitive_attr& attributes)
{
#if DNNL_VERSION_MAJOR >= 3
    return {engine, x, weights, bias, y, attributes};
#else
    return {{x, weights, bias, y}, attributes, engine};
#endif
}
inline dnnl::matmul::primitive_desc product(const dnnl::engine& engine, const memory::desc& x,
                                            const memory::desc& weights, const memory::desc& y)
{
#if DNNL_VERSION_MAJOR >= 3
    return {engine, x, weights, y};
#else
    return {{x, weights, y}, engine};
#endif
}

// Of rows; in the order of dimensions of x.
inline dnnl::softmax_forward::primitive_desc softmax(const dnnl::engine& engine, const memory::desc& x)
{
    constexpr auto kind = dnnl::prop_kind::forward_inference;
#if DNNL_VERSION_MAJOR >= 3
    return {engine, kind, dnnl::algorithm::softmax_accurate, x, x, 1};
#else
    return {{kind, x, 1}, engine};
#endif
}

inline dnnl::primitive log_softmax(const dnnl::engine& engine, const memory::desc& x)
{
    constexpr auto kind = dnnl::prop_kind::forward_inference;
#if DNNL_VERSION_MAJOR >= 3
    return dnnl::softmax_forward({engine, kind, dnnl::algorithm::softmax_log, x, x, 1});
#else
    return dnnl::logsoftmax_forward({{kind, x, 1}, engine});
#endif
}

// With a scale and a shift for each element of a row.
inline dnnl::layer_normalization_forward::primitive_desc layer_norm(const dnnl::engine& engine, const memory::desc& x,
                                                                    float epsilon)
{
    constexpr auto kind = dnnl::prop_kind::forward_inference;
    const auto flags = dnnl::normalization_flags::use_scale | dnnl::normalization_flags::use_shift;
#if DNNL_VERSION_MAJOR >= 3
    return {engine, kind, x, x, epsilon, flags};
#else
    return {{kind, x, epsilon, flags}, engine};
#endif
}

struct cell_tensors {
    memory::desc x, h, c, weights, recurrent, bias;
};

// One step of one layer; x, h and c are of one time step, and what comes of them is like h and c.
inline dnnl::lstm_forward::primitive_desc lstm(const dnnl::engine& engine, const cell_tensors& t)
{
    constexpr auto kind = dnnl::prop_kind::forward_inference;
    constexpr auto direction = dnnl::rnn_direction::unidirectional_left2right;
    const memory::desc y = described({1, t.h.dims()[2], t.h.dims()[3]}, memory::format_tag::tnc);
#if DNNL_VERSION_MAJOR >= 3
    return {engine, kind, direction, t.x, t.h, t.c, t.weights, t.recurrent, t.bias, y, t.h, t.c};
#else
    return {{kind, direction, t.x, t.h, t.c, t.weights, t.recurrent, t.bias, y, t.h, t.c}, engine};
#endif
}

} // namespace onednn
