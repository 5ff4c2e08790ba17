// SPDX-License-Identifier: BSL-1.0
// clang-format off
// expect: hone: a tensor of role::output is written by no stage of the operator, or by two; let one stage write it, as its output or as a further one
// clang-format on
// expect: output_not_written_once
// forbid: the schedule is not legal
// forbid: codegen
// forbid: no matching function
// A second output that is read as operands are. One that says what is written is fine.
#include <hone/hone.hpp>

struct copy {
    static constexpr const char* name = "copy";
#ifdef FORBIDDEN
    static constexpr hone::role operand_role = hone::role::output;
    static constexpr hone::expr apply(const hone::expr& acc, const hone::expr& s) { return acc * s; }
#else
    static constexpr hone::expr output(const hone::expr& acc) { return acc * 2.0f; }
#endif
};

struct layer : hone::conv2d<hone::conv2d_shape{.h = 4, .w = 4, .ic = 3, .oc = 8}, hone::f32, copy, hone::bias> {};
hone::status call(const hone::arguments& a) { return hone::kernel<layer>::run(a); }
