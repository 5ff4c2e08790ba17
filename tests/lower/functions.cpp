// SPDX-License-Identifier: BSL-1.0
// Words that are computed, of numbers one by one, held to those of the C library. cpu/words_isa.cpp and
// vulkan/words.cpp run the same as vectors and shaders.
#include <hone/lower/functions.hpp>

#include <bit>
#include <cmath>
#include <cstdint>
#include <cstdio>
#include <limits>
#include <string>

#include <doctest/doctest.h>

#include "lower/worked_example.hpp"

using namespace hone;
using namespace hone::schedules;
using namespace hone::test;

namespace {

// The operations that functions.hpp asks for, of one float.
struct one_float {
    using vector = float;
    using scalar = float;
    static float broadcast(float x) { return x; }
    static float select(bool holds, float yes, float no) { return holds ? yes : no; }
    static float abs(float x) { return std::fabs(x); }
    static float with_sign(float size, float sign) { return std::copysign(size, sign); }
    static float nearest(float x) { return std::nearbyint(x); }
    // The last bits of the sum are those of the exponent; of NaN any will do.
    static float power_of_two(float n)
    {
        return std::bit_cast<float>(std::bit_cast<std::uint32_t>(n + (0x1.8p23f + 127)) << 23);
    }
    static float exponent(float x)
    {
        int above = 0;
        const float part = std::frexp(x, &above);
        return static_cast<float>(part < 0x1.6a09e6p-1f ? above - 1 : above);
    }
    static float over_power_of_two(float x, float k) { return std::ldexp(x, -static_cast<int>(k)); }
};
using f = codegen::functions<one_float>;

// How many floats lie between the result and the exact one.
double distance(float result, double exact)
{
    const auto nearest = static_cast<float>(exact);
    if (std::isinf(nearest) || nearest == 0) return result == nearest ? 0 : 1e30;
    const double size = std::fabs(exact);
    const int exponent = std::ilogb(size) < -126 ? -126 : std::ilogb(size);
    return std::fabs(static_cast<double>(result) - exact) / std::ldexp(1.0, exponent - 23);
}

// f(x) for floats of all sizes and both signs.
template <class F>
void for_floats(F&& use)
{
    for (std::uint32_t bits = 0; bits < 0x7f800000u; bits += 40009)
        for (const std::uint32_t sign : {0u, 0x80000000u}) use(std::bit_cast<float>(bits | sign));
    for (float x = -110; x < 110; x += 0.0371f) use(x); // where results change
}

template <class Word, class Exact>
double worst_of(Word word, Exact exact)
{
    double worst = 0;
    for_floats([&](float x) {
        const double far = distance(word(x), exact(static_cast<double>(x)));
        if (far > worst) worst = far;
    });
    return worst;
}

template <expr_op Op>
void check_exact()
{
    CAPTURE(name_of(Op));
    int wrong = 0;
    for_floats([&](float x) {
        wrong += std::bit_cast<std::uint32_t>(codegen::computed<one_float, Op>(x)) !=
                 std::bit_cast<std::uint32_t>(value_of(Op, x));
    });
    CHECK(wrong == 0);
}

} // namespace

TEST_CASE("the worked example is what is computed")
{
    const float whole = f::multiple(10.0f);
    const auto growth = static_cast<double>(f::growth_of_rest(10.0f, whole));
    char text[300];
    std::snprintf(text, sizeof text,
                  "multiple(10)            %-10g  10 / ln 2 is %.2f\n"
                  "growth_of_rest(10, 14)  %-10.6g  e^%.6f - 1\n"
                  "exp(10)                 %-10.6g  (1 + %.6g) 2^7 2^7\n",
                  static_cast<double>(whole), 10 / std::log(2.0), growth, 10 - 14 * std::log(2.0),
                  static_cast<double>(f::exp(10.0f)), growth);
    CAPTURE(text);
    CHECK(examples_in("lower/functions.hpp").find(text) != std::string::npos);
}

// As the header says, without fused multiply-adds and with: this is compiled with either.
TEST_CASE("errors are no larger than what is said")
{
    CHECK(worst_of([](float x) { return f::exp(x); }, [](double x) { return std::exp(x); }) <= 1.05);
    CHECK(worst_of([](float x) { return f::log(x); }, [](double x) { return std::log(x); }) <= 0.96);
    CHECK(worst_of([](float x) { return f::tanh(x); }, [](double x) { return std::tanh(x); }) <= 2.62);
    CHECK(worst_of([](float x) { return f::erf(x); }, [](double x) { return std::erf(x); }) <= 1.32);
}

TEST_CASE("words that round are exact, with the sign of what they round")
{
    check_exact<expr_op::round>();
    int wrong = 0;
    for_floats([&](float x) { wrong += codegen::computed<one_float, expr_op::floor>(x) != std::floor(x); });
    CHECK(wrong == 0);
    CHECK(std::signbit(f::round(-0.25f)));
    CHECK(f::round(0.5f) == 0.0f);
    CHECK(f::round(1.5f) == 2.0f);
    CHECK(f::round(2.5f) == 2.0f);
}

TEST_CASE("ends and special values")
{
    constexpr float infinity = std::numeric_limits<float>::infinity();
    CHECK(f::exp(0.0f) == 1.0f);
    CHECK(f::exp(infinity) == infinity);
    CHECK(f::exp(-infinity) == 0.0f);
    CHECK(f::exp(89.0f) == infinity);
    for (const float zero : {0.0f, -0.0f}) CHECK(f::log(zero) == -infinity);
    CHECK(f::log(infinity) == infinity);
    CHECK(std::bit_cast<std::uint32_t>(f::log(1.0f)) == 0);
    for (const float x : {-1e-45f, -1.0f, -3e38f, -infinity}) CHECK(std::isnan(f::log(x)));
    CHECK(f::log(1e-45f) == doctest::Approx(-149 * std::log(2.0)));
    for (const float sign : {1.0f, -1.0f}) {
        CHECK(f::tanh(sign * infinity) == sign);
        CHECK(f::erf(sign * infinity) == sign);
        CHECK(f::tanh(sign * 20) == sign);
        CHECK(f::erf(sign * 4) == sign);
        CHECK(std::signbit(f::tanh(sign * 0.0f)) == std::signbit(sign));
        CHECK(std::signbit(f::erf(sign * 0.0f)) == std::signbit(sign));
        CHECK(f::round(sign * infinity) == sign * infinity);
    }
    const float none = std::numeric_limits<float>::quiet_NaN();
    for (const float x : {f::exp(none), f::log(none), f::tanh(none), f::erf(none), f::round(none), f::floor(none)})
        CHECK(std::isnan(x));
}

TEST_CASE("comparisons and choices are those of the table of words")
{
    constexpr float none = std::numeric_limits<float>::quiet_NaN();
    for (const float a : {-1.0f, -0.0f, 0.0f, 2.0f, none})
        for (const float b : {-1.0f, 0.0f, 2.0f, none}) {
            CAPTURE(a);
            CAPTURE(b);
            CHECK(codegen::computed<one_float, expr_op::less>(a, b) == value_of(expr_op::less, a, b));
            CHECK(codegen::computed<one_float, expr_op::less_or_equal>(a, b) == value_of(expr_op::less_or_equal, a, b));
            CHECK(codegen::computed<one_float, expr_op::equal>(a, b) == value_of(expr_op::equal, a, b));
            CHECK(codegen::computed<one_float, expr_op::select>(a, 3.0f, 4.0f) ==
                  value_of(expr_op::select, a, 3.0f, 4.0f));
        }
}
