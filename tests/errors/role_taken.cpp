// SPDX-License-Identifier: BSL-1.0
// clang-format off
// expect: hone: two tensors of the operator have one role, for which a call gives one pointer; give the second role::operand
// clang-format on
// expect: role_taken
// forbid: the schedule is not legal
// forbid: codegen
// forbid: no matching function
// A scale in front of the bias. Both are one element a channel, and a call gives one such tensor.
#include <hone/hone.hpp>

struct scale {
    static constexpr const char* name = "scale";
#ifdef FORBIDDEN
    static constexpr hone::role operand_role = hone::role::bias;
#else
    static constexpr hone::role operand_role = hone::role::operand;
#endif
    static constexpr hone::expr apply(const hone::expr& acc, const hone::expr& s) { return acc * s; }
};

struct layer : hone::conv2d<hone::conv2d_shape{.h = 4, .w = 4, .ic = 3, .oc = 8}, hone::f32, scale, hone::bias> {};
hone::status call(const hone::arguments& a) { return hone::kernel<layer>::run(a); }
