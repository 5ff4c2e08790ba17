// SPDX-License-Identifier: BSL-1.0
// Kernels of a workload list in objects of their own, one object for each instruction set, and the table of them all,
// for hone::find. hone_add_tuned_library writes these units; for another build system they are, with the flags of AVX2,
//
//     template <> constinit const hone::kernel_entries<layers> hone::compiled<layers, configs,
//     hone::isa::avx2>::kernels =
//         hone::entries_of<layers, configs, hone::isa::avx2>();
//
// and, with those of the engine,
//
//     template <> const hone::kernel_entries<layers> hone::compiled<layers, configs, hone::isa::avx2>::kernels;
//     const hone::entry_table& configs::table() { return hone::table_of<layers, configs, hone::isa::avx2>; }
//
// All of it is data that the compiler has filled in: reading the table runs nothing that a processor may lack.
#pragma once

#include <cstddef>

#include <hone/core/target.hpp>
#include <hone/op/workloads.hpp>
#include <hone/run/entry.hpp>
#include <hone/run/kernel.hpp>

namespace hone {

template <class List>
struct kernel_entries {
    static_assert(List::size > 0, "hone::kernel_entries: the list has no workloads; name at least one");
    entry of[List::size > 0 ? List::size : 1];
};

// Defined, by an explicit specialization, in the unit that is compiled for this instruction set.
template <class List, class Configs, isa Set>
struct compiled {
    static const kernel_entries<List> kernels;
};

namespace compiled_entries {

template <class List, class Configs, isa Set>
struct fill;
template <class... Ops, class Configs, isa Set>
struct fill<workloads<Ops...>, Configs, Set> {
    static constexpr kernel_entries<workloads<Ops...>> kernels()
    {
        return {{entry_of<kernel<Ops, Configs, Set>>()...}};
    }
};

template <class List, class Configs, isa... Sets>
inline constexpr entry_list lists[sizeof...(Sets) + 1] = {{compiled<List, Configs, Sets>::kernels.of, List::size}...,
                                                          {}};

} // namespace compiled_entries

// One entry for each workload, in the order of the list. Constant, since it holds addresses only.
template <class List, class Configs, isa Set>
consteval kernel_entries<List> entries_of()
{
    return compiled_entries::fill<List, Configs, Set>::kernels();
}

// The kernels of these instruction sets.
template <class List, class Configs, isa... Sets>
inline constexpr entry_table table_of{compiled_entries::lists<List, Configs, Sets...>, sizeof...(Sets)};

} // namespace hone
