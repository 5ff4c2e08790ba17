// SPDX-License-Identifier: BSL-1.0
// Shapes of the workloads: a header of another library, which wants a definition.
#pragma once

#include <hone/op/conv2d.hpp>
#include <hone/op/gemm.hpp>

namespace project {

inline constexpr hone::conv2d_shape conv_shape{
    .h = 9, .w = 11, .ic = 5, .oc = 35, .kh = 3, .kw = 3, .pad = PROJECT_PAD};
inline constexpr hone::gemm_shape product_shape{.m = 9, .n = 37, .k = 14};

} // namespace project
