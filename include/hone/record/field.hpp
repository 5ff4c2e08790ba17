// SPDX-License-Identifier: BSL-1.0
// A field of a record in its line of JSON: its type and range, how it is written and how it is read. A value that is
// none of them is rejected with a sentence that names the field.
#pragma once

#include <algorithm>
#include <cstdint>
#include <span>
#include <stdexcept>
#include <string>

#include <fmt/core.h>
#include <nlohmann/json.hpp>

#include <hone/record/json_text.hpp>
#include <hone/record/record_data.hpp>

namespace hone::tune::fields {

using json = nlohmann::ordered_json;

enum class type : std::uint8_t {
    text,    // of at most `most` bytes, without control characters
    prose,   // as text, with line breaks
    word,    // one of `words`
    backend, // the name of one of a list
    whole,   // a whole number from `least` to `most`
    number,  // from `least` to `most`
    score,   // likewise; null: JSON has no infinity and no NaN
    numbers, // a list of them
    object,
};
enum class presence : std::uint8_t {
    required,
    optional, // where it says something, and in lines of earlier versions
    derived,  // written for people, never read
};

struct field {
    const char* name = "";
    fields::type type = type::text;
    presence needed = presence::required;
    double least = 0;
    double most = 0;
    std::span<const char* const> words{};
    json (*get)(const record&) = nullptr;        // null: it is left out
    void (*set)(record&, const json&) = nullptr; // a value of its type and range
};

inline constexpr double past_int = 18446744073709551616.0; // 2^64: no double is the largest unsigned number

[[noreturn]] inline void fail(const std::string& why) { throw std::invalid_argument(why); }

// Throws a sentence where the value has another type, or is out of range.
inline void check(const field& f, const json& value)
{
    const auto wrong = [&](const std::string& expected) {
        fail(fmt::format("'{}' is {}, not {}", f.name, found_text(value), expected));
    };
    const auto in_range = [&](const json& v) {
        return v.is_number() && v.get<double>() >= f.least && v.get<double>() <= f.most;
    };
    switch (f.type) {
    case type::text:
    case type::prose: {
        if (!value.is_string()) wrong("a text");
        const auto& text = value.get_ref<const std::string&>();
        if (static_cast<double>(text.size()) > f.most) wrong(fmt::format("a text of at most {} bytes", f.most));
        const auto is_control = [](char c) { return static_cast<unsigned char>(c) < ' ' || c == '\x7f'; };
        if (f.type == type::text && std::any_of(text.begin(), text.end(), is_control))
            fail(fmt::format("the text of '{}' holds a control character", f.name));
        return;
    }
    case type::word: {
        const auto is_value = [&](const char* w) { return value == w; };
        if (value.is_string() && std::any_of(f.words.begin(), f.words.end(), is_value)) return;
        std::string known;
        for (const char* w : f.words) known += fmt::format("{}{}", known.empty() ? "" : ", ", w);
        wrong("one of " + known);
        return;
    }
    case type::backend: return; // its list decides
    case type::whole:
        if (!value.is_number_integer() || (!value.is_number_unsigned() && value.get<std::int64_t>() < 0) ||
            !in_range(value))
            wrong(f.least == f.most    ? fmt::format("the whole number {:.0f}", f.most)
                  : f.most >= past_int ? fmt::format("a whole number from {:.0f} to {}", f.least, UINT64_MAX)
                                       : fmt::format("a whole number from {:.0f} to {:.0f}", f.least, f.most));
        return;
    case type::score:
        if (value.is_null()) return;
        [[fallthrough]];
    case type::number:
        if (!in_range(value)) wrong(fmt::format("a number from {:g} to {:g}", f.least, f.most));
        return;
    case type::numbers:
        if (!value.is_array()) wrong("a list of numbers");
        for (const json& v : value)
            if (!in_range(v))
                fail(fmt::format("'{}' holds {}, not numbers from {:g} to {:g} only", f.name, found_text(v), f.least,
                                 f.most));
        return;
    case type::object:
        if (!value.is_object()) wrong("an object");
        return;
    }
}

template <auto Member>
json get(const record& r)
{
    return r.*Member;
}
template <auto Member>
void set(record& r, const json& value)
{
    value.get_to(r.*Member);
}
template <auto Member>
constexpr field text(const char* name, double most = 4096, presence needed = presence::required)
{
    return {.name = name, .type = type::text, .needed = needed, .most = most, .get = get<Member>, .set = set<Member>};
}
template <auto Member>
constexpr field word(const char* name, std::span<const char* const> words)
{
    return {.name = name, .type = type::word, .words = words, .get = get<Member>, .set = set<Member>};
}
template <auto Member>
constexpr field whole(const char* name, double least, double most)
{
    return {.name = name, .type = type::whole, .least = least, .most = most, .get = get<Member>, .set = set<Member>};
}

} // namespace hone::tune::fields
