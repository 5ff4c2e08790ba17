// SPDX-License-Identifier: BSL-1.0
// Workloads whose extents each call gives, for tests that tune them: rows at a typical number, all that a product can
// leave open, images, and one whose kernels are right at the typical number of rows alone.
#pragma once

#include <hone/op/arithmetic.hpp>
#include <hone/op/conv2d.hpp>
#include <hone/op/conv2d_transposed.hpp>
#include <hone/op/elementwise.hpp>
#include <hone/op/gemm.hpp>
#include <hone/op/pool.hpp>
#include <hone/op/workloads.hpp>

namespace open_extents {

inline constexpr hone::gemm_shape rows_shape{.m = hone::extent::up_to(60).typically(29), .n = 24, .k = 17};
struct rows : hone::gemm<rows_shape, hone::f32, hone::bias, hone::relu> {};

struct product : hone::gemm<hone::gemm_shape{.batch = 2,
                                             .m = hone::extent::up_to(44),
                                             .n = hone::extent::up_to(50).typically(32),
                                             .k = hone::extent::up_to(40).typically(18),
                                             .ldx = hone::leading::at_call(),
                                             .ldy = hone::leading::at_call().typically(36)},
                            hone::f32, hone::bias> {};

struct images
    : hone::conv2d<
          hone::conv2d_shape{
              .n = hone::extent::up_to(5).typically(2), .h = 9, .w = 7, .ic = 5, .oc = 24, .kh = 3, .kw = 3, .pad = 1},
          hone::f32, hone::bias> {};

// All of a call: its image, channels and window.
struct windows : hone::conv2d<hone::conv2d_shape{.h = hone::extent::up_to(20).typically(9),
                                                 .w = hone::extent::up_to(24).typically(7),
                                                 .ic = hone::extent::up_to(12).typically(5),
                                                 .oc = hone::extent::up_to(40).typically(24),
                                                 .kh = 4,
                                                 .kw = 3,
                                                 .window_at_call = true},
                              hone::f32, hone::bias> {};

// The same, and groups.
struct groups : hone::conv2d<hone::conv2d_shape{.h = hone::extent::up_to(20).typically(9),
                                                .w = hone::extent::up_to(24).typically(7),
                                                .ic = hone::extent::up_to(24).typically(12),
                                                .oc = hone::extent::up_to(80).typically(24),
                                                .kh = 4,
                                                .kw = 3,
                                                .groups = hone::extent::up_to(12).typically(3),
                                                .window_at_call = true},
                             hone::f32, hone::bias> {};

// The same of a transposed one, and one of a window that is known.
struct spread : hone::conv2d_transposed<hone::conv2d_transposed_shape{.h = hone::extent::up_to(20).typically(5),
                                                                      .w = hone::extent::up_to(24).typically(7),
                                                                      .ic = hone::extent::up_to(12).typically(5),
                                                                      .oc = hone::extent::up_to(40).typically(24),
                                                                      .kh = 4,
                                                                      .kw = 5,
                                                                      .window_at_call = true,
                                                                      .most_outputs = 90},
                                        hone::f32, hone::bias> {};
struct smooth : hone::conv2d_transposed<hone::conv2d_transposed_shape{.h = hone::extent::up_to(20).typically(5),
                                                                      .w = hone::extent::up_to(24).typically(7),
                                                                      .ic = hone::extent::up_to(12).typically(5),
                                                                      .oc = hone::extent::up_to(40).typically(24),
                                                                      .kh = 4,
                                                                      .kw = 4,
                                                                      .stride = 2,
                                                                      .pad = 1},
                                        hone::f32, hone::bias> {};

// Elements alone, of images and channels of the call.
struct elements : hone::elementwise<hone::image_shape{.n = 2,
                                                      .h = hone::extent::up_to(9).typically(5),
                                                      .w = hone::extent::up_to(12).typically(7),
                                                      .c = hone::extent::up_to(70).typically(24)},
                                    hone::f32, hone::multiply<hone::per::channel>, hone::add<hone::per::element>> {};
// All of a pool: its image, channels and window; and images that are one window.
struct largest : hone::max_pool<hone::pool_shape{.h = hone::extent::up_to(20).typically(9),
                                                 .w = hone::extent::up_to(24).typically(7),
                                                 .c = hone::extent::up_to(40).typically(24),
                                                 .kh = 4,
                                                 .kw = 3,
                                                 .window_at_call = true},
                                hone::f32, hone::relu> {};
struct means : hone::average_pool<hone::pool_shape{.h = hone::extent::up_to(20).typically(9),
                                                   .w = hone::extent::up_to(24).typically(7),
                                                   .c = hone::extent::up_to(40).typically(24),
                                                   .kh = 4,
                                                   .kw = 3,
                                                   .window_at_call = true},
                                  hone::f32> {};
struct whole_images
    : hone::global_average_pool<
          hone::image_shape{.h = hone::extent::up_to(20), .w = hone::extent::up_to(24), .c = hone::extent::up_to(40)},
          hone::f32> {};

using layers = hone::workloads<rows, images>;

} // namespace open_extents
