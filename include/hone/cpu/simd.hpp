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

    // Lanes [from, count) of one, the others of another.
    HONE_INLINE static vector first_of(vector first, vector others, bits_of<Number> count, bits_of<Number> from = 0)
    {
        return [&]<int... L>(sequence<L...>) HONE_INLINE_LAMBDA {
            return ((bits{L...} >= from) & (bits{L...} < count)) ? first : others;
        }(make_sequence<N>{});
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

    // As many lanes as are known at run time, fewer than a vector has.
    template <class Memory>
    HONE_INLINE static vector load_first(const Memory* p, int count)
    {
        if constexpr (same_as<Memory, Number>)
            return first_lanes<Set, Number, N>::load(p, count);
        else
            return gather(p, 1, count);
    }
    template <class Memory>
    HONE_INLINE static void store_first(Memory* p, vector v, int count)
    {
        if constexpr (same_as<Memory, Number>)
            first_lanes<Set, Number, N>::store(p, v, count);
        else
            scatter(p, 1, v, count);
    }
    template <class Memory>
    HONE_INLINE static vector gather(const Memory* p, std::ptrdiff_t stride, int count)
    {
        vector v{};
        for (int lane = 0; lane < count; ++lane) v[lane] = static_cast<Number>(p[lane * stride]);
        return v;
    }
    template <class Memory>
    HONE_INLINE static void scatter(Memory* p, std::ptrdiff_t stride, vector v, int count)
    {
        for (int lane = 0; lane < count; ++lane) p[lane * stride] = static_cast<Memory>(v[lane]);
    }

    // Each `Sharing` neighbouring lanes have one element, `Stride` behind the one of the lanes before: one load and one
    // permutation where a vector holds them. From `First` on, with `Others` behind them that may be read, too; lanes
    // are those from `Lane` on, whose element p points to.
    template <int Count, int Sharing, std::int64_t Stride, int First = 0, int Others = 0, int Lane = 0, class Memory>
    HONE_INLINE static vector load_shared(const Memory* p)
    {
        constexpr std::int64_t skipped = Lane / Sharing,
                               reach = First + ((Count - 1) / Sharing - skipped) * Stride + Others;
        constexpr auto element = [](int lane) {
            return First + ((lane < Lane || lane >= Count ? Lane : lane) / Sharing - skipped) * Stride;
        };
        return [&]<int... L>(sequence<L...>) HONE_INLINE_LAMBDA {
            if constexpr (reach >= 0 && reach < N) {
                vector v{};
                if constexpr (reach == N - 1)
                    v = load(p);
                else
                    v = load_first<static_cast<int>(reach) + 1>(p);
                return __builtin_shufflevector(v, v, static_cast<int>(element(L))...);
            } else {
                return vector{static_cast<Number>(p[element(L)])...};
            }
        }(make_sequence<N>{});
    }

    // Lanes [First, Count), `stride` elements apart; the memory of others is not touched.
    template <int Count, int First = 0, class Memory>
    HONE_INLINE static vector gather(const Memory* p, std::ptrdiff_t stride)
    {
        vector v{};
        [&]<int... L>(sequence<L...>) HONE_INLINE_LAMBDA {
            ((v[First + L] = static_cast<Number>(p[(First + L) * stride])), ...);
        }(make_sequence<Count - First>{});
        return v;
    }
    template <int Count, int First = 0, class Memory>
    HONE_INLINE static void scatter(Memory* p, std::ptrdiff_t stride, vector v)
    {
        [&]<int... L>(sequence<L...>) HONE_INLINE_LAMBDA {
            ((p[(First + L) * stride] = static_cast<Memory>(v[First + L])), ...);
        }(make_sequence<Count - First>{});
    }

    // Lanes [First, Count) of neighbours; the others are 0, their memory is not touched.
    template <int First, int Count, class Memory>
    HONE_INLINE static vector load_from(const Memory* p)
    {
        const vector v = load_first<Count - First>(p + First);
        return [&]<int... L>(sequence<L...>) HONE_INLINE_LAMBDA {
            return __builtin_shufflevector(v, vector{}, (L < First ? N : L - First)...);
        }(make_sequence<N>{});
    }

    // Lanes [First, Count), Stride elements apart. Small strides take vectors of all that lies between the first and
    // the last of these, and of them the lanes: every second float by two loads and one or two shuffles. Nothing
    // outside is touched; other lanes hold anything.
    template <std::int64_t Stride, int First, int Count, class Memory>
    HONE_INLINE static vector load_strided(const Memory* p)
    {
        constexpr int reach = (Count - First - 1) * static_cast<int>(Stride) + 1;
        if constexpr (!same_as<Memory, Number> || Stride < 2 || Stride > most_loaded_stride || Count - First < 2)
            return gather<Count, First>(p, Stride);
        else if constexpr (reach <= N)
            return picked<static_cast<int>(Stride), First, Count, N, 0>(load_first<reach>(p + First * Stride),
                                                                        vector{});
        else
            return picked_from<static_cast<int>(Stride), First, Count, 1>(p + First * Stride, load(p + First * Stride));
    }
    static constexpr std::int64_t most_loaded_stride = 4;

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
    // Of x = 2^k m with m from sqrt(1/2) on and below sqrt 2, k; for positive numbers that are no denormals.
    HONE_INLINE static vector exponent(vector x)
    {
        const bits above = reinterpret_cast<bits>(x) - reinterpret_cast<bits>(broadcast(Number(0x1.6a09e6p-1)));
        return __builtin_convertvector(above >> format.fraction_bits, vector);
    }
    // x 2^-k where both are no denormals.
    HONE_INLINE static vector over_power_of_two(vector x, vector k)
    {
        const bits exponents = reinterpret_cast<bits>(k + shift) << format.fraction_bits;
        return reinterpret_cast<vector>(reinterpret_cast<bits>(x) - exponents);
    }

private:
    // Into lanes of `all`, which has those of elements below Piece * N, or all elements there are below N: those of a
    // vector of elements that ends with the next N, or with the last one that is wanted.
    template <int Stride, int First, int Count, int Piece>
    HONE_INLINE static vector picked_from(const Number* p, vector all)
    {
        constexpr int reach = (Count - First - 1) * Stride + 1;
        constexpr int begin = (Piece + 1) * N < reach ? Piece * N : reach - N;
        const vector next = picked<Stride, First, Count, Piece * N, begin, Piece == 1>(all, load(p + begin));
        if constexpr ((Piece + 1) * N < reach)
            return picked_from<Stride, First, Count, Piece + 1>(p, next);
        else
            return next;
    }
    // Elements from Border on are taken from `next`, which begins with element Begin. Others stand in their lanes of
    // `all` already, or each where it stands in memory.
    template <int Stride, int First, int Count, int Border, int Begin, bool IsMemory = true>
    HONE_INLINE static vector picked(vector all, vector next)
    {
        constexpr auto place = [](int lane) {
            const int element = (lane - First) * Stride;
            if (lane < First || lane >= Count) return IsMemory ? 0 : lane;
            if (element < Border) return IsMemory ? element : lane;
            return element < Begin + N ? N + element - Begin : lane;
        };
        return [&]<int... L>(sequence<L...>)
                   HONE_INLINE_LAMBDA { return __builtin_shufflevector(all, next, place(L)...); }(make_sequence<N>{});
    }

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
