// SPDX-License-Identifier: BSL-1.0
// Compiled kernels against the reference: each runs on one thread and on two, into poisoned outputs and workspaces
// whose surroundings are watched. Kernels are run through their entries, so that each is compiled once.
#pragma once

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <string>
#include <type_traits>
#include <vector>

#include <hone/cpu/entry.hpp>
#include <hone/run/thread_pool.hpp>
#include <hone/schedule/config.hpp>

#include "reference.hpp"

namespace hone::test {

using namespace schedules;

// A poisoned buffer that knows when something wrote beside it. It begins one element past a cache line, since kernels
// may count on no alignment but that of the elements.
class guarded {
public:
    explicit guarded(std::size_t bytes)
        : elements_{bytes / sizeof(float)}, all_{poisoned(static_cast<std::int64_t>(elements_ + 2 * guard + line))}
    {
        const std::size_t address = reinterpret_cast<std::uintptr_t>(all_.data()) / sizeof(float);
        first_ = guard + (line - (address + guard) % line) % line + 1;
    }
    float* data() { return all_.data() + first_; }
    floats values() const { return {all_.begin() + at(first_), all_.begin() + at(first_ + elements_)}; }
    bool is_intact() const
    {
        for (std::size_t i = 0; i < all_.size(); ++i)
            if ((i < first_ || i >= first_ + elements_) && !is_poison(all_[i])) return false;
        return true;
    }

private:
    static constexpr std::size_t line = 16;  // elements
    static constexpr std::size_t guard = 64; // four of the longest vectors
    static std::ptrdiff_t at(std::size_t i) { return static_cast<std::ptrdiff_t>(i); }

    std::size_t elements_;
    std::size_t first_ = 0;
    floats all_;
};

// A config set with one config for one operator, on the instruction set that this is compiled for.
template <class Op, auto Knobs>
struct tuned {
    static constexpr hone::accuracy accuracy = hone::accuracy::fast;
    static constexpr signature_text signature = Op::signature();
    static constexpr const char* config()
    {
        if constexpr (requires { Knobs.tile; })
            return config_text<winograd, Knobs>;
        else
            return config_text<direct, Knobs>;
    }
    static constexpr cpu_entry entries[1] = {
        {.signature = signature.c_str(), .set = compiled_isa(), .config = config()}};
};

// One kernel, and what it should compute.
template <class Shape>
struct trial {
    entry kernel;
    Shape shape;
    steps epilogue;
};
struct by_default {};
template <auto Knobs, class Op, class Shape, class... E>
trial<Shape> trial_of_operator(const Shape& shape)
{
    if constexpr (std::is_same_v<std::remove_cv_t<decltype(Knobs)>, by_default>) {
        return {entry_of<kernel<Op>>(), shape, {step_of<E>()...}};
    } else {
        using set = tuned<Op, Knobs>;
        static_assert(kernel<Op, set>::config == cpu_config(Knobs));
        return {entry_of<kernel<Op, set>>(), shape, {step_of<E>()...}};
    }
}
template <conv2d_shape S, auto Knobs, class... E>
trial<conv2d_shape> trial_of()
{
    return trial_of_operator<Knobs, conv2d<S, f32, E...>, conv2d_shape, E...>(S);
}
template <gemm_shape S, auto Knobs, class... E>
trial<gemm_shape> trial_of()
{
    return trial_of_operator<Knobs, gemm<S, f32, E...>, gemm_shape, E...>(S);
}

// Takes every region, however small: what is tested is tested on several threads.
struct eager_pool : thread_pool {
    using thread_pool::thread_pool;
    static constexpr std::int64_t least_region_ns = 0;
};

// Runs a kernel once; empty where all is as it should be.
inline std::string wrong_run(const entry& kernel, const executor_ref& executor, const call_data& d,
                             const doubles& expected, const std::int64_t* parameters, double tolerance)
{
    guarded packed(kernel.packed_bytes_of(parameters));
    kernel.pack_for(d.weights.data(), packed.data(), parameters);
    if (!packed.is_intact()) return "pack() writes beside the packed weights";
    for (float f : packed.values())
        if (is_poison(f)) return "pack() leaves elements as they were";

    // Between calls nothing may be kept in the workspace: two calls, each with a poisoned one.
    for (int call = 0; call < 2; ++call) {
        guarded y(d.y.size() * sizeof(float));
        guarded workspace(kernel.workspace_bytes(executor.slots()));
        const call_data given = d;
        const floats weights = packed.values();
        const status found = kernel.run(executor, {.x = d.x.data(),
                                                   .weights = packed.data(),
                                                   .bias = d.bias.data(),
                                                   .residual = d.residual.data(),
                                                   .y = y.data(),
                                                   .workspace = workspace.data(),
                                                   .parameters = parameters,
                                                   .weights_layout = kernel.layout_id});
        if (!found.ok()) return std::string{found.message()} + ", " + found.subject;
        if (!y.is_intact()) return "run() writes beside y";
        if (!workspace.is_intact()) return "run() writes beside the workspace";
        if (!packed.is_intact() || packed.values() != weights || d.x != given.x || d.bias != given.bias ||
            d.residual != given.residual)
            return "run() writes to an input";
        if (std::string wrong = difference(y.values(), expected, tolerance); !wrong.empty()) return wrong;
    }

    // y in the place of the residual, whose gaps between rows stay.
    guarded both(d.y.size() * sizeof(float));
    std::copy(d.residual.begin(), d.residual.end(), both.data());
    guarded workspace(kernel.workspace_bytes(executor.slots()));
    const status found = kernel.run(executor, {.x = d.x.data(),
                                               .weights = packed.data(),
                                               .bias = d.bias.data(),
                                               .residual = both.data(),
                                               .y = both.data(),
                                               .workspace = workspace.data(),
                                               .parameters = parameters});
    if (!found.ok()) return std::string{"in place: "} + found.message();
    if (!both.is_intact() || !workspace.is_intact()) return "in place: run() writes beside its buffers";
    floats y = both.values();
    for (std::size_t i = 0; i < y.size(); ++i)
        if (std::isnan(expected[i])) y[i] = y[i] == d.residual[i] ? std::bit_cast<float>(poison_bits) : 1e30f;
    const std::string wrong = difference(y, expected, tolerance);
    return wrong.empty() ? wrong : "in place: " + wrong;
}

// The same on one thread and on two.
inline std::string wrong_kernel(const entry& kernel, const call_data& d, const doubles& expected,
                                const std::int64_t* parameters = nullptr, double tolerance = 0)
{
    serial_executor serial;
    eager_pool pool(2);
    std::string wrong = wrong_run(kernel, reference_to(serial), d, expected, parameters, tolerance);
    if (!wrong.empty()) return "serial: " + wrong;
    wrong = wrong_run(kernel, reference_to(pool), d, expected, parameters, tolerance);
    return wrong.empty() ? wrong : "two threads: " + wrong;
}

// What is wrong with the first kernel that is not of this unit's instruction set, or does not compute what plain loops
// do; empty where none is.
template <class Shape>
std::string wrong_kernel_of(const std::vector<trial<Shape>>& trials)
{
    std::uint64_t seed = 0;
    for (const trial<Shape>& t : trials) {
        const call_data d = data_of(t.shape, ++seed);
        std::string wrong = wrong_kernel(t.kernel, d, reference(t.shape, d, t.epilogue));
        if (t.kernel.set != compiled_isa()) wrong = "of another instruction set";
        if (!wrong.empty()) return wrong + "\n  trial " + std::to_string(seed) + ": " + t.kernel.signature;
    }
    return "";
}

} // namespace hone::test
