// SPDX-License-Identifier: BSL-1.0
// clang-format off
// expect: hone::kernel: the list of schedule templates has none for this operator, or lacks the one that the config names; add it to the list, or for one of several stages or two activations include hone/stages.hpp
// clang-format on
// expect: template_missing
// forbid: the schedule is not legal
// forbid: codegen
// forbid: no matching function
// forbid: constant expression
// A config set that was tuned with a template which the workload's list lacks.
#include <hone/hone.hpp>

struct layer : hone::conv2d<hone::conv2d_shape{.h = 8, .w = 8, .ic = 8, .oc = 8, .kh = 3, .kw = 3}, hone::f32> {
#ifdef FORBIDDEN
    using cpu_templates = hone::template_list<hone::direct>;
#else
    using cpu_templates = hone::template_list<hone::direct, hone::winograd>;
#endif
};
struct tuned {
    static constexpr hone::accuracy accuracy = hone::accuracy::fast;
    static constexpr hone::cpu_entry entries[] = {
        {.signature = "conv2d n1 h8 w8 ic8 oc8 kh3 kw3 s1 p0 d1 g1 nhwc f32",
         .set = hone::isa::baseline,
         .config = "winograd tile=2 block_rows=1 block_columns=2 rows=2 vectors=2"},
    };
};
using k = hone::kernel<layer, tuned, hone::isa::baseline>;
hone::status call(const hone::arguments& a)
{
    k::pack(nullptr, nullptr);
    return k::run(a);
}
