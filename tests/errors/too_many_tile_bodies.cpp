// expect: hone::lower: border, tail and unroll multiply to more than 8 tile bodies; peel fewer levels
// expect: too_many_tile_bodies
// forbid: the schedule is not legal
// forbid: codegen
// forbid: basic_nest
// forbid: no matching function
// SPDX-License-Identifier: BSL-1.0
// A config set that peels wide borders off short rows. Without an entry the default steps down to one that is legal.
#include <hone/hone.hpp>

struct layer
    : hone::conv2d<hone::conv2d_shape{.h = 9, .w = 32, .ic = 4, .oc = 37, .kh = 3, .kw = 3, .pad = 6, .dilation = 6},
                   hone::f32> {};
struct tuned {
#ifdef FORBIDDEN
    static constexpr hone::cpu_entry entries[] = {
        {.signature = "conv2d n1 h9 w32 ic4 oc37 kh3 kw3 s1 p6 d6 g1 nhwc f32",
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
