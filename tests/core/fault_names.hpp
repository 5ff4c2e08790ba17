// SPDX-License-Identifier: BSL-1.0
// The names of faults, read from the source: no other list of them is complete by itself.
#pragma once

#include <cstddef>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <string>
#include <vector>

#include <doctest/doctest.h>

#include <hone/core/fault.hpp>

namespace hone::test {

inline const std::filesystem::path root = std::filesystem::path{__FILE__}.parent_path().parent_path().parent_path();

inline std::string text_of(const std::filesystem::path& file)
{
    std::ifstream in{file};
    CAPTURE(file.string());
    REQUIRE(in.is_open());
    std::ostringstream text;
    text << in.rdbuf();
    return text.str();
}

// What stands between the first `begin` and the `end` behind it.
inline std::string between(const std::string& text, const std::string& begin, const std::string& end)
{
    const std::size_t from = text.find(begin);
    REQUIRE(from != std::string::npos);
    const std::size_t to = text.find(end, from + begin.size());
    REQUIRE(to != std::string::npos);
    return text.substr(from + begin.size(), to - from - begin.size());
}

inline bool is_word(char c) { return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_'; }

// The enumerators, in order.
inline std::vector<std::string> fault_names()
{
    std::istringstream lines{between(text_of(root / "include/hone/core/fault.hpp"), "enum class fault", "};")};
    std::vector<std::string> names;
    std::string line;
    std::getline(lines, line); // the rest of the first one
    while (std::getline(lines, line)) {
        std::size_t from = line.find_first_not_of(' ');
        if (from == std::string::npos || !is_word(line[from])) continue;
        std::size_t to = from;
        while (to < line.size() && is_word(line[to])) ++to;
        names.push_back(line.substr(from, to - from));
    }
    return names;
}

inline std::string message(std::size_t f) { return message_of(static_cast<fault>(f)); }

} // namespace hone::test
