// SPDX-License-Identifier: BSL-1.0
// Resized images of which each call gives all sizes: one kernel for NHWC images of any size and channels, to any other,
// up to the extents of op/any_shape.hpp. How pixels are taken is the kernel's own: of one network mostly one way.
//
//     struct any_larger : hone::any_resize<hone::resize_mode::bilinear, hone::coordinates::half_pixel, hone::f32> {};
//     struct any_nearest : hone::any_resize<hone::resize_mode::nearest, hone::coordinates::asymmetric, hone::f32> {};
//     using layers = hone::workloads<stem, any_larger, any_nearest>;
//
// find_in_range() takes the kernel of a shape that is listed, and else one of these.
#pragma once

#include <hone/op/any_shape.hpp>
#include <hone/op/operator.hpp>
#include <hone/op/resize.hpp>
#include <hone/op/sampling.hpp>

#ifndef HONE_SHOW_WARNINGS // see core/config.hpp
#pragma GCC system_header
#endif

namespace hone::operators {

// Roundings other than the usual one: hone::resize<hone::any_resize_shape(mode, coordinates, nearest), Type>.
constexpr resize_shape any_resize_shape(resize_mode mode, coordinates where,
                                        nearest_pixel nearest = nearest_pixel::usual)
{
    return {.n = any_images,
            .h = any_side,
            .w = any_side,
            .c = any_channels,
            .oh = extent::up_to(any_side).typically(2 * any_side.typical),
            .ow = extent::up_to(any_side).typically(2 * any_side.typical),
            .mode = mode,
            .coordinates = where,
            .nearest = nearest};
}

// Parameters of a call: n, h, w, c, oh, ow.
template <resize_mode Mode, coordinates Where, class Type, operator_word... E>
struct any_resize : resize<any_resize_shape(Mode, Where), Type, E...> {};

} // namespace hone::operators

namespace hone { // API
using operators::any_resize, operators::any_resize_shape;
} // namespace hone
