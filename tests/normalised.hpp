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

} // namespace normalised
