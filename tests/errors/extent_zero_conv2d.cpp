// expect: hone: every extent of a workload must be at least 1; remove the empty workload
// expect: extent_zero
// forbid: the schedule is not legal
// forbid: codegen
// forbid: basic_nest
// forbid: no matching function
// forbid: constant expression
// forbid: outside the bounds
// SPDX-License-Identifier: BSL-1.0
// A convolution of no rows, which has no output either: its definition is empty.
#include <hone/hone.hpp>

#ifdef FORBIDDEN
inline constexpr int extent = 0;
#else
inline constexpr int extent = 1;
#endif

struct layer : hone::conv2d<hone::conv2d_shape{.h = extent, .w = 8, .ic = 4, .oc = 4}, hone::f32, hone::bias> {};
void pack(const float* weights, float* packed) { hone::kernel<layer>::pack(weights, packed); }
hone::status call(const hone::arguments& a) { return hone::kernel<layer>::run(a); }
