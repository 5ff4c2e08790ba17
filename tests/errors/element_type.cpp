// SPDX-License-Identifier: BSL-1.0
// clang-format off
// expect: hone: kernels compute with 32-bit floats, and read weights of 32 or 16 bits; name hone::f32, or hone::types<hone::f16>
// clang-format on
// forbid: incomplete type
// forbid: is not a member
// forbid: no member named
// forbid: constraints
// forbid: does not satisfy
// A float that is no tag, a tag of hone's that has no kernels, weights of such, activations of 16 bits, and a tag of a
// user that says one type and holds another.
#include <hone/hone.hpp>

struct wrong_half {
    using storage = _Float16;
    static constexpr hone::dtype value = hone::dtype::f32;
};
struct single {
    using storage = float;
    static constexpr hone::dtype value = hone::dtype::f32;
};

#ifdef FORBIDDEN
using one = float;
using other = hone::core::bf16;
using third = hone::types<hone::core::s8>;
using fourth = hone::f16;
using last_type = wrong_half;
#else
using one = hone::f32;
using other = hone::types<hone::f32>;
using third = hone::types<hone::f16>;
using fourth = hone::types<hone::f16, hone::f32>;
using last_type = single;
#endif

struct product : hone::gemm<hone::gemm_shape{.m = 2, .n = 16, .k = 4}, one> {};
struct layer : hone::conv2d<hone::conv2d_shape{.h = 4, .w = 4, .ic = 2, .oc = 8}, other> {};
struct weights : hone::gemm<hone::gemm_shape{.m = 3, .n = 16, .k = 8}, third> {};
struct activations : hone::conv2d<hone::conv2d_shape{.h = 5, .w = 4, .ic = 2, .oc = 8}, fourth> {};
struct last : hone::gemm<hone::gemm_shape{.m = 2, .n = 16, .k = 8}, last_type> {};
static_assert(product::definition().found.ok() && layer::definition().found.ok() && last::definition().found.ok());
static_assert(weights::definition().found.ok() && activations::definition().found.ok());
