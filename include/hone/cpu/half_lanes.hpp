// SPDX-License-Identifier: BSL-1.0
// Vectors of floats from 16-bit floats in memory. Processors of the x86 rows of core/isa.hpp and AArch64 convert with
// one instruction a vector, others with a dozen operations on integers:
//
//     sign eeeee ffffffffff  ->  sign eeeeeeee fffffffffff0000000000000     e + 112; 0 and 31 stand for themselves
//
// The instructions are written out, for their built-in functions need flags: F16C's is part of no row, but every
// processor with AVX2 has it (from Haswell and Excavator on), and flags are part of the key of records. Compilers move
// and merge them as they do loads: of a tile of 6 rows each vector of weights is converted once.
#pragma once

#include <cstdint>

#include <hone/core/config.hpp>
#include <hone/core/dtype.hpp>
#include <hone/core/isa.hpp>

#ifndef HONE_SHOW_WARNINGS // see core/config.hpp
#pragma GCC system_header
#endif

namespace hone {

// The vector types, spelled out: g++ 12 loses the attribute where its size is a template argument.
template <int N>
struct float_vector;
template <>
struct float_vector<4> {
    typedef float type __attribute__((vector_size(16)));
    typedef float unaligned __attribute__((vector_size(16), aligned(4), may_alias));
    typedef std::int32_t bits __attribute__((vector_size(16)));
};
template <>
struct float_vector<8> {
    typedef float type __attribute__((vector_size(32)));
    typedef float unaligned __attribute__((vector_size(32), aligned(4), may_alias));
    typedef std::int32_t bits __attribute__((vector_size(32)));
};
template <>
struct float_vector<16> {
    typedef float type __attribute__((vector_size(64)));
    typedef float unaligned __attribute__((vector_size(64), aligned(4), may_alias));
    typedef std::int32_t bits __attribute__((vector_size(64)));
};

// The vectors of as many halves, as integers; whatever they are, elements in memory are halves.
template <int N>
struct half_vector;
template <>
struct half_vector<4> {
    typedef std::uint16_t type __attribute__((vector_size(8)));
    typedef std::uint16_t unaligned __attribute__((vector_size(8), aligned(2), may_alias));
};
template <>
struct half_vector<8> {
    typedef std::uint16_t type __attribute__((vector_size(16)));
    typedef std::uint16_t unaligned __attribute__((vector_size(16), aligned(2), may_alias));
};
template <>
struct half_vector<16> {
    typedef std::uint16_t type __attribute__((vector_size(32)));
    typedef std::uint16_t unaligned __attribute__((vector_size(32), aligned(2), may_alias));
};

HONE_IEEE_BEGIN

template <isa Set, int N>
struct half_lanes {
    using vector = typename float_vector<N>::type;
    using bits = typename float_vector<N>::bits;
    using halves = typename half_vector<N>::type;
    using unaligned = typename half_vector<N>::unaligned;

    HONE_INLINE static vector load(const half* p)
    {
        const auto& memory = *reinterpret_cast<const unaligned*>(p);
#if defined(__x86_64__)
        if constexpr (row_of(Set).kind == processor_kind::x86) {
            vector v;
            asm("vcvtph2ps %1, %0" : "=v"(v) : "m"(memory));
            return v;
        } else
#endif
            return converted(memory);
    }
    // The first Count lanes; the others are 0, their memory is not touched.
    template <int Count>
    HONE_INLINE static vector load_first(const half* p)
    {
        halves v{};
        __builtin_memcpy(&v, p, Count * sizeof(half));
        return converted(v);
    }

private:
    HONE_INLINE static vector converted(halves h)
    {
#if defined(__x86_64__)
        if constexpr (row_of(Set).kind == processor_kind::x86 && N > 4) {
            vector v;
            asm("vcvtph2ps %1, %0" : "=v"(v) : "v"(h));
            return v;
        } else
#endif
#if defined(__aarch64__)
            if constexpr (row_of(Set).kind == processor_kind::arm64 && N == 4) {
            vector v;
            asm("fcvtl %0.4s, %1.4h" : "=w"(v) : "w"(h));
            return v;
        } else
#endif
            return by_integers(h);
    }
    // No denormal float is met on the way, which some programs have the processor take for zero: a denormal half is the
    // difference of two numbers, 2^-14 + f and 2^-14.
    HONE_INLINE static vector by_integers(halves h)
    {
        const bits all = __builtin_convertvector(h, bits);
        const bits sign = (all & 0x8000) << 16, exponent = all & 0x7c00, fraction = all & 0x3ff;
        const bits normal = ((all & 0x7fff) << 13) + (112 << 23);
        const bits special = normal + (112 << 23) + ((fraction != 0) & 0x400000 & ~normal);
        const bits smallest = (fraction << 13) | (113 << 23);
        const bits denormal = reinterpret_cast<bits>(reinterpret_cast<vector>(smallest) - static_cast<float>(0x1p-14));
        const bits size = exponent == 0x7c00 ? special : exponent == 0 ? denormal : normal;
        return reinterpret_cast<vector>(size | sign);
    }
};

HONE_IEEE_END

} // namespace hone
