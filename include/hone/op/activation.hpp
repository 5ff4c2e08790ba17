// SPDX-License-Identifier: BSL-1.0
// The activation functions of networks, as epilogues. What each gives for large numbers, infinities and NaN follows
// from its formula in floats: all give NaN for NaN, and where a formula multiplies x by a factor that falls to 0, it
// gives NaN for -infinity, as 0 times infinity is.
#pragma once

#include <cstdint>
#include <initializer_list>

#include <hone/core/inline_vector.hpp>
#include <hone/ir/expr.hpp>
#include <hone/op/definition.hpp>

#ifndef HONE_SHOW_WARNINGS // see core/config.hpp
#pragma GCC system_header
#endif

namespace hone::operators {

// A number in a template's argument list: leaky_relu<0.1>. Its bits, for clang 16 takes no floats there.
struct real {
    std::uint32_t bits;

    constexpr real(float value) : bits{__builtin_bit_cast(std::uint32_t, value)} {}
    constexpr real(double value) : real(static_cast<float>(value)) {}
    constexpr real(int value) : real(static_cast<float>(value)) {}
    constexpr float value() const { return __builtin_bit_cast(float, bits); }
};

namespace epilogues {

using word_text = inline_vector<char, 96>;

// "leaky_relu:3dcccccd": the name, and the bits of what else tells a result.
constexpr word_text word_with(const char* name, std::initializer_list<std::uint32_t> numbers)
{
    word_text t;
    for (; *name != '\0'; ++name) t.push_back(*name);
    for (const std::uint32_t number : numbers) {
        t.push_back(':');
        for (int shift = 28; shift >= 0; shift -= 4) t.push_back("0123456789abcdef"[number >> shift & 15]);
    }
    t.push_back('\0');
    return t;
}

} // namespace epilogues

// 1 / (1 + e^-x), of e^-|x|, which never overflows: as near relatively for negative x, down to denormals.
struct sigmoid {
    static constexpr const char* name = "sigmoid";
    static constexpr expr apply(const expr& x)
    {
        const expr e = ex::exp(-ex::abs(x));
        return ex::select(ex::less(x, 0.0f), e, 1.0f) / (1.0f + e);
    }
};
// tanh x. (C has a function of this name, which the type must not hide.)
struct tanh_activation {
    static constexpr const char* name = "tanh";
    static constexpr expr apply(const expr& x) { return ex::tanh(x); }
};
// x sigmoid(x), also known as swish. NaN for -infinity.
struct silu {
    static constexpr const char* name = "silu";
    static constexpr expr apply(const expr& x) { return x * sigmoid::apply(x); }
};
// x (1 + erf(x / sqrt 2)) / 2. The sum rounds: its error is up to 2^-23 |x|. NaN for -infinity.
struct gelu {
    static constexpr const char* name = "gelu";
    static constexpr expr apply(const expr& x) { return x * 0.5f * (1.0f + ex::erf(x * 0.707106781f)); }
};
// x (1 + tanh(sqrt(2 / pi) (x + 0.044715 x^3))) / 2, which is known as the approximation of GELU by tanh. As gelu.
struct gelu_tanh {
    static constexpr const char* name = "gelu_tanh";
    static constexpr expr apply(const expr& x)
    {
        constexpr float linear = 0.797884561f, cubic = 0.0356774081f;
        return x * 0.5f * (1.0f + ex::tanh(x * (linear + cubic * x * x)));
    }
};
// min(max(x / 6 + 1/2, 0), 1)
struct hard_sigmoid {
    static constexpr const char* name = "hard_sigmoid";
    static constexpr expr apply(const expr& x) { return ex::min(1.0f, ex::max(x * (1.0f / 6) + 0.5f, 0.0f)); }
};
// x hard_sigmoid(x). NaN for -infinity.
struct hard_swish {
    static constexpr const char* name = "hard_swish";
    static constexpr expr apply(const expr& x) { return x * hard_sigmoid::apply(x); }
};
// x where it is positive, else Slope x.
template <real Slope>
struct leaky_relu {
    static constexpr auto text = epilogues::word_with("leaky_relu", {Slope.bits});
    static constexpr const char* name = text.begin();
    static constexpr expr apply(const expr& x)
    {
        constexpr float slope = Slope.value();
        if constexpr (slope > 0 && slope <= 1)
            return ex::max(x, x * slope); // the same, in two operations
        else
            return ex::select(ex::less(x, 0.0f), x * slope, x);
    }
};
// x where it is positive, else its channel's slope times x: a tensor with one element a channel, as a bias. A call
// gives it in .operands where a bias stands beside it, else in .bias.
struct prelu {
    static constexpr const char* name = "prelu";
    static constexpr role operand_role = role::bias;
    static constexpr expr apply(const expr& x, const expr& slope)
    {
        return ex::select(ex::less(x, 0.0f), x * slope, x);
    }
};
// x where it is positive, else Alpha (e^x - 1). By tanh(x / 2) = t, of which e^x - 1 is 2t / (1 - t): no digits cancel
// near 0.
template <real Alpha>
struct elu {
    static constexpr auto text = epilogues::word_with("elu", {Alpha.bits});
    static constexpr const char* name = text.begin();
    static constexpr expr apply(const expr& x)
    {
        const expr t = ex::tanh(x * 0.5f);
        return ex::select(ex::less(0.0f, x), x, 2 * Alpha.value() * t / (1.0f - t));
    }
};
// min(max(x, Low), High)
template <real Low, real High>
struct clip {
    static_assert(Low.value() <= High.value(),
                  "hone::clip: the lower bound is above the upper one; write clip<low, high>");
    static constexpr auto text = epilogues::word_with("clip", {Low.bits, High.bits});
    static constexpr const char* name = text.begin();
    static constexpr expr apply(const expr& x) { return ex::min(High.value(), ex::max(x, Low.value())); }
};

namespace epilogues {

// Whether hone ships an epilogue, whose name then says all about it.
template <class E>
inline constexpr bool ships = false;
template <>
inline constexpr bool ships<sigmoid> = true;
template <>
inline constexpr bool ships<tanh_activation> = true;
template <>
inline constexpr bool ships<silu> = true;
template <>
inline constexpr bool ships<gelu> = true;
template <>
inline constexpr bool ships<gelu_tanh> = true;
template <>
inline constexpr bool ships<hard_sigmoid> = true;
template <>
inline constexpr bool ships<hard_swish> = true;
template <>
inline constexpr bool ships<prelu> = true;
template <real Slope>
inline constexpr bool ships<leaky_relu<Slope>> = true;
template <real Alpha>
inline constexpr bool ships<elu<Alpha>> = true;
template <real Low, real High>
inline constexpr bool ships<clip<Low, High>> = true;

} // namespace epilogues

} // namespace hone::operators

namespace hone { // API
using operators::clip, operators::elu, operators::gelu, operators::gelu_tanh, operators::hard_sigmoid,
    operators::hard_swish, operators::leaky_relu, operators::prelu, operators::sigmoid, operators::silu,
    operators::tanh_activation;
} // namespace hone
