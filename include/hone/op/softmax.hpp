// SPDX-License-Identifier: BSL-1.0
// Softmax of each row, of differences from the largest of its elements, so that no exponential overflows.
//
//     softmax        y[i] = e[i] / (sum over j of e[j])        e[i] = exp(x[i] - max over j of x[j])
//
// A row that has a NaN, or +infinity, or nothing but -infinity, is all NaN, as the arithmetic gives it; -infinity
// beside finite numbers is 0.
#pragma once

#include <cstdint>
#include <initializer_list>

#include <hone/op/definition.hpp>
#include <hone/op/epilogue.hpp>
#include <hone/op/operator.hpp>
#include <hone/op/row_wise.hpp>

#ifndef HONE_SHOW_WARNINGS // see core/config.hpp
#pragma GCC system_header
#endif

namespace hone::operators {

// As softmax<...>::signature(), for shapes that are known when a model is loaded; the words behind the type in order,
// each as signature_word gives it.
template <class Words = std::initializer_list<const char*>>
constexpr signature_text signature_of(const row_shape& s, operand_types type, const Words& words = {})
{
    signature_text t;
    t.word("softmax").field("rows", s.rows).field("n", s.n);
    add_types(t, type);
    for (const char* name : words) t.word(name);
    return t;
}

// The definition for any shape, with epilogues E.
template <operator_word... E>
constexpr definition softmax_definition(const row_shape& shape, operand_types type)
{
    row_stages::stages s(shape, type, "softmax");
    const int largest = s.add("largest", reduction::max, {s.x()}, ex::load(0));
    const int power = s.add("power", reduction::none, {s.x(), largest}, ex::exp(ex::load(0) - ex::load(1)));
    const int share = s.add("share", reduction::add, {power}, ex::load(0), 1.0f / ex::acc());
    return s.written<E...>("softmax", {power, share}, ex::load(0) * ex::load(1));
}

// x, y and what is read per element: rows * n elements; per channel: n. On the CPU y may be x itself.
template <row_shape S, class Type, operator_word... E>
struct softmax {
    static_assert(accuracy_words<E...> <= 1,
                  "hone::softmax: a workload has one accuracy; name hone::exact or hone::fast");
    static constexpr row_shape shape = S;

    static constexpr hone::definition definition() { return softmax_definition<E...>(shape, types_of<Type>()); }
    static constexpr signature_text signature()
    {
        return signature_of(shape, types_of<Type>(), {signature_word<E>()...});
    }
};

} // namespace hone::operators

namespace hone { // API
using operators::signature_of, operators::softmax;
} // namespace hone
