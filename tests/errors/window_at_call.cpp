// SPDX-License-Identifier: BSL-1.0
// clang-format off
// expect: hone: a window that each call gives moves over NHWC images whose h and w it gives, too; name kh and kw, at most so many taps, and no stride, padding or dilation
// clang-format on
// expect: window_at_call
// forbid: the schedule is not legal
// forbid: codegen
// forbid: basic_nest
// forbid: no matching function
// A stride beside windows of the call.
#include <hone/hone.hpp>

#ifdef FORBIDDEN
inline constexpr int stride = 2;
#else
inline constexpr int stride = 1;
#endif

inline constexpr hone::extent side = hone::extent::up_to(32);
struct layer
    : hone::conv2d<
          hone::conv2d_shape{
              .h = side, .w = side, .ic = 4, .oc = 8, .kh = 3, .kw = 3, .stride = stride, .window_at_call = true},
          hone::f32> {};
hone::status call(const hone::arguments& a) { return hone::kernel<layer>::run(a); }
