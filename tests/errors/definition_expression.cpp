// SPDX-License-Identifier: BSL-1.0
// clang-format off
// expect: hone: a stage of the operator has an empty expression, or one that reads acc() before there is a sum; write the body in loads, the epilogue in acc() and loads
// clang-format on
// expect: definition_expression
// forbid: the schedule is not legal
// forbid: codegen
// forbid: no matching function
// forbid: constant expression
// forbid: outside the bounds
// A product of one operand with nothing.
#include <hone/hone.hpp>

struct product {
    static constexpr hone::definition definition()
    {
        hone::definition d = hone::gemm<hone::gemm_shape{.m = 4, .n = 16, .k = 8}, hone::f32>::definition();
#ifdef FORBIDDEN
        d.stages[0].body = hone::ex::load(0) * hone::expr{};
#endif
        return d;
    }
    static constexpr hone::signature_text signature() { return hone::signature_text{}.word("product"); }
};
void pack(const float* weights, float* packed) { hone::kernel<product>::pack(weights, packed); }
hone::status call(const hone::arguments& a) { return hone::kernel<product>::run(a); }
