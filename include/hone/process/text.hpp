// SPDX-License-Identifier: BSL-1.0
// Text that came from outside, shown to people: at most so many bytes of it, in quotes, with everything that could
// change how a terminal or a compiler reads its surroundings written as an escape. And the names that C++ accepts.
#pragma once

#include <algorithm>
#include <cstddef>
#include <iterator>
#include <string>
#include <string_view>

#include <fmt/core.h>

#include <hone/process/reserved_names.hpp>

namespace hone::tune {

// Bytes of what was found that a message repeats.
inline constexpr std::size_t most_quoted = 80;

// Printable ASCII as it is, all else as \xNN: no line break, escape code, zero byte or letter that turns the direction.
inline std::string printable(std::string_view text)
{
    std::string r;
    for (const char c : text) {
        if (c >= ' ' && c <= '~')
            r += c;
        else
            r += fmt::format("\\x{:02x}", static_cast<unsigned>(static_cast<unsigned char>(c)));
    }
    return r;
}

// 'text', or its beginning: 'text... (1000 bytes).
inline std::string excerpt(std::string_view text)
{
    if (text.size() <= most_quoted) return "'" + printable(text) + "'";
    return fmt::format("'{}...' ({} bytes)", printable(text.substr(0, most_quoted)), text.size());
}

namespace letters {

// The length of the UTF-8 sequence at the beginning, and what it encodes; 0 where it is none.
inline std::size_t decode(std::string_view from, char32_t& letter)
{
    const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(from[i]); };
    const std::size_t length = byte(0) < 0x80   ? 1
                               : byte(0) < 0xc2 ? 0
                               : byte(0) < 0xe0 ? 2
                               : byte(0) < 0xf0 ? 3
                               : byte(0) < 0xf5 ? 4
                                                : 0;
    if (length == 0 || length > from.size()) return 0;
    letter = length == 1 ? byte(0) : byte(0) & (0x7fu >> length);
    for (std::size_t i = 1; i < length; ++i) {
        if ((byte(i) & 0xc0) != 0x80) return 0;
        letter = letter << 6 | (byte(i) & 0x3fu);
    }
    return length;
}

// Whether a letter changes what stands around it: controls, breaks of lines, marks and overrides of direction, what is
// not seen, halves of pairs and what is no letter.
inline bool is_hidden(char32_t c)
{
    constexpr struct {
        char32_t first, last;
    } hidden[] = {{0x00, 0x1f},     {0x7f, 0x9f},     {0xad, 0xad},     {0x061c, 0x061c},
                  {0x180e, 0x180e}, {0x200b, 0x200f}, {0x2028, 0x202e}, {0x2060, 0x206f},
                  {0xd800, 0xf8ff}, {0xfeff, 0xfeff}, {0xfff0, 0xffff}, {0xe0000, 0x10ffff}};
    return std::any_of(std::begin(hidden), std::end(hidden),
                       [&](const auto& h) { return c >= h.first && c <= h.last; });
}

} // namespace letters

// One line of a comment of generated code: letters of any language stay, what is hidden is written as \uNNNN, and a
// backslash at the end cannot join the next line to it.
inline std::string commented(std::string_view from)
{
    std::string r;
    while (!from.empty()) {
        char32_t letter = 0;
        const std::size_t length = letters::decode(from, letter);
        if (length == 0)
            r += fmt::format("\\x{:02x}", static_cast<unsigned>(static_cast<unsigned char>(from[0])));
        else if (letters::is_hidden(letter))
            r += fmt::format("\\u{:04x}", static_cast<unsigned>(letter));
        else
            r += from.substr(0, length);
        from.remove_prefix(length == 0 ? 1 : length);
    }
    // The trigraph of a backslash is one in some modes.
    if (r.ends_with('\\') || r.ends_with("?\?/")) r += '.';
    return r;
}

// Whether C++ takes it as the name of a type of the user: letters, digits and _, no digit first, no keyword or macro,
// and not one of the names that are reserved.
inline bool is_identifier(std::string_view name)
{
    const auto is_letter = [](char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_'; };
    const auto is_digit = [](char c) { return c >= '0' && c <= '9'; };
    if (name.empty() || is_digit(name[0])) return false;
    if (!std::all_of(name.begin(), name.end(), [&](char c) { return is_letter(c) || is_digit(c); })) return false;
    if (name.find("__") != std::string_view::npos) return false;
    if (name[0] == '_' && name.size() > 1 && name[1] >= 'A' && name[1] <= 'Z') return false;
    // Names that stand in every header, or in none that compiles; of a config set's members; a macro of most builds.
    if (is_word_of("hone std main entries vulkan_entries table NDEBUG", name)) return false;
    return !is_word_of(keywords, name) && !is_word_of(macros_of_hone, name) && !is_word_of(macros_of_compilers, name);
}

// A sentence where `name` cannot be that of a config set; empty where it can. `option`: what gave it.
inline std::string wrong_name(std::string_view name, std::string_view option)
{
    if (is_identifier(name)) return "";
    return fmt::format(
        "{} is {}; it must be a C++ identifier that is no keyword, no macro and not reserved, as my_kernels", option,
        excerpt(name));
}

} // namespace hone::tune
