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

// With bias and ReLU; the same stride and padding in both directions. Throws where oneDNN has no such convolution.
inline dnnl::convolution_forward::primitive_desc convolution(const dnnl::engine& engine, dnnl::algorithm algorithm,
                                                             const convolution_tensors& t, std::int64_t stride,
                                                             std::int64_t pad)
{
    constexpr auto kind = dnnl::prop_kind::forward_inference;
    const memory::dims strides{stride, stride};
    const memory::dims pads{pad, pad};
#if DNNL_VERSION_MAJOR >= 3
    return {engine, kind, algorithm, t.x, t.weights, t.bias, t.y, strides, pads, pads, relu_fused()};
#else
    return {{kind, algorithm, t.x, t.weights, t.bias, t.y, strides, pads, pads}, relu_fused(), engine};
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

} // namespace onednn
