// SPDX-License-Identifier: BSL-1.0
// expect: the lower bound is above the upper one; write clip<low, high>
// forbid: no matching function
// forbid: codegen
#include <hone/op/gemm.hpp>

#ifdef FORBIDDEN
using range = hone::clip<6, 0>;
#else
using range = hone::clip<0, 6>;
#endif
static_assert(hone::gemm<hone::gemm_shape{.m = 8, .n = 16, .k = 4}, hone::f32, range>::definition().found.ok());
