// SPDX-License-Identifier: BSL-1.0
#include "layers.hpp"

void bench::c7_to_c9(const options& o)
{
    using enum hone::walk;
    run<c7, direct_knobs{.rows = 14, .vectors = 2}>("C7", o);
    run<c8, direct_knobs{.rows = 7, .vectors = 3, .order = rows_outer}>("C8", o);
    run<c9, direct_knobs{.rows = 14, .vectors = 2},
        winograd_knobs{.tile = 4, .block_rows = 2, .block_columns = 4, .rows = 8, .vectors = 2}>("C9", o);
}
