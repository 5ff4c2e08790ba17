// SPDX-License-Identifier: BSL-1.0
// Vectors of what is computed in, by compiler extension, for one instruction set. Everything here is a template over
// the instruction set, so that units compiled with different flags never share a function that holds vector code.
#pragma once

#include <cstddef>
#include <cstdint>

#include <hone/core/config.hpp>
#include <hone/core/dtype.hpp>
#include <hone/core/isa.hpp>
#include <hone/core/sequence.hpp>
#include <hone/cpu/conversion.hpp>
#include <hone/cpu/first_lanes.hpp>
#include <hone/ir/expr.hpp>
#include <hone/ir/nest.hpp>
#include <hone/lower/functions.hpp>

#ifndef HONE_SHOW_WARNINGS // see core/config.hpp
#pragma GCC system_header
#endif

namespace hone::codegen {

HONE_IEEE_BEGIN

// Number: what is computed in. Lanes: as many as a register holds, or fewer.
template <isa Set, class Number, int N = row_of(Set).register_bytes / static_cast<int>(sizeof(Number))>
struct simd {
    using scalar = Number;
    using vector = lane_vector<Number, N>;
    using bits = lane_vector<bits_of<Number>, N>; // what comparisons give
    static constexpr isa set = Set;
    static constexpr int lanes = N;

    HONE_INLINE static vector load(const Number* p) { return *reinterpret_cast<const vector_in_memory<Number, N>*>(p); }
    HONE_INLINE static void store(Number* p, vector v) { *reinterpret_cast<vector_in_memory<Number, N>*>(p) = v; }

    // The first Count lanes; the others are 0, their memory is not touched.
    template <int Count>
    HONE_INLINE static vector load_first(const Number* p)
    {
        return first_lanes<Set, Number, N>::template load<Count>(p);
    }
    template <int Count>
    HONE_INLINE static void store_first(Number* p, vector v)
    {
        first_lanes<Set, Number, N>::template store<Count>(p, v);
    }

    // The first Count lanes of one, the others of another.
    template <int Count>
    HONE_INLINE static vector first_of(vector first, vector others)
    {
        return [&]<int... L>(sequence<L...>)
                   HONE_INLINE_LAMBDA { return bits{(L < Count ? -1 : 0)...} ? first : others; }(make_sequence<N>{});
    }

    // The same of other types, converted.
    template <class Memory>
    HONE_INLINE static vector load(const Memory* p)
    {
        return conversion<Set, Memory, Number, N>::load(p);
    }
    template <int Count, class Memory>
    HONE_INLINE static vector load_first(const Memory* p)
    {
        return conversion<Set, Memory, Number, N>::template load_first<Count>(p);
    }
    template <class Memory>
    HONE_INLINE static void store(Memory* p, vector v)
    {
        conversion<Set, Memory, Number, N>::store(p, v);
    }
    template <int Count, class Memory>
    HONE_INLINE static void store_first(Memory* p, vector v)
    {
        conversion<Set, Memory, Number, N>::template store_first<Count>(p, v);
    }

    // Lanes Stride elements apart (times a run-time stride).
    template <int Count, class Memory>
    HONE_INLINE static vector gather(const Memory* p, std::ptrdiff_t stride)
    {
        vector v{};
        [&]<int... L>(sequence<L...>)
            HONE_INLINE_LAMBDA { ((v[L] = static_cast<Number>(p[L * stride])), ...); }(make_sequence<Count>{});
        return v;
    }
    template <int Count, class Memory>
    HONE_INLINE static void scatter(Memory* p, std::ptrdiff_t stride, vector v)
    {
        [&]<int... L>(sequence<L...>)
            HONE_INLINE_LAMBDA { ((p[L * stride] = static_cast<Memory>(v[L])), ...); }(make_sequence<Count>{});
    }

    HONE_INLINE static vector broadcast(Number x)
    {
        return [&]<int... L>(sequence<L...>)
                   HONE_INLINE_LAMBDA { return vector{(static_cast<void>(L), x)...}; }(make_sequence<N>{});
    }
    HONE_INLINE static vector broadcast(vector x) { return x; }

    // What lower/functions.hpp is written in, beside the operators of vectors.
    HONE_INLINE static vector select(bits holds, vector yes, vector no) { return holds ? yes : no; }
    // The sign is a bit: no comparison finds it in -0 and in NaN.
    HONE_INLINE static vector abs(vector x) { return reinterpret_cast<vector>(reinterpret_cast<bits>(x) & size_bits); }
    // Of a number without a sign.
    HONE_INLINE static vector with_sign(vector size, vector sign)
    {
        return reinterpret_cast<vector>(reinterpret_cast<bits>(size) | (reinterpret_cast<bits>(sign) & ~size_bits));
    }
    // The nearest whole number, for |x| below half of what has no digits behind the point: 2^22 of floats.
    HONE_INLINE static vector nearest(vector x) { return (x + shift) - shift; }
    // 2^n for whole numbers in [-126, 127] of floats: the last bits of the sum are those of the exponent.
    HONE_INLINE static vector power_of_two(vector n)
    {
        return reinterpret_cast<vector>(reinterpret_cast<bits>(n + (shift + format.bias)) << format.fraction_bits);
    }

private:
    static constexpr float_format format = binary_format<Number>;
    // All but the sign.
    static constexpr bits_of<Number> size_bits = ~(bits_of<Number>{1} << (8 * sizeof(Number) - 1));
    static constexpr Number shift = static_cast<Number>(0.75 / format.unit); // 1.5 * 2^fraction_bits
};

// One lane: a nest without a vector loop.
template <isa Set, class Number>
struct simd<Set, Number, 1> {
    typedef Number scalar;
    typedef Number vector;
    static constexpr isa set = Set;
    static constexpr int lanes = 1;
    template <class Memory>
    HONE_INLINE static vector load(const Memory* p)
    {
        return static_cast<Number>(*p);
    }
    template <class Memory>
    HONE_INLINE static void store(Memory* p, vector v)
    {
        *p = static_cast<Memory>(v);
    }
    HONE_INLINE static vector broadcast(Number x) { return x; }
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
HONE_INLINE double root_of(double a) { return __builtin_sqrt(a); }
HONE_INLINE float size_of(float a) { return __builtin_fabsf(a); }
HONE_INLINE double size_of(double a) { return __builtin_fabs(a); }

// The words of an expression on numbers and vectors of M (ir/words.hpp). Scalars meet vectors without being broadcast
// first, which lets the compiler fold the broadcast into the instruction.
//
// A word that is computed, of numbers alone, is that of a vector of them: in scalar code compilers may turn choices
// into branches and then fuse other products and sums.
template <class M, class A>
inline constexpr bool is_scalar = sizeof(A) == sizeof(typename M::scalar);
template <class M, expr_op Op, class... A>
HONE_INLINE typename M::scalar computed_alone(A... a)
{
    using vectors = simd<M::set, typename M::scalar, 16 / static_cast<int>(sizeof(typename M::scalar))>;
    return computed<vectors, Op>(vectors::broadcast(a)...)[0];
}
template <class M, expr_op Op, class A>
HONE_INLINE auto apply(A a)
{
    if constexpr (Op == expr_op::neg) {
        return -a;
    } else if constexpr (Op == expr_op::abs && is_scalar<M, A>) {
        return size_of(a);
    } else if constexpr (Op == expr_op::abs) {
        return M::abs(a);
    } else if constexpr (Op == expr_op::sqrt && is_scalar<M, A>) {
        return root_of(a);
    } else if constexpr (Op == expr_op::sqrt) {
        [&]<int... L>(sequence<L...>) HONE_INLINE_LAMBDA { ((a[L] = root_of(a[L])), ...); }(make_sequence<M::lanes>{});
        return a;
    } else if constexpr (is_scalar<M, A>) {
        return computed_alone<M, Op>(a);
    } else {
        return computed<M, Op>(a);
    }
}
template <class M, expr_op Op, class A, class B>
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
        return apply<M, Op>(M::broadcast(a), M::broadcast(b));
    } else if constexpr (Op == expr_op::min) {
        return a < b ? a : b;
    } else if constexpr (Op == expr_op::max) {
        return a < b ? b : a;
    } else if constexpr (is_scalar<M, A>) {
        return computed_alone<M, Op>(a, b);
    } else {
        return computed<M, Op>(a, b);
    }
}
template <class M, expr_op Op, class A, class B, class C>
HONE_INLINE auto apply(A a, B b, C c)
{
    if constexpr (is_scalar<M, A> && is_scalar<M, B> && is_scalar<M, C>)
        return computed_alone<M, Op>(a, b, c);
    else
        return computed<M, Op>(M::broadcast(a), M::broadcast(b), M::broadcast(c));
}

HONE_IEEE_END

} // namespace hone::codegen
