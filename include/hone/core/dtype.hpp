// SPDX-License-Identifier: BSL-1.0
// The element types of tensors, as tags for signatures and as values for nests.
// Each buffer of a nest has its own; arithmetic is done in the type of the accumulator.
#pragma once

#include <cstddef>
#include <cstdint>

#ifndef HONE_SHOW_WARNINGS // see core/config.hpp
#pragma GCC system_header
#endif

namespace hone {

enum class dtype : std::uint8_t { f32 };

constexpr std::size_t bytes_of(dtype type)
{
    switch (type) {
    case dtype::f32: return 4;
    }
    return 0;
}

constexpr const char* name_of(dtype type)
{
    switch (type) {
    case dtype::f32: return "f32";
    }
    return "?";
}

// Tag of the 32-bit IEEE type in an operator's parameter list.
struct f32 {
    using storage = float;
    static constexpr dtype value = dtype::f32;
};

} // namespace hone
