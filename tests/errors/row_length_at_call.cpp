// SPDX-License-Identifier: BSL-1.0
// expect: hone: calls give extents of NHWC images and of whole windows, and of rows without inner; name this number
// expect: extents_at_call
// forbid: the schedule is not legal
// forbid: codegen
// forbid: basic_nest
// forbid: no matching function
// Rows as long as a call says, whose elements are apart.
#include <hone/stages.hpp>

#ifdef FORBIDDEN
inline constexpr int inner = 49;
#else
inline constexpr int inner = 1;
#endif

struct shares : hone::softmax<hone::row_shape{.rows = 8, .n = hone::extent::up_to(64), .inner = inner}, hone::f32> {};
hone::status call(const hone::arguments& a) { return hone::kernel<shares>::run(a); }
