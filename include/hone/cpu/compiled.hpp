// SPDX-License-Identifier: BSL-1.0
// Kernels of a workload list in objects of their own, one object for each instruction set, and the table of them all,
// for hone::find. hone_add_tuned_library writes these units; for another build system they are, with the flags of AVX2,
//
//     using avx2 = hone::compiled<layers, configs, hone::isa::avx2>;
//     template <> constinit const avx2::entries avx2::kernels = hone::entries_of<layers, configs, hone::isa::avx2>();
//
// and, with those of the engine,
//
//     template <> const avx2::entries avx2::kernels;
//     const hone::entry_table& configs::table() { return hone::table_of<layers, configs, hone::isa::avx2>; }
//
// All of it is data that the compiler has filled in: reading the table runs nothing that a processor may lack.
#pragma once

#include <cstddef>
#include <cstdint>
#include <utility>

#include <hone/core/inline_vector.hpp>
#include <hone/core/target.hpp>
#include <hone/cpu/entry.hpp>
#include <hone/cpu/kernel.hpp>
#include <hone/op/workloads.hpp>

#ifndef HONE_SHOW_WARNINGS // see core/config.hpp
#pragma GCC system_header
#endif

namespace hone::calls {

template <std::size_t Count>
struct kernel_entries {
    entry of[Count];
};

// The numbers of threads that kernels of this operator were tuned for, each once; 1 where there are none.
inline constexpr std::size_t most_thread_counts = 16;
template <tensor_operator Op, class Configs>
constexpr inline_vector<int, most_thread_counts> thread_counts_of(isa set)
{
    constexpr signature_text signature = Op::signature();
    constexpr error_class worst = worst_class_of<Op, Configs>();
    inline_vector<int, most_thread_counts> counts;
    for (const cpu_entry& e : Configs::entries) {
        if (e.set != set || !same_text(e.signature, signature.c_str()) || !may_serve<cpu_templates_of<Op>>(e, worst))
            continue;
        bool known = false;
        for (int c : counts) known = known || c == e.threads;
        if (!known) counts.push_back(e.threads);
    }
    if (counts.empty()) counts.push_back(1);
    return counts;
}

namespace compiled_entries {

template <class List, class Configs, isa Set>
struct fill;
template <class... Ops, class Configs, isa Set>
struct fill<workloads<Ops...>, Configs, Set> {
    static_assert(sizeof...(Ops) > 0, "hone::compiled: the list has no workloads; name at least one");

    // find() could not tell two of one signature apart. By hashes first: most signatures begin alike.
    static consteval bool all_differ()
    {
        const signature_text signatures[] = {Ops::signature()...};
        std::uint64_t hashes[sizeof...(Ops)]{};
        for (std::size_t i = 0; i < sizeof...(Ops); ++i) {
            hashes[i] = 0xcbf29ce484222325u;
            for (char c : signatures[i].text) hashes[i] = (hashes[i] ^ static_cast<unsigned char>(c)) * 0x100000001b3u;
            for (std::size_t j = 0; j < i; ++j)
                if (hashes[i] == hashes[j] && signatures[i] == signatures[j]) return false;
        }
        return true;
    }
    static_assert(all_differ(),
                  "hone::compiled: two workloads of the list have one signature; remove one of them, or let their "
                  "signatures name what tells them apart");

    template <class Op>
    static constexpr inline_vector threads = thread_counts_of<Op, Configs>(Set);
    static constexpr std::size_t count = (threads<Ops>.size() + ... + 0);

    // At place I of its numbers of threads.
    template <class Op, std::size_t... I>
    static constexpr void add(entry*& to, std::index_sequence<I...>)
    {
        ((*to++ = entry_of<kernel<Op, Configs, Set, threads<Op>[I]>>()), ...);
    }
    static constexpr kernel_entries<count> kernels()
    {
        kernel_entries<count> all{};
        entry* to = all.of;
        (add<Ops>(to, std::make_index_sequence<threads<Ops>.size()>{}), ...);
        return all;
    }
};

} // namespace compiled_entries

// Defined, by an explicit specialization, in the unit that is compiled for this instruction set.
template <class List, class Configs, isa Set>
struct compiled {
    using entries = kernel_entries<compiled_entries::fill<List, Configs, Set>::count>;
    static const entries kernels;
};

// In the order of the list, one entry for each number of threads that a workload was tuned for. Constant, since it
// holds addresses only.
template <class List, class Configs, isa Set>
consteval typename compiled<List, Configs, Set>::entries entries_of()
{
    return compiled_entries::fill<List, Configs, Set>::kernels();
}

namespace compiled_entries {

template <class List, class Configs, isa... Sets>
inline constexpr entry_list lists[sizeof...(Sets) + 1] = {
    {compiled<List, Configs, Sets>::kernels.of, fill<List, Configs, Sets>::count}..., {}};

} // namespace compiled_entries

// The kernels of these instruction sets.
template <class List, class Configs, isa... Sets>
inline constexpr entry_table table_of{compiled_entries::lists<List, Configs, Sets...>, sizeof...(Sets)};

} // namespace hone::calls

namespace hone { // API
using calls::compiled, calls::entries_of, calls::table_of;
} // namespace hone
