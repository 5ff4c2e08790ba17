// SPDX-License-Identifier: BSL-1.0
// clang-format off
// expect: hone: channels that each call gives are those of NHWC images, and where it gives groups, it gives ic and oc, too; name the number of groups, or the channels
// clang-format on
// expect: channels_at_call
// forbid: the schedule is not legal
// forbid: codegen
// forbid: basic_nest
// forbid: no matching function
// Groups of the call, and a number of outputs that is known.
#include <hone/hone.hpp>

#ifdef FORBIDDEN
inline constexpr hone::extent groups = hone::extent::up_to(2);
#else
inline constexpr hone::extent groups = 2;
#endif

inline constexpr hone::extent channels = hone::extent::up_to(64);
struct layer
    : hone::conv2d<hone::conv2d_shape{.h = 8, .w = 8, .ic = channels, .oc = 8, .kh = 3, .kw = 3, .groups = groups},
                   hone::f32> {};
hone::status call(const hone::arguments& a) { return hone::kernel<layer>::run(a); }
