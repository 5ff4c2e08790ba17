// SPDX-License-Identifier: BSL-1.0
// A config: which template, and its knobs. A config set is a type with a constexpr array `entries`; generated headers
// define one per library, and `defaults` is the empty one.
#pragma once

#include <cstddef>
#include <cstdint>

#include <hone/core/inline_vector.hpp>
#include <hone/core/target.hpp>
#include <hone/op/accuracy.hpp>
#include <hone/op/operator.hpp>
#include <hone/schedule/cpu.hpp>
#include <hone/schedule/winograd.hpp>

#ifndef HONE_SHOW_WARNINGS // see core/config.hpp
#pragma GCC system_header
#endif

namespace hone {

enum class cpu_template : std::uint8_t { direct, winograd };
constexpr const char* name_of(cpu_template t) { return t == cpu_template::direct ? "direct" : "winograd"; }

struct cpu_config {
    cpu_template algorithm = cpu_template::direct;
    direct_knobs direct{};
    winograd_knobs winograd{};
    friend constexpr bool operator==(const cpu_config&, const cpu_config&) = default;
};

// f(knobs of the config's template); the config may be constant.
template <class Config, class F>
constexpr decltype(auto) with_knobs(Config& c, F&& f)
{
    return c.algorithm == cpu_template::winograd ? f(c.winograd) : f(c.direct);
}
constexpr status check_knobs(const cpu_config& c)
{
    if (c.algorithm != cpu_template::direct && c.algorithm != cpu_template::winograd)
        return {fault::knob_value, static_cast<int>(cpu_template::winograd), static_cast<int>(c.algorithm),
                "algorithm"};
    return with_knobs(c, [](const auto& knobs) { return check_knobs(knobs); });
}

// Direct kernels hold one chain for each output while the whole reduction passes, in the order of the definition; where
// it passes in blocks, those of the innermost axis stand outside the windows.
constexpr error_class class_of(const direct_knobs& k)
{
    return k.reduce_block > 0 ? error_class::reassociated : error_class::exact_order;
}
constexpr error_class class_of(const winograd_knobs& k)
{
    return k.tile <= 2 ? error_class::winograd_2 : k.tile <= 4 ? error_class::winograd_4 : error_class::winograd_6;
}
constexpr error_class class_of(const cpu_config& c)
{
    return c.algorithm == cpu_template::winograd ? class_of(c.winograd) : class_of(c.direct);
}

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

// What a set allows where a workload says nothing, as a member `accuracy`; a header that was tuned with ACCURACY has
// it.
template <class Configs>
constexpr accuracy accuracy_of_set()
{
    if constexpr (requires { Configs::accuracy; })
        return Configs::accuracy;
    else
        return accuracy::standard;
}

// Whether a is nearer to the threads that are wanted than b, as a ratio; of 2 and 8 for 4, the fewer are.
constexpr bool is_nearer(int a, int b, int wanted)
{
    const auto most = [&](int t) { return std::int64_t{t > wanted ? t : wanted}; };
    const auto least = [&](int t) { return std::int64_t{t > wanted ? wanted : t}; };
    const std::int64_t ratio_a = most(a) * least(b), ratio_b = most(b) * least(a);
    return ratio_a < ratio_b || (ratio_a == ratio_b && a < b);
}

// Whether an entry may serve a workload that allows no worse class. One with knobs that no kernel can have is passed
// over by nobody, so that the kernel names them.
constexpr bool may_serve(const cpu_entry& e, error_class worst)
{
    return class_of(e.config) <= worst || !check_knobs(e.config).ok();
}

// Which entry of set Configs is that of operator Op, for exactly this instruction set and the nearest number of
// threads, of those that are as accurate as the workload or the set demands; -1 where there is none. A number, since
// under sanitizers g++ knows of no address at compile time that it is not null.
template <tensor_operator Op, class Configs>
constexpr int entry_index_for(isa set, int threads = 1)
{
    constexpr signature_text signature = Op::signature();
    constexpr error_class worst = worst_of(accuracy_in(signature.c_str(), accuracy_of_set<Configs>()));
    int best = -1;
    int i = 0;
    for (const cpu_entry& e : Configs::entries) {
        if (e.set == set && same_text(e.signature, signature.c_str()) && may_serve(e, worst) &&
            (best < 0 || is_nearer(e.threads, Configs::entries[best].threads, threads)))
            best = i;
        ++i;
    }
    return best;
}
// That entry; null where there is none.
template <tensor_operator Op, class Configs>
constexpr const cpu_entry* entry_for(isa set, int threads = 1)
{
    const int i = entry_index_for<Op, Configs>(set, threads);
    return i < 0 ? nullptr : &Configs::entries[i];
}

// Its config; without an entry the template's closed-form default, or a step down from it.
template <tensor_operator Op, class Configs>
constexpr cpu_config config_of(isa set, int threads = 1, int step = 0)
{
    const int i = entry_index_for<Op, Configs>(set, threads);
    if (i < 0) return {.direct = default_direct(checked(Op::definition()), set, step)};
    return Configs::entries[i].config;
}

// The numbers of threads that kernels of this operator were tuned for, each once; 1 where there are none.
inline constexpr std::size_t most_thread_counts = 16;
template <tensor_operator Op, class Configs>
constexpr inline_vector<int, most_thread_counts> thread_counts_of(isa set)
{
    constexpr signature_text signature = Op::signature();
    constexpr error_class worst = worst_of(accuracy_in(signature.c_str(), accuracy_of_set<Configs>()));
    inline_vector<int, most_thread_counts> counts;
    for (const cpu_entry& e : Configs::entries) {
        if (e.set != set || !same_text(e.signature, signature.c_str()) || !may_serve(e, worst)) continue;
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
    const int i = entry_index_for<Op, Configs>(set, threads);
    return i < 0 ? 1 : Configs::entries[i].threads;
}

} // namespace hone
