// SPDX-License-Identifier: BSL-1.0
// Softmax of each row and its logarithm, of differences from the largest of its elements, so that no exponential
// overflows. The logarithm is formed without the quotient, so that small shares keep their digits.
//
//     softmax        y[i] = e[i] / (sum over j of e[j])        e[i] = exp(d[i]),  d[i] = x[i] - max over j of x[j]
//     log_softmax    y[i] = d[i] - log(sum over j of e[j])
//
// A row that has a NaN, or +infinity, or nothing but -infinity, is all NaN, as the arithmetic gives it; -infinity
// beside finite numbers is 0, and its logarithm -infinity.
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

// How shares of a row are given.
enum class softmax_scale : std::uint8_t {
    linear,      // softmax
    logarithmic, // log_softmax
};
constexpr const char* name_of(softmax_scale s) { return s == softmax_scale::linear ? "softmax" : "log_softmax"; }

// As softmax<...>::signature() or log_softmax's, for shapes that are known when a model is loaded; the words behind the
// type in order, each as signature_word gives it.
template <class Words = std::initializer_list<const char*>>
constexpr signature_text signature_of(const row_shape& s, softmax_scale scale, operand_types type,
                                      const Words& words = {})
{
    signature_text t;
    s.add_to(t.word(name_of(scale)));
    add_types(t, type);
    for (const char* name : words) t.word(name);
    return t;
}
template <class Words = std::initializer_list<const char*>>
constexpr signature_text signature_of(const row_shape& s, operand_types type, const Words& words = {})
{
    return signature_of(s, softmax_scale::linear, type, words);
}

// The definition for any shape, with epilogues E.
template <operator_word... E>
constexpr definition softmax_definition(const row_shape& shape, operand_types type,
                                        softmax_scale scale = softmax_scale::linear)
{
    row_stages::stages s(shape, type, name_of(scale));
    const int largest = s.add("largest", reduction::max, {s.x()}, ex::load(0));
    const expr below = ex::load(0) - ex::load(1);
    if (scale == softmax_scale::logarithmic) {
        const int sum = s.add("sum", reduction::add, {s.x(), largest}, ex::exp(below), ex::log(ex::acc()));
        return s.written<E...>("log_softmax", {s.x(), largest, sum}, below - ex::load(2));
    }
    const int power = s.add("power", reduction::none, {s.x(), largest}, ex::exp(below));
    const int share = s.add("share", reduction::add, {power}, ex::load(0), 1.0f / ex::acc());
    return s.written<E...>("softmax", {power, share}, ex::load(0) * ex::load(1));
}

namespace softmaxes {

template <row_shape S, softmax_scale Scale, class Type, operator_word... E>
struct of_rows {
    static_assert(accuracy_words<E...> <= 1,
                  "hone::softmax: a workload has one accuracy; name hone::exact or hone::fast");
    static constexpr row_shape shape = S;

    static constexpr hone::definition definition() { return softmax_definition<E...>(shape, types_of<Type>(), Scale); }
    static constexpr signature_text signature()
    {
        return signature_of(shape, Scale, types_of<Type>(), {signature_word<E>()...});
    }
};

} // namespace softmaxes

// x, y and what is read per element, which lies as y does: rows * n * inner elements; per channel: n. On the CPU y may
// be x itself where both lie alike.
template <row_shape S, class Type, operator_word... E>
struct softmax : softmaxes::of_rows<S, softmax_scale::linear, Type, E...> {};
template <row_shape S, class Type, operator_word... E>
struct log_softmax : softmaxes::of_rows<S, softmax_scale::logarithmic, Type, E...> {};

} // namespace hone::operators

namespace hone { // API
using operators::log_softmax, operators::name_of, operators::signature_of, operators::softmax, operators::softmax_scale;
} // namespace hone
