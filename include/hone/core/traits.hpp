// SPDX-License-Identifier: BSL-1.0
// The questions about types that the headers of engines ask. The standard library answers them in <type_traits> and
// <concepts>, which are 2,570 preprocessed lines of every source that includes hone.hpp.
#pragma once

#include <hone/core/rooms.hpp>

#ifndef HONE_SHOW_WARNINGS // see core/config.hpp
#pragma GCC system_header
#endif

namespace hone::core {

template <class A, class B>
concept same_as = __is_same(A, B);

// Whether an A is taken where a B is asked for.
template <class A, class B>
concept convertible_to = requires(A (&given)(), void (&take)(B)) { take(given()); };

// A type as a value, which a lambda takes its type from: `[]<class T>(type_identity<T>) {}`.
template <class T>
struct type_identity {
    using type = T;
};

namespace type_parts {

template <bool First, class A, class B>
struct choice {
    using type = A;
};
template <class A, class B>
struct choice<false, A, B> {
    using type = B;
};
template <class T>
struct pointed_to;
template <class T>
struct pointed_to<T*> {
    using type = T;
};
template <class T>
struct plain {
    using type = T;
};
template <class T>
struct plain<T&> : plain<T> {};
template <class T>
struct plain<T&&> : plain<T> {};
template <class T>
struct plain<const T> {
    using type = T;
};

} // namespace type_parts

template <bool First, class A, class B>
using conditional_t = typename type_parts::choice<First, A, B>::type;
// Of a pointer.
template <class Pointer>
using pointed_to_t = typename type_parts::pointed_to<Pointer>::type;
// Without const and reference.
template <class T>
using plain_t = typename type_parts::plain<T>::type;

} // namespace hone::core
