// SPDX-License-Identifier: BSL-1.0
// Element types: halves from floats and back against their definition, ties and borders, and what traits say.
#include <hone/core/dtype.hpp>

#include <bit>
#include <cmath>
#include <cstdint>
#include <limits>
#include <random>
#include <string>
#include <type_traits>
#include <vector>

#include <doctest/doctest.h>

using namespace hone;
using namespace hone::schedules;

namespace {

// What a half says, by the definition.
double value_of_half(std::uint16_t bits)
{
    const int exponent = bits >> 10 & 31, fraction = bits & 0x3ff;
    const double size = exponent == 31  ? (fraction != 0 ? std::numeric_limits<double>::quiet_NaN()
                                                         : std::numeric_limits<double>::infinity())
                        : exponent == 0 ? std::ldexp(fraction, -24)
                                        : std::ldexp(1024 + fraction, exponent - 25);
    return (bits & 0x8000) != 0 ? -size : size;
}

bool is_nan_of_half(std::uint16_t bits) { return (bits & 0x7fff) > 0x7c00; }

} // namespace

static_assert(half(1.0f).bits() == 0x3c00 && half(-2.0f).bits() == 0xc000 && half(65504.0f).bits() == 0x7bff);
static_assert(static_cast<float>(half(0.1f)) == 0x1.998p-4f);
static_assert(std::is_trivially_copyable_v<half> && std::is_trivially_default_constructible_v<half>);

TEST_CASE("each half is the float of its definition, and comes back from it")
{
    for (int i = 0; i < 0x10000; ++i) {
        const auto bits = static_cast<std::uint16_t>(i);
        const float f = static_cast<float>(half::of_bits(bits));
        const auto back = half(f).bits();
        CAPTURE(i);
        if (is_nan_of_half(bits)) {
            // Quiet, with its sign and payload.
            REQUIRE(std::isnan(f));
            REQUIRE(back == (bits | 0x200));
        } else {
            REQUIRE(static_cast<double>(f) == value_of_half(bits));
            REQUIRE(std::signbit(f) == (i >= 0x8000));
            REQUIRE(back == bits);
        }
    }
}

TEST_CASE("floats between two halves go to the nearer one, ties to the even one")
{
    constexpr float infinity = std::numeric_limits<float>::infinity();
    for (int i = 0; i < 0x7c00; ++i) {
        const auto lower = static_cast<std::uint16_t>(i), upper = static_cast<std::uint16_t>(i + 1);
        // Behind the largest half 65536 would follow.
        const double above = i == 0x7bff ? 65536 : value_of_half(upper);
        const auto tie = static_cast<float>((value_of_half(lower) + above) / 2);
        CAPTURE(i);
        REQUIRE(half(tie).bits() == (i % 2 == 0 ? lower : upper));
        REQUIRE(half(std::nextafter(tie, 0.0f)).bits() == lower);
        REQUIRE(half(std::nextafter(tie, infinity)).bits() == upper);
        REQUIRE(half(-tie).bits() == (0x8000 | (i % 2 == 0 ? lower : upper)));
    }
}

TEST_CASE("what is too large is infinite, what is too small is zero, and NaN stays NaN")
{
    constexpr float infinity = std::numeric_limits<float>::infinity(), most = std::numeric_limits<float>::max();
    for (const float f : {65520.0f, 65536.0f, 1e30f, most, infinity}) {
        CHECK(half(f).bits() == 0x7c00);
        CHECK(half(-f).bits() == 0xfc00);
    }
    CHECK(half(std::nextafter(65520.0f, 0.0f)).bits() == 0x7bff);
    for (const float f : {0.0f, std::numeric_limits<float>::denorm_min(), 0x1p-126f, 0x1p-26f, 0x1p-25f}) {
        CHECK(half(f).bits() == 0);
        CHECK(half(-f).bits() == 0x8000);
    }
    CHECK(half(std::nextafter(0x1p-25f, 1.0f)).bits() == 1);
    // The payload that makes it NaN may stand in the bits that a half has not.
    for (const std::uint32_t bits : {0x7f800001u, 0x7fc00000u, 0x7fffffffu, 0xff800001u}) {
        const std::uint16_t h = half_bits(std::bit_cast<float>(bits));
        CHECK(is_nan_of_half(h));
        CHECK((h & 0x200) != 0);
        CHECK((h >> 15) == (bits >> 31));
    }
}

#if defined(__FLT16_MANT_DIG__) && defined(__x86_64__)
TEST_CASE("conversions are those of the compiler's type")
{
    std::mt19937 bits(7);
    for (int i = 0; i < 1000000; ++i) {
        const auto some = static_cast<std::uint32_t>(bits()), sign = static_cast<std::uint32_t>(bits()) & 0x80000000;
        // Half of them among the numbers that halves have.
        const auto f = std::bit_cast<float>(sign | (i % 2 == 0 ? some & 0x7fffffff : 0x32000000 + some % 0x16000000));
        if (std::isnan(f)) continue;
        CAPTURE(f);
        const std::uint16_t own = half_bits(f);
        REQUIRE(own == std::bit_cast<std::uint16_t>(static_cast<_Float16>(f)));
        REQUIRE(float_of_half(own) == static_cast<float>(std::bit_cast<_Float16>(own)));
    }
}
#endif

TEST_CASE("traits say how memory holds a type")
{
    CHECK(bytes_of(dtype::f32) == 4);
    CHECK(bytes_of(dtype::f16) == 2);
    CHECK(std::string(name_of(dtype::f32)) == "f32");
    CHECK(std::string(name_of(dtype::f16)) == "f16");
    CHECK(rounded_to(dtype::f32, 0.1f) == 0.1f);
    CHECK(rounded_to(dtype::f16, 0.1f) == static_cast<float>(half(0.1f)));
    CHECK(rounded_to(dtype::f16, 1e30f) == std::numeric_limits<float>::infinity());
    CHECK(std::isnan(rounded_to(dtype::f16, std::numeric_limits<float>::quiet_NaN())));
}

TEST_CASE("a format's numbers follow from its bits, and are those of the compiler's types")
{
    const auto is_of = []<class T>(T, const float_format& f) {
        using limits = std::numeric_limits<T>;
        CHECK(f.fraction_bits == limits::digits - 1);
        CHECK(f.bias == limits::max_exponent - 1);
        CHECK(f.unit == static_cast<double>(limits::epsilon()) / 2);
        CHECK(f.least == static_cast<double>(limits::denorm_min()));
        CHECK(f.least_normal == static_cast<double>(limits::min()));
        CHECK(f.largest == static_cast<double>(limits::max()));
    };
    is_of(float(), binary_format<float>);
    is_of(double(), binary_format<double>);
    const float_format f = binary_format<half>;
    CHECK(f.least == static_cast<double>(half::of_bits(1)));
    CHECK(f.least_normal == static_cast<double>(half::of_bits(0x400)));
    CHECK(f.largest == static_cast<double>(half::of_bits(0x7bff)));
    CHECK(1 + 2 * f.unit == static_cast<double>(half::of_bits(0x3c01)));
}

TEST_CASE("what is computed in is wide enough for all that meets")
{
    struct typed {
        dtype type;
    };
    static_assert(accumulator_of(dtype::f32) == dtype::f32 && accumulator_of(dtype::f16) == dtype::f32);
    for (const dtype t : all_dtypes) {
        CHECK(bytes_of(accumulator_of(t)) >= bytes_of(t));
        CHECK(accumulator_of(accumulator_of(t)) == accumulator_of(t));
        for (const dtype o : all_dtypes) {
            const std::vector<typed> both{{t}, {o}}, turned{{o}, {t}};
            CHECK(accumulator_of(both) == accumulator_of(turned));
            CHECK(bytes_of(accumulator_of(both)) >= bytes_of(accumulator_of(o)));
        }
    }
    CHECK(accumulator_of(std::vector<typed>{}) == dtype::f32);
}

TEST_CASE("a parameter list gives the type of weights and that of the others")
{
    static_assert(types_of<f32>() == operand_types(dtype::f32));
    static_assert(types_of<types<f32>>() == operand_types(dtype::f32));
    static_assert(types_of<types<f16>>() == operand_types(dtype::f16, dtype::f32));
    static_assert(types_of<types<f16, f32>>() == types_of<types<f16>>());
    static_assert(element_type<f16> && !element_type<half> && !element_type<bf16>);
}
