// SPDX-License-Identifier: BSL-1.0
// Layers of networks, each with the default kernel of exactly its shape: half a second of the compiler each.
#pragma once

#include <cstddef>
#include <cstdint>
#include <iterator>
#include <utility>
#include <vector>

#include <hone/cpu/kernel.hpp>
#include <hone/op/conv2d.hpp>

#include "../kernel_peer.hpp"

namespace bench::any_shape {

template <hone::conv2d_shape Shape>
struct convolution : hone::conv2d<Shape, hone::f32, hone::bias, hone::relu> {};

struct named_shape {
    const char* name;
    hone::conv2d_shape shape;
};
// Square images and windows, which keep the size of the image but for the stride.
constexpr hone::conv2d_shape dense(std::int64_t size, std::int64_t ic, std::int64_t oc, std::int64_t kernel = 1,
                                   std::int64_t stride = 1)
{
    return {.h = size, .w = size, .ic = ic, .oc = oc, .kh = kernel, .kw = kernel, .stride = stride, .pad = kernel / 2};
}
constexpr hone::conv2d_shape grouped(std::int64_t size, std::int64_t ic, std::int64_t oc, std::int64_t groups,
                                     std::int64_t kernel = 1, std::int64_t stride = 1)
{
    hone::conv2d_shape s = dense(size, ic, oc, kernel, stride);
    s.groups = groups;
    return s;
}
constexpr hone::conv2d_shape depthwise(std::int64_t size, std::int64_t channels, std::int64_t stride = 1)
{
    return grouped(size, channels, channels, channels, 3, stride);
}

struct layer {
    const char* name;
    hone::conv2d_shape shape;
    kernel_functions exact;
};
template <const auto& Shapes>
std::vector<layer> with_kernels()
{
    return []<std::size_t... I>(std::index_sequence<I...>) {
        return std::vector<layer>{{Shapes[I].name, Shapes[I].shape,
                                   functions_of<hone::kernel<convolution<Shapes[I].shape>>>("exact shape")}...};
    }(std::make_index_sequence<std::size(Shapes)>{});
}

// With bias and ReLU throughout, each shape once.
std::vector<layer> resnet50();
std::vector<layer> mobilenet_v2();
std::vector<layer> in_groups();

} // namespace bench::any_shape
