// SPDX-License-Identifier: BSL-1.0
// Calls kernels by type: hone::kernel<workload, my_kernels> takes its config from the header that was checked in,
// hone::kernel<workload> is the default. Both compute the same.
#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstddef>
#include <cstdio>
#include <random>
#include <vector>

#include <hone/cpu/kernel.hpp>

#include "layers.hpp"
#include "my_kernels.hpp"

namespace {

using floats = std::vector<float>;

floats tensor_of(const hone::definition& d, hone::role role)
{
    const int t = d.tensor_of(role);
    floats r(t < 0 ? 0 : static_cast<std::size_t>(d.tensors[static_cast<std::size_t>(t)].elements()));
    std::mt19937 bits(1);
    std::uniform_real_distribution<float> value(-1.0f, 1.0f);
    for (float& v : r) v = value(bits);
    return r;
}

// The result of a kernel; its least time of several calls goes to `ms`.
template <class Layer, class Kernel>
floats result_of(double& ms)
{
    const hone::definition d = Layer::definition();
    const floats x = tensor_of(d, hone::role::input), weights = tensor_of(d, hone::role::weights),
                 bias = tensor_of(d, hone::role::bias);
    floats y = tensor_of(d, hone::role::output), packed(Kernel::packed_bytes / sizeof(float));
    std::vector<std::byte> workspace(Kernel::workspace_bytes(1));
    Kernel::pack(weights.data(), packed.data());
    ms = 1e30;
    for (int round = 0; round < 20; ++round) {
        const auto begin = std::chrono::steady_clock::now();
        const hone::status s = Kernel::run({.x = x.data(),
                                            .weights = packed.data(),
                                            .bias = bias.data(),
                                            .y = y.data(),
                                            .workspace = workspace.data()});
        const std::chrono::duration<double, std::milli> taken = std::chrono::steady_clock::now() - begin;
        ms = std::min(ms, taken.count());
        if (!s.ok()) return {};
    }
    return y;
}

template <class Layer>
bool compare(const char* name)
{
    double standard_ms = 0, tuned_ms = 0;
    const floats standard = result_of<Layer, hone::kernel<Layer>>(standard_ms);
    const floats tuned = result_of<Layer, hone::kernel<Layer, my_kernels>>(tuned_ms);
    double worst = 0, largest = 0;
    for (std::size_t i = 0; i < standard.size() && i < tuned.size(); ++i) {
        const double d = std::fabs(static_cast<double>(standard[i]) - static_cast<double>(tuned[i]));
        worst = d <= worst ? worst : d; // NaN stays
        largest = std::fmax(largest, std::fabs(static_cast<double>(standard[i])));
    }
    std::printf("%-8s default %.4f ms, tuned %.4f ms, largest difference %.1e\n", name, standard_ms, tuned_ms,
                worst / largest);
    return worst / largest < 1e-4;
}

} // namespace

int main()
{
    const bool conv = compare<my::conv>("conv");
    const bool product = compare<my::product>("product");
    return conv && product ? 0 : 1;
}
