// SPDX-License-Identifier: BSL-1.0
// Workloads that the defaults must serve, as shapes: Table 1 of the AutoTVM paper (arXiv 1805.08166), the depthwise
// operators of MobileNet, and square matrix products with the last layer of ResNet-18.
#pragma once

#include <cstdint>
#include <iterator>
#include <utility>

#include <hone/op/conv2d.hpp>
#include <hone/op/epilogue.hpp>
#include <hone/op/gemm.hpp>

namespace hone::test {

// Height and width, channels in and out, kernel, stride; padded so that stride 1 keeps the size.
constexpr conv2d_shape resnet(std::int64_t side, std::int64_t ic, std::int64_t oc, std::int64_t kernel,
                              std::int64_t stride)
{
    return {.h = side,
            .w = side,
            .ic = ic,
            .oc = oc,
            .kh = kernel,
            .kw = kernel,
            .stride = stride,
            .pad = (kernel - 1) / 2};
}
constexpr conv2d_shape depthwise(std::int64_t side, std::int64_t channels, std::int64_t stride)
{
    conv2d_shape s = resnet(side, channels, channels, 3, stride);
    s.groups = channels;
    return s;
}

inline constexpr conv2d_shape resnet18[] = {
    resnet(224, 3, 64, 7, 2),   // C1
    resnet(56, 64, 64, 3, 1),   // C2
    resnet(56, 64, 64, 1, 1),   // C3
    resnet(56, 64, 128, 3, 2),  // C4
    resnet(56, 64, 128, 1, 2),  // C5
    resnet(28, 128, 128, 3, 1), // C6
    resnet(28, 128, 256, 3, 2), // C7
    resnet(28, 128, 256, 1, 2), // C8
    resnet(14, 256, 256, 3, 1), // C9
    resnet(14, 256, 512, 3, 2), // C10
    resnet(14, 256, 512, 1, 2), // C11
    resnet(7, 512, 512, 3, 1),  // C12
};
inline constexpr conv2d_shape mobilenet_depthwise[] = {
    depthwise(112, 32, 1), // D1
    depthwise(112, 64, 2), // D2
    depthwise(56, 128, 1), // D3
    depthwise(56, 128, 2), // D4
    depthwise(28, 256, 1), // D5
    depthwise(28, 256, 2), // D6
    depthwise(14, 512, 1), // D7
    depthwise(14, 512, 2), // D8
    depthwise(7, 1024, 1), // D9
};
inline constexpr gemm_shape products[] = {
    {.m = 1, .n = 1000, .k = 512},
    {.m = 64, .n = 64, .k = 64},
    {.m = 128, .n = 128, .k = 128},
    {.m = 256, .n = 256, .k = 256},
    {.m = 512, .n = 512, .k = 512},
    {.m = 1024, .n = 1024, .k = 1024},
    {.m = extent::up_to(64), .n = 1000, .k = 512},
};

// f(name, index, definition) for each of them, as an engine has them: with a bias and a ReLU.
template <class F>
void for_each_workload(F&& f)
{
    [&]<std::size_t... I>(std::index_sequence<I...>) {
        (f("C", I + 1, conv2d<resnet18[I], f32, bias, relu>::definition()), ...);
    }(std::make_index_sequence<std::size(resnet18)>{});
    [&]<std::size_t... I>(std::index_sequence<I...>) {
        (f("D", I + 1, conv2d<mobilenet_depthwise[I], f32, bias, relu>::definition()), ...);
    }(std::make_index_sequence<std::size(mobilenet_depthwise)>{});
    [&]<std::size_t... I>(std::index_sequence<I...>) {
        (f("gemm", I, gemm<products[I], f32, bias>::definition()), ...);
    }(std::make_index_sequence<std::size(products)>{});
}

} // namespace hone::test
