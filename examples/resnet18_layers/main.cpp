// SPDX-License-Identifier: BSL-1.0
// Runs each layer with hone's default and with what the tuner chose, on the widest instruction set that this processor
// has, and prints both times. The results must be the same but for rounding.
#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstddef>
#include <cstdio>
#include <random>
#include <utility>
#include <vector>

#include <hone/core/executor.hpp>
#include <hone/cpu/entry.hpp>
#include <hone/tuned/resnet18_defaults.hpp>
#include <hone/tuned/resnet18_kernels.hpp>

#include "layers.hpp"

namespace {

using floats = std::vector<float>;

// The tensor of this role, of random values; empty where the layer has none.
floats tensor_of(const hone::definition& d, hone::role role)
{
    const int t = d.tensor_of(role);
    floats r(t < 0 ? 0 : static_cast<std::size_t>(d.tensors[static_cast<std::size_t>(t)].elements()));
    std::mt19937 bits(1);
    std::uniform_real_distribution<float> value(-1.0f, 1.0f);
    for (float& v : r) v = value(bits);
    return r;
}

// A kernel with its packed weights and its output, as an engine would keep them.
class operation {
public:
    operation(const hone::entry& kernel, const hone::definition& d)
        : kernel_(kernel), x_(tensor_of(d, hone::role::input)), bias_(tensor_of(d, hone::role::bias)),
          y_(tensor_of(d, hone::role::output)), packed_(kernel.packed_bytes / sizeof(float)),
          workspace_(kernel.workspace_bytes(1))
    {
        const floats weights = tensor_of(d, hone::role::weights);
        kernel.pack(weights.data(), packed_.data());
    }
    // False where the kernel refuses the call.
    bool run()
    {
        const auto begin = std::chrono::steady_clock::now();
        const hone::status s = kernel_.run(hone::reference_to(executor_), {.x = x_.data(),
                                                                           .weights = packed_.data(),
                                                                           .bias = bias_.data(),
                                                                           .y = y_.data(),
                                                                           .workspace = workspace_.data()});
        const std::chrono::duration<double, std::milli> taken = std::chrono::steady_clock::now() - begin;
        least_ms_ = std::min(least_ms_, taken.count());
        if (!s.ok()) std::printf("%s: %s\n", kernel_.signature, s.message());
        return s.ok();
    }
    double least_ms() const { return least_ms_; }
    const floats& y() const { return y_; }

private:
    const hone::entry& kernel_;
    hone::serial_executor executor_{};
    floats x_, bias_, y_, packed_;
    std::vector<std::byte> workspace_;
    double least_ms_ = 1e30;
};

// Largest difference over the largest value.
double difference(const floats& a, const floats& b)
{
    double worst = 0, largest = 0;
    for (std::size_t i = 0; i < a.size(); ++i) {
        const double d = std::fabs(static_cast<double>(a[i]) - static_cast<double>(b[i]));
        worst = d <= worst ? worst : d; // NaN stays
        largest = std::fmax(largest, std::fabs(static_cast<double>(a[i])));
    }
    return worst / largest;
}

template <class Layer>
bool compare(const char* name)
{
    const hone::signature_text signature = Layer::signature();
    const hone::entry* standard = hone::find(resnet18_defaults::table(), signature.c_str(), hone::cpu());
    const hone::entry* tuned = hone::find(resnet18_kernels::table(), signature.c_str(), hone::cpu());
    if (standard == nullptr || tuned == nullptr) {
        std::printf("%-10s is not in the libraries\n", name);
        return false;
    }
    operation before(*standard, Layer::definition()), after(*tuned, Layer::definition());
    for (int round = 0; round < 10; ++round)
        if (!before.run() || !after.run()) return false;
    const double wrong = difference(before.y(), after.y());
    std::printf("%-10s %-8s %11.4f %9.4f %6.2fx %11.1e\n", name, hone::name_of(tuned->set), before.least_ms(),
                after.least_ms(), before.least_ms() / after.least_ms(), wrong);
    return wrong < 1e-4;
}

} // namespace

int main()
{
    if (!hone::runs_here(hone::isa::avx2)) {
        std::printf("this processor has neither AVX-512 nor AVX2, for which the libraries are built\n");
        return 0;
    }
    std::printf("%-10s %-8s %11s %9s %7s %11s\n", "layer", "kernel", "default ms", "tuned ms", "gain", "difference");
    bool same = true;
    [&]<std::size_t... I>(std::index_sequence<I...>) {
        ((same = compare<hone::workload<resnet18::layers, I>>(resnet18::names[I]) && same), ...);
    }(std::make_index_sequence<resnet18::layers::size>{});
    return same ? 0 : 1;
}
