// SPDX-License-Identifier: BSL-1.0
// The words of GLSL: its types, exact literals and safe names. What it shares with other languages of C's family is
// text of lower/c_text.hpp.
#pragma once

#include <charconv>
#include <string>
#include <string_view>

#include <hone/core/dtype.hpp>
#include <hone/lower/c_text.hpp>

#ifndef HONE_SHOW_WARNINGS // see core/config.hpp
#pragma GCC system_header
#endif

namespace hone::codegen {

inline std::string glsl_type(int width) { return width == 1 ? "float" : joined("vec", width); }
// As storage buffers hold it; values are of the type above.
inline std::string glsl_storage_type(dtype type, int width)
{
    if (type == dtype::f16) return width == 1 ? "float16_t" : joined("f16vec", width);
    return glsl_type(width);
}

// The shortest literal that reads back as exactly this float. GLSL has no words for infinity and NaN; these quotients
// are constants that glslang folds to them, in tables too, where a call of uintBitsToFloat is refused.
inline std::string glsl_literal(float value)
{
    if (value != value) return "(0.0 / 0.0)";
    if (value == __builtin_huge_valf()) return "(1.0 / 0.0)";
    if (value == -__builtin_huge_valf()) return "(-1.0 / 0.0)";
    char digits[32];
    const auto end = std::to_chars(digits, digits + sizeof digits, value).ptr;
    std::string to(digits, end);
    if (to.find_first_of(".e") == std::string::npos) to += ".0";
    return value < 0 || to[0] == '-' ? joined('(', to, ')') : to;
}

// Callers add a prefix or suffix that no word of the language has.
inline std::string glsl_identifier(std::string_view name) { return c_identifier(name, "gl_"); }

} // namespace hone::codegen
