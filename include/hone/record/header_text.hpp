// SPDX-License-Identifier: BSL-1.0
// What the entries of a generated header are written with: literals, and the figures in their comments. What a record
// holds comes into C++ through here alone.
#pragma once

#include <string>

#include <fmt/core.h>

#include <hone/process/text.hpp>
#include <hone/record/record_data.hpp>

namespace hone::tune::header {

// A literal of these bytes; printable ASCII only, and no trigraph.
inline std::string quoted(const std::string& text)
{
    std::string r = "\"";
    for (const char c : text) {
        if (c < ' ' || c > '~') {
            r += fmt::format("\\{:03o}", static_cast<unsigned>(static_cast<unsigned char>(c)));
            continue;
        }
        if (c == '"' || c == '\\' || (c == '?' && r.back() == '?')) r += '\\';
        r += c;
    }
    return r + "\"";
}

inline std::string figures(double ms, double default_ms)
{
    return default_ms > 0 ? fmt::format("{:.4f} ms; default {:.4f} ms", ms, default_ms) : fmt::format("{:.4f} ms", ms);
}

// What was measured, for a comment.
inline std::string measured(const record& r)
{
    return commented(r.task) + (r.typical.empty() ? "" : " at " + commented(r.typical));
}

} // namespace hone::tune::header
