// SPDX-License-Identifier: BSL-1.0
// Which part of a call gives each tensor of an operator. Kernels of all backends, the naive one and the tuner's
// children ask here, so that a tensor is the same wherever it is looked for.
#pragma once

#include <cstddef>
#include <cstdint>

#include <hone/core/inline_vector.hpp>
#include <hone/core/traits.hpp>
#include <hone/op/definition.hpp>
#include <hone/op/operator.hpp>

#ifndef HONE_SHOW_WARNINGS // see core/config.hpp
#pragma GCC system_header
#endif

namespace hone::calls {

// The members of a call.
enum class call_member : std::uint8_t { x, weights, bias, residual, y, operands, outputs };

// operands[number], outputs[number], the packed weights of that number, or the member itself.
struct call_part {
    call_member member = call_member::operands;
    int number = 0;
    friend constexpr bool operator==(const call_part&, const call_part&) = default;
};

inline constexpr std::size_t most_call_tensors = decltype(definition::tensors)::capacity;
using call_parts = inline_vector<call_part, most_call_tensors>;

// For the tensors that a call gives, in the order of the definition. Packed weights are all in one member. Another
// member gives the tensor of its role that has its name, else the first of its role, of outputs the first that is no
// further one; all others are operands[0], operands[1], ... and outputs[0], outputs[1], ... in their order:
//
//     gemm<s, f32, bias, residual, residual>    .bias, .residual, .operands = {the second residual}
//     conv2d<s, f32, scale, bias>               .operands = {scale}, .bias, where scale::operand_role is role::bias
//     matmul<s, f32, bias, add<per::element>>   .x, .operands = {right, mask}, .bias
//     gemm<s, f32, bias, keep, relu>            .bias, .y = relu(x * weights + bias), .outputs = {x * weights + bias}
constexpr call_parts parts_of(const definition& d)
{
    struct named {
        role of;
        const char* name;
        call_member member;
    };
    constexpr named members[] = {{role::input, "x", call_member::x},
                                 {role::bias, "bias", call_member::bias},
                                 {role::residual, "residual", call_member::residual},
                                 {role::output, "y", call_member::y}};
    const auto tensor_given_by = [&](const named& m) {
        for (std::size_t t = 0; t < d.tensors.size(); ++t)
            if (d.tensors[t].role == m.of && same_text(d.tensors[t].name, m.name)) return static_cast<int>(t);
        if (m.of == role::output)
            for (const stage& s : d.stages)
                if (d.tensors[s.output.tensor].role == role::output) return static_cast<int>(s.output.tensor);
        return d.tensor_of(m.of);
    };
    call_parts parts;
    int operands = 0, outputs = 0, weights = 0;
    for (std::size_t t = 0; t < d.tensors.size(); ++t) {
        if (d.tensors[t].memory != memory::argument) continue;
        call_part part;
        if (d.tensors[t].role == role::weights) {
            parts.push_back({call_member::weights, weights++});
            continue;
        }
        for (const named& m : members)
            if (tensor_given_by(m) == static_cast<int>(t)) part.member = m.member;
        if (part.member == call_member::operands && d.tensors[t].role == role::output)
            part = {call_member::outputs, outputs++};
        else if (part.member == call_member::operands)
            part.number = operands++;
        parts.push_back(part);
    }
    return parts;
}

// What a call gives there; nothing where it lacks it. Of packed weights, which stand in one member and have no element
// type on the CPU, a Vulkan call gives the buffer, and none is given here of another.
template <class Call>
[[gnu::always_inline]] constexpr auto part_of(const Call& call, const call_part& part)
{
    using given = decltype(call.operand(part.number));
    switch (part.member) {
    case call_member::x: return given(call.x);
    case call_member::weights:
        if constexpr (same_as<given, decltype(call.weights)>)
            return call.weights;
        else
            return given();
    case call_member::bias: return given(call.bias);
    case call_member::residual: return given(call.residual);
    case call_member::y: return given(call.y);
    case call_member::outputs: return given(call.output(part.number));
    case call_member::operands: break;
    }
    return given(call.operand(part.number));
}

// What is wrong with the parameters that a call gives, in the order of the definition: parameter_out_of_range, with the
// end of the range that is missed, or shape_mismatch, with the groups that do not divide one. A call of no rows is
// right whatever its strides are, and has nothing to compute. `emptying`: emptying_parameters(definition). None are
// given where values is null. Those alone are looked at that `which` has a bit for.
struct checked_parameters {
    status found{};
    bool is_empty = false;
};
template <class Parameters>
constexpr checked_parameters check_parameters(const Parameters& all, std::uint64_t emptying, const std::int64_t* values,
                                              std::int64_t limit = INT64_MAX, std::uint64_t which = UINT64_MAX)
{
    const std::size_t given = given_parameters(all);
    for (std::size_t p = 0; p < given && values != nullptr; ++p)
        if (values[p] == 0 && (emptying & which & std::uint64_t{1} << p) != 0) return {.is_empty = true};
    for (std::size_t p = 0; p < given; ++p) {
        if ((which >> p & 1) == 0) continue;
        const std::int64_t v = values == nullptr ? 0 : values[p];
        const std::int64_t reached = all[p].reaches < 0 || values == nullptr ? 0 : values[all[p].reaches];
        const std::int64_t least = all[p].least > reached ? all[p].least : reached;
        const std::int64_t most = all[p].most < limit ? all[p].most : limit;
        if (v < least || v > most)
            return {.found = {fault::parameter_out_of_range, v < least ? least : most, v, all[p].name}};
    }
    for (const parameter& p : all) { // values are given: none of them may be 0
        const ir::window_numbers& w = p.window;
        if (p.is_share && (which >> p.dividend & 1) != 0 && values[p.dividend] % p.by(values) != 0)
            return {.found = {fault::shape_mismatch, p.by(values), values[p.dividend], all[p.dividend].name}};
        if (w.image < 0 || (which >> w.image & 1) == 0) continue;
        const auto wrong = [&](std::int64_t expected, std::int16_t of) {
            return checked_parameters{.found = {fault::parameter_out_of_range, expected, values[of], all[of].name}};
        };
        const std::int64_t image = values[w.image], missing = ir::missing_of(w, values);
        if (missing > 0) return wrong(image + missing, w.image);
        const auto reach = [&] { return values[w.spread] * values[w.stride] + values[w.taps] - 1 - values[w.before]; };
        if (const std::int64_t most = w.spread < 0 ? image : reach(); most < image)
            return most < 1 ? wrong(values[w.before] + most - 1, w.before) : wrong(most, w.image);
        if (!w.meets) continue;
        const std::int64_t far = values[w.dilation] * (values[w.taps] - 1), stride = values[w.stride];
        if (values[w.before] > far) return wrong(far, w.before);
        if (-missing / stride * stride - values[w.before] >= image) return wrong(far, w.behind);
        // Taps that are farther apart than the image is long may stand on both sides of it.
        const std::int64_t apart = values[w.dilation], end = -missing - values[w.before];
        for (std::int64_t first = -values[w.before]; apart > image && first < 0 && first <= end; first += stride)
            if (first + (apart - 1 - first) / apart * apart >= image) return wrong(image, w.dilation);
    }
    return {};
}

// The same as packing asks of the extents of weights. `values` receives all: 0 for others, and products.
template <class Parameters>
constexpr checked_parameters check_some_parameters(const Parameters& all, std::uint64_t which, std::uint64_t emptying,
                                                   const std::int64_t* given, std::int64_t* values)
{
    const std::size_t count = given_parameters(all);
    for (std::size_t p = 0; p < count; ++p) values[p] = given != nullptr && (which >> p & 1) != 0 ? given[p] : 0;
    const auto checked = check_parameters(all, emptying, given == nullptr ? given : values, INT64_MAX, which);
    if (checked.found.ok() && !checked.is_empty) complete(all, values, values);
    return checked;
}

} // namespace hone::calls
