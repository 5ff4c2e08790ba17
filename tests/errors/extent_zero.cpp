// expect: hone: every extent of a workload must be at least 1; remove the empty workload
// expect: extent_zero
// forbid: the schedule is not legal
// forbid: codegen
// forbid: basic_nest
// forbid: no matching function
// SPDX-License-Identifier: BSL-1.0
// A matrix product and a convolution of nothing.
#include <hone/hone.hpp>

#ifdef FORBIDDEN
inline constexpr int extent = 0;
#else
inline constexpr int extent = 1;
#endif

struct product : hone::gemm<hone::gemm_shape{.m = extent, .n = 16, .k = 4}, hone::f32> {};
hone::status call(const hone::arguments& a) { return hone::kernel<product>::run(a); }
