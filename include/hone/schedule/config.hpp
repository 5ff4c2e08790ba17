// SPDX-License-Identifier: BSL-1.0
// A config: which template, and its knobs. A config set is a type with a constexpr array `entries`; generated headers
// define one per library, and `defaults` is the empty one.
#pragma once

#include <cstddef>
#include <cstdint>

#include <hone/core/inline_vector.hpp>
#include <hone/core/target.hpp>
#include <hone/op/operator.hpp>
#include <hone/schedule/cpu.hpp>
#include <hone/schedule/winograd.hpp>

namespace hone {

enum class cpu_template : std::uint8_t { direct, winograd };
constexpr const char* name_of(cpu_template t) { return t == cpu_template::direct ? "direct" : "winograd"; }

struct cpu_config {
    cpu_template algorithm = cpu_template::direct;
    direct_knobs direct{};
    winograd_knobs winograd{};
    friend constexpr bool operator==(const cpu_config&, const cpu_config&) = default;
};

// One tuned kernel of a set: for this signature, on this instruction set, on so many threads, this config.
struct cpu_entry {
    const char* signature = "";
    isa set = isa::baseline;
    int threads = 1;
    cpu_config config{};
};

// The empty set: every kernel takes its closed-form default.
struct defaults {
    static constexpr cpu_entry entries[1]{};
};

// Whether a is nearer to the threads that are wanted than b, as a ratio; of 2 and 8 for 4, the fewer are.
constexpr bool is_nearer(int a, int b, int wanted)
{
    const auto most = [&](int t) { return std::int64_t{t > wanted ? t : wanted}; };
    const auto least = [&](int t) { return std::int64_t{t > wanted ? wanted : t}; };
    const std::int64_t ratio_a = most(a) * least(b), ratio_b = most(b) * least(a);
    return ratio_a < ratio_b || (ratio_a == ratio_b && a < b);
}

// The entry of set Configs for operator Op, for exactly this instruction set and the nearest number of threads; null
// where there is none.
template <tensor_operator Op, class Configs>
constexpr const cpu_entry* entry_for(isa set, int threads = 1)
{
    constexpr signature_text signature = Op::signature();
    const cpu_entry* best = nullptr;
    for (const cpu_entry& e : Configs::entries)
        if (e.set == set && same_text(e.signature, signature.c_str()) &&
            (best == nullptr || is_nearer(e.threads, best->threads, threads)))
            best = &e;
    return best;
}

// Its config; without an entry the template's closed-form default.
template <tensor_operator Op, class Configs>
constexpr cpu_config config_of(isa set, int threads = 1)
{
    const cpu_entry* e = entry_for<Op, Configs>(set, threads);
    return e != nullptr ? e->config : cpu_config{.direct = default_direct(Op::definition(), set)};
}

// The numbers of threads that kernels of this operator were tuned for, each once; 1 where there are none.
inline constexpr std::size_t most_thread_counts = 16;
template <tensor_operator Op, class Configs>
constexpr inline_vector<int, most_thread_counts> thread_counts_of(isa set)
{
    constexpr signature_text signature = Op::signature();
    inline_vector<int, most_thread_counts> counts;
    for (const cpu_entry& e : Configs::entries) {
        if (e.set != set || !same_text(e.signature, signature.c_str())) continue;
        bool known = false;
        for (int c : counts) known = known || c == e.threads;
        if (!known) counts.push_back(e.threads);
    }
    if (counts.empty()) counts.push_back(1);
    return counts;
}

// The number of threads that this config was tuned for: kernels for others share its code.
template <tensor_operator Op, class Configs>
constexpr int tuned_threads_of(isa set, int threads = 1)
{
    const cpu_entry* e = entry_for<Op, Configs>(set, threads);
    return e != nullptr ? e->threads : 1;
}

} // namespace hone
