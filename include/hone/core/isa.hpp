// SPDX-License-Identifier: BSL-1.0
// The instruction sets that kernels are compiled for, as one table: registers, features, the flags of compilers. CMake
// and the scripts read their rows from this text (tools/cmake/hone-isas.cmake, tools/isas), so an instruction set of a
// kind of processor that stands here is one row more.
#pragma once

#include <cstddef>
#include <cstdint>

#include <hone/core/dtype.hpp>
#include <hone/core/rooms.hpp>

#ifndef HONE_SHOW_WARNINGS // see core/config.hpp
#pragma GCC system_header
#endif

namespace hone::core {

// `none` is no instruction set of a CPU and has no row: nests of Vulkan devices have it.
enum class isa : std::uint8_t { none, baseline, avx2, avx512, neon };

// Which processors a row is for.
enum class processor_kind : std::uint8_t { any, x86, arm64 };

// Where a product takes a value that its lanes share from: what the value costs beside the rows of sums and the vectors
// of weights of a register tile.
enum class broadcast : std::uint8_t {
    in_register, // a register, which the rows use in turn
    from_memory, // the same, but nothing where it is used once: the instruction loads it (AVX-512)
    from_lane,   // a lane of a register: one a row, that holds as many steps of the reduction as it has lanes (NEON)
};

// What a processor has, a bit each. A set, for features form no chain: some processors have AVX-VNNI without AVX-512,
// and others the reverse.
struct cpu_features {
    std::uint32_t bits = 0;

    constexpr bool has(cpu_features all) const { return (bits & all.bits) == all.bits; }
    friend constexpr cpu_features operator|(cpu_features a, cpu_features b) { return {a.bits | b.bits}; }
    friend constexpr bool operator==(cpu_features, cpu_features) = default;
};
namespace cpu_feature {
inline constexpr cpu_features avx2{1 << 0}, fma{1 << 1}, avx512f{1 << 2}, avx512vl{1 << 3}, avx512dq{1 << 4},
    avx512bw{1 << 5}, asimd{1 << 6};
}

struct isa_row {
    isa set = isa::none;
    const char* name = "none";
    processor_kind kind = processor_kind::any;
    cpu_features features{};
    int register_bytes = 4;
    int registers = 16; // for vectors
    core::broadcast broadcast = core::broadcast::in_register;
    const char* flags = "";   // of g++ and clang: switch the features on
    const char* without = ""; // on x86: switch off what the flags of a project may add, and what these bring along
};

// Each in the place of its enumerator. Of several that a processor has, the last is the best. Those with AVX2 all have
// F16C, of which nothing is asked (cpu/conversion.hpp).
inline constexpr isa_row isa_table[] = {
    {},
    {.set = isa::baseline,
     .name = "baseline",
     .kind = processor_kind::any,
     .register_bytes = 16,
     .registers = 16,
     .flags = "",
     .without = "-mno-avx"},
    {.set = isa::avx2,
     .name = "avx2",
     .kind = processor_kind::x86,
     .features = cpu_feature::avx2 | cpu_feature::fma,
     .register_bytes = 32,
     .registers = 16,
     .flags = "-mavx2 -mfma",
     .without = "-mno-avx512f"},
    {.set = isa::avx512,
     .name = "avx512",
     .kind = processor_kind::x86,
     .features = cpu_feature::avx2 | cpu_feature::fma | cpu_feature::avx512f | cpu_feature::avx512vl |
                 cpu_feature::avx512dq | cpu_feature::avx512bw,
     .register_bytes = 64,
     .registers = 32,
     .broadcast = broadcast::from_memory,
     .flags = "-mavx512f -mavx512vl -mavx512dq -mavx512bw -mavx2 -mfma",
     .without = ""},
    {.set = isa::neon,
     .name = "neon",
     .kind = processor_kind::arm64,
     .features = cpu_feature::asimd,
     .register_bytes = 16,
     .registers = 32,
     .broadcast = broadcast::from_lane,
     .flags = "",
     .without = ""},
};

constexpr const isa_row& row_of(isa i)
{
    const auto at = static_cast<std::size_t>(i);
    return isa_table[at < sizeof isa_table / sizeof isa_table[0] ? at : 0];
}

constexpr const char* name_of(isa i) { return row_of(i).name; }

// Numbers of a type in a vector register. What is computed in counts, not what memory holds: that of an operator's
// tensors is accumulator_of() them.
constexpr int lanes_of(isa i, dtype accumulator)
{
    return row_of(i).register_bytes / static_cast<int>(bytes_of(accumulator));
}

constexpr int vector_registers(isa i) { return row_of(i).registers; }

// Calls f for each row, the best one last.
template <class F>
constexpr void for_each_isa(F f)
{
    for (const isa_row& r : isa_table)
        if (r.set != isa::none) f(r);
}

// The best instruction set of which all features are there.
constexpr isa best_isa(cpu_features there)
{
    isa best = isa::baseline;
    for_each_isa([&](const isa_row& r) {
        if (there.has(r.features)) best = r.set;
    });
    return best;
}

// Whether a processor of one instruction set runs code of another.
constexpr bool runs_on(isa code, isa processor)
{
    return code != isa::none && processor != isa::none && row_of(processor).features.has(row_of(code).features);
}

// What the compiler may use in this translation unit.
constexpr cpu_features compiled_features()
{
    cpu_features f;
#if defined(__AVX2__)
    f = f | cpu_feature::avx2;
#endif
#if defined(__FMA__)
    f = f | cpu_feature::fma;
#endif
#if defined(__AVX512F__)
    f = f | cpu_feature::avx512f;
#endif
#if defined(__AVX512VL__)
    f = f | cpu_feature::avx512vl;
#endif
#if defined(__AVX512DQ__)
    f = f | cpu_feature::avx512dq;
#endif
#if defined(__AVX512BW__)
    f = f | cpu_feature::avx512bw;
#endif
#if defined(__aarch64__) && defined(__ARM_NEON)
    f = f | cpu_feature::asimd;
#endif
    return f;
}

// The instruction set that this translation unit is compiled for. Not a property of the machine it runs on.
constexpr isa compiled_isa() { return best_isa(compiled_features()); }

// What this processor has, of the features that rows ask for.
inline cpu_features processor_features()
{
    cpu_features f;
#if defined(__x86_64__) || defined(__i386__)
    __builtin_cpu_init();
    if (__builtin_cpu_supports("avx2")) f = f | cpu_feature::avx2;
    if (__builtin_cpu_supports("fma")) f = f | cpu_feature::fma;
    if (__builtin_cpu_supports("avx512f")) f = f | cpu_feature::avx512f;
    if (__builtin_cpu_supports("avx512vl")) f = f | cpu_feature::avx512vl;
    if (__builtin_cpu_supports("avx512dq")) f = f | cpu_feature::avx512dq;
    if (__builtin_cpu_supports("avx512bw")) f = f | cpu_feature::avx512bw;
#elif defined(__aarch64__) && defined(__ARM_NEON)
    f = f | cpu_feature::asimd; // part of the architecture; what is not stands in getauxval(AT_HWCAP)
#endif
    return f;
}

// The best instruction set of this processor.
inline isa cpu() { return best_isa(processor_features()); }

// Whether this processor runs code of an instruction set.
inline bool runs_here(isa code) { return code != isa::none && processor_features().has(row_of(code).features); }

} // namespace hone::core

namespace hone { // API
using core::compiled_isa, core::cpu, core::isa, core::lanes_of, core::name_of, core::runs_here;
} // namespace hone
