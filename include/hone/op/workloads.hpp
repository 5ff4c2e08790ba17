// SPDX-License-Identifier: BSL-1.0
// The workloads of an engine as one type, so that a tuner and a compiled library can walk them:
//
//     using layers = hone::workloads<c2, fc>;
#pragma once

#include <cstddef>

#include <hone/op/operator.hpp>

#ifndef HONE_SHOW_WARNINGS // see core/config.hpp
#pragma GCC system_header
#endif

namespace hone::operators {

template <tensor_operator... Ops>
struct workloads {
    static constexpr std::size_t size = sizeof...(Ops);
};

namespace workload_list {

template <std::size_t I, class First, class... Rest>
struct nth {
    using type = typename nth<I - 1, Rest...>::type;
};
template <class First, class... Rest>
struct nth<0, First, Rest...> {
    using type = First;
};

template <class List, std::size_t I>
struct nth_of_list;
template <class... Ops, std::size_t I>
struct nth_of_list<workloads<Ops...>, I> {
    static_assert(I < sizeof...(Ops), "hone::workload: the list has fewer workloads; choose an index below its count");
    using type = typename nth<(I < sizeof...(Ops) ? I : 0), Ops...>::type;
};

} // namespace workload_list

// The workload at place I of a list, itself and no copy: `workload<layers, 0>` is c2.
template <class List, std::size_t I>
using workload = typename workload_list::nth_of_list<List, I>::type;

} // namespace hone::operators

namespace hone { // API
using operators::workload, operators::workloads;
} // namespace hone
