// SPDX-License-Identifier: BSL-1.0
// JSON that came from outside: read with a limit on its depth and without keys that stand twice, and named in messages
// by type and size. What is wrong is thrown as a sentence that repeats at most some bytes of it.
#pragma once

#include <algorithm>
#include <cstddef>
#include <stdexcept>
#include <string>
#include <string_view>
#include <unordered_set>
#include <vector>

#include <fmt/core.h>
#include <nlohmann/json.hpp>

#include <hone/process/text.hpp>

namespace hone::tune {

// Lists and objects in each other. Records have three levels; functions that walk JSON call themselves at each.
inline constexpr std::size_t most_json_depth = 16;

// Throws std::invalid_argument.
inline nlohmann::ordered_json parse_json(std::string_view text)
{
    // The parser takes it as the end.
    if (const auto zero = text.find('\0'); zero != std::string_view::npos)
        throw std::invalid_argument(fmt::format("byte {} is zero, which no JSON holds", zero + 1));
    using json = nlohmann::ordered_json;
    std::size_t depth = 0;
    std::vector<std::unordered_set<std::string>> keys; // of the open objects
    const auto on_event = [&](int, json::parse_event_t event, json& value) {
        switch (event) {
        case json::parse_event_t::object_start: keys.emplace_back(); [[fallthrough]];
        case json::parse_event_t::array_start:
            if (++depth > most_json_depth)
                throw std::invalid_argument(
                    fmt::format("its lists and objects nest deeper than {} levels", most_json_depth));
            break;
        case json::parse_event_t::key:
            if (const auto& name = value.get_ref<const std::string&>(); !keys.back().insert(name).second)
                throw std::invalid_argument(fmt::format("the field {} stands twice", excerpt(name)));
            break;
        case json::parse_event_t::object_end: keys.pop_back(); [[fallthrough]];
        case json::parse_event_t::array_end: --depth; break;
        case json::parse_event_t::value: break;
        }
        return true;
    };
    try {
        return json::parse(text, on_event);
    } catch (const json::exception& e) {
        // "[json.exception.parse_error.101] parse error at ...: syntax error ...; last read: 'what may be long'"
        std::string_view why = e.what();
        if (const auto begin = why.find("] "); begin != std::string_view::npos) why.remove_prefix(begin + 2);
        why = why.substr(0, why.find("; last read"));
        throw std::invalid_argument(fmt::format("{}; it begins with {}", printable(why.substr(0, 2 * most_quoted)),
                                                excerpt(text.substr(0, most_quoted / 2))));
    }
}

// A value in a message: numbers and short texts as they are, lists and objects by their size.
inline std::string found_text(const nlohmann::ordered_json& value)
{
    if (value.is_string()) return "the text " + excerpt(value.get_ref<const std::string&>());
    if (value.is_array()) return fmt::format("a list of {}", value.size());
    if (value.is_object()) return fmt::format("an object of {}", value.size());
    return value.dump(); // a number, a boolean or null: some bytes
}

} // namespace hone::tune
