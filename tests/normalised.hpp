// SPDX-License-Identifier: BSL-1.0
// Workloads that tuners are given: softmax and normalisations.
#pragma once

#include <hone/stages.hpp>

namespace normalised {

struct shares : hone::softmax<hone::row_shape{.rows = 24, .n = 100}, hone::f32> {};
struct layer : hone::layer_norm<hone::norm_shape{.rows = 20, .n = 192}, hone::f32, hone::with_gamma, hone::with_beta> {
};
struct root : hone::rms_norm<hone::norm_shape{.rows = 17, .n = 75, .epsilon = 1e-6}, hone::f32, hone::with_gamma> {};
struct apart : hone::softmax<hone::row_shape{.n = 19, .inner = 15 * 13}, hone::f32> {};

// Rows as many and as long as a call says.
struct any_shares : hone::softmax<hone::row_shape{.rows = hone::extent::up_to(30).typically(12),
                                                  .n = hone::extent::up_to(200).typically(100)},
                                  hone::f32> {};
struct any_layer
    : hone::layer_norm<hone::norm_shape{.rows = hone::extent::up_to(30), .n = hone::extent::up_to(200).typically(96)},
                       hone::f32, hone::with_gamma, hone::with_beta> {};
using any_rows = hone::workloads<any_shares, any_layer>;

} // namespace normalised
