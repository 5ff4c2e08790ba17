// SPDX-License-Identifier: BSL-1.0
// Copies that turn a matrix, by squares in registers: where vectors are gathered from rows that are far apart, and
// their neighbours from the next column, rows are loaded instead, and turned. Of four lanes,
//
//     to[j][lane] = from[lane][j]      j, lane = 0, 1, 2, 3
//
// takes 4 loads, 8 shuffles and 4 stores, where gathering takes 16 loads and as many inserts.
#pragma once

#include <cstdint>

#include <hone/core/config.hpp>
#include <hone/core/isa.hpp>
#include <hone/core/sequence.hpp>
#include <hone/core/traits.hpp>
#include <hone/cpu/conversion.hpp>
#include <hone/cpu/environment.hpp>
#include <hone/cpu/simd.hpp>
#include <hone/ir/nest.hpp>

#ifndef HONE_SHOW_WARNINGS // see core/config.hpp
#pragma GCC system_header
#endif

namespace hone::codegen::cpu {

HONE_IEEE_BEGIN

// A square of N x N floats in N vectors. Units of 16 bytes hold four of a row: squares of four are turned inside them,
// and then the units change places.
template <isa Set, int N>
struct square {
    using vector = lane_vector<float, N>;
    using pairs = lane_vector<double, N / 2>; // moved, never computed with

    vector row[N];

    HONE_INLINE void turn()
    {
        [&]<int... G>(sequence<G...>) HONE_INLINE_LAMBDA { (turn_four(row + 4 * G), ...); }(make_sequence<N / 4>{});
        if constexpr (N > 4)
            [&]<int... C>(sequence<C...>) HONE_INLINE_LAMBDA { (exchange<C>(), ...); }(make_sequence<4>{});
    }

private:
    // Numbers of two vectors in turn, from the first (Half 0) or second half of each unit: a0 b0 a1 b1.
    template <int Half>
    HONE_INLINE static vector by_one(vector a, vector b)
    {
        return [&]<int... L>(sequence<L...>) HONE_INLINE_LAMBDA {
            return __builtin_shufflevector(a, b, (L / 4 * 4 + 2 * Half + L % 4 / 2 + (L % 2 ? N : 0))...);
        }(make_sequence<N>{});
    }
    // Pairs of them: a0 a1 b0 b1.
    template <int Half>
    HONE_INLINE static vector by_two(vector a, vector b)
    {
        const pairs x = reinterpret_cast<pairs>(a), y = reinterpret_cast<pairs>(b);
        return [&]<int... L>(sequence<L...>) HONE_INLINE_LAMBDA {
            return reinterpret_cast<vector>(__builtin_shufflevector(x, y, (L / 2 * 2 + Half + (L % 2 ? N / 2 : 0))...));
        }(make_sequence<N / 2>{});
    }
    // Every second unit of one vector, and then of another, from the first or second on.
    template <int First>
    HONE_INLINE static vector units(vector a, vector b)
    {
        const pairs x = reinterpret_cast<pairs>(a), y = reinterpret_cast<pairs>(b);
        return [&]<int... L>(sequence<L...>) HONE_INLINE_LAMBDA {
            return reinterpret_cast<vector>(__builtin_shufflevector(x, y, (L / 2 * 4 + 2 * First + L % 2)...));
        }(make_sequence<N / 2>{});
    }

    // Column c of four rows, for each unit.
    HONE_INLINE static void turn_four(vector* r)
    {
        const vector a = by_one<0>(r[0], r[1]), b = by_one<1>(r[0], r[1]);
        const vector c = by_one<0>(r[2], r[3]), d = by_one<1>(r[2], r[3]);
        r[0] = by_two<0>(a, c);
        r[1] = by_two<1>(a, c);
        r[2] = by_two<0>(b, d);
        r[3] = by_two<1>(b, d);
    }
    // Columns C, C + 4, ...: the units of the vectors that hold column C of four rows each.
    template <int C>
    HONE_INLINE void exchange()
    {
        static_assert(N == 8 || N == 16);
        if constexpr (N == 8) {
            const vector a = row[C], b = row[C + 4];
            row[C] = units<0>(a, b);
            row[C + 4] = units<1>(a, b);
        } else {
            const vector even = units<0>(row[C], row[C + 4]), odd = units<1>(row[C], row[C + 4]);
            const vector more_even = units<0>(row[C + 8], row[C + 12]), more_odd = units<1>(row[C + 8], row[C + 12]);
            row[C] = units<0>(even, more_even);
            row[C + 4] = units<0>(odd, more_odd);
            row[C + 8] = units<1>(even, more_even);
            row[C + 12] = units<1>(odd, more_odd);
        }
    }
};

// Steps of a band that are one square: those from First on, of which Left are of this form, whose loads are neighbours.
template <class B, int First, int Left>
consteval int steps_of_square(int lanes)
{
    int count = 1;
    while (count < Left && count < lanes && B::offset(First + count, 1) == B::offset(First, 1) + count) ++count;
    return count;
}

// Whether a form (cpu/form.hpp) copies vectors of lanes that are far apart.
template <class K, class F, class B, int First, int Count>
consteval bool turns()
{
    constexpr expr_node value = K::nest.exprs[F::s.value];
    if constexpr (F::accesses.count != 2 || F::s.reduce != reduction::none || value.op != expr_op::load) {
        return false;
    } else {
        constexpr int lanes = F::length;
        constexpr bool is_known = lanes == 4 || lanes == 8 || lanes == 16;
        if (!is_known || F::in_registers(F::s.target) || F::in_registers(value.ref)) return false;
        if (!same_as<element_at<K, value.ref>, float> || !same_as<scalar_of<K>, float>) return false;
        const std::int64_t distance = F::stride(value.ref);
        return F::stride(F::s.target) == 1 && distance != 0 && distance != 1 &&
               steps_of_square<B, First, Count>(lanes) > 1;
    }
}

// Steps I to I + Left of such a form: L lanes of each count.
template <class K, class F, class B, int L, int I, int Left, class To, class From>
HONE_INLINE void write_turned(To to, From from)
{
    constexpr int lanes = F::length, count = steps_of_square<B, I, Left>(lanes);
    constexpr std::int64_t distance = F::stride(K::nest.exprs[F::s.value].ref);
    const auto* first = from + B::offset(I, 1);
    square<K::set, lanes> s{};
    const auto load = [](const float* p) HONE_INLINE_LAMBDA {
        if constexpr (count == lanes)
            return simd_of<K>::load(p);
        else
            return simd_of<K>::template load_first<count>(p);
    };
    const auto store = [](float* p, const vector_of<K>& v) HONE_INLINE_LAMBDA {
        if constexpr (L == lanes)
            simd_of<K>::store(p, v);
        else
            simd_of<K>::template store_first<L>(p, v);
    };
    [&]<int... R>(sequence<R...>)
        HONE_INLINE_LAMBDA { ((s.row[R] = load(first + R * distance)), ...); }(make_sequence<L>{});
    s.turn();
    [&]<int... J>(sequence<J...>)
        HONE_INLINE_LAMBDA { (store(to + B::offset(I + J, 0), s.row[J]), ...); }(make_sequence<count>{});
    if constexpr (count < Left) write_turned<K, F, B, L, I + count, Left - count>(to, from);
}

HONE_IEEE_END

} // namespace hone::codegen::cpu
