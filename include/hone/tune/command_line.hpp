// SPDX-License-Identifier: BSL-1.0
// Options of hone's programs that CLI11 has no form for: a choice among words, which are all that is taken and shown,
// and a span of seconds.
#pragma once

#include <charconv>
#include <cmath>
#include <cstdint>
#include <map>
#include <string>
#include <system_error>
#include <vector>

#include <CLI/CLI.hpp>
#include <fmt/core.h>

namespace hone::tune {

// Sets `to` by its word.
template <class Value>
CLI::Option* add_choice(CLI::App* to_command, const char* option, Value& to, const std::map<std::string, Value>& values,
                        const char* about)
{
    std::vector<std::string> words;
    std::string now;
    for (const auto& [word, value] : values) {
        words.push_back(word);
        if (value == to) now = word;
    }
    return to_command
        ->add_option_function<std::string>(
            option, [&to, values](const std::string& word) { to = values.at(word); }, about)
        ->check(CLI::IsMember(words))
        ->default_str(now);
}

// An empty one would name nothing, in errors too.
inline CLI::Validator path_of_file()
{
    return {[](std::string& text) { return std::string(text.empty() ? "the path is empty; name a file" : ""); }, ""};
}

// One of 64 bits: CLI11 takes what is larger for the largest.
inline CLI::Validator whole_number()
{
    return {[](std::string& text) {
                std::uint64_t value = 0;
                const char* const end = text.data() + text.size();
                const auto [read, error] = std::from_chars(text.data(), end, value);
                const bool is_whole = error == std::errc() && read == end;
                return is_whole ? std::string() : fmt::format("{} is no whole number of at most 64 bits", text);
            },
            ""};
}

// Thirty years are as good as no end, and no clock overflows.
inline constexpr double most_seconds = 1e9;
inline CLI::Validator seconds()
{
    return {[](std::string& text) {
                double value = 0;
                if (CLI::detail::lexical_cast(text, value) && std::isfinite(value) && value >= 0 &&
                    value <= most_seconds)
                    return std::string();
                return fmt::format("{} is no number of seconds from 0 to {:.0f}", text, most_seconds);
            },
            "SECONDS"};
}

} // namespace hone::tune
