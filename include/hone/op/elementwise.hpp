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
#include <hone/op/open_images.hpp>
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
    t.word("elementwise").field(s.n.at_call ? "n<=" : "n", s.n.value).field(s.h.at_call ? "h<=" : "h", s.h.value);
    t.field(s.w.at_call ? "w<=" : "w", s.w.value).field(s.c.at_call ? "c<=" : "c", s.c.value).word(name_of(s.layout));
    if (check_open_images(s, "").ok()) {
        s.x().add_to(t);
        s.y().add_to(t);
    }
    add_types(t, type);
    for (const char* name : epilogue) t.word(name);
    return t;
}

// Axes and tensors of a shape that a call gives nothing of; the axis of channels, where it is one of its own.
constexpr int add_known_images(definition& d, stage& s, const image_shape& shape, bool has_channels)
{
    const std::int64_t pixels = shape.h * shape.w;
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
    for (tensor& t : d.tensors) {
        for (const axis& a : s.axes) t.dims.push_back({.extent = a.extent});
        set_dense(t);
    }
    lay_out(d, d.tensors[0], shape.x(), {0});
    lay_out(d, d.tensors[1], shape.y(), {0});
    return channel;
}
// The same where a call gives extents.
constexpr int add_open_images(definition& d, stage& s, const image_shape& shape, bool has_channels)
{
    const open_images images(d, shape, has_channels);
    for (const axis& a : images.axes()) s.axes.push_back(a);
    d.tensors[0].dims = images.x();
    d.tensors[1].dims = images.y();
    return images.channel();
}

// The definition for any shape, with epilogues E: of as few axes as what they read has. Where nothing is read per
// channel, dense memory is one row.
template <operator_word... E>
constexpr definition elementwise_definition(const image_shape& shape, operand_types type)
{
    definition d;
    d.found = check_open_images(shape, "elementwise");
    if (!d.found.ok()) return d;
    constexpr bool has_channels = (false || ... || (epilogues::reads<E>(per::channel)));
    d.tensors.push_back({.name = "x", .type = type.others, .role = role::input});
    d.tensors.push_back({.name = "y", .type = type.others, .role = role::output});
    stage s;
    s.name = "elementwise";
    const int channel = has_open_extents(shape) ? add_open_images(d, s, shape, has_channels)
                                                : add_known_images(d, s, shape, has_channels);
    operand each{.tensor = 0};
    for (std::size_t a = 0; a < s.axes.size(); ++a) each.index.push_back(along(static_cast<int>(a)));
    s.operands.push_back(each);
    each.tensor = 1;
    s.output = each;
    s.body = ex::load(0);
    d.stages.push_back(s);

    tensor channels{.type = type.others};
    const auto c = channel < 0 ? std::int16_t{-1} : s.axes[channel].parameter;
    channels.dims.push_back({.extent = shape.c, .extent_parameter = c});
    operand of_channel;
    of_channel.index.push_back(along(channel));
    (add_epilogue<E>(d, 0, channels, of_channel), ...);
    return d;
}

// x, y and what is read per element: n * h * w * c elements; per channel: c. y may be x itself where both lie alike,
// and what is read per element lies as y does. Parameters of a call are n, h, w, c, of NHWC images, and the distances
// of x and y, those that the shape leaves open.
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
