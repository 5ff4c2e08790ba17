// SPDX-License-Identifier: BSL-1.0
// Normalisations of each row: by its mean and variance, or by the mean of its squares. Scales and offsets that networks
// learn stand behind them, as the words with_gamma and with_beta.
//
//     layer_norm<s, f32, with_gamma, with_beta>    y[i] = (x[i] - m) / sqrt(v + epsilon) * gamma[i] + beta[i]
//         m = (sum over j of x[j]) / n,  v = (sum over j of (x[j] - m)^2) / n
//     rms_norm<s, f32, with_gamma>                 y[i] = x[i] / sqrt((sum over j of x[j]^2) / n + epsilon) * gamma[i]
//
// The variance is that of differences from the mean, in a pass of its own: sums of squares less the square of the sum
// would lose the digits of rows whose mean is large. What is divided by is multiplied with its reciprocal. A row that
// has a NaN or an infinity is NaN, but that rms_norm gives 0 for what is finite beside an infinity.
#pragma once

#include <cstdint>
#include <initializer_list>

#include <hone/op/activation.hpp>
#include <hone/op/arithmetic.hpp>
#include <hone/op/definition.hpp>
#include <hone/op/epilogue.hpp>
#include <hone/op/leading.hpp>
#include <hone/op/operator.hpp>
#include <hone/op/row_wise.hpp>

#ifndef HONE_SHOW_WARNINGS // see core/config.hpp
#pragma GCC system_header
#endif

namespace hone::operators {

struct norm_shape {
    extent rows = 1;
    extent n = 1;           // elements of a row
    real epsilon = 1e-5f;   // a finite number, at least 0
    std::int64_t inner = 1; // as of row_shape
    leading ldx{}, ldy{};

    constexpr row_shape matrix() const { return {rows, n, inner, ldx, ldy}; }
    constexpr status check(const char* name) const
    {
        const float e = epsilon.value();
        if (!(e >= 0 && e <= 3.4e38f)) return {fault::knob_value, 0, e < 0 ? -1 : 1, "epsilon"};
        return matrix().check(name);
    }
};

enum class norm : std::uint8_t {
    layer, // by mean and variance
    rms,   // by the mean of squares
};
constexpr const char* name_of(norm how) { return how == norm::layer ? "layer_norm" : "rms_norm"; }

// What a network learned for each element of a row: a factor, and what is added. (C libraries have a function of the
// name gamma, which the type must not hide.)
struct with_gamma : multiply<per::channel> {
    static constexpr const char* name = "gamma";
};
struct with_beta : add<per::channel> {
    static constexpr const char* name = "beta";
};

namespace epilogues {

template <>
inline constexpr bool ships<with_gamma> = true;
template <>
inline constexpr bool ships<with_beta> = true;

} // namespace epilogues

// As layer_norm<...>::signature() or rms_norm's, for shapes that are known when a model is loaded; the words behind the
// type in order, each as signature_word gives it: "gamma", "beta".
template <class Words = std::initializer_list<const char*>>
constexpr signature_text signature_of(const norm_shape& s, norm how, operand_types type, const Words& words = {})
{
    signature_text t;
    s.matrix().add_to(t.word(name_of(how)));
    t.word(epilogues::word_with("epsilon", {s.epsilon.bits}).begin());
    add_types(t, type);
    for (const char* name : words) t.word(name);
    return t;
}

// The definition for any shape, with epilogues E.
template <operator_word... E>
constexpr definition norm_definition(const norm_shape& shape, norm how, operand_types type)
{
    row_stages::stages s(shape.matrix(), type, name_of(how));
    const expr part = s.share();
    const expr reciprocal = 1.0f / ex::sqrt(ex::acc() * part + shape.epsilon.value());
    const expr square = ex::acc() * ex::acc();
    definition d;
    if (how == norm::layer) {
        const expr centred = ex::load(0) - ex::load(1);
        const int mean = s.add("mean", reduction::add, {s.x()}, ex::load(0), ex::acc() * part);
        const int scale = s.add("scale", reduction::add, {s.x(), mean}, square.with_accumulator(centred), reciprocal);
        d = s.written<E...>(name_of(how), {s.x(), mean, scale}, centred * ex::load(2));
    } else {
        const int scale = s.add("scale", reduction::add, {s.x()}, ex::load(0) * ex::load(0), reciprocal);
        d = s.written<E...>(name_of(how), {s.x(), scale}, ex::load(0) * ex::load(1));
    }
    if (const status found = shape.check(name_of(how)); !found.ok()) d.found = found;
    return d;
}

namespace norms {

template <norm_shape S, norm How, class Type, operator_word... E>
struct of_rows {
    static_assert(accuracy_words<E...> <= 1, "hone::norm: a workload has one accuracy; name hone::exact or hone::fast");
    static constexpr norm_shape shape = S;

    static constexpr hone::definition definition() { return norm_definition<E...>(shape, How, types_of<Type>()); }
    static constexpr signature_text signature()
    {
        return signature_of(shape, How, types_of<Type>(), {signature_word<E>()...});
    }
};

} // namespace norms

// x and y: rows * n * inner elements; gamma and beta: n, in the call's operands. On the CPU y may be x itself where
// both lie alike.
template <norm_shape S, class Type, operator_word... E>
struct layer_norm : norms::of_rows<S, norm::layer, Type, E...> {};
template <norm_shape S, class Type, operator_word... E>
struct rms_norm : norms::of_rows<S, norm::rms, Type, E...> {};

} // namespace hone::operators

namespace hone { // API
using operators::layer_norm, operators::name_of, operators::norm, operators::norm_shape, operators::rms_norm,
    operators::signature_of, operators::with_beta, operators::with_gamma;
} // namespace hone
