// SPDX-License-Identifier: BSL-1.0
// Kernels of kernels.cpp, compiled once for each instruction set with each of the flags of CMakeLists.txt.
#pragma once

#include <cstddef>

#include <hone/core/target.hpp>
#include <hone/cpu/entry.hpp>

#include "words.hpp"

namespace hone::test {

// Sums whose value depends on the order of their terms, behind which a NaN must come through.
inline constexpr gemm_shape sums_shape{.m = 7, .n = 35, .k = 24};

// What each library holds beside the words, which come first.
enum : std::size_t { plain_sums = 19, relu_sums, relu6_sums, kernels_of_library };

template <isa Set, int Flags>
struct ieee_library {
    static const entry kernels[kernels_of_library];
};

} // namespace hone::test
