// SPDX-License-Identifier: BSL-1.0
// clang-format off
// expect: hone: a stage of the operator has a reduction axis and does not say how it reduces; set its reduction
// clang-format on
// expect: definition_reduction
// forbid: the schedule is not legal
// forbid: codegen
// forbid: no matching function
// forbid: constant expression
// forbid: outside the bounds
// A sum over k that does not say that it is one.
#include <hone/hone.hpp>

struct product {
    static constexpr hone::definition definition()
    {
        hone::definition d = hone::gemm<hone::gemm_shape{.m = 4, .n = 16, .k = 8}, hone::f32>::definition();
#ifdef FORBIDDEN
        d.stages[0].reduce = hone::reduction::none;
#endif
        return d;
    }
    static constexpr hone::signature_text signature() { return hone::signature_text{}.word("product"); }
};
void pack(const float* weights, float* packed) { hone::kernel<product>::pack(weights, packed); }
hone::status call(const hone::arguments& a) { return hone::kernel<product>::run(a); }
