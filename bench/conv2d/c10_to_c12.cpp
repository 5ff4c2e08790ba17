// SPDX-License-Identifier: BSL-1.0
#include "layers.hpp"

void bench::c10_to_c12(const options& o)
{
    using enum hone::walk;
    run<c10, direct_knobs{.rows = 7, .vectors = 3}>("C10", o);
    run<c11, direct_knobs{.rows = 7, .vectors = 3, .order = rows_outer}>("C11", o);
    run<c12, direct_knobs{.rows = 7, .vectors = 3, .order = rows_outer},
        winograd_knobs{.tile = 2, .block_rows = 4, .block_columns = 4, .rows = 8, .vectors = 3}>("C12", o);
}
