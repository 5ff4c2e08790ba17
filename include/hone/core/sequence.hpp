// SPDX-License-Identifier: BSL-1.0
// The numbers 0 to N - 1 as a pack, of lanes, steps or accesses that are written out: make_sequence<N> is
// sequence<0, 1, ..., N - 1>. The standard library's is in <utility>, a tenth of what an engine source reads for
// hone.hpp.
#pragma once

#include <hone/core/rooms.hpp>

#ifndef HONE_SHOW_WARNINGS // see core/config.hpp
#pragma GCC system_header
#endif

namespace hone::core {

template <int... I>
struct sequence {};

namespace sequence_detail {

#ifdef __clang__
template <class, int... I>
using of_ints = sequence<I...>;
template <int N>
using below = __make_integer_seq<of_ints, int, N>;
#else
template <int N>
using below = sequence<__integer_pack(N)...>;
#endif

} // namespace sequence_detail

template <int N>
using make_sequence = sequence_detail::below<N>;

} // namespace hone::core
