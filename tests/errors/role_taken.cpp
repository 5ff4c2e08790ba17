// SPDX-License-Identifier: BSL-1.0
// clang-format off
// expect: hone: the operator has two tensors of role::output, of which a kernel writes one, or five of role::weights, of which it packs four; give one role::operand, or compute it in another operator
// clang-format on
// expect: role_taken
// forbid: the schedule is not legal
// forbid: codegen
// forbid: no matching function
// An epilogue that would write a second result. One that reads second weights is fine.
#include <hone/hone.hpp>

struct scale {
    static constexpr const char* name = "scale";
#ifdef FORBIDDEN
    static constexpr hone::role operand_role = hone::role::output;
#else
    static constexpr hone::role operand_role = hone::role::weights;
#endif
    static constexpr hone::expr apply(const hone::expr& acc, const hone::expr& s) { return acc * s; }
};

struct layer : hone::conv2d<hone::conv2d_shape{.h = 4, .w = 4, .ic = 3, .oc = 8}, hone::f32, scale, hone::bias> {};
hone::status call(const hone::arguments& a) { return hone::kernel<layer>::run(a); }
