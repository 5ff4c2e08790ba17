// SPDX-License-Identifier: BSL-1.0
// A small library of kernels as an engine sees it: three workloads, by default and tuned, for three instruction sets.
// The lists are data, so that reading them runs nothing that this processor lacks.
#pragma once

#include <hone/cpu/entry.hpp>
#include <hone/op/conv2d.hpp>
#include <hone/op/epilogue.hpp>
#include <hone/op/gemm.hpp>

namespace hone::test {

inline constexpr gemm_shape small_gemm{.m = 9, .n = 37, .k = 14};
inline constexpr conv2d_shape small_conv{.h = 9, .w = 11, .ic = 5, .oc = 35, .kh = 3, .kw = 3, .pad = 1};

using gemm_workload = gemm<small_gemm, f32, bias>;
using conv_workload = conv2d<small_conv, f32, relu>;
using half_workload = gemm<small_gemm, types<f16>, bias>;

// Lists of library.cpp, compiled for this instruction set.
template <isa Set>
struct library {
    static const entry_list by_default;
    static const entry_list tuned;
};

} // namespace hone::test
