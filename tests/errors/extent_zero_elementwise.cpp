// expect: hone: every extent of a workload must be at least 1; remove the empty workload
// expect: extent_zero
// forbid: the schedule is not legal
// forbid: codegen
// forbid: basic_nest
// forbid: no matching function
// forbid: constant expression
// forbid: outside the bounds
// SPDX-License-Identifier: BSL-1.0
// An element-wise operator of no channels.
#include <hone/hone.hpp>
#include <hone/op/elementwise.hpp>

#ifdef FORBIDDEN
inline constexpr int channels = 0;
#else
inline constexpr int channels = 3;
#endif

struct layer : hone::elementwise<hone::image_shape{.h = 8, .w = 8, .c = channels}, hone::f32,
                                 hone::add<hone::per::channel>, hone::relu> {};
hone::status call(const hone::arguments& a) { return hone::kernel<layer>::run(a); }
