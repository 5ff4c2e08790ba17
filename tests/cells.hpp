// SPDX-License-Identifier: BSL-1.0
// Workloads that tuners are given: recurrent cells, of sizes that fill no tile.
#pragma once

#include <hone/stages.hpp>

namespace recurrent_cells {

struct lstm : hone::lstm_cell<hone::cell_shape{.m = 6, .k = 20, .n = 37}, hone::f32, hone::bias> {};
struct gru : hone::gru_cell<hone::cell_shape{.m = hone::extent::up_to(9).typically(4), .k = 33, .n = 24}, hone::f32,
                            hone::bias> {};

} // namespace recurrent_cells
