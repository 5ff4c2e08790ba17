// SPDX-License-Identifier: BSL-1.0
// Pools of which each call gives all: one kernel for the maxima of NHWC images and one for their means, whatever window
// a layer has, and those of whole images, with the same epilogues, up to the extents of op/any_shape.hpp. They are
// listed beside the layers that an engine knows:
//
//     struct any_max : hone::any_max_pool<hone::f32> {};
//     struct any_mean : hone::any_average_pool<hone::f32> {};
//     struct any_global_mean : hone::any_global_average_pool<hone::f32> {};
//     using layers = hone::workloads<stem, any_max, any_mean, any_global_mean>;
//
// find_in_range() takes the kernel of a shape that is listed, and else one of these.
#pragma once

#include <hone/op/any_shape.hpp>
#include <hone/op/image_shape.hpp>
#include <hone/op/operator.hpp>
#include <hone/op/pool.hpp>

#ifndef HONE_SHOW_WARNINGS // see core/config.hpp
#pragma GCC system_header
#endif

namespace hone::operators {

inline constexpr pool_shape any_pool_shape{.n = any_images,
                                           .h = any_side,
                                           .w = any_side,
                                           .c = any_channels,
                                           .kh = most_taps,
                                           .kw = most_taps,
                                           .window_at_call = true};
inline constexpr pool_shape any_padded_pool_shape = [] {
    pool_shape s = any_pool_shape;
    s.count_padding = count_padding::yes;
    return s;
}();
inline constexpr image_shape any_image_shape{.n = any_images, .h = any_side, .w = any_side, .c = any_channels};

// Parameters of a call: n, h, w, c, kh, kw, stride_h, stride_w, pad_top, pad_left, pad_bottom, pad_right, dilation_h,
// dilation_w.
template <class Type, operator_word... E>
struct any_max_pool : max_pool<any_pool_shape, Type, E...> {};
// The same, with dilations of 1. A mean of the pixels that are there, and one that counts the padding of its window.
template <class Type, operator_word... E>
struct any_average_pool : average_pool<any_pool_shape, Type, E...> {};
template <class Type, operator_word... E>
struct any_padded_average_pool : average_pool<any_padded_pool_shape, Type, E...> {};
// Parameters of a call: n, h, w, c.
template <class Type, operator_word... E>
struct any_global_max_pool : global_max_pool<any_image_shape, Type, E...> {};
template <class Type, operator_word... E>
struct any_global_average_pool : global_average_pool<any_image_shape, Type, E...> {};

} // namespace hone::operators

namespace hone { // API
using operators::any_average_pool, operators::any_global_average_pool, operators::any_global_max_pool,
    operators::any_max_pool, operators::any_padded_average_pool;
} // namespace hone
