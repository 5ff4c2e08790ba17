// SPDX-License-Identifier: BSL-1.0
// Workloads that tuners are given: resized images.
#pragma once

#include <hone/op/resize.hpp>

namespace resized {

inline constexpr hone::resize_shape twice{.h = 7, .w = 9, .c = 20, .oh = 14, .ow = 18};
struct between : hone::resize<twice, hone::f32, hone::relu> {};
inline constexpr hone::resize_shape planes{.h = 9,
                                           .w = 7,
                                           .c = 5,
                                           .oh = 17,
                                           .ow = 20,
                                           .coordinates = hone::coordinates::align_corners,
                                           .layout = hone::layout::nchw};
struct heads : hone::resize<planes, hone::f32> {};
inline constexpr hone::resize_shape smaller{
    .h = 19, .w = 17, .c = 24, .oh = 8, .ow = 9, .mode = hone::resize_mode::nearest};
struct nearest : hone::resize<smaller, hone::f32, hone::residual> {};

} // namespace resized
