// SPDX-License-Identifier: BSL-1.0
// clang-format off
// expect: hone: two tensors of the operator have role::weights, of which a kernel packs one, or role::output, of which it writes one; give the second role::operand, or compute it in another operator
// clang-format on
// expect: role_taken
// forbid: the schedule is not legal
// forbid: codegen
// forbid: no matching function
// Weights behind weights: a kernel packs one tensor. A scale in front of the bias, of one role with it, is fine.
#include <hone/hone.hpp>

struct scale {
    static constexpr const char* name = "scale";
#ifdef FORBIDDEN
    static constexpr hone::role operand_role = hone::role::weights;
#else
    static constexpr hone::role operand_role = hone::role::bias;
#endif
    static constexpr hone::expr apply(const hone::expr& acc, const hone::expr& s) { return acc * s; }
};

struct layer : hone::conv2d<hone::conv2d_shape{.h = 4, .w = 4, .ic = 3, .oc = 8}, hone::f32, scale, hone::bias> {};
hone::status call(const hone::arguments& a) { return hone::kernel<layer>::run(a); }
