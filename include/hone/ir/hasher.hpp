// SPDX-License-Identifier: BSL-1.0
// One number for a list of numbers, the same on every compiler and machine: what nests and epilogues are named by.
#pragma once

#include <cstdint>

#ifndef HONE_SHOW_WARNINGS // see core/config.hpp
#pragma GCC system_header
#endif

namespace hone::ir {

// FNV-1a by words of 64 bits. The shift brings high bits down, which a product alone never does.
struct hasher {
    std::uint64_t value = 0xcbf29ce484222325u;

    constexpr void add(std::uint64_t word)
    {
        value = (value ^ word) * 0x100000001b3u;
        value ^= value >> 32;
    }
    constexpr void add_signed(std::int64_t word) { add(static_cast<std::uint64_t>(word)); }
    // Two or four small numbers in one word.
    constexpr void add(std::int64_t a, std::int64_t b, std::int64_t c = 0, std::int64_t d = 0)
    {
        constexpr auto low = [](std::int64_t i) { return static_cast<std::uint64_t>(i) & 0xffff; };
        add(low(a) | low(b) << 16 | low(c) << 32 | low(d) << 48);
    }
};

} // namespace hone::ir
