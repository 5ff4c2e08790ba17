// SPDX-License-Identifier: BSL-1.0
// clang-format off
// expect: hone: the operator has four tensors of role::output, of which a kernel writes three, or five of role::weights, of which it packs four; give one role::operand, or compute it in another operator
// clang-format on
// expect: role_taken
// forbid: the schedule is not legal
// forbid: codegen
// forbid: no matching function
// A fourth output. Three, and second weights, are fine.
#include <hone/hone.hpp>

struct scale {
    static constexpr const char* name = "scale";
    static constexpr hone::role operand_role = hone::role::weights;
    static constexpr hone::expr apply(const hone::expr& acc, const hone::expr& s) { return acc * s; }
};
#ifdef FORBIDDEN
using last = hone::keep;
#else
using last = hone::relu;
#endif

struct layer : hone::conv2d<hone::conv2d_shape{.h = 4, .w = 4, .ic = 3, .oc = 8}, hone::f32, hone::keep, scale,
                            hone::keep, hone::bias, last> {};
hone::status call(const hone::arguments& a) { return hone::kernel<layer>::run(a); }
