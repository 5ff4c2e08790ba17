// SPDX-License-Identifier: BSL-1.0
// expect: hone: calls give extents of NHWC images and of whole windows, and of rows without inner; name this number
// expect: extents_at_call
// forbid: the schedule is not legal
// forbid: codegen
// forbid: basic_nest
// forbid: no matching function
// Last windows that are cut, over images of the call.
#include <hone/hone.hpp>
#include <hone/op/pool.hpp>

#ifdef FORBIDDEN
inline constexpr hone::last_window last = hone::last_window::cut;
#else
inline constexpr hone::last_window last = hone::last_window::whole;
#endif

inline constexpr hone::extent size = hone::extent::up_to(32);
struct layer
    : hone::max_pool<hone::pool_shape{.h = size, .w = size, .c = 4, .kh = 3, .kw = 3, .stride = 2, .last = last},
                     hone::f32> {};
hone::status call(const hone::arguments& a) { return hone::kernel<layer>::run(a); }
