// expect: a workload has one accuracy; name hone::exact or hone::fast
// forbid: codegen
// SPDX-License-Identifier: BSL-1.0
// A workload that demands two accuracies.
#include <hone/hone.hpp>

#ifdef FORBIDDEN
using demand = hone::fast;
#else
using demand = hone::bias;
#endif

struct product : hone::gemm<hone::gemm_shape{.m = 2, .n = 3, .k = 4}, hone::f32, hone::exact, demand> {};
static_assert(product::signature().text.size() > 0);
