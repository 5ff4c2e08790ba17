// SPDX-License-Identifier: BSL-1.0
// clang-format off
// expect: hone: the operator leaves a tensor; make it or the axes fit, or say may_leave of the operand, and what it reads outside
// clang-format on
// expect: definition_outside
// forbid: the schedule is not legal
// forbid: codegen
// forbid: no matching function
// forbid: constant expression
// forbid: outside the bounds
// A product that reads one row before the first, where there are no zeros.
#include <hone/hone.hpp>

struct product {
    static constexpr hone::definition definition()
    {
        hone::definition d = hone::gemm<hone::gemm_shape{.m = 4, .n = 16, .k = 8}, hone::f32>::definition();
#ifdef FORBIDDEN
        d.stages[0].operands[0].index[1].offset = -1;
#endif
        return d;
    }
    static constexpr hone::signature_text signature() { return hone::signature_text{}.word("product"); }
};
void pack(const float* weights, float* packed) { hone::kernel<product>::pack(weights, packed); }
hone::status call(const hone::arguments& a) { return hone::kernel<product>::run(a); }
