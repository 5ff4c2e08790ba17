// SPDX-License-Identifier: BSL-1.0
// clang-format off
// expect: hone: a tensor of role::output is written by no stage of the operator, or by two; let one stage write it, as its output or as a further one
// clang-format on
// expect: output_not_written_once
// forbid: the schedule is not legal
// forbid: codegen
// forbid: no matching function
// A further output in the place of y. One of its own is fine.
#include <hone/hone.hpp>

struct product {
    static constexpr hone::definition definition()
    {
        hone::definition d = hone::gemm<hone::gemm_shape{.m = 4, .n = 16, .k = 8}, hone::f32>::definition();
        hone::further_output twice{.to = d.stages[0].output, .value = hone::ex::acc() + hone::ex::acc()};
#ifndef FORBIDDEN
        hone::tensor own = d.tensors[2];
        own.name = "twice";
        twice.to.tensor = static_cast<std::int8_t>(d.tensors.push_back(own));
#endif
        d.stages[0].further.push_back(twice);
        return d;
    }
    static constexpr hone::signature_text signature() { return hone::signature_text{}.word("product"); }
};
void pack(const float* weights, float* packed) { hone::kernel<product>::pack(weights, packed); }
hone::status call(const hone::arguments& a) { return hone::kernel<product>::run(a); }
