// SPDX-License-Identifier: BSL-1.0
// clang-format off
// expect: hone::kernel: the list of schedule templates has none for this operator, or lacks the one that the config names; add it to the list, or for one of several stages or two activations include hone/stages.hpp
// clang-format on
// expect: template_missing
// forbid: the schedule is not legal
// forbid: codegen
// forbid: no matching function
// forbid: constant expression
// A workload whose list has templates for other operators only.
#include <hone/hone.hpp>

struct product : hone::gemm<hone::gemm_shape{.m = 8, .n = 8, .k = 8}, hone::f32> {
#ifdef FORBIDDEN
    using cpu_templates = hone::template_list<hone::winograd>;
#else
    using cpu_templates = hone::template_list<hone::winograd, hone::direct>;
#endif
};
void pack(const float* weights, float* packed) { hone::kernel<product>::pack(weights, packed); }
hone::status call(const hone::arguments& a) { return hone::kernel<product>::run(a); }
