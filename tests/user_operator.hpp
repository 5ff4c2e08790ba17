// SPDX-License-Identifier: BSL-1.0
// What the tests of a user's operator share: audio::speech of examples/custom_operator, random operands, and its
// formula as plain loops, which share nothing with the library.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <limits>
#include <random>
#include <string>
#include <vector>

#include "../examples/custom_operator/conv1d.hpp"

namespace hone::test {

// Where generated code finds conv1d.hpp.
inline std::string user_directory()
{
    return (std::filesystem::path(__FILE__).parent_path().parent_path() / "examples" / "custom_operator").string();
}

struct speech_call {
    std::vector<float> x = quarters(s.length * s.ic, 1);
    std::vector<float> weights = quarters(s.taps * s.ic * s.oc, 2);
    std::vector<float> bias = quarters(s.oc, 3);
    std::vector<float> y =
        std::vector<float>(static_cast<std::size_t>(s.out() * s.oc), std::numeric_limits<float>::quiet_NaN());

    // Largest error of y over the largest result; infinity where y was not written.
    double error() const
    {
        double worst = 0, largest = 0;
        for (std::int64_t t = 0; t < s.out(); ++t)
            for (std::int64_t o = 0; o < s.oc; ++o) {
                double sum = at(bias, o);
                for (std::int64_t tap = 0; tap < s.taps; ++tap) {
                    const std::int64_t from = t * s.stride + tap - s.pad;
                    if (from < 0 || from >= s.length) continue;
                    for (std::int64_t i = 0; i < s.ic; ++i)
                        sum += at(x, from * s.ic + i) * at(weights, (tap * s.ic + i) * s.oc + o);
                }
                const double expected = sum * std::clamp(sum + 3, 0.0, 6.0) / 6;
                const double found = at(y, t * s.oc + o);
                if (std::isnan(found)) return std::numeric_limits<double>::infinity();
                worst = std::max(worst, std::fabs(found - expected));
                largest = std::max(largest, std::fabs(expected));
            }
        return worst / largest;
    }

private:
    static constexpr audio::conv1d_shape s = audio::speech::shape;

    // In [-1, 1], so that sums reach each of the three pieces of hard-swish.
    static std::vector<float> quarters(std::int64_t elements, unsigned seed)
    {
        std::minstd_rand bits(seed);
        std::vector<float> v(static_cast<std::size_t>(elements));
        for (float& f : v) f = static_cast<float>(static_cast<int>(bits() >> 8 & 0xffff) % 9 - 4) / 4;
        return v;
    }
    static double at(const std::vector<float>& v, std::int64_t i)
    {
        return static_cast<double>(v[static_cast<std::size_t>(i)]);
    }
};

} // namespace hone::test
