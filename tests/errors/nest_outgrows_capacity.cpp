// expect: hone::lower: the nest outgrows its capacity; peel or unroll less
// expect: capacity
// forbid: the schedule is not legal
// forbid: codegen
// forbid: basic_nest
// forbid: array subscript
// forbid: no matching function
// SPDX-License-Identifier: BSL-1.0
// A config set that writes out 128 taps with their borders. Without an entry the default steps down to one that is
// legal.
#include <hone/hone.hpp>

struct layer : hone::conv2d<hone::conv2d_shape{
                                .w = 100, .ic = 6, .oc = 34, .kw = 128, .pad_left = 64, .pad_right = 64, .groups = 2},
                            hone::f32> {};
struct tuned {
#ifdef FORBIDDEN
    static constexpr hone::cpu_entry entries[] = {
        {.signature = "conv2d n1 h1 w100 ic6 oc34 kh1 kw128 s1 pt0 pl64 pb0 pr64 d1 g2 nhwc f32",
         .set = hone::isa::baseline,
         .config = "direct rows=4 vectors=2"},
    };
#else
    static constexpr hone::cpu_entry entries[1]{};
#endif
};
using k = hone::kernel<layer, tuned, hone::isa::baseline>;
hone::status call(const hone::arguments& a)
{
    k::pack(nullptr, nullptr);
    return k::run(a);
}
