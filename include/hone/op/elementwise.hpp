// SPDX-License-Identifier: BSL-1.0
// What becomes of each element of x alone: the epilogues of an operator without one. Activations, and arithmetic with
// tensors that have an element for each of x, for each channel, or for all (op/arithmetic.hpp).
//
//     elementwise<s, f32, gelu>                        y = gelu(x)
//     elementwise<s, f32, multiply<per::channel>>      y = x * operands[0][c]
//     elementwise<s, f32, add<per::element>, relu>     y = relu(x + operands[0])
#pragma once

#include <cstdint>
#include <initializer_list>

#include <hone/op/arithmetic.hpp>
#include <hone/op/definition.hpp>
#include <hone/op/definition_check.hpp>
#include <hone/op/epilogue.hpp>
#include <hone/op/image_shape.hpp>
#include <hone/op/operator.hpp>
#include <hone/op/window.hpp>

#ifndef HONE_SHOW_WARNINGS // see core/config.hpp
#pragma GCC system_header
#endif

namespace hone::operators {

// As elementwise<...>::signature(), for shapes that are known when a model is loaded; the words behind the type in
// order, each as signature_word gives it: "add", "relu".
template <class Words = std::initializer_list<const char*>>
constexpr signature_text signature_of(const image_shape& s, operand_types type, const Words& epilogue)
{
    signature_text t;
    t.word("elementwise").field("n", s.n).field("h", s.h).field("w", s.w).field("c", s.c).word(name_of(s.layout));
    if (s.check("").ok()) {
        s.x().add_to(t);
        s.y().add_to(t);
    }
    add_types(t, type);
    for (const char* name : epilogue) t.word(name);
    return t;
}

// The definition for any shape, with epilogues E: of as few axes as what they read has. Where nothing is read per
// channel, dense memory is one row.
template <operator_word... E>
constexpr definition elementwise_definition(const image_shape& shape, operand_types type)
{
    definition d;
    d.found = shape.check("elementwise");
    if (!d.found.ok()) return d;
    constexpr bool has_channels = (false || ... || (epilogues::reads<E>(per::channel)));
    const std::int64_t pixels = shape.h * shape.w;
    stage s;
    s.name = "elementwise";
    int channel = -1;
    const bool is_dense = shape.x().is_dense() && shape.y().is_dense();
    if (!has_channels && is_dense) {
        s.axes.push_back({"element", shape.n * pixels * shape.c});
    } else if (shape.layout == layout::nhwc) {
        s.axes.push_back({"pixel", shape.n * pixels});
        channel = s.axes.push_back({"c", shape.c});
    } else if (!has_channels) {
        s.axes.push_back({"n", shape.n});
        s.axes.push_back({"element", shape.c * pixels});
    } else {
        s.axes.push_back({"n", shape.n});
        channel = s.axes.push_back({"c", shape.c});
        s.axes.push_back({"pixel", pixels});
    }
    tensor whole{.type = type.others};
    operand each;
    for (std::size_t a = 0; a < s.axes.size(); ++a) {
        whole.dims.push_back({.extent = s.axes[a].extent});
        each.index.push_back(along(static_cast<int>(a)));
    }
    set_dense(whole);
    whole.name = "x";
    whole.role = role::input;
    d.tensors.push_back(whole);
    whole.name = "y";
    whole.role = role::output;
    d.tensors.push_back(whole);
    lay_out(d, d.tensors[0], shape.x(), {0});
    lay_out(d, d.tensors[1], shape.y(), {0});
    each.tensor = 0;
    s.operands.push_back(each);
    each.tensor = 1;
    s.output = each;
    s.body = ex::load(0);
    d.stages.push_back(s);

    tensor channels{.type = type.others};
    channels.dims.push_back({.extent = shape.c});
    operand of_channel;
    of_channel.index.push_back(along(channel));
    (add_epilogue<E>(d, 0, channels, of_channel), ...);
    return d;
}

// x, y and what is read per element: n * h * w * c elements; per channel: c. y may be x itself where both lie alike,
// and what is read per element lies as y does. Parameters of a call are the distances of x and y, where the shape
// leaves them open.
template <image_shape S, class Type, operator_word... E>
struct elementwise {
    static_assert(accuracy_words<E...> <= 1,
                  "hone::elementwise: a workload has one accuracy; name hone::exact or hone::fast");
    static constexpr image_shape shape = S;

    static constexpr hone::definition definition() { return elementwise_definition<E...>(shape, types_of<Type>()); }
    static constexpr signature_text signature()
    {
        return signature_of(shape, types_of<Type>(), {signature_word<E>()...});
    }
};

} // namespace hone::operators

namespace hone { // API
using operators::elementwise, operators::signature_of;
} // namespace hone
