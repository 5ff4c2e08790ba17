// SPDX-License-Identifier: BSL-1.0
// Transposed convolutions of which each call gives all: one kernel for NHWC images, whatever window and stride a layer
// has, with the same epilogues, up to the extents below. It is listed beside the layers that an engine knows:
//
//     struct any_upsampling : hone::any_conv2d_transposed<hone::f32, hone::bias, hone::relu> {};
//     using layers = hone::workloads<up1, any_upsampling>;
//
// find_in_range() takes the kernel of a shape that is listed, and else this one.
#pragma once

#include <hone/op/any_shape.hpp>
#include <hone/op/conv2d_transposed.hpp>
#include <hone/op/operator.hpp>

#ifndef HONE_SHOW_WARNINGS // see core/config.hpp
#pragma GCC system_header
#endif

namespace hone::operators {

// Fewer images than of other layers: y may be twice as large as x in each direction.
inline constexpr conv2d_transposed_shape any_conv2d_transposed_shape{.n = extent::up_to(8).typically(1),
                                                                     .h = any_side,
                                                                     .w = any_side,
                                                                     .ic = any_channels,
                                                                     .oc = any_channels,
                                                                     .kh = most_taps,
                                                                     .kw = most_taps,
                                                                     .window_at_call = true,
                                                                     .most_outputs = 4096};

// Parameters of a call: n, h, w, ic, oc, kh, kw, stride_h, stride_w, pad_top, pad_left, oh, ow.
template <class Type, operator_word... E>
struct any_conv2d_transposed : conv2d_transposed<any_conv2d_transposed_shape, Type, E...> {};

} // namespace hone::operators

namespace hone { // API
using operators::any_conv2d_transposed;
} // namespace hone
