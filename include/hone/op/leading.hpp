// SPDX-License-Identifier: BSL-1.0
// Distances of what a tensor has side by side: rows, matrices, pixels, images. Where they are longer than dense, the
// tensor is a view, a part of a larger one.
#pragma once

#include <cstdint>

#include <hone/core/fault.hpp>
#include <hone/op/definition.hpp>
#include <hone/op/operator.hpp>

#ifndef HONE_SHOW_WARNINGS // see core/config.hpp
#pragma GCC system_header
#endif

namespace hone::operators {

// Distance of neighbours in elements: 0 where they are dense, at_call() for one that each call gives,
// at_call().typically(1024) as of an extent; where none is named, dense ones are typical.
struct leading {
    struct open;

    std::int64_t value = 0;
    std::int64_t typical = 0; // none is named
    bool is_at_call = false;
    constexpr leading(std::int64_t v = 0) : value(v) {}
    static constexpr open at_call();

    // Whether neighbours of so many elements stand without gaps, as is known before the call.
    constexpr bool is_dense(std::int64_t elements) const { return !is_at_call && (value == 0 || value == elements); }
    // view_mismatch where they are known to overlap.
    constexpr status check(std::int64_t elements, const char* name) const
    {
        const bool overlaps = !is_at_call && value != 0 && value < elements;
        return overlaps ? status{fault::view_mismatch, elements, value, name} : status{};
    }
};
struct leading::open : leading {
    constexpr leading typically(std::int64_t of_calls) const
    {
        leading l = *this;
        l.typical = as_typical(of_calls);
        return l;
    }
};
constexpr leading::open leading::at_call()
{
    open l{};
    l.is_at_call = true;
    return l;
}

// The largest that a call may give.
inline constexpr std::int64_t most_distance = std::int64_t{1} << 31;

// A distance in a signature, and one that is there only where a shape names it.
constexpr void add_leading(signature_text& t, const char* name, const leading& l)
{
    l.is_at_call ? t.word(name) : t.field(name, l.value);
}
constexpr void add_named(signature_text& t, const char* name, const leading& l)
{
    if (l.is_at_call || l.value != 0) add_leading(t, name, l);
}

// The parameter of a distance that each call gives, at least so long; -1: it is known.
constexpr std::int16_t add_distance(definition& d, const leading& l, std::int64_t least, const char* name)
{
    if (!l.is_at_call) return -1;
    const std::int64_t most = least > most_distance ? least : most_distance;
    return static_cast<std::int16_t>(
        d.parameters.push_back({.name = name, .least = least, .most = most, .typical = l.typical}));
}
// Gives a dimension whose stride is a multiple of `dense` the same multiple of the distance.
constexpr void set_distance(dimension& own, const leading& l, std::int64_t dense, std::int16_t parameter)
{
    own.stride = saturated_product(own.stride / dense, parameter < 0 ? l.value : 1);
    if (parameter >= 0) own.stride_parameter = parameter;
}

} // namespace hone::operators

namespace hone { // API
using operators::leading;
} // namespace hone
