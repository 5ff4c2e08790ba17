// SPDX-License-Identifier: BSL-1.0
// The config set `demo_configs`, written by hone's tuner from measurements: hone::kernel<workload, demo_configs> takes
// its config from here. Other instruction sets take hone's closed-form defaults.
// clang-format off
#pragma once

#include <cstdint>

#include <hone/schedule/config.hpp>

struct demo_configs {
    static constexpr hone::cpu_entry entries[] = {
        // C9: 0.7484 ms; default 0.7484 ms
        {.signature = "conv2d n1 h14 w14 ic256 oc256 kh3 kw3 s1 p1 d1 g1 nhwc f32 bias relu",
         .set = hone::isa::avx512,
         .config = {.algorithm = hone::cpu_template::direct, .direct = {.rows = 14, .vectors = 2, .reduce_unroll = 1, .reduce_block = 0, .row_block = 0, .pad = hone::padding::peel, .order = hone::walk::weights_outer, .unroll_window = false}}},
        // C8: 0.0467 ms; default 0.0467 ms
        {.signature = "conv2d n1 h28 w28 ic128 oc256 kh1 kw1 s2 p0 d1 g1 nhwc f32 bias relu",
         .set = hone::isa::avx512,
         .config = {.algorithm = hone::cpu_template::direct, .direct = {.rows = 14, .vectors = 2, .reduce_unroll = 1, .reduce_block = 0, .row_block = 0, .pad = hone::padding::peel, .order = hone::walk::weights_outer, .unroll_window = false}}},
        // C2: 0.8557 ms; default 0.8557 ms
        {.signature = "conv2d n1 h56 w56 ic64 oc64 kh3 kw3 s1 p1 d1 g1 nhwc f32 bias relu",
         .set = hone::isa::avx512,
         .config = {.algorithm = hone::cpu_template::direct, .direct = {.rows = 4, .vectors = 4, .reduce_unroll = 1, .reduce_block = 0, .row_block = 0, .pad = hone::padding::peel, .order = hone::walk::weights_outer, .unroll_window = false}}},
        // gemm512: 0.9382 ms; default 0.9382 ms
        {.signature = "gemm b1 m512 n512 k512 ldx0 ldw0 ldy0 f32",
         .set = hone::isa::avx512,
         .config = {.algorithm = hone::cpu_template::direct, .direct = {.rows = 4, .vectors = 4, .reduce_unroll = 1, .reduce_block = 0, .row_block = 0, .pad = hone::padding::peel, .order = hone::walk::weights_outer, .unroll_window = false}}},
    };
};
