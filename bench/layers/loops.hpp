// SPDX-License-Identifier: BSL-1.0
// The loops of which the peaks are measured: multiply-adds that wait for nothing, and loads that nothing else is done
// for. Compiled as kernels are, for the instruction set of this machine.
#pragma once

#include <cstdint>
#include <utility>

#include <hone/core/isa.hpp>

namespace bench::layers {

inline constexpr int vector_bytes = hone::core::row_of(hone::compiled_isa()).register_bytes;
using number_vector [[gnu::vector_size(vector_bytes)]] = float;
using bits_vector [[gnu::vector_size(vector_bytes), gnu::aligned(4), gnu::may_alias]] = std::int32_t;
inline constexpr std::int64_t lanes = vector_bytes / 4;

// So many sums side by side keep two units of a latency of 4 or 5 cycles busy, in half of 32 registers and in nearly
// all of 16.
inline constexpr int chains = 12;
inline constexpr std::int64_t multiply_adds_of_step = chains * lanes;

// `numbers`: a factor that the compiler does not know, and where the sums go.
inline void multiply_and_add(std::int64_t steps, float* numbers)
{
    number_vector factor{}, sum[chains];
    factor += numbers[0];
    [&]<int... C>(std::integer_sequence<int, C...>) {
        ((sum[C] = factor + static_cast<float>(C)), ...);
        for (std::int64_t s = 0; s < steps; ++s) ((sum[C] = sum[C] * factor + factor), ...);
        for (int c = 1; c < chains; ++c) sum[0] += sum[c];
    }(std::make_integer_sequence<int, chains>{});
    numbers[0] = numbers[0] + sum[0][0] * 0;
}

// Each number once: four parts of the memory side by side, of which more arrives than of one.
inline std::int32_t load_all(const float* from, std::int64_t count)
{
    constexpr std::int64_t step = 4 * lanes;
    const std::int64_t part = count / 4 / step * step;
    bits_vector any[16]{}, all{};
    const auto load = [&](std::int64_t at) { return *reinterpret_cast<const bits_vector*>(from + at); };
    [&]<int... V>(std::integer_sequence<int, V...>) {
        for (std::int64_t i = 0; i < part; i += step) ((any[V] |= load(V % 4 * part + i + V / 4 * lanes)), ...);
        ((all |= any[V]), ...);
    }(std::make_integer_sequence<int, 16>{});
    std::int64_t at = 4 * part;
    for (; at + lanes <= count; at += lanes) all |= load(at);
    std::int32_t rest = 0;
    for (; at < count; ++at) rest |= from[at] != 0;
    for (std::int64_t l = 0; l < lanes; ++l) rest |= all[l];
    return rest;
}

} // namespace bench::layers
