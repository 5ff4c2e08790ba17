// SPDX-License-Identifier: BSL-1.0
// What the engine's two back ends share: operands of a layer, and the line that is printed for it.
#pragma once

#include <cmath>
#include <cstddef>
#include <cstdio>
#include <new>
#include <random>
#include <vector>

#include <hone/op/definition.hpp>

namespace engine {

// Kernels need no alignment beyond that of a float; they are faster where vectors do not cross cache lines.
template <class T>
struct cache_line_allocator {
    using value_type = T;
    cache_line_allocator() = default;
    template <class U>
    explicit cache_line_allocator(const cache_line_allocator<U>&)
    {
    }
    T* allocate(std::size_t count) { return static_cast<T*>(::operator new(count * sizeof(T), std::align_val_t{64})); }
    void deallocate(T* p, std::size_t) { ::operator delete(p, std::align_val_t{64}); }
    friend bool operator==(const cache_line_allocator&, const cache_line_allocator&) { return true; }
};
using floats = std::vector<float, cache_line_allocator<float>>;

struct operands {
    floats x, weights, bias;
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
        floats r(elements_of(d, role));
        for (float& v : r) v = value(bits);
        return r;
    };
    return {random(hone::role::input), random(hone::role::weights), random(hone::role::bias)};
}

// Largest difference over the largest result.
inline double difference(const floats& a, const floats& b)
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
    std::printf("%-9s %-7s %11.4f %10.4f %7.2fx %11.1e\n", name, backend, standard_ms, chosen_ms,
                standard_ms / chosen_ms, difference);
    return difference < 1e-4;
}

// False where a result is wrong; true too where there is no Vulkan device.
bool compare_vulkan();

} // namespace engine
