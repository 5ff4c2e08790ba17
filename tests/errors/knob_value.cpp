// expect: hone::kernel: a knob of the config has no such value; choose one that the table of its template allows
// expect: knob_value
// forbid: the schedule is not legal
// forbid: codegen
// forbid: winograd_matrices
// forbid: no matching function
// SPDX-License-Identifier: BSL-1.0
// A config set that asks for Winograd tiles of 3 outputs, for which there are no matrices.
#include <hone/hone.hpp>

#ifdef FORBIDDEN
inline constexpr int tile = 3;
#else
inline constexpr int tile = 2;
#endif

struct layer : hone::conv2d<hone::conv2d_shape{.h = 8, .w = 8, .ic = 8, .oc = 8, .kh = 3, .kw = 3}, hone::f32> {};
struct tuned {
    static constexpr hone::accuracy accuracy = hone::accuracy::fast;
    static constexpr hone::cpu_entry entries[] = {
        {.signature = "conv2d n1 h8 w8 ic8 oc8 kh3 kw3 s1 p0 d1 g1 nhwc f32",
         .set = hone::isa::baseline,
         .config = hone::config_text<hone::winograd,
                                     hone::winograd_knobs{
                                         .tile = tile, .block_rows = 1, .block_columns = 2, .rows = 2, .vectors = 2}>},
    };
};
using k = hone::kernel<layer, tuned, hone::isa::baseline>;
static_assert(k::config.knobs<hone::winograd>().tile == tile);
hone::status call(const hone::arguments& a)
{
    k::pack(nullptr, nullptr);
    return k::run(a);
}
