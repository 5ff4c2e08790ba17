// SPDX-License-Identifier: BSL-1.0
#include "layers.hpp"

void bench::c1_to_c3(const options& o)
{
    using enum hone::walk;
    run<c1, direct_knobs{.rows = 14, .vectors = 2, .order = rows_outer}>("C1", o);
    run<c2, direct_knobs{.rows = 14, .vectors = 2},
        winograd_knobs{.tile = 4, .block_rows = 1, .block_columns = 14, .rows = 7, .vectors = 2}>("C2", o);
    run<c3, direct_knobs{.rows = 4, .vectors = 4}>("C3", o);
}
