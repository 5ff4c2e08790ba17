// SPDX-License-Identifier: BSL-1.0
// clang-format off
// expect: hone: elements are 32-bit floats so far; name them hone::f32
// clang-format on
// forbid: incomplete type
// forbid: is not a member
// forbid: no member named
// forbid: constraints
// forbid: does not satisfy
// A float that is no tag, a tag of hone's that has no kernels, and one of a user that says one type and holds another.
#include <hone/hone.hpp>

struct half {
    using storage = _Float16;
    static constexpr hone::dtype value = hone::dtype::f32;
};
struct single {
    using storage = float;
    static constexpr hone::dtype value = hone::dtype::f32;
};

#ifdef FORBIDDEN
using one = float;
using other = hone::f16;
using third = half;
#else
using one = hone::f32;
using other = hone::f32;
using third = single;
#endif

struct product : hone::gemm<hone::gemm_shape{.m = 2, .n = 16, .k = 4}, one> {};
struct layer : hone::conv2d<hone::conv2d_shape{.h = 4, .w = 4, .ic = 2, .oc = 8}, other> {};
struct last : hone::gemm<hone::gemm_shape{.m = 2, .n = 16, .k = 8}, third> {};
static_assert(product::definition().found.ok() && layer::definition().found.ok() && last::definition().found.ok());
