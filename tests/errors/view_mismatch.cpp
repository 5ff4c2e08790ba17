// SPDX-License-Identifier: BSL-1.0
// clang-format off
// expect: hone: pixels of NHWC lie ldx and ldy apart, images of NCHW batch_stride_x and batch_stride_y, and rows ldx and ldy, at least as far as they are long; name those of the layout, and numbers where the call gives extents of the image
// clang-format on
// expect: view_mismatch
// forbid: the schedule is not legal
// forbid: codegen
// forbid: basic_nest
// forbid: no matching function
// forbid: constant expression
// forbid: outside the bounds
// A layer whose pixels are closer than their channels are many.
#include <hone/hone.hpp>

#ifdef FORBIDDEN
inline constexpr int distance = 15;
#else
inline constexpr int distance = 24;
#endif

struct layer : hone::conv2d<hone::conv2d_shape{.h = 4, .w = 4, .ic = 8, .oc = 16, .ldy = distance}, hone::f32> {};
hone::status call(const hone::arguments& a) { return hone::kernel<layer>::run(a); }
