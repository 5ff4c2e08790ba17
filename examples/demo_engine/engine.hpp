// SPDX-License-Identifier: BSL-1.0
// What the engine's two back ends share: operands of a layer, and the line that is printed for it.
#pragma once

#include <cmath>
#include <cstddef>
#include <cstdio>
#include <random>
#include <vector>

#include <hone/op/definition.hpp>

namespace engine {

struct operands {
    std::vector<float> x, weights, bias;
};

inline std::size_t elements_of(const hone::definition& d, hone::role role)
{
    const int t = d.tensor_of(role);
    return t < 0 ? 0 : static_cast<std::size_t>(d.tensors[static_cast<std::size_t>(t)].elements());
}

// Random, the same in each run.
inline operands operands_of(const hone::definition& d)
{
    std::mt19937 bits(1);
    const auto random = [&](hone::role role) {
        std::uniform_real_distribution<float> value(-1.0f, 1.0f);
        std::vector<float> r(elements_of(d, role));
        for (float& v : r) v = value(bits);
        return r;
    };
    return {random(hone::role::input), random(hone::role::weights), random(hone::role::bias)};
}

// Largest difference over the largest result.
inline double difference(const std::vector<float>& a, const std::vector<float>& b)
{
    double worst = 0, largest = 0;
    for (std::size_t i = 0; i < a.size(); ++i) {
        const double d = std::fabs(static_cast<double>(a[i]) - static_cast<double>(b[i]));
        worst = d <= worst ? worst : d; // NaN stays
        largest = std::fmax(largest, std::fabs(static_cast<double>(a[i])));
    }
    return worst / largest;
}

inline bool report(const char* name, const char* backend, double standard_ms, double chosen_ms, double difference)
{
    std::printf("%-8s %-7s %11.4f %10.4f %7.2fx %11.1e\n", name, backend, standard_ms, chosen_ms,
                standard_ms / chosen_ms, difference);
    return difference < 1e-4;
}

// False where a result is wrong; true too where there is no Vulkan device.
bool compare_vulkan();

} // namespace engine
