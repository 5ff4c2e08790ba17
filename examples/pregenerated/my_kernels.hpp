// SPDX-License-Identifier: BSL-1.0
// clang-format off
// The config set `my_kernels`, written by hone's tuner from measurements: hone::kernel<workload, my_kernels> takes
// its config from here. Other instruction sets take hone's closed-form defaults.
#pragma once

#include <cstdint>

#include <hone/schedule/config.hpp>

namespace hone {
struct entry_table;
}

struct my_kernels {
    static constexpr hone::accuracy accuracy = hone::accuracy::fast;
    static constexpr hone::cpu_entry entries[] = {
        // conv: 0.8655 ms; default 1.7041 ms
        {.signature = "conv2d n1 h14 w14 ic256 oc256 kh3 kw3 s1 p1 d1 g1 nhwc f32 bias relu",
         .set = hone::isa::avx2,
         .config = "winograd tile=4 block_rows=4 block_columns=1 rows=4 vectors=3"},
        // conv: 0.4740 ms; default 0.7981 ms
        {.signature = "conv2d n1 h14 w14 ic256 oc256 kh3 kw3 s1 p1 d1 g1 nhwc f32 bias relu",
         .set = hone::isa::avx512,
         .config = "winograd tile=2 block_rows=7 block_columns=7 rows=5 vectors=4"},
        // product: 0.0637 ms; default 0.0714 ms
        {.signature = "gemm b1 m64 n256 k256 ldx0 ldw0 ldy0 f32 bias",
         .set = hone::isa::avx2,
         .config = "direct rows=6 vectors=2 reduce_unroll=8 reduce_block=16 row_block=0 pad=peel order=rows_outer unroll_window=false"},
        // product: 0.0342 ms; default 0.0411 ms
        {.signature = "gemm b1 m64 n256 k256 ldx0 ldw0 ldy0 f32 bias",
         .set = hone::isa::avx512,
         .config = "direct rows=8 vectors=2 reduce_unroll=8 reduce_block=0 row_block=56 pad=peel order=rows_outer unroll_window=true"},
    };
    // Compiled kernels, for hone::find; defined in the library that hone_add_tuned_library makes.
    static const hone::entry_table& table();
};
