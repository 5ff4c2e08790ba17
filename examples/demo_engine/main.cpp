// SPDX-License-Identifier: BSL-1.0
// An inference engine in miniature: it includes a generated header, packs its weights, and calls kernels. For each
// layer it prints hone's default beside what the tuner chose; both must give the same result.
#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstdio>
#include <random>
#include <vector>

#include <hone/run/kernel.hpp>

#include <demo.hpp> // generated: the folder that is searched decides which one

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
    operation<hone::kernel<Layer, demo_configs>> chosen(in, outputs);
    double standard_ms = 1e30, chosen_ms = 1e30;
    for (int round = 0; round < 50; ++round) {
        standard_ms = std::min(standard_ms, standard.milliseconds());
        chosen_ms = std::min(chosen_ms, chosen.milliseconds());
    }
    return engine::report(name, "cpu", standard_ms, chosen_ms, engine::difference(standard.y(), chosen.y()));
}

} // namespace

int main()
{
    std::printf("%-8s %-7s %11s %10s %8s %11s\n", "layer", "backend", "default ms", "chosen ms", "gain", "difference");
    bool same = compare<demo::gemm_512>("gemm512");
    same = compare<demo::c2>("C2") && same;
    same = compare<demo::c9>("C9") && same;
    same = compare<demo::c8>("C8") && same;
#ifdef DEMO_WITH_VULKAN
    same = engine::compare_vulkan() && same;
#endif
    return same ? 0 : 1;
}
