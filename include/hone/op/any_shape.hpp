// SPDX-License-Identifier: BSL-1.0
// Workloads of which each call gives all: one kernel for the products with weights and one for the convolutions of NHWC
// images, in one group, in several or depthwise, with the same epilogues, up to the extents below. They are listed
// beside the layers that an engine knows:
//
//     struct any_layer : hone::any_conv2d<hone::f32, hone::bias, hone::relu> {};
//     using layers = hone::workloads<c2, fc, any_layer>;
//
// find_in_range() takes the kernel of a shape that is listed, and else one of these.
#pragma once

#include <cstdint>

#include <hone/op/conv2d.hpp>
#include <hone/op/gemm.hpp>
#include <hone/op/operator.hpp>

#ifndef HONE_SHOW_WARNINGS // see core/config.hpp
#pragma GCC system_header
#endif

namespace hone::operators {

// The largest of each extent, and what a tuner measures.
inline constexpr extent any_images = extent::up_to(32).typically(1);
inline constexpr extent any_side = extent::up_to(2048).typically(28);
inline constexpr extent any_channels = extent::up_to(4096).typically(128);
// More are of one channel each, in x and y: the convolution is depthwise.
inline constexpr extent any_groups = extent::up_to(2048).typically(8);
inline constexpr extent any_rows = extent::up_to(1 << 18).typically(128);
inline constexpr extent any_columns = extent::up_to(1 << 18).typically(1024);
inline constexpr std::int64_t most_taps = 31;

inline constexpr gemm_shape any_gemm_shape{.m = any_rows, .n = any_columns, .k = any_columns};
inline constexpr conv2d_shape any_conv2d_shape{.n = any_images,
                                               .h = any_side,
                                               .w = any_side,
                                               .ic = any_channels,
                                               .oc = any_channels,
                                               .kh = most_taps,
                                               .kw = most_taps,
                                               .window_at_call = true};
inline constexpr conv2d_shape any_grouped_conv2d_shape{.n = any_images,
                                                       .h = any_side,
                                                       .w = any_side,
                                                       .ic = any_channels,
                                                       .oc = any_channels,
                                                       .kh = most_taps,
                                                       .kw = most_taps,
                                                       .groups = any_groups,
                                                       .window_at_call = true};
inline constexpr conv2d_shape any_depthwise_shape{.n = any_images,
                                                  .h = any_side,
                                                  .w = any_side,
                                                  .ic = any_channels,
                                                  .oc = any_channels,
                                                  .kh = most_taps,
                                                  .kw = most_taps,
                                                  .groups = any_channels,
                                                  .window_at_call = true};

// Parameters of a call: m, n, k.
template <class Type, operator_word... E>
struct any_gemm : gemm<any_gemm_shape, Type, E...> {};
// Parameters of a call: n, h, w, ic, oc, kh, kw, stride_h, stride_w, pad_top, pad_left, pad_bottom, pad_right,
// dilation_h, dilation_w.
template <class Type, operator_word... E>
struct any_conv2d : conv2d<any_conv2d_shape, Type, E...> {};
// The same, and groups behind them, which divide ic and oc: 1, ic with a multiple of outputs, or any number between.
// Layers of ResNet-50, in one group, take as long as with any_conv2d; small ones up to 1.4 times that: on a Zen 4 16
// channels of 8x8 pixels by 1x1 1.2 us instead of 0.85.
template <class Type, operator_word... E>
struct any_grouped_conv2d : conv2d<any_grouped_conv2d_shape, Type, E...> {};
// That of any_conv2d with as many groups as channels, which are ic; oc is none of them.
template <class Type, operator_word... E>
struct any_depthwise : conv2d<any_depthwise_shape, Type, E...> {};

} // namespace hone::operators

namespace hone { // API
using operators::any_conv2d, operators::any_depthwise, operators::any_gemm, operators::any_grouped_conv2d;
} // namespace hone
