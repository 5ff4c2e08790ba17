// expect: hone::kernel: the number of threads must be at least 1; pass that of the executor
// forbid: the schedule is not legal
// forbid: no matching function
// SPDX-License-Identifier: BSL-1.0
// A kernel for no threads.
#include <hone/hone.hpp>

#ifdef FORBIDDEN
inline constexpr int threads = 0;
#else
inline constexpr int threads = 3;
#endif

struct product : hone::gemm<hone::gemm_shape{.m = 8, .n = 16, .k = 4}, hone::f32> {};
using k = hone::kernel<product, hone::defaults, hone::isa::baseline, threads>;
hone::status call(const hone::arguments& a) { return k::run(a); }
