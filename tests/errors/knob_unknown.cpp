// SPDX-License-Identifier: BSL-1.0
// clang-format off
// expect: hone::kernel: the config names a knob that its template does not have, one twice, or no value; write the template's name, then knob=value for each knob, with one blank between
// clang-format on
// expect: knob_unknown
// forbid: the schedule is not legal
// forbid: codegen
// forbid: no matching function
// forbid: constant expression
// A config that was written by hand, with a knob that there is not.
#include <hone/hone.hpp>

struct product : hone::gemm<hone::gemm_shape{.m = 8, .n = 8, .k = 8}, hone::f32> {};
struct tuned {
    static constexpr hone::cpu_entry entries[] = {
        {.signature = "gemm b1 m8 n8 k8 ldx0 ldw0 ldy0 f32",
         .set = hone::isa::baseline,
#ifdef FORBIDDEN
         .config = "direct row=4"},
#else
         .config = "direct rows=4"},
#endif
    };
};
using k = hone::kernel<product, tuned, hone::isa::baseline>;
hone::status call(const hone::arguments& a)
{
    k::pack(nullptr, nullptr);
    return k::run(a);
}
