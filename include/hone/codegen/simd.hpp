// SPDX-License-Identifier: BSL-1.0
// Vectors of N floats by compiler extension, for one instruction set. Everything here is a template over the
// instruction set, so that units compiled with different flags never share a function that holds vector code.
#pragma once

#include <cstddef>
#include <cstdint>
#include <utility>

#include <hone/core/config.hpp>
#include <hone/core/target.hpp>
#include <hone/ir/expr.hpp>
#include <hone/ir/nest.hpp>

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

template <isa Set, int N>
struct simd {
    using vector = typename float_vector<N>::type;
    using unaligned = typename float_vector<N>::unaligned;

    HONE_INLINE static vector load(const float* p) { return *reinterpret_cast<const unaligned*>(p); }
    HONE_INLINE static void store(float* p, vector v) { *reinterpret_cast<unaligned*>(p) = v; }

    // The first Count lanes; the others are 0, their memory is not touched.
    template <int Count>
    HONE_INLINE static vector load_first(const float* p)
    {
        vector v{};
        __builtin_memcpy(&v, p, Count * sizeof(float));
        return v;
    }
    template <int Count>
    HONE_INLINE static void store_first(float* p, vector v)
    {
        __builtin_memcpy(p, &v, Count * sizeof(float));
    }

    // Lanes Stride floats apart (times a run-time stride).
    template <int Count>
    HONE_INLINE static vector gather(const float* p, std::ptrdiff_t stride)
    {
        vector v{};
        [&]<int... L>(std::integer_sequence<int, L...>)
            HONE_INLINE_LAMBDA { ((v[L] = p[L * stride]), ...); }(std::make_integer_sequence<int, Count>{});
        return v;
    }
    template <int Count>
    HONE_INLINE static void scatter(float* p, std::ptrdiff_t stride, vector v)
    {
        [&]<int... L>(std::integer_sequence<int, L...>)
            HONE_INLINE_LAMBDA { ((p[L * stride] = v[L]), ...); }(std::make_integer_sequence<int, Count>{});
    }

    HONE_INLINE static vector broadcast(float x)
    {
        return [&]<int... L>(std::integer_sequence<int, L...>) HONE_INLINE_LAMBDA {
            return vector{(static_cast<void>(L), x)...};
        }(std::make_integer_sequence<int, N>{});
    }
    HONE_INLINE static vector broadcast(vector x) { return x; }
};

// One lane: a nest without a vector loop.
template <isa Set>
struct simd<Set, 1> {
    typedef float vector;
    HONE_INLINE static vector load(const float* p) { return *p; }
    HONE_INLINE static void store(float* p, vector v) { *p = v; }
    HONE_INLINE static vector broadcast(float x) { return x; }
};

HONE_IEEE_BEGIN

HONE_INLINE float root_of(float a)
{
#if defined(__clang__)
    // Its built-in function heeds no region, and becomes an estimate; within a conversion it does. One instruction.
    return static_cast<float>(__builtin_sqrt(static_cast<double>(a)));
#else
    return __builtin_sqrtf(a);
#endif
}

// The operators of an expression on floats and vectors: those of IEEE 754, as ir/expr.hpp lists them. Scalars meet
// vectors without being broadcast first, which lets the compiler fold the broadcast into the instruction.
template <isa Set, int N, expr_op Op, class A>
HONE_INLINE auto apply(A a)
{
    if constexpr (Op == expr_op::neg) {
        return -a;
    } else if constexpr (Op == expr_op::abs && sizeof(A) == sizeof(float)) {
        return __builtin_fabsf(a);
    } else if constexpr (Op == expr_op::abs) {
        // The sign is a bit: no comparison finds it in -0 and in NaN.
        using bits = typename float_vector<N>::bits;
        return reinterpret_cast<A>(reinterpret_cast<bits>(a) & 0x7fffffff);
    } else if constexpr (sizeof(A) == sizeof(float)) {
        static_assert(Op == expr_op::sqrt);
        return root_of(a);
    } else {
        static_assert(Op == expr_op::sqrt);
        [&]<int... L>(std::integer_sequence<int, L...>)
            HONE_INLINE_LAMBDA { ((a[L] = root_of(a[L])), ...); }(std::make_integer_sequence<int, N>{});
        return a;
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
    } else {
        static_assert(Op == expr_op::max);
        return a < b ? b : a;
    }
}

HONE_IEEE_END

} // namespace hone
