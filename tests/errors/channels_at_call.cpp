// SPDX-License-Identifier: BSL-1.0
// clang-format off
// expect: hone: channels that each call gives are those of NHWC images, in one group or as many groups as channels; leave groups at 1, or give ic, oc and groups one up_to(), and of other convolutions name the channels
// clang-format on
// expect: channels_at_call
// forbid: the schedule is not legal
// forbid: codegen
// forbid: basic_nest
// forbid: no matching function
// Channels of the call in two groups.
#include <hone/hone.hpp>

#ifdef FORBIDDEN
inline constexpr int groups = 2;
#else
inline constexpr int groups = 1;
#endif

inline constexpr hone::extent channels = hone::extent::up_to(64);
struct layer
    : hone::conv2d<hone::conv2d_shape{.h = 8, .w = 8, .ic = channels, .oc = 8, .kh = 3, .kw = 3, .groups = groups},
                   hone::f32> {};
hone::status call(const hone::arguments& a) { return hone::kernel<layer>::run(a); }
