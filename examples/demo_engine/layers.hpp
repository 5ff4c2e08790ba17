// SPDX-License-Identifier: BSL-1.0
// The workloads of the demo engine, as types: three layers of ResNet-18 (batch 1) and two matrix products.
#pragma once

#include <hone/op/conv2d.hpp>
#include <hone/op/gemm.hpp>

namespace demo {

struct c2
    : hone::conv2d<hone::conv2d_shape{.h = 56, .w = 56, .ic = 64, .oc = 64, .kh = 3, .kw = 3, .stride = 1, .pad = 1},
                   hone::f32, hone::bias, hone::relu> {};
struct c3 : hone::conv2d<hone::conv2d_shape{.h = 56, .w = 56, .ic = 64, .oc = 64}, hone::f32, hone::bias, hone::relu> {
};
struct c8 : hone::conv2d<hone::conv2d_shape{.h = 28, .w = 28, .ic = 128, .oc = 256, .stride = 2}, hone::f32, hone::bias,
                         hone::relu> {};
struct c9
    : hone::conv2d<hone::conv2d_shape{.h = 14, .w = 14, .ic = 256, .oc = 256, .kh = 3, .kw = 3, .stride = 1, .pad = 1},
                   hone::f32, hone::bias, hone::relu> {};
struct gemm_256 : hone::gemm<hone::gemm_shape{.m = 256, .n = 256, .k = 256}, hone::f32> {};
struct gemm_512 : hone::gemm<hone::gemm_shape{.m = 512, .n = 512, .k = 512}, hone::f32> {};

} // namespace demo
