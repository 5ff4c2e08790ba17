// SPDX-License-Identifier: BSL-1.0
// What follows a reduction before it is stored, as types that give expressions: bias, relu, relu6, residual, those of
// op/activation.hpp, or a user's own. Both backends print them, and the cost model prices them.
#pragma once

#include <cstdint>

#include <hone/core/inline_vector.hpp>
#include <hone/core/traits.hpp>
#include <hone/ir/expr.hpp>
#include <hone/ir/hasher.hpp>
#include <hone/op/accuracy.hpp>
#include <hone/op/activation.hpp>
#include <hone/op/arithmetic.hpp>
#include <hone/op/definition.hpp>

#ifndef HONE_SHOW_WARNINGS // see core/config.hpp
#pragma GCC system_header
#endif

namespace hone::operators {

// Changes each element alone: `name` and apply(acc).
template <class E>
concept pointwise_epilogue = requires(const expr& acc) {
    {
        E::name
    } -> convertible_to<const char*>;
    {
        E::apply(acc)
    } -> same_as<expr>;
};
// Takes one more tensor: `name`, its role and apply(acc, operand). A member `operand_per` says what has an element of
// it. Without, a bias has one element per output channel, and every other operand the shape and layout of the output.
template <class E>
concept operand_epilogue = requires(const expr& acc) {
    {
        E::name
    } -> convertible_to<const char*>;
    {
        E::operand_role
    } -> convertible_to<role>;
    {
        E::apply(acc, acc)
    } -> same_as<expr>;
};
// Writes one more tensor, of the shape and layout of the output: `name` and output(acc), what is written. What follows
// goes on from acc.
template <class E>
concept output_epilogue = requires(const expr& acc) {
    {
        E::name
    } -> convertible_to<const char*>;
    {
        E::output(acc)
    } -> same_as<expr>;
};
template <class E>
concept epilogue = pointwise_epilogue<E> || operand_epilogue<E> || output_epilogue<E>;
// What may stand behind the types of an operator: epilogues in the order in which they are applied, and one of
// hone::exact and hone::fast.
template <class W>
concept operator_word = epilogue<W> || accuracy_word<W>;

struct bias {
    static constexpr const char* name = "bias";
    static constexpr role operand_role = role::bias;
    static constexpr expr apply(const expr& acc, const expr& b) { return acc + b; }
};
// max(x, 0); relu(NaN) is NaN.
struct relu {
    static constexpr const char* name = "relu";
    static constexpr expr apply(const expr& acc) { return ex::max(acc, 0.0f); }
};
// min(max(x, 0), 6); relu6(NaN) is NaN: min gives its second operand where the two do not compare.
struct relu6 {
    static constexpr const char* name = "relu6";
    static constexpr expr apply(const expr& acc) { return ex::min(6.0f, ex::max(acc, 0.0f)); }
};
// Adds a tensor of the output's shape and layout.
struct residual {
    static constexpr const char* name = "residual";
    static constexpr role operand_role = role::residual;
    static constexpr expr apply(const expr& acc, const expr& r) { return acc + r; }
};

// Keeps the value so far in one more output, as training and skip connections need it: gemm<s, f32, bias, keep, relu>
// writes relu(acc + bias) to y, and acc + bias to outputs[0] of a call. Costs its store.
struct keep {
    static constexpr const char* name = "keep";
    static constexpr expr output(const expr& acc) { return acc; }
};

namespace epilogues {

// What has an element of the operand.
template <operand_epilogue E>
constexpr per per_of()
{
    if constexpr (requires { E::operand_per; })
        return E::operand_per;
    else
        return E::operand_role == role::bias ? per::channel : per::element;
}
// Whether a word reads an operand of which each of these has an element.
template <class W>
constexpr bool reads(per p)
{
    if constexpr (operand_epilogue<W>)
        return per_of<W>() == p;
    else
        return false;
}

template <class E>
constexpr std::uint32_t hash_of_epilogue()
{
    expr e;
    if constexpr (pointwise_epilogue<E>)
        e = E::apply(ex::acc());
    else if constexpr (operand_epilogue<E>)
        e = E::apply(ex::acc(), ex::load(0));
    else
        e = E::output(ex::acc());
    ir::hasher h;
    if constexpr (operand_epilogue<E>) h.add_signed(static_cast<int>(E::operand_role));
    if constexpr (requires { E::operand_per; }) h.add_signed(static_cast<int>(E::operand_per));
    if constexpr (output_epilogue<E>) h.add_signed(static_cast<int>(role::output));
    for (const expr_node& x : e.nodes) {
        h.add(word_of(x.op).number, x.a, x.b, x.ref);
        if (arity(x.op) > 2) h.add_signed(x.c);
        h.add(__builtin_bit_cast(std::uint32_t, x.value));
    }
    return static_cast<std::uint32_t>(h.value);
}

// "leaky:1f00c2d4"
template <class E>
struct hashed_word {
    static constexpr auto text = word_with(E::name, {hash_of_epilogue<E>()});
    static_assert(!text.overflowed(), "hone: the name of an epilogue has at most 86 characters; shorten it");
};

} // namespace epilogues

// What stands for a word in a signature, which has to name all that changes the result. For what hone ships that is its
// name, which has parameters in it. An epilogue of a user has a hash of its expression beside it: leaky<0.1f> and
// leaky<0.2f> are two, though both are named "leaky".
template <operator_word W>
constexpr const char* signature_word()
{
    constexpr bool ships = accuracy_word<W> || same_as<W, bias> || same_as<W, relu> || same_as<W, relu6> ||
                           same_as<W, residual> || same_as<W, keep> || epilogues::ships<W>;
    if constexpr (ships)
        return W::name;
    else
        return epilogues::hashed_word<W>::text.begin();
}
// How many of these demand an accuracy: a workload may do so once.
template <operator_word... W>
inline constexpr int accuracy_words = (0 + ... + (accuracy_word<W> ? 1 : 0));

namespace epilogues {

// Adds a tensor that stage `st` meets where `at` says. Arguments are passed in the order of the tensors; the output is
// moved behind the new one.
constexpr operand before_output(definition& d, int st, const tensor& t, const operand& at)
{
    operand o = at;
    stage& s = d.stages[st];
    const tensor output = d.tensors[s.output.tensor];
    d.tensors[s.output.tensor] = t;
    o.tensor = s.output.tensor;
    o.may_leave = false;
    s.output.tensor = static_cast<std::int8_t>(d.tensors.push_back(output));
    return o;
}

} // namespace epilogues

// Adds the epilogues E, in order, to stage `st`, whose output has `channel_dims` as its last dimensions for a bias. The
// output tensor stays the last argument.
template <operator_word E>
constexpr void add_epilogue(definition& d, int st, const tensor& bias_shape, const operand& bias_index)
{
    stage& s = d.stages[st];
    if constexpr (accuracy_word<E>) {
        // Computes nothing.
    } else if constexpr (pointwise_epilogue<E>) {
        s.epilogue = E::apply(ex::acc()).with_accumulator(s.epilogue);
    } else if constexpr (operand_epilogue<E>) {
        constexpr per reach = epilogues::per_of<E>();
        tensor t = reach == per::channel ? bias_shape : d.tensors[s.output.tensor];
        operand o = reach == per::channel ? bias_index : s.output;
        if (reach == per::tensor) {
            t.dims = {};
            t.dims.push_back({});
            o.index = {};
            o.index.push_back({});
        }
        t.name = E::name;
        t.role = E::operand_role;
        const int at = s.operands.push_back(epilogues::before_output(d, st, t, o));
        s.epilogue = E::apply(ex::acc(), ex::load(at)).with_accumulator(s.epilogue);
    } else {
        tensor t = d.tensors[s.output.tensor];
        t.name = E::name;
        s.further.push_back({.to = epilogues::before_output(d, st, t, s.output),
                             .value = E::output(ex::acc()).with_accumulator(s.epilogue)});
    }
}

} // namespace hone::operators

namespace hone { // API
using operators::add_epilogue, operators::bias, operators::keep, operators::operator_word, operators::relu,
    operators::relu6, operators::residual, operators::signature_word;
} // namespace hone
