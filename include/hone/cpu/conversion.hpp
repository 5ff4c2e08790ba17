// SPDX-License-Identifier: BSL-1.0
// The vector types of compilers, and how vectors of what is computed in are loaded and stored where memory holds
// another type. An element type that compilers know no conversion of vectors for has a specialization here, as half
// has.
#pragma once

#include <cstdint>

#include <hone/core/config.hpp>
#include <hone/core/dtype.hpp>
#include <hone/core/isa.hpp>
#include <hone/core/sequence.hpp>
#include <hone/core/traits.hpp>

#ifndef HONE_SHOW_WARNINGS // see core/config.hpp
#pragma GCC system_header
#endif

namespace hone::codegen {

// A vector in so many bytes, spelled out: g++ 12 loses the attribute where its size is a template argument.
template <class Number, int Bytes>
struct vector_of_bytes;
template <class Number>
struct vector_of_bytes<Number, 8> {
    typedef Number type __attribute__((vector_size(8)));
    typedef Number unaligned __attribute__((vector_size(8), aligned(alignof(Number)), may_alias));
};
template <class Number>
struct vector_of_bytes<Number, 16> {
    typedef Number type __attribute__((vector_size(16)));
    typedef Number unaligned __attribute__((vector_size(16), aligned(alignof(Number)), may_alias));
};
template <class Number>
struct vector_of_bytes<Number, 32> {
    typedef Number type __attribute__((vector_size(32)));
    typedef Number unaligned __attribute__((vector_size(32), aligned(alignof(Number)), may_alias));
};
template <class Number>
struct vector_of_bytes<Number, 64> {
    typedef Number type __attribute__((vector_size(64)));
    typedef Number unaligned __attribute__((vector_size(64), aligned(alignof(Number)), may_alias));
};
template <class Number, int N>
using lane_vector = typename vector_of_bytes<Number, N* static_cast<int>(sizeof(Number))>::type;
// The same where memory has it: at the alignment of its numbers, whatever they are taken for elsewhere.
template <class Number, int N>
using vector_in_memory = typename vector_of_bytes<Number, N* static_cast<int>(sizeof(Number))>::unaligned;

// Integers as wide as a number: its bits, and what comparing numbers gives.
template <class Number>
using bits_of = conditional_t<sizeof(Number) == 8, std::int64_t, std::int32_t>;

HONE_IEEE_BEGIN

// Between N numbers of type Memory where memory has them, and a vector of N numbers of type Number.
template <isa Set, class Memory, class Number, int N>
struct conversion {
    using vector = lane_vector<Number, N>;

    HONE_INLINE static vector load(const Memory* p) { return load_first<N>(p); }
    template <int Count>
    HONE_INLINE static vector load_first(const Memory* p)
    {
        if constexpr (has_vectors) {
            lane_vector<Memory, N> v{};
            __builtin_memcpy(&v, p, Count * sizeof(Memory));
            return __builtin_convertvector(v, vector);
        } else {
            vector v{};
            [&]<int... L>(sequence<L...>)
                HONE_INLINE_LAMBDA { ((v[L] = static_cast<Number>(p[L])), ...); }(make_sequence<Count>{});
            return v;
        }
    }
    HONE_INLINE static void store(Memory* p, vector v) { store_first<N>(p, v); }
    template <int Count>
    HONE_INLINE static void store_first(Memory* p, vector v)
    {
        static_assert(has_vectors, "hone::cpu: results are not stored in elements of this type");
        const auto converted = __builtin_convertvector(v, lane_vector<Memory, N>);
        __builtin_memcpy(p, &converted, Count * sizeof(Memory));
    }

private:
    static constexpr bool has_vectors = !__is_class(Memory);
};

// Floats from 16-bit floats. Processors of the x86 rows of core/isa.hpp and AArch64 convert with one instruction a
// vector, others with a dozen operations on integers:
//
//     sign eeeee ffffffffff  ->  sign eeeeeeee fffffffffff0000000000000     e + 112; 0 and 31 stand for themselves
//
// The instructions are written out, for their built-in functions need flags: F16C's is part of no row, but every
// processor with AVX2 has it (from Haswell and Excavator on), and flags are part of the key of records. Compilers move
// and merge them as they do loads: of a tile of 6 rows each vector of weights is converted once.
template <isa Set, int N>
struct conversion<Set, half, float, N> {
    using vector = lane_vector<float, N>;
    using bits = lane_vector<bits_of<float>, N>;
    // As integers; whatever they are, elements in memory are halves.
    using halves = lane_vector<std::uint16_t, N>;
    using unaligned = vector_in_memory<std::uint16_t, N>;

    HONE_INLINE static vector load(const half* p)
    {
        const auto& memory = *reinterpret_cast<const unaligned*>(p);
#if defined(__x86_64__)
        if constexpr (row_of(Set).kind == processor_kind::x86) {
            vector v;
            asm("vcvtph2ps {%1, %0|%0, %1}" : "=v"(v) : "m"(memory));
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
            asm("vcvtph2ps {%1, %0|%0, %1}" : "=v"(v) : "v"(h));
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

} // namespace hone::codegen
