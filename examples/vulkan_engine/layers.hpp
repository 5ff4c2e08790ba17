// SPDX-License-Identifier: BSL-1.0
// The two layers of the engine, as types: a 3 x 3 convolution, and the 1 x 1 convolution that reads its result.
#pragma once

#include <hone/op/conv2d.hpp>
#include <hone/op/workloads.hpp>

namespace engine {

struct spatial : hone::conv2d<hone::conv2d_shape{.h = 28, .w = 28, .ic = 32, .oc = 64, .kh = 3, .kw = 3, .pad = 1},
                              hone::f32, hone::bias, hone::relu> {};
struct pointwise
    : hone::conv2d<hone::conv2d_shape{.h = 28, .w = 28, .ic = 64, .oc = 96}, hone::f32, hone::bias, hone::relu> {};

using layers = hone::workloads<spatial, pointwise>;

} // namespace engine
