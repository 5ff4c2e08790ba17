// SPDX-License-Identifier: BSL-1.0
// The name of a type as the compiler writes it, for messages and generated code.
#pragma once

#include <string_view>

#ifndef HONE_SHOW_WARNINGS // see core/config.hpp
#pragma GCC system_header
#endif

namespace hone::core {

// "demo::c2"; a type without a name of its own has its arguments. g++ leaves out the "hone::" of hone's own.
template <class T>
constexpr std::string_view type_name()
{
    const std::string_view text = __PRETTY_FUNCTION__;
    const auto begin = text.find("T = ") + 4;
    return text.substr(begin, text.find_first_of(";]", begin) - begin);
}

} // namespace hone::core
