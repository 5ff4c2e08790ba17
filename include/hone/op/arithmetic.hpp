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

template <per P>
struct with_operand {
    static constexpr role operand_role = role::operand;
    static constexpr per operand_per = P;
};

} // namespace epilogues

template <per P>
struct add : epilogues::with_operand<P> {
    static constexpr auto text = epilogues::word_per<P>("add");
    static constexpr const char* name = text.begin();
    static constexpr expr apply(const expr& x, const expr& other) { return x + other; }
};
template <per P>
struct subtract : epilogues::with_operand<P> {
    static constexpr auto text = epilogues::word_per<P>("subtract");
    static constexpr const char* name = text.begin();
    static constexpr expr apply(const expr& x, const expr& other) { return x - other; }
};
template <per P>
struct multiply : epilogues::with_operand<P> {
    static constexpr auto text = epilogues::word_per<P>("multiply");
    static constexpr const char* name = text.begin();
    static constexpr expr apply(const expr& x, const expr& other) { return x * other; }
};
template <per P>
struct divide : epilogues::with_operand<P> {
    static constexpr auto text = epilogues::word_per<P>("divide");
    static constexpr const char* name = text.begin();
    static constexpr expr apply(const expr& x, const expr& other) { return x / other; }
};
// NaN where either is.
template <per P>
struct minimum : epilogues::with_operand<P> {
    static constexpr auto text = epilogues::word_per<P>("minimum");
    static constexpr const char* name = text.begin();
    static constexpr expr apply(const expr& x, const expr& other)
    {
        return ex::select(ex::equal(x, x), ex::min(x, other), x);
    }
};
template <per P>
struct maximum : epilogues::with_operand<P> {
    static constexpr auto text = epilogues::word_per<P>("maximum");
    static constexpr const char* name = text.begin();
    static constexpr expr apply(const expr& x, const expr& other)
    {
        return ex::select(ex::equal(other, other), ex::max(x, other), other);
    }
};

namespace epilogues {

template <per P>
inline constexpr bool ships<add<P>> = true;
template <per P>
inline constexpr bool ships<subtract<P>> = true;
template <per P>
inline constexpr bool ships<multiply<P>> = true;
template <per P>
inline constexpr bool ships<divide<P>> = true;
template <per P>
inline constexpr bool ships<minimum<P>> = true;
template <per P>
inline constexpr bool ships<maximum<P>> = true;

} // namespace epilogues

} // namespace hone::operators

namespace hone { // API
using operators::add, operators::divide, operators::maximum, operators::minimum, operators::multiply, operators::per,
    operators::subtract;
} // namespace hone
