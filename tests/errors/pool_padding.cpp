// expect: hone: the shapes of the operator do not fit together; check channels, groups, kernel and padding
// expect: shape_mismatch
// forbid: the schedule is not legal
// forbid: codegen
// forbid: basic_nest
// forbid: no matching function
// forbid: constant expression
// forbid: outside the bounds
// SPDX-License-Identifier: BSL-1.0
// A pool whose first window lies in the padding altogether.
#include <hone/hone.hpp>
#include <hone/op/pool.hpp>

#ifdef FORBIDDEN
inline constexpr int pad = 3;
#else
inline constexpr int pad = 2;
#endif

struct layer : hone::max_pool<hone::pool_shape{.h = 8, .w = 8, .c = 4, .kh = 3, .kw = 3, .pad = pad}, hone::f32> {};
hone::status call(const hone::arguments& a) { return hone::kernel<layer>::run(a); }
