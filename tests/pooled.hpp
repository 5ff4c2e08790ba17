// SPDX-License-Identifier: BSL-1.0
// Workloads that tuners are given: pools and element-wise operators.
#pragma once

#include <hone/op/elementwise.hpp>
#include <hone/op/pool.hpp>

namespace pooled {

inline constexpr hone::pool_shape window{
    .h = 13, .w = 17, .c = 20, .kh = 3, .kw = 3, .stride = 2, .pad = 1, .last = hone::last_window::cut};
struct largest : hone::max_pool<window, hone::f32, hone::relu> {};
struct mean : hone::average_pool<window, hone::f32, hone::residual> {};
inline constexpr hone::pool_shape plane{
    .h = 9, .w = 19, .c = 6, .kh = 3, .kw = 3, .pad = 1, .dilation_h = 2, .layout = hone::layout::nchw};
struct apart : hone::average_pool<plane, hone::f32> {};
struct all : hone::global_average_pool<hone::image_shape{.h = 7, .w = 7, .c = 40}, hone::f32> {};
struct scaled
    : hone::elementwise<hone::image_shape{.h = 9, .w = 11, .c = 20}, hone::f32, hone::multiply<hone::per::channel>,
                        hone::add<hone::per::element>, hone::minimum<hone::per::tensor>, hone::silu> {};

} // namespace pooled
