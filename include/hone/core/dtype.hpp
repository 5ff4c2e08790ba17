// SPDX-License-Identifier: BSL-1.0
// The element types of tensors, as tags for signatures and as values for nests.
// Each buffer of a nest has its own; arithmetic is done in the type of the accumulator.
#pragma once

#include <concepts>
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
// Types that networks have and kernels have not: named here, so that a workload of one is told so.
struct f16;
struct bf16;
struct s8;
struct u8;

template <dtype>
struct storage_of;
template <>
struct storage_of<dtype::f32> {
    using type = float;
};

// A tag for a type that kernels know: its `value` says which, and its `storage` is that of the value.
template <class Tag>
concept element_type = requires {
    typename Tag::storage;
    requires std::same_as<decltype(Tag::value), const dtype>;
    requires std::same_as<typename Tag::storage, typename storage_of<Tag::value>::type>;
};
// The type of a tag.
template <class Tag>
constexpr dtype dtype_of()
{
    constexpr bool is_known = element_type<Tag>;
    static_assert(is_known, "hone: elements are 32-bit floats so far; name them hone::f32");
    if constexpr (is_known)
        return Tag::value;
    else
        return dtype::f32;
}

} // namespace hone
