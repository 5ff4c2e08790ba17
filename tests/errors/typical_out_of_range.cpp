// SPDX-License-Identifier: BSL-1.0
// clang-format off
// expect: hone: a value that is named as typical is none that a call can give; name one from 1 to that of up_to(), and of a distance at least a row
// clang-format on
// expect: typical_out_of_range
// forbid: the schedule is not legal
// forbid: codegen
// forbid: basic_nest
// forbid: no matching function
// Rows of which more are typical than a call may give.
#include <hone/hone.hpp>

#ifdef FORBIDDEN
inline constexpr int typical = 65;
#else
inline constexpr int typical = 64;
#endif

struct product
    : hone::gemm<hone::gemm_shape{.m = hone::extent::up_to(64).typically(typical), .n = 16, .k = 4}, hone::f32> {};
hone::status call(const hone::arguments& a) { return hone::kernel<product>::run(a); }
