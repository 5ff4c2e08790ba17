// SPDX-License-Identifier: BSL-1.0
// clang-format off
// expect: hone: the operator names an axis, tensor, operand, table or parameter by a number that none of them has; count them from 0, in the order in which they were added
// clang-format on
// expect: definition_unknown_part
// forbid: the schedule is not legal
// forbid: codegen
// forbid: no matching function
// forbid: constant expression
// forbid: outside the bounds
// A column that moves by axis 4 of a product, which has axes 0 to 3.
#include <hone/hone.hpp>

struct product {
    static constexpr hone::definition definition()
    {
        hone::definition d = hone::gemm<hone::gemm_shape{.m = 4, .n = 16, .k = 8}, hone::f32>::definition();
#ifdef FORBIDDEN
        d.stages[0].operands[0].index[2] = hone::along(4);
#endif
        return d;
    }
    static constexpr hone::signature_text signature() { return hone::signature_text{}.word("product"); }
};
void pack(const float* weights, float* packed) { hone::kernel<product>::pack(weights, packed); }
hone::status call(const hone::arguments& a) { return hone::kernel<product>::run(a); }
