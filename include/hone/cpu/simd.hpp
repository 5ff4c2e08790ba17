// SPDX-License-Identifier: BSL-1.0
// Vectors of N floats by compiler extension, for one instruction set. Everything here is a template over the
// instruction set, so that units compiled with different flags never share a function that holds vector code.
#pragma once

#include <cstddef>
#include <cstdint>

#include <hone/core/config.hpp>
#include <hone/core/sequence.hpp>
#include <hone/core/target.hpp>
#include <hone/cpu/half_lanes.hpp>
#include <hone/ir/expr.hpp>
#include <hone/ir/nest.hpp>
#include <hone/lower/functions.hpp>

#ifndef HONE_SHOW_WARNINGS // see core/config.hpp
#pragma GCC system_header
#endif

namespace hone {

HONE_IEEE_BEGIN

template <isa Set, int N>
struct simd {
    using vector = typename float_vector<N>::type;
    using unaligned = typename float_vector<N>::unaligned;

    HONE_INLINE static vector load(const float* p) { return *reinterpret_cast<const unaligned*>(p); }
    HONE_INLINE static void store(float* p, vector v) { *reinterpret_cast<unaligned*>(p) = v; }

    // The first Count lanes; the others are 0, their memory is not touched. In halves of registers: of a vector that is
    // put together in memory the load waits for all of its stores, which are shorter.
    template <int Count>
    HONE_INLINE static vector load_first(const float* p)
    {
        vector v{};
        if constexpr (Count == N) {
            v = load(p);
        } else if constexpr (N > 4) {
            using half_of = simd<Set, N / 2>;
            constexpr int low = Count < N / 2 ? Count : N / 2;
            typename half_of::vector first = half_of::template load_first<low>(p), second{};
            if constexpr (Count > low) second = half_of::template load_first<Count - low>(p + low);
            v = join(first, second);
        } else {
            for (int lane = 0; lane < Count; ++lane) v[lane] = p[lane];
        }
        return v;
    }
    template <class Half>
    HONE_INLINE static vector join(Half low, Half high)
    {
        return [&]<int... L>(sequence<L...>)
                   HONE_INLINE_LAMBDA { return vector(__builtin_shufflevector(low, high, L...)); }(make_sequence<N>{});
    }
    template <int Count>
    HONE_INLINE static void store_first(float* p, vector v)
    {
        __builtin_memcpy(p, &v, Count * sizeof(float));
    }

    // The first Count lanes of one, the others of another.
    template <int Count>
    HONE_INLINE static vector first_of(vector first, vector others)
    {
        return [&]<int... L>(sequence<L...>) HONE_INLINE_LAMBDA {
            return typename float_vector<N>::bits{(L < Count ? -1 : 0)...} ? first : others;
        }(make_sequence<N>{});
    }

    // The same of other types, converted.
    HONE_INLINE static vector load(const half* p) { return half_lanes<Set, N>::load(p); }
    template <int Count>
    HONE_INLINE static vector load_first(const half* p)
    {
        return half_lanes<Set, N>::template load_first<Count>(p);
    }

    // Lanes Stride elements apart (times a run-time stride).
    template <int Count, class Element>
    HONE_INLINE static vector gather(const Element* p, std::ptrdiff_t stride)
    {
        vector v{};
        [&]<int... L>(sequence<L...>)
            HONE_INLINE_LAMBDA { ((v[L] = static_cast<float>(p[L * stride])), ...); }(make_sequence<Count>{});
        return v;
    }
    template <int Count>
    HONE_INLINE static void scatter(float* p, std::ptrdiff_t stride, vector v)
    {
        [&]<int... L>(sequence<L...>) HONE_INLINE_LAMBDA { ((p[L * stride] = v[L]), ...); }(make_sequence<Count>{});
    }

    HONE_INLINE static vector broadcast(float x)
    {
        return [&]<int... L>(sequence<L...>)
                   HONE_INLINE_LAMBDA { return vector{(static_cast<void>(L), x)...}; }(make_sequence<N>{});
    }
    HONE_INLINE static vector broadcast(vector x) { return x; }

    // What lower/functions.hpp is written in, beside the operators of vectors.
    using bits = typename float_vector<N>::bits;
    HONE_INLINE static vector select(bits holds, vector yes, vector no) { return holds ? yes : no; }
    // The sign is a bit: no comparison finds it in -0 and in NaN.
    HONE_INLINE static vector abs(vector x) { return reinterpret_cast<vector>(reinterpret_cast<bits>(x) & 0x7fffffff); }
    // Of a number without a sign.
    HONE_INLINE static vector with_sign(vector size, vector sign)
    {
        return reinterpret_cast<vector>(reinterpret_cast<bits>(size) | (reinterpret_cast<bits>(sign) & ~0x7fffffff));
    }
    // The nearest whole number, for |x| below 2^22.
    HONE_INLINE static vector nearest(vector x) { return (x + 0x1.8p23f) - 0x1.8p23f; }
    // 2^n for whole numbers in [-126, 127]: the last bits of the sum are those of the exponent.
    HONE_INLINE static vector power_of_two(vector n)
    {
        return reinterpret_cast<vector>(reinterpret_cast<bits>(n + (0x1.8p23f + 127)) << 23);
    }
};

// One lane: a nest without a vector loop.
template <isa Set>
struct simd<Set, 1> {
    typedef float vector;
    HONE_INLINE static vector load(const float* p) { return *p; }
    HONE_INLINE static void store(float* p, vector v) { *p = v; }
    HONE_INLINE static vector broadcast(float x) { return x; }
};

HONE_INLINE float root_of(float a)
{
#if defined(__clang__)
    // Its built-in function heeds no region, and becomes an estimate; within a conversion it does. One instruction.
    return static_cast<float>(__builtin_sqrt(static_cast<double>(a)));
#else
    return __builtin_sqrtf(a);
#endif
}

// The words of an expression on floats and vectors (ir/words.hpp). Scalars meet vectors without being broadcast first,
// which lets the compiler fold the broadcast into the instruction.
//
// A word that is computed, of floats alone, is that of a vector of them: in scalar code compilers may turn choices into
// branches and then fuse other products and sums.
template <isa Set, expr_op Op, class... A>
HONE_INLINE float computed_alone(A... a)
{
    using vectors = simd<Set, 4>;
    return codegen::computed<vectors, Op>(vectors::broadcast(a)...)[0];
}
template <isa Set, int N, expr_op Op, class A>
HONE_INLINE auto apply(A a)
{
    constexpr bool is_scalar = sizeof(A) == sizeof(float);
    if constexpr (Op == expr_op::neg) {
        return -a;
    } else if constexpr (Op == expr_op::abs && is_scalar) {
        return __builtin_fabsf(a);
    } else if constexpr (Op == expr_op::abs) {
        return simd<Set, N>::abs(a);
    } else if constexpr (Op == expr_op::sqrt && is_scalar) {
        return root_of(a);
    } else if constexpr (Op == expr_op::sqrt) {
        [&]<int... L>(sequence<L...>) HONE_INLINE_LAMBDA { ((a[L] = root_of(a[L])), ...); }(make_sequence<N>{});
        return a;
    } else if constexpr (is_scalar) {
        return computed_alone<Set, Op>(a);
    } else {
        return codegen::computed<simd<Set, N>, Op>(a);
    }
}
template <isa Set, int N, expr_op Op, class A, class B>
HONE_INLINE auto apply(A a, B b)
{
    if constexpr (Op == expr_op::add) {
        return a + b;
    } else if constexpr (Op == expr_op::sub) {
        return a - b;
    } else if constexpr (Op == expr_op::mul) {
        return a * b;
    } else if constexpr (Op == expr_op::div) {
        return a / b;
    } else if constexpr (sizeof(A) != sizeof(B)) {
        return apply<Set, N, Op>(simd<Set, N>::broadcast(a), simd<Set, N>::broadcast(b));
    } else if constexpr (Op == expr_op::min) {
        return a < b ? a : b;
    } else if constexpr (Op == expr_op::max) {
        return a < b ? b : a;
    } else if constexpr (sizeof(A) == sizeof(float)) {
        return computed_alone<Set, Op>(a, b);
    } else {
        return codegen::computed<simd<Set, N>, Op>(a, b);
    }
}
template <isa Set, int N, expr_op Op, class A, class B, class C>
HONE_INLINE auto apply(A a, B b, C c)
{
    if constexpr (sizeof(A) == sizeof(float) && sizeof(B) == sizeof(float) && sizeof(C) == sizeof(float)) {
        return computed_alone<Set, Op>(a, b, c);
    } else {
        using vectors = simd<Set, N>;
        return codegen::computed<vectors, Op>(vectors::broadcast(a), vectors::broadcast(b), vectors::broadcast(c));
    }
}

HONE_IEEE_END

} // namespace hone
