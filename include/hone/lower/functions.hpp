// SPDX-License-Identifier: BSL-1.0
// What each word computes that a target has no operation for, written once in the few operations of its numbers M:
// vectors (cpu/simd.hpp) and the text of a shader (vulkan/glsl_functions.hpp).
//
// The coefficients are those of minimax polynomials in floats, fitted from the lowest up, each after the ones below it
// were rounded. The largest errors over all floats, in their distances, with fused multiply-adds and without: exp 1.04
// and 1.02, log 0.93 and 0.96, tanh 2.57 and 2.61, erf 0.99 and 1.31 (bench/word_errors.cpp).
//
// No two operands of one operation are computed in it: which came first would be left to the compiler, and a shader's
// text with it. exp, log, tanh and erf end in an operation that no sum behind them can be fused with, or in a product
// by a power of two, which is exact: their bits do not depend on what follows.
//
// exp(10), of 10 = 14 ln 2 + 0.295939 and e^10 = 2^14 e^0.295939:
//
//     multiple(10)            14          10 / ln 2 is 14.43
//     growth_of_rest(10, 14)  0.344389    e^0.295939 - 1
//     exp(10)                 22026.5     (1 + 0.344389) 2^7 2^7
#pragma once

#include <hone/core/config.hpp>
#include <hone/core/dtype.hpp>
#include <hone/core/traits.hpp>
#include <hone/ir/words.hpp>

#ifndef HONE_SHOW_WARNINGS // see core/config.hpp
#pragma GCC system_header
#endif

namespace hone::codegen {

HONE_IEEE_BEGIN

template <class M>
struct functions {
    using vector = typename M::vector;

    // The polynomials are those of one type; another brings its own.
    template <expr_op Op>
    static constexpr bool has = !is_approximate(Op) || same_as<typename M::scalar, float>;

    // The whole multiple of ln 2 next to x, and e^rest - 1 for what then rests, in [-ln 2 / 2, ln 2 / 2]. The nine
    // digits of the first constant make its product exact.
    HONE_INLINE static vector multiple(vector x) { return M::nearest(x * 0x1.715476p+0f); }
    HONE_INLINE static vector growth_of_rest(vector x, vector whole)
    {
        const vector near = x - whole * 0x1.63p-1f, rest = near - whole * -0x1.bd0106p-13f;
        const vector q =
            (((rest * 0x1.6ac05p-10f + 0x1.122e28p-7f) * rest + 0x1.555796p-5f) * rest + 0x1.5554a8p-3f) * rest +
            0x1.fffffep-2f;
        return (rest * rest) * q + rest;
    }

    // 2^n e^rest. Two factors: 2^n is no float where the result is a denormal, or near the largest.
    HONE_INLINE static vector exp(vector x)
    {
        const vector most = M::broadcast(89.0f), least = M::broadcast(-104.0f);
        x = M::select(x > most, most, x);
        x = M::select(x < least, least, x);
        const vector n = multiple(x), half = M::nearest(n * 0.5f);
        const vector first = M::power_of_two(half), second = M::power_of_two(n - half);
        return ((growth_of_rest(x, n) + 1.0f) * first) * second;
    }

    // n ln 2 + log m of x = 2^n m, m near 1. The nine digits of the first constant make its product exact, as above.
    HONE_INLINE static vector log(vector x)
    {
        const vector least = M::broadcast(0x1p-126f), most = M::broadcast(0x1.fffffep+127f);
        const vector size = M::abs(x), raised = size * 0x1p+23f, normal = M::select(size < least, raised, size);
        const vector exponent = M::exponent(normal), lowered = exponent - 23.0f;
        const vector n = M::select(size < least, lowered, exponent);
        const vector r = M::over_power_of_two(normal, exponent) - 1.0f, square = r * r;
        const vector high = ((r * -0x1.38cc4p-4f + 0x1.055f84p-3f) * r - 0x1.0d824cp-3f) * r + 0x1.22d922p-3f;
        const vector middle = ((high * r - 0x1.547288p-3f) * r + 0x1.99a01cp-3f) * r - 0x1.000226p-2f;
        const vector q = (middle * r + 0x1.555554p-2f) * r - 0x1p-1f;
        const vector near = square * q + r, sum = n * -0x1.bd0106p-13f + near;
        const vector y = M::select(x <= most, n * 0x1.63p-1f + sum, x);
        const vector none = M::broadcast(0.0f), all = M::select(x < none, M::broadcast(__builtin_nanf("")), y);
        return M::select(x == none, M::broadcast(-__builtin_huge_valf()), all);
    }

    // g / (g + 2) for g = e^2|x| - 1, without a difference of near numbers where x is small; 1 from 10 on.
    HONE_INLINE static vector tanh(vector x)
    {
        const vector most = M::broadcast(20.0f), size = M::abs(x);
        vector twice = size + size;
        twice = M::select(twice > most, most, twice);
        const vector n = multiple(twice), scale = M::power_of_two(n), others = scale - 1.0f;
        const vector g = growth_of_rest(twice, n) * scale + others;
        return M::with_sign(g / (g + 2.0f), x);
    }

    // Below 1 x and x times a polynomial in x^2; from there 1 - e^p for a polynomial p in |x| - 1, which is 1 from 4
    // on.
    HONE_INLINE static vector erf(vector x)
    {
        const vector size = M::abs(x), square = x * x;
        const vector q =
            (((((square * 0x1.4771fep-14f - 0x1.a3515ep-11f) * square + 0x1.53f224p-8f) * square - 0x1.b7f71ap-6f) *
                  square +
              0x1.ce2ce6p-4f) *
                 square -
             0x1.81273ep-2f) *
                square +
            0x1.06eba8p-3f;
        const vector most = M::broadcast(3.0f), above = size - 1.0f;
        const vector t = M::select(above > most, most, above);
        const vector p =
            ((((t * -0x1.30ddb4p-10f + 0x1.28fdp-7f) * t - 0x1.5062a8p-5f) * t - 0x1.afb99cp-1f) * t - 0x1.51c974p+1f) *
                t -
            0x1.d97fcp+0f;
        const vector n = multiple(p), scale = M::power_of_two(n), others = 1.0f - scale;
        const vector far = others - growth_of_rest(p, n) * scale;
        return M::with_sign(M::select(size < M::broadcast(1.0f), size * q + size, far), x);
    }

    // The sum with 2^23 has no digits behind the point. Nor have floats from there on. Of doubles, 2^52.
    HONE_INLINE static vector round(vector x)
    {
        constexpr auto whole = static_cast<typename M::scalar>(0.5 / binary_format<typename M::scalar>.unit);
        const vector size = M::abs(x);
        return M::with_sign(M::select(size < M::broadcast(whole), (size + whole) - whole, size), x);
    }
    HONE_INLINE static vector floor(vector x)
    {
        const vector near = round(x);
        return near - M::select(x < near, M::broadcast(1.0f), M::broadcast(0.0f));
    }
};

// A word of as many operands.
template <class M, expr_op Op, class V>
HONE_INLINE V computed(V a)
{
    using f = functions<M>;
    static_assert(f::template has<Op>,
                  "hone: exp, log, tanh and erf are fitted for 32-bit floats; give functions<M> the "
                  "polynomials of what is computed in");
    if constexpr (Op == expr_op::exp) {
        return f::exp(a);
    } else if constexpr (Op == expr_op::log) {
        return f::log(a);
    } else if constexpr (Op == expr_op::tanh) {
        return f::tanh(a);
    } else if constexpr (Op == expr_op::erf) {
        return f::erf(a);
    } else if constexpr (Op == expr_op::round) {
        return f::round(a);
    } else {
        static_assert(Op == expr_op::floor);
        return f::floor(a);
    }
}
template <class M, expr_op Op, class V>
HONE_INLINE V computed(V a, V b)
{
    const V yes = M::broadcast(1.0f), no = M::broadcast(0.0f);
    if constexpr (Op == expr_op::less) {
        return M::select(a < b, yes, no);
    } else if constexpr (Op == expr_op::less_or_equal) {
        return M::select(a <= b, yes, no);
    } else {
        static_assert(Op == expr_op::equal);
        return M::select(a == b, yes, no);
    }
}
template <class M, expr_op Op, class V>
HONE_INLINE V computed(V a, V b, V c)
{
    static_assert(Op == expr_op::select);
    return M::select(a == M::broadcast(0.0f), c, b);
}

HONE_IEEE_END

} // namespace hone::codegen
