// SPDX-License-Identifier: BSL-1.0
// The workloads of the engine, as types.
#pragma once

#include <hone/op/conv2d.hpp>
#include <hone/op/gemm.hpp>
#include <hone/op/workloads.hpp>

namespace my {

struct conv : hone::conv2d<hone::conv2d_shape{.h = 14, .w = 14, .ic = 256, .oc = 256, .kh = 3, .kw = 3, .pad = 1},
                           hone::f32, hone::bias, hone::relu> {};
struct product : hone::gemm<hone::gemm_shape{.m = 64, .n = 256, .k = 256}, hone::f32, hone::bias> {};

using layers = hone::workloads<conv, product>;

} // namespace my
