// SPDX-License-Identifier: BSL-1.0
// The workloads of the engine, as types: the convolutions of ResNet-18 for one image, each with bias and ReLU, as table
// 1 of "Learning to Optimize Tensor Programs" numbers them, and three matrix products.
#pragma once

#include <cstdint>

#include <hone/op/conv2d.hpp>
#include <hone/op/gemm.hpp>
#include <hone/op/workloads.hpp>

namespace resnet18 {

constexpr hone::conv2d_shape layer(std::int64_t size, std::int64_t ic, std::int64_t oc, std::int64_t kernel,
                                   std::int64_t stride)
{
    return {.h = size, .w = size, .ic = ic, .oc = oc, .kh = kernel, .kw = kernel, .stride = stride, .pad = kernel / 2};
}
constexpr hone::gemm_shape square(std::int64_t size) { return {.m = size, .n = size, .k = size}; }

struct c1 : hone::conv2d<layer(224, 3, 64, 7, 2), hone::f32, hone::bias, hone::relu> {};
struct c2 : hone::conv2d<layer(56, 64, 64, 3, 1), hone::f32, hone::bias, hone::relu> {};
struct c3 : hone::conv2d<layer(56, 64, 64, 1, 1), hone::f32, hone::bias, hone::relu> {};
struct c4 : hone::conv2d<layer(56, 64, 128, 3, 2), hone::f32, hone::bias, hone::relu> {};
struct c5 : hone::conv2d<layer(56, 64, 128, 1, 2), hone::f32, hone::bias, hone::relu> {};
struct c6 : hone::conv2d<layer(28, 128, 128, 3, 1), hone::f32, hone::bias, hone::relu> {};
struct c7 : hone::conv2d<layer(28, 128, 256, 3, 2), hone::f32, hone::bias, hone::relu> {};
struct c8 : hone::conv2d<layer(28, 128, 256, 1, 2), hone::f32, hone::bias, hone::relu> {};
struct c9 : hone::conv2d<layer(14, 256, 256, 3, 1), hone::f32, hone::bias, hone::relu> {};
struct c10 : hone::conv2d<layer(14, 256, 512, 3, 2), hone::f32, hone::bias, hone::relu> {};
struct c11 : hone::conv2d<layer(14, 256, 512, 1, 2), hone::f32, hone::bias, hone::relu> {};
struct c12 : hone::conv2d<layer(7, 512, 512, 3, 1), hone::f32, hone::bias, hone::relu> {};

struct gemm_64 : hone::gemm<square(64), hone::f32> {};
struct gemm_512 : hone::gemm<square(512), hone::f32> {};
struct gemm_1024 : hone::gemm<square(1024), hone::f32> {};

using layers = hone::workloads<c1, c2, c3, c4, c5, c6, c7, c8, c9, c10, c11, c12, gemm_64, gemm_512, gemm_1024>;
inline constexpr const char* names[] = {"c1", "c2",  "c3",  "c4",  "c5",      "c6",       "c7",       "c8",
                                        "c9", "c10", "c11", "c12", "gemm_64", "gemm_512", "gemm_1024"};

} // namespace resnet18
