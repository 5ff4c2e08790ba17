// expect: hone::kernel: a knob of the config has no such value; choose one that the table of its template allows
// expect: knob_value
// forbid: the schedule is not legal
// forbid: division by zero
// forbid: codegen
// SPDX-License-Identifier: BSL-1.0
// A config set that asks for a register tile of no vectors, by which lengths would be divided.
#include <hone/hone.hpp>

#ifdef FORBIDDEN
inline constexpr int vectors = 0;
#else
inline constexpr int vectors = 2;
#endif

struct product : hone::gemm<hone::gemm_shape{.m = 8, .n = 16, .k = 4}, hone::f32> {};
inline constexpr hone::signature_text signature = product::signature();
struct tuned {
    static constexpr hone::cpu_entry entries[] = {
        {.signature = signature.c_str(),
         .set = hone::isa::baseline,
         .config = hone::config_text<hone::direct, hone::direct_knobs{.rows = 4, .vectors = vectors}>},
    };
};
using k = hone::kernel<product, tuned, hone::isa::baseline>;
hone::status call(const hone::arguments& a)
{
    k::pack(nullptr, nullptr);
    return k::run(a);
}
