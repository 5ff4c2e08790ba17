// SPDX-License-Identifier: BSL-1.0
// clang-format off
// expect: hone: an index of the operator has not one entry for each dimension of its tensor; add the missing ones, or leave out the others
// clang-format on
// expect: definition_rank
// forbid: the schedule is not legal
// forbid: codegen
// forbid: no matching function
// forbid: constant expression
// forbid: outside the bounds
// Weights of a product whose row is not indexed.
#include <hone/hone.hpp>

struct product {
    static constexpr hone::definition definition()
    {
        hone::definition d = hone::gemm<hone::gemm_shape{.m = 4, .n = 16, .k = 8}, hone::f32>::definition();
#ifdef FORBIDDEN
        d.stages[0].operands[1].index.pop_back();
#endif
        return d;
    }
    static constexpr hone::signature_text signature() { return hone::signature_text{}.word("product"); }
};
void pack(const float* weights, float* packed) { hone::kernel<product>::pack(weights, packed); }
hone::status call(const hone::arguments& a) { return hone::kernel<product>::run(a); }
