// SPDX-License-Identifier: BSL-1.0
// The element types of tensors: each a trait that says how memory holds it, how it is converted and which type sums of
// it are computed in; a tag for signatures and a value for nests. Loads convert to the type of the sums.
//
// A type more is an enumerator, its storage with the two conversions, its format, a trait, a tag, and a case of
// with_element(). Of backends the CPU's conversion of vectors (cpu/conversion.hpp) and the names of GLSL
// (vulkan/glsl.hpp) know it. Lanes, registers and tolerances follow from the trait of the type that is computed in.
#pragma once

#include <cstddef>
#include <cstdint>

#include <hone/core/rooms.hpp>
#include <hone/core/traits.hpp>

#ifndef HONE_SHOW_WARNINGS // see core/config.hpp
#pragma GCC system_header
#endif

namespace hone::core {

// The numbers are part of hashes of nests and of the names of layouts: they stay.
enum class dtype : std::uint8_t { f32 = 0, f16 = 1 };
inline constexpr dtype all_dtypes[] = {dtype::f32, dtype::f16};

// ---- binary16 of IEEE 754: sign, 5 bits of exponent (bias 15), 10 of fraction ----
//
// Conversions vanish into their callers: compiled by themselves, with the flags of one instruction set, they could be
// linked into the code of another.

// Rounds to nearest, ties to even; beyond the largest half to infinity. NaN stays NaN, quiet, with the upper bits of
// its payload: as vcvtps2ph and fcvtn do.
[[gnu::always_inline]] constexpr std::uint16_t half_bits(float x)
{
    constexpr std::uint32_t infinity = 0x7f800000, too_large = 0x477ff000 /* 65520 */, normal = 0x38800000 /* 2^-14 */;
    const auto bits = __builtin_bit_cast(std::uint32_t, x);
    const std::uint32_t sign = bits >> 16 & 0x8000, size = bits & 0x7fffffff;
    std::uint32_t half = 0;
    if (size > infinity) {
        half = 0x7e00 | (size >> 13 & 0x3ff);
    } else if (size >= too_large) {
        half = 0x7c00;
    } else if (size >= normal) {
        half = (size + 0xfff + (size >> 13 & 1) - 0x38000000) >> 13;
    } else if (const int exponent = static_cast<int>(size >> 23); exponent >= 102) {
        // In units of 2^-24, those of denormal halves; below 2^-25 all is zero.
        const int shift = 126 - exponent;
        const std::uint32_t fraction = (size & 0x7fffff) | 0x800000, tie = std::uint32_t{1} << (shift - 1);
        half = fraction >> shift;
        const std::uint32_t rest = fraction & (2 * tie - 1);
        if (rest > tie || (rest == tie && (half & 1) != 0)) ++half;
    }
    return static_cast<std::uint16_t>(sign | half);
}
// Exact; a signalling NaN becomes quiet.
[[gnu::always_inline]] constexpr float float_of_half(std::uint16_t bits)
{
    const std::uint32_t sign = (bits & std::uint32_t{0x8000}) << 16, exponent = bits >> 10 & 31,
                        fraction = bits & 0x3ff;
    std::uint32_t size = (exponent + 112) << 23 | fraction << 13;
    if (exponent == 31) size = 0x7f800000 | fraction << 13 | (fraction != 0 ? 0x400000 : 0);
    if (exponent == 0) size = __builtin_bit_cast(std::uint32_t, static_cast<float>(fraction) * 0x1p-24f);
    return __builtin_bit_cast(float, sign | size);
}

// A half as memory holds it; that of _Float16, __fp16 and std::float16_t is the same.
class half {
public:
    half() = default;
    [[gnu::always_inline]] constexpr explicit half(float x) : bits_(half_bits(x)) {}
    static constexpr half of_bits(std::uint16_t bits)
    {
        half h{};
        h.bits_ = bits;
        return h;
    }
    constexpr std::uint16_t bits() const { return bits_; }
    [[gnu::always_inline]] constexpr explicit operator float() const { return float_of_half(bits_); }
    [[gnu::always_inline]] constexpr explicit operator double() const
    {
        return static_cast<double>(float_of_half(bits_));
    }

private:
    std::uint16_t bits_;
};
static_assert(sizeof(half) == 2 && alignof(half) == 2);

// ---- formats ----

// A binary format of IEEE 754. All of it follows from the bits of exponent and fraction.
struct float_format {
    int fraction_bits = 0;
    int bias = 0;            // of the exponent
    double unit = 0;         // half the distance from 1 to the next number
    double least = 0;        // the least number above 0, which is denormal
    double least_normal = 0; // the least that is not
    double largest = 0;
};
constexpr float_format format_with(int exponent_bits, int fraction_bits)
{
    const auto power_of_two = [](int n) {
        double power = 1;
        for (int i = 0; i < n; ++i) power *= 2;
        for (int i = 0; i > n; --i) power /= 2;
        return power;
    };
    const int bias = (1 << (exponent_bits - 1)) - 1;
    return {.fraction_bits = fraction_bits,
            .bias = bias,
            .unit = power_of_two(-fraction_bits - 1),
            .least = power_of_two(1 - bias - fraction_bits),
            .least_normal = power_of_two(1 - bias),
            .largest = (2 - power_of_two(-fraction_bits)) * power_of_two(bias)};
}
// Of a number as memory or a register holds it. Kernels compute in what is a vector's element, too: float, and double
// where a nest says so.
template <class Number>
inline constexpr float_format binary_format{};
template <>
inline constexpr float_format binary_format<half> = format_with(5, 10);
template <>
inline constexpr float_format binary_format<float> = format_with(8, 23);
template <>
inline constexpr float_format binary_format<double> = format_with(11, 52);

// ---- traits ----

// `storage` is what memory holds: it converts to the storage of its accumulator, exactly, and from it by rounding.
template <dtype>
struct element;
template <>
struct element<dtype::f32> {
    using storage = float;
    static constexpr dtype accumulator = dtype::f32;
    static constexpr const char* name = "f32";
};
template <>
struct element<dtype::f16> {
    using storage = half;
    static constexpr dtype accumulator = dtype::f32;
    static constexpr const char* name = "f16";
};
template <dtype T>
using storage_of = typename element<T>::storage;

// f(trait) of a type that is known at run time.
template <class F>
constexpr auto with_element(dtype type, F f)
{
    switch (type) {
    case dtype::f32: break;
    case dtype::f16: return f(element<dtype::f16>());
    }
    return f(element<dtype::f32>());
}
constexpr std::size_t bytes_of(dtype type)
{
    return with_element(type, []<class E>(E) { return sizeof(typename E::storage); });
}
constexpr dtype accumulator_of(dtype type)
{
    return with_element(type, []<class E>(E) { return E::accumulator; });
}
// What is computed in where tensors, or buffers of a nest, meet: the widest of their accumulators.
template <class List>
    requires requires(const List& all) { all.begin()->type; }
constexpr dtype accumulator_of(const List& all)
{
    dtype widest = dtype::f32;
    bool is_first = true;
    for (const auto& one : all) {
        const dtype own = accumulator_of(one.type);
        if (is_first || bytes_of(own) > bytes_of(widest)) widest = own;
        is_first = false;
    }
    return widest;
}
constexpr const char* name_of(dtype type)
{
    return with_element(type, []<class E>(E) { return E::name; });
}
// What is read of an element of this type that was written with x.
constexpr float rounded_to(dtype type, float x)
{
    return with_element(type, [x]<class E>(E) { return static_cast<float>(static_cast<typename E::storage>(x)); });
}

// ---- tags, for the parameter list of an operator ----

struct f32 {
    using storage = float;
    static constexpr dtype value = dtype::f32;
};
struct f16 {
    using storage = half;
    static constexpr dtype value = dtype::f16;
};
// Types that networks have and kernels have not: named here, so that a workload of one is told so.
struct bf16;
struct s8;
struct u8;

// The type of weights, and of all other tensors.
template <class Weights, class Others = f32>
struct types;

// A tag for a type that kernels know: its `value` says which, and its `storage` is that of the value.
template <class Tag>
concept element_type = requires {
    typename Tag::storage;
    requires same_as<decltype(Tag::value), const dtype>;
    requires same_as<typename Tag::storage, storage_of<Tag::value>>;
};

struct operand_types {
    dtype weights = dtype::f32;
    dtype others = dtype::f32;

    constexpr operand_types(dtype all) : weights(all), others(all) {}
    constexpr operand_types(dtype w, dtype o) : weights(w), others(o) {}
    friend constexpr bool operator==(operand_types, operand_types) = default;
};

namespace type_parts {

template <class Type>
struct parts {
    using weights = Type;
    using others = Type;
};
template <class Weights, class Others>
struct parts<types<Weights, Others>> {
    using weights = Weights;
    using others = Others;
};
template <class Tag, dtype... Allowed>
constexpr bool is_one_of()
{
    if constexpr (element_type<Tag>)
        return ((Tag::value == Allowed) || ...);
    else
        return false;
}

} // namespace type_parts

// Those of an operator's parameter list: a tag for all tensors, or types<...>.
template <class Type>
constexpr operand_types types_of()
{
    using parts = type_parts::parts<Type>;
    constexpr bool is_known = type_parts::is_one_of<typename parts::weights, dtype::f32, dtype::f16>() &&
                              type_parts::is_one_of<typename parts::others, dtype::f32>();
    static_assert(is_known, "hone: kernels compute with 32-bit floats, and read weights of 32 or 16 bits; name "
                            "hone::f32, or hone::types<hone::f16>");
    if constexpr (is_known)
        return {parts::weights::value, parts::others::value};
    else
        return dtype::f32;
}

} // namespace hone::core

namespace hone { // API
using core::dtype, core::f16, core::f32, core::half, core::name_of, core::operand_types, core::types;
} // namespace hone
