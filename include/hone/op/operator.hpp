// SPDX-License-Identifier: BSL-1.0
// What an operator is to hone: a type with a definition and a signature. Users write their own beside those that ship.
// A workload may derive from one to give it a short name.
#pragma once

#include <cstddef>
#include <cstdint>

#include <hone/core/inline_vector.hpp>
#include <hone/core/traits.hpp>
#include <hone/op/definition.hpp>
#include <hone/op/definition_check.hpp>

#ifndef HONE_SHOW_WARNINGS // see core/config.hpp
#pragma GCC system_header
#endif

namespace hone::operators {

// What a shape keeps of a typical value: 0 would say that none is named, and is out of each range as -1 is.
constexpr std::int64_t as_typical(std::int64_t named) { return named == 0 ? -1 : named; }

// An extent, or the largest value of one that each call gives: as a number it is that. A tuner measures what calls give
// at the value that is typical of them, up_to(4096).typically(128), and where none is named, at one that it chooses
// (measure/call_values.hpp); it is no part of the signature.
struct extent {
    struct open;

    std::int64_t value = 1;
    // As wide as the value: where a member follows padding, clang reads the wrong bytes of a template parameter at run
    // time (llvm-project issue 146272).
    std::int64_t at_call = 0;
    std::int64_t typical = 0; // none is named
    constexpr extent(std::int64_t v) : value(v) {}
    constexpr operator std::int64_t() const { return value; }
    static constexpr open up_to(std::int64_t most);
};
struct extent::open : extent {
    constexpr extent typically(std::int64_t of_calls) const
    {
        extent e = *this;
        e.typical = as_typical(of_calls);
        return e;
    }
};
constexpr extent::open extent::up_to(std::int64_t most)
{
    open e{most};
    e.at_call = 1;
    return e;
}

// The digits of a number behind a text.
template <std::size_t Capacity>
constexpr void push_number(inline_vector<char, Capacity>& text, std::int64_t value)
{
    if (value < 0) text.push_back('-');
    char digits[20]{};
    int n = 0;
    // The least number has no positive one of its size.
    for (auto v = value < 0 ? 0 - static_cast<std::uint64_t>(value) : static_cast<std::uint64_t>(value);
         v > 0 || n == 0; v /= 10)
        digits[n++] = static_cast<char>('0' + v % 10);
    while (n-- > 0) text.push_back(digits[n]);
}

// The identity of a tuned kernel as text: operator, shapes, layouts, types, epilogues. Short words, one blank between.
struct signature_text {
    inline_vector<char, 191> text{};

    constexpr signature_text& word(const char* w)
    {
        if (!text.empty()) text.push_back(' ');
        for (; *w != '\0'; ++w) text.push_back(*w);
        return *this;
    }
    constexpr signature_text& field(const char* name, std::int64_t value)
    {
        word(name);
        push_number(text, value);
        return *this;
    }
    // Terminated: the vector's storage behind its size is zero.
    constexpr const char* c_str() const { return text.begin(); }
    friend constexpr bool operator==(const signature_text&, const signature_text&) = default;
};

// The word of a type that all tensors have; before it that of weights which have another: "wf16 f32".
constexpr void add_types(signature_text& to, operand_types types)
{
    if (types.weights != types.others) {
        to.word("w");
        for (const char* w = name_of(types.weights); *w != '\0'; ++w) to.text.push_back(*w);
    }
    to.word(name_of(types.others));
}

constexpr bool same_text(const char* a, const char* b)
{
    for (; *a != '\0' && *a == *b; ++a, ++b) {
    }
    return *a == *b;
}

// FNV-1a over the characters of a signature: tells two of them apart sooner than their text, which begins alike.
constexpr std::uint64_t signature_hash(const char* text)
{
    std::uint64_t h = 0xcbf29ce484222325u;
    for (; *text != '\0'; ++text) h = (h ^ static_cast<unsigned char>(*text)) * 0x100000001b3u;
    return h;
}

template <class T>
concept tensor_operator = requires {
    {
        T::definition()
    } -> same_as<hone::definition>;
    {
        T::signature()
    } -> same_as<signature_text>;
};

// Checked, and evaluated once for all kernels of an operator.
template <class Op>
inline constexpr definition definition_of = checked(Op::definition());

} // namespace hone::operators

namespace hone { // API
using operators::definition_of, operators::extent, operators::signature_text, operators::tensor_operator;
} // namespace hone
