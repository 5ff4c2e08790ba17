// SPDX-License-Identifier: BSL-1.0
// clang-format off
// expect: hone: an expression of the operator has more than 32 nodes, all of its epilogues included; write it with fewer words, or leave a part of it to another operator
// clang-format on
// expect: expression_too_long
// forbid: the schedule is not legal
// forbid: outgrows its capacity
// forbid: codegen
// forbid: basic_nest
// forbid: no matching function
// forbid: constant expression
// A polynomial as an epilogue: acc and a term of 4 nodes for each degree.
#include <hone/hone.hpp>

#ifdef FORBIDDEN
inline constexpr int degrees = 8;
#else
inline constexpr int degrees = 7;
#endif

struct polynomial {
    static constexpr const char* name = "polynomial";
    static constexpr hone::expr apply(const hone::expr& acc)
    {
        hone::expr e = 1.0f;
        for (int i = 0; i < degrees; ++i) e = e * acc + 0.5f;
        return e;
    }
};
struct layer : hone::gemm<hone::gemm_shape{.m = 8, .n = 16, .k = 4}, hone::f32, polynomial> {};
void pack(const float* weights, float* packed) { hone::kernel<layer>::pack(weights, packed); }
hone::status call(const hone::arguments& a) { return hone::kernel<layer>::run(a); }
