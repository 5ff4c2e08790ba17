// SPDX-License-Identifier: BSL-1.0
// Softmax and normalisations of which each call gives how many rows there are and how long they are: one kernel of each
// for shapes that nobody has listed, as op/any_shape.hpp has them for products and convolutions.
//
//     struct any_shares : hone::any_softmax<hone::f32> {};
//     using layers = hone::workloads<heads, classes, any_shares>;
//
// find_in_range() takes the kernel of a shape that is listed, and else one of these.
#pragma once

#include <cstdint>

#include <hone/ir/expr.hpp>
#include <hone/op/norm.hpp>
#include <hone/op/operator.hpp>
#include <hone/op/row_wise.hpp>
#include <hone/op/softmax.hpp>

#ifndef HONE_SHOW_WARNINGS // see core/config.hpp
#pragma GCC system_header
#endif

namespace hone::operators {

// The largest of each extent, and what a tuner measures. A worker of softmax keeps the longest row, 1 MiB.
inline constexpr extent any_lines = extent::up_to(1 << 22).typically(1024);
inline constexpr extent any_length = extent::up_to(1 << 18).typically(768);

inline constexpr row_shape any_row_shape{.rows = any_lines, .n = any_length};
// Normalisations with another epsilon are other kernels: layer_norm<any_norm_shape(1e-12f), f32, with_gamma>.
constexpr norm_shape any_norm_shape(float epsilon = 1e-5f)
{
    return {.rows = any_lines, .n = any_length, .epsilon = epsilon};
}

// Parameters of a call: rows, n.
template <class Type, operator_word... E>
struct any_softmax : softmax<any_row_shape, Type, E...> {};
template <class Type, operator_word... E>
struct any_log_softmax : log_softmax<any_row_shape, Type, E...> {};
template <class Type, operator_word... E>
struct any_layer_norm : layer_norm<any_norm_shape(), Type, E...> {};
template <class Type, operator_word... E>
struct any_rms_norm : rms_norm<any_norm_shape(), Type, E...> {};

} // namespace hone::operators

namespace hone { // API
using operators::any_layer_norm, operators::any_log_softmax, operators::any_norm_shape, operators::any_rms_norm,
    operators::any_softmax;
} // namespace hone
