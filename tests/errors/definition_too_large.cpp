// SPDX-License-Identifier: BSL-1.0
// clang-format off
// expect: hone: the operator has more tensors, stages, axes, operands, parameters or index terms than a definition holds; use fewer of what the subject names
// clang-format on
// expect: definition_too_large
// forbid: the schedule is not legal
// forbid: outgrows its capacity
// forbid: codegen
// forbid: basic_nest
// forbid: no matching function
// forbid: constant expression
// A product whose epilogues read five tensors, with x and weights one more than a stage has room for.
#include <hone/hone.hpp>

template <char Name>
struct plus {
    static constexpr char text[] = {Name, '\0'};
    static constexpr const char* name = text;
    static constexpr hone::role operand_role = hone::role::operand;
    static constexpr hone::expr apply(const hone::expr& acc, const hone::expr& o) { return acc + o; }
};
struct layer : hone::gemm<hone::gemm_shape{.m = 8, .n = 16, .k = 4}, hone::f32, plus<'a'>, plus<'b'>, plus<'c'>,
#ifdef FORBIDDEN
                          plus<'e'>,
#endif
                          plus<'d'>> {
};
void pack(const float* weights, float* packed) { hone::kernel<layer>::pack(weights, packed); }
hone::status call(const hone::arguments& a) { return hone::kernel<layer>::run(a); }
