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
#include <string>
#include <vector>

#include "../examples/custom_operator/conv1d.hpp"
#include "reference.hpp"

namespace hone::test {

// Where generated code finds conv1d.hpp.
inline std::string user_directory()
{
    return (std::filesystem::path(__FILE__).parent_path().parent_path() / "examples" / "custom_operator").string();
}

struct speech_call {
    floats x, weights, bias;
    floats y = poisoned(s.out() * s.oc);

    speech_call()
        : x(sixteenths(s.length * s.ic, 1)), weights(sixteenths(s.taps * s.ic * s.oc, 2)), bias(sixteenths(s.oc, 3))
    {
    }

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

    // In [-1/4, 1/4], so that hard-swish is met in each of its three pieces.
    static floats sixteenths(std::int64_t elements, std::uint64_t seed)
    {
        floats v = small_integers(elements, seed);
        for (float& f : v) f /= 16;
        return v;
    }
    static double at(const floats& v, std::int64_t i) { return static_cast<double>(v[static_cast<std::size_t>(i)]); }
};

} // namespace hone::test
