// expect: ::gemm: a workload has one accuracy; name hone::exact or hone::fast
// expect: ::pool: a workload has one accuracy; name hone::exact or hone::fast
// expect: ::elementwise: a workload has one accuracy; name hone::exact or hone::fast
// forbid: codegen
// SPDX-License-Identifier: BSL-1.0
// Workloads that demand two accuracies.
#include <hone/hone.hpp>
#include <hone/op/elementwise.hpp>
#include <hone/op/pool.hpp>

#ifdef FORBIDDEN
using demand = hone::fast;
#else
using demand = hone::bias;
#endif

struct product : hone::gemm<hone::gemm_shape{.m = 2, .n = 3, .k = 4}, hone::f32, hone::exact, demand> {};
static_assert(product::signature().text.size() > 0);
struct pool : hone::max_pool<hone::pool_shape{.h = 4, .w = 4, .kh = 2}, hone::f32, hone::exact, demand> {};
static_assert(pool::signature().text.size() > 0);
struct copy : hone::elementwise<hone::image_shape{.h = 4, .w = 4}, hone::f32, hone::exact, demand> {};
static_assert(copy::signature().text.size() > 0);
