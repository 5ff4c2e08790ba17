// SPDX-License-Identifier: BSL-1.0
// Sums and products of extents and strides that stop at 2^62 instead of overflowing: a shape is looked at before it is
// known to be one.
#pragma once

#include <cstdint>

#include <hone/core/rooms.hpp>

#ifndef HONE_SHOW_WARNINGS // see core/config.hpp
#pragma GCC system_header
#endif

namespace hone::core {

inline constexpr std::int64_t saturated = std::int64_t{1} << 62;

// That of the least number is more than its type holds.
constexpr std::int64_t saturated_magnitude(std::int64_t i)
{
    return i <= -saturated || i >= saturated ? saturated : i < 0 ? -i : i;
}
constexpr std::int64_t saturated_product(std::int64_t a, std::int64_t b)
{
    const std::int64_t x = saturated_magnitude(a), y = saturated_magnitude(b);
    const std::int64_t product = y != 0 && x > saturated / y ? saturated : x * y;
    return (a < 0) == (b < 0) ? product : -product;
}
template <class... More>
constexpr std::int64_t saturated_product(std::int64_t a, std::int64_t b, More... more)
{
    return saturated_product(saturated_product(a, b), more...);
}
// Of numbers that are such products and not negative.
constexpr std::int64_t saturated_sum(std::int64_t a, std::int64_t b) { return a > saturated - b ? saturated : a + b; }

} // namespace hone::core
