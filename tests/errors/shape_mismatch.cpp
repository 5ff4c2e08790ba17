// expect: hone: the shapes of the operator do not fit together; check channels, groups, kernel and padding
// expect: shape_mismatch
// forbid: the schedule is not legal
// forbid: codegen
// forbid: basic_nest
// forbid: no matching function
// forbid: constant expression
// forbid: outside the bounds
// SPDX-License-Identifier: BSL-1.0
// Channels that the groups do not divide.
#include <hone/hone.hpp>

#ifdef FORBIDDEN
inline constexpr int channels = 33;
#else
inline constexpr int channels = 32;
#endif

struct layer
    : hone::conv2d<hone::conv2d_shape{.h = 8, .w = 8, .ic = channels, .oc = 8, .kh = 3, .kw = 3, .pad = 1, .groups = 2},
                   hone::f32> {};
void pack(const float* weights, float* packed) { hone::kernel<layer>::pack(weights, packed); }
hone::status call(const hone::arguments& a) { return hone::kernel<layer>::run(a); }
