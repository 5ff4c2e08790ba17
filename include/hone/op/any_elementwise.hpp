// SPDX-License-Identifier: BSL-1.0
// Element-wise operators of which each call gives n, h, w and c: one kernel of each for NHWC images that nobody has
// listed, as op/any_shape.hpp has them for products and convolutions.
//
//     struct any_sum : hone::any_elementwise<hone::f32, hone::add<hone::per::element>, hone::relu> {};
#pragma once

#include <hone/op/elementwise.hpp>
#include <hone/op/image_shape.hpp>
#include <hone/op/operator.hpp>

#ifndef HONE_SHOW_WARNINGS // see core/config.hpp
#pragma GCC system_header
#endif

namespace hone::operators {

// The largest of each extent, and what a tuner measures.
inline constexpr image_shape any_elements_shape{.n = extent::up_to(32).typically(1),
                                                .h = extent::up_to(2048).typically(28),
                                                .w = extent::up_to(2048).typically(28),
                                                .c = extent::up_to(4096).typically(256)};

// Parameters of a call: n, h, w, c.
template <class Type, operator_word... E>
struct any_elementwise : elementwise<any_elements_shape, Type, E...> {};

} // namespace hone::operators

namespace hone { // API
using operators::any_elementwise;
} // namespace hone
