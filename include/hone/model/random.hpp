// SPDX-License-Identifier: BSL-1.0
// Random draws that replay bit for bit from a seed on every machine and standard library, whose own distributions do
// not: splitmix64 (Steele, Lea, Flood, 2014) and xoshiro256** (Blackman, Vigna, arXiv 1805.01407).
#pragma once

#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <limits>

namespace hone::tune {

// A bijection of 64 bits that leaves no pattern of its argument: the output function of splitmix64.
constexpr std::uint64_t mixed(std::uint64_t z)
{
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
    return z ^ (z >> 31);
}

// A counter with that output; makes the state of larger generators from one number.
class splitmix64 {
public:
    constexpr explicit splitmix64(std::uint64_t seed) : state_(seed) {}
    constexpr std::uint64_t operator()() { return mixed(state_ += 0x9e3779b97f4a7c15u); }

private:
    std::uint64_t state_;
};

// 256 bits of state, period 2^256 - 1. Satisfies std::uniform_random_bit_generator.
class xoshiro256 {
public:
    using result_type = std::uint64_t;

    constexpr explicit xoshiro256(std::uint64_t seed)
    {
        splitmix64 fill(seed);
        for (std::uint64_t& word : state_) word = fill();
    }
    constexpr explicit xoshiro256(const std::array<std::uint64_t, 4>& state) : state_(state) {}

    static constexpr result_type min() { return 0; }
    static constexpr result_type max() { return std::numeric_limits<result_type>::max(); }

    constexpr result_type operator()()
    {
        auto& s = state_;
        const std::uint64_t result = std::rotl(s[1] * 5, 7) * 9;
        const std::uint64_t shifted = s[1] << 17;
        s[2] ^= s[0];
        s[3] ^= s[1];
        s[1] ^= s[2];
        s[0] ^= s[3];
        s[2] ^= shifted;
        s[3] = std::rotl(s[3], 45);
        return result;
    }

    // Uniform in [0, count), count > 0. The high bits that are just enough, drawn again while they name no place:
    // exact, less than two draws on average, and no product of 128 bits.
    constexpr std::size_t below(std::size_t count)
    {
        if (count <= 1) return 0;
        const int unused = std::countl_zero(static_cast<std::uint64_t>(count - 1));
        for (;;) {
            const std::uint64_t place = (*this)() >> unused;
            if (place < count) return static_cast<std::size_t>(place);
        }
    }
    // Uniform in [0, 1), a multiple of 2^-53.
    constexpr double unit() { return static_cast<double>((*this)() >> 11) * 0x1p-53; }

private:
    std::array<std::uint64_t, 4> state_{};
};

} // namespace hone::tune
