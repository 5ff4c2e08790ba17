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

// All sizes of a call.
constexpr hone::resize_shape open(hone::resize_mode mode)
{
    return {.h = hone::extent::up_to(20).typically(7),
            .w = hone::extent::up_to(24).typically(9),
            .c = hone::extent::up_to(70).typically(20),
            .oh = hone::extent::up_to(50).typically(13),
            .ow = hone::extent::up_to(40).typically(18),
            .mode = mode};
}
struct any_between : hone::resize<open(hone::resize_mode::bilinear), hone::f32, hone::relu> {};
struct any_nearest : hone::resize<open(hone::resize_mode::nearest), hone::f32> {};

} // namespace resized
