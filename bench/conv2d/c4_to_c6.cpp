// SPDX-License-Identifier: BSL-1.0
#include "layers.hpp"

void bench::c4_to_c6(const options& o)
{
    using enum hone::walk;
    run<c4, direct_knobs{.rows = 14, .vectors = 2}>("C4", o);
    run<c5, direct_knobs{.rows = 7, .vectors = 2}>("C5", o);
    run<c6, direct_knobs{.rows = 14, .vectors = 2, .order = rows_outer},
        winograd_knobs{.tile = 4, .block_rows = 7, .block_columns = 7, .rows = 7, .vectors = 3}>("C6", o);
}
