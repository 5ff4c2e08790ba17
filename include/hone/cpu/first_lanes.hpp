// SPDX-License-Identifier: BSL-1.0
// The first lanes of a vector of floats in memory, and nothing behind them: what channels that fill no whole vector end
// in. By a mask where instructions have one and the unit has their flags, else in halves, quarters and so on, which
// stay in registers.
//
// A copy into a vector of zeros, the obvious way, goes through the stack: several stores that one load then takes back
// at once, for which each product waits some 20 cycles. A depthwise convolution of 24 channels took 4 times as long.
#pragma once

#include <cstdint>

#include <hone/core/config.hpp>
#include <hone/core/isa.hpp>
#include <hone/core/sequence.hpp>
#include <hone/core/traits.hpp>
#include <hone/cpu/conversion.hpp>

#ifndef HONE_SHOW_WARNINGS // see core/config.hpp
#pragma GCC system_header
#endif

namespace hone::codegen {

template <isa Set, class Number, int N>
struct first_lanes {
    using vector = lane_vector<Number, N>;
    template <int Count>
    using array = Number[Count];

    // The other lanes are 0.
    template <int Count>
    HONE_INLINE static vector load(const Number* p)
    {
#if defined(__AVX512F__)
        if constexpr (masks && N == 16) {
            vector v;
            asm("vmovups {%1, %0%{%2%}%{z%}|%0%{%2%}%{z%}, %1}"
                : "=v"(v)
                : "m"(*reinterpret_cast<const array<Count>*>(p)), "Yk"(static_cast<std::uint16_t>((1u << Count) - 1)));
            return v;
        }
#endif
#if defined(__AVX__)
        if constexpr (masks && N == 8) {
            vector v;
            asm("vmaskmovps {%1, %2, %0|%0, %2, %1}"
                : "=x"(v)
                : "m"(*reinterpret_cast<const array<Count>*>(p)), "x"(mask<Count>()));
            return v;
        }
#endif
        return by_lane<Count>(p);
    }

    template <int Count>
    HONE_INLINE static void store(Number* p, vector v)
    {
#if defined(__AVX512F__)
        if constexpr (masks && N == 16) {
            asm("vmovups {%1, %0%{%2%}|%0%{%2%}, %1}"
                : "=m"(*reinterpret_cast<array<Count>*>(p))
                : "v"(v), "Yk"(static_cast<std::uint16_t>((1u << Count) - 1)));
            return;
        }
#endif
        store_pieces<0, Count>(p, v);
    }

private:
    static constexpr bool masks = row_of(Set).kind == processor_kind::x86 && same_as<Number, float>;

    template <int Count>
    HONE_INLINE static lane_vector<std::int32_t, N> mask()
    {
        return [&]<int... L>(sequence<L...>) HONE_INLINE_LAMBDA {
            return lane_vector<std::int32_t, N>{(L < Count ? -1 : 0)...};
        }(make_sequence<N>{});
    }
    template <int Count>
    HONE_INLINE static vector by_lane(const Number* p)
    {
        vector v{};
        [&]<int... L>(sequence<L...>) HONE_INLINE_LAMBDA { ((v[L] = p[L]), ...); }(make_sequence<Count>{});
        return v;
    }
    // By halves of what a register holds: masked stores take a dozen cycles on processors that have AVX2 alone.
    template <int First, int Count>
    HONE_INLINE static void store_pieces(Number* p, vector v)
    {
        constexpr int piece = Count >= 8 ? 8 : Count >= 4 ? 4 : Count >= 2 ? 2 : 1;
        if constexpr (piece == 1)
            p[First] = v[First];
        else
            [&]<int... L>(sequence<L...>) HONE_INLINE_LAMBDA {
                *reinterpret_cast<vector_in_memory<Number, piece>*>(p + First) =
                    __builtin_shufflevector(v, v, (First + L)...);
            }(make_sequence<piece>{});
        if constexpr (Count > piece) store_pieces<First + piece, Count - piece>(p, v);
    }
};

} // namespace hone::codegen
