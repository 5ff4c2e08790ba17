// SPDX-License-Identifier: BSL-1.0
// How a call gives its tensors: a pointer to the first element, and of which type the elements are. A pointer to
// anything else does not compile; one of another type than the operator has is a status of the call.
#pragma once

#include <cstddef>
#include <cstdint>

#include <hone/core/dtype.hpp>
#include <hone/core/fault.hpp>
#include <hone/core/traits.hpp>

#ifndef HONE_SHOW_WARNINGS // see core/config.hpp
#pragma GCC system_header
#endif

namespace hone::calls {

// All of it vanishes into its callers, which may be compiled for one instruction set.

// To an element that is only read, or written, too. Void is `const void` of what a kernel reads, `void` of what it
// writes.
template <class Void, class Element>
using pointer_to = conditional_t<same_as<Void, void>, Element*, const Element*>;

template <class Void>
class given_element {
    template <class Element>
    using pointer = pointer_to<Void, Element>;

public:
    [[gnu::always_inline]] constexpr given_element() {}
    [[gnu::always_inline]] constexpr given_element(std::nullptr_t) {}
    [[gnu::always_inline]] constexpr given_element(pointer<float> first) : first_(first) {}
    [[gnu::always_inline]] constexpr given_element(pointer<half> first) : first_(first), type_(dtype::f16) {}
    // What is written may be read.
    template <class Written>
        requires(!same_as<Written, Void> && same_as<Written, void>)
    [[gnu::always_inline]] constexpr given_element(const given_element<Written>& of)
        : first_(of.first()), type_(of.type())
    {
    }

    [[gnu::always_inline]] constexpr Void* first() const { return first_; }
    [[gnu::always_inline]] constexpr dtype type() const { return type_; }
    // Null where the elements are of another type.
    template <class Element>
        requires(same_as<Element, float> || same_as<Element, half>)
    [[gnu::always_inline]] constexpr pointer<Element> as() const
    {
        constexpr dtype type = same_as<Element, float> ? dtype::f32 : dtype::f16;
        return type_ == type ? static_cast<pointer<Element>>(first_) : nullptr;
    }
    friend constexpr bool operator==(const given_element& a, const given_element& b)
    {
        return a.first_ == b.first_ && (a.first_ == nullptr || a.type_ == b.type_);
    }

private:
    Void* first_ = nullptr;
    dtype type_ = dtype::f32;
};

// One that a kernel reads, and one that it writes.
using given_tensor = given_element<const void>;
using given_output = given_element<void>;

// Why a kernel does not take it for a tensor of that name and type, in bits of its elements.
[[gnu::always_inline]] constexpr status refusal_of(const given_tensor& given, const char* name, dtype type)
{
    if (given.first() == nullptr) return {.what = fault::tensor_missing, .subject = name};
    return {fault::tensor_type, static_cast<std::int64_t>(8 * bytes_of(type)),
            static_cast<std::int64_t>(8 * bytes_of(given.type())), name};
}

// Some of them: an array of pointers to elements of one type, or of what stands above, where their types differ.
template <class Void>
class given_elements {
    template <class Element>
    using pointer = pointer_to<Void, Element>;

public:
    [[gnu::always_inline]] constexpr given_elements() {}
    [[gnu::always_inline]] constexpr given_elements(std::nullptr_t) {}
    [[gnu::always_inline]] constexpr given_elements(const pointer<float>* all) : floats_(all) {}
    [[gnu::always_inline]] constexpr given_elements(const pointer<half>* all) : halves_(all) {}
    [[gnu::always_inline]] constexpr given_elements(const given_element<Void>* all) : any_(all) {}

    [[gnu::always_inline]] constexpr given_element<Void> operator[](int i) const
    {
        if (floats_ != nullptr) return floats_[i];
        if (halves_ != nullptr) return halves_[i];
        return any_ == nullptr ? given_element<Void>() : any_[i];
    }
    // The same array.
    friend constexpr bool operator==(const given_elements&, const given_elements&) = default;

private:
    const pointer<float>* floats_ = nullptr;
    const pointer<half>* halves_ = nullptr;
    const given_element<Void>* any_ = nullptr;
};
using given_tensors = given_elements<const void>;
using given_outputs = given_elements<void>;

} // namespace hone::calls

namespace hone { // API
using calls::given_output, calls::given_outputs, calls::given_tensor, calls::given_tensors;
} // namespace hone
