// SPDX-License-Identifier: BSL-1.0
// Arithmetic with one more tensor, as epilogues: it has an element for each of the output's, one for each channel, or
// one for all. A call gives it in .operands, in the order of the operator.
//
//     elementwise<s, f32, add<per::element>, relu>    relu(x + operands[0]), of two tensors
//     conv2d<s, f32, multiply<per::channel>, bias>    a folded normalization
#pragma once

#include <cstdint>

#include <hone/ir/expr.hpp>
#include <hone/ir/nest.hpp>
#include <hone/op/activation.hpp>

#ifndef HONE_SHOW_WARNINGS // see core/config.hpp
#pragma GCC system_header
#endif

namespace hone::operators {

// What has one element of an operand.
enum class per : std::uint8_t {
    element, // each element of the output, in its layout
    channel, // each channel of the output
    tensor,  // all of it
};

namespace epilogues {

// "add" of an element each, "add_channel", "add_tensor".
template <per P>
constexpr word_text word_per(const char* name)
{
    word_text t;
    for (; *name != '\0'; ++name) t.push_back(*name);
    for (const char* s = P == per::channel ? "_channel" : P == per::tensor ? "_tensor" : ""; *s != '\0'; ++s)
        t.push_back(*s);
    t.push_back('\0');
    return t;
}

enum class operation : std::uint8_t { add, subtract, multiply, divide, minimum, maximum };
constexpr const char* operation_names[] = {"add", "subtract", "multiply", "divide", "minimum", "maximum"};

// A minimum and a maximum are NaN where either is.
constexpr expr applied(operation o, const expr& x, const expr& other)
{
    if (o == operation::add) return x + other;
    if (o == operation::subtract) return x - other;
    if (o == operation::multiply) return x * other;
    if (o == operation::divide) return x / other;
    if (o == operation::minimum) return ex::select(ex::equal(x, x), ex::min(x, other), x);
    return ex::select(ex::equal(other, other), ex::max(x, other), other);
}

template <per P, operation O>
struct with_operand {
    static constexpr role operand_role = role::operand;
    static constexpr per operand_per = P;
    static constexpr auto text = word_per<P>(operation_names[static_cast<int>(O)]);
    static constexpr const char* name = text.begin();
    static constexpr expr apply(const expr& x, const expr& other) { return applied(O, x, other); }
};
template <per P, operation O>
inline constexpr bool ships<with_operand<P, O>> = true;

} // namespace epilogues

template <per P>
using add = epilogues::with_operand<P, epilogues::operation::add>;
template <per P>
using subtract = epilogues::with_operand<P, epilogues::operation::subtract>;
template <per P>
using multiply = epilogues::with_operand<P, epilogues::operation::multiply>;
template <per P>
using divide = epilogues::with_operand<P, epilogues::operation::divide>;
template <per P>
using minimum = epilogues::with_operand<P, epilogues::operation::minimum>;
template <per P>
using maximum = epilogues::with_operand<P, epilogues::operation::maximum>;

} // namespace hone::operators

namespace hone { // API
using operators::add, operators::divide, operators::maximum, operators::minimum, operators::multiply, operators::per,
    operators::subtract;
} // namespace hone
