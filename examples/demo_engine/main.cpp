// SPDX-License-Identifier: BSL-1.0
// An inference engine in miniature: it includes a generated header, packs its weights, and calls kernels. For each
// layer it prints hone's default beside what the tuner chose; both must give the same result.
#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstdio>
#include <random>
#include <utility>
#include <vector>

#include <hone/cpu/kernel.hpp>

#include <resnet18.hpp> // generated: the folder that is searched decides which one

#include "engine.hpp"
#include "layers.hpp"

namespace {

using engine::floats;

// A layer's kernel with its packed weights and its output, as an engine would keep it.
template <class Kernel>
class operation {
public:
    operation(const engine::operands& in, std::size_t outputs)
        : packed_(Kernel::packed_bytes / sizeof(float)), workspace_(Kernel::workspace_bytes(1) / sizeof(float)),
          y_(outputs)
    {
        Kernel::pack(in.weights.data(), packed_.data());
        call_ = {.x = in.x.data(), .weights = packed_.data(), .bias = in.bias.data(), .y = y_.data()};
        call_.workspace = workspace_.data();
    }
    double milliseconds()
    {
        const auto begin = std::chrono::steady_clock::now();
        if (!Kernel::run(call_).ok()) std::abort();
        return std::chrono::duration<double, std::milli>(std::chrono::steady_clock::now() - begin).count();
    }
    const floats& y() const { return y_; }

private:
    floats packed_;
    floats workspace_;
    floats y_;
    hone::arguments call_{};
};

template <class Layer>
bool compare(const char* name)
{
    const auto in = engine::operands_of(Layer::definition());
    const auto outputs = engine::elements_of(Layer::definition(), hone::role::output);
    operation<hone::kernel<Layer>> standard(in, outputs);
    operation<hone::kernel<Layer, resnet18_configs>> chosen(in, outputs);
    double standard_ms = 1e30, chosen_ms = 1e30;
    for (int round = 0; round < 20; ++round) {
        standard_ms = std::min(standard_ms, standard.milliseconds());
        chosen_ms = std::min(chosen_ms, chosen.milliseconds());
    }
    return engine::report(name, "cpu", standard_ms, chosen_ms, engine::difference(standard.y(), chosen.y()));
}

} // namespace

int main()
{
    std::printf("%-9s %-7s %11s %10s %8s %11s\n", "layer", "backend", "default ms", "chosen ms", "gain", "difference");
    bool same = true;
    [&]<std::size_t... I>(std::index_sequence<I...>) {
        ((same = compare<hone::workload<resnet18::layers, I>>(resnet18::names[I]) && same), ...);
    }(std::make_index_sequence<resnet18::layers::size>{});
#ifdef DEMO_WITH_VULKAN
    same = engine::compare_vulkan() && same;
#endif
    return same ? 0 : 1;
}
