// expect: hone::lower: the tile needs more vector registers than the instruction set has; choose a smaller tile
// expect: too_many_live_registers
// forbid: the schedule is not legal
// forbid: codegen
// forbid: basic_nest
// forbid: no matching function
// SPDX-License-Identifier: BSL-1.0
// A config set that asks for a tile of 9 x 2 vectors, where 16 registers hold 6 x 2 of them, 2 of weights and one of x.
#include <hone/hone.hpp>

#ifdef FORBIDDEN
inline constexpr int rows = 9;
#else
inline constexpr int rows = 6;
#endif

struct layer : hone::conv2d<hone::conv2d_shape{.h = 18, .w = 18, .ic = 8, .oc = 8, .kh = 3, .kw = 3}, hone::f32> {};
struct tuned {
    static constexpr hone::cpu_entry entries[] = {
        {.signature = "conv2d n1 h18 w18 ic8 oc8 kh3 kw3 s1 p0 d1 g1 nhwc f32",
         .set = hone::isa::baseline,
         .config = hone::config_text<hone::direct, hone::direct_knobs{.rows = rows, .vectors = 2}>},
    };
};
using k = hone::kernel<layer, tuned, hone::isa::baseline>;
static_assert(k::config.knobs<hone::direct>().rows == rows);
hone::status call(const hone::arguments& a) { return k::run(a); }
