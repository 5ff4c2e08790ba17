// SPDX-License-Identifier: BSL-1.0
// Layers whose weights are of 16 bits.
#pragma once

#include <hone/op/conv2d.hpp>
#include <hone/op/conv2d_transposed.hpp>
#include <hone/op/gemm.hpp>

namespace halves {

struct product : hone::gemm<hone::gemm_shape{.m = 5, .n = 43, .k = 24}, hone::types<hone::f16>, hone::bias> {};
struct layer : hone::conv2d<hone::conv2d_shape{.h = 9, .w = 8, .ic = 5, .oc = 21, .kh = 3, .kw = 3, .pad = 1},
                            hone::types<hone::f16, hone::f32>, hone::bias, hone::relu> {};
inline constexpr hone::conv2d_transposed_shape doubled{
    .h = 7, .w = 8, .ic = 5, .oc = 21, .kh = 3, .kw = 4, .stride = 2, .pad = 1};
struct upsampled : hone::conv2d_transposed<doubled, hone::types<hone::f16>, hone::bias> {};

} // namespace halves
