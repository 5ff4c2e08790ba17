// SPDX-License-Identifier: BSL-1.0
// One time step of recurrent layers for a batch of m: from k inputs and a state of n units the next state. Two products
// with weights give the gates, and what they gate is computed of each unit alone.
//
//     lstm_cell    i, f, g, o = x W^T + b + h R^T + b'
//                  c' = sigmoid(f) c + sigmoid(i) tanh(g),    h' = sigmoid(o) tanh(c')
//     gru_cell     r, z = sigmoid(x W^T + b + h R^T + b'),    candidate = tanh(x W^T + b + r (h R^T + b'))
//                  h' = (1 - z) candidate + z h
//
//     struct step : lstm_cell<cell_shape{.k = 64, .n = 128}, f32, bias> {};
//     const float* state[] = {h, c};
//     float* outputs[] = {c};
//     kernel<step>::run({.x = x, .weights = packed, .operands = state, .bias = b, .y = h, .outputs = outputs, ...});
//
// A call gives x [m][k], the state h [m][n], and of an LSTM the cells c [m][n]; weights are W [gates][n][k] and R
// [gates][n][n]. With the word bias there are two of [gates][n] each, b and b' one behind the other. A gate is 1 / (1 +
// e^-s): 0 for what is far below, and 1 for what is far above, and so for infinities. 0 times an infinite cell is NaN,
// and a NaN stays one.
#pragma once

#include <cstdint>
#include <initializer_list>

#include <hone/core/fault.hpp>
#include <hone/core/saturate.hpp>
#include <hone/core/traits.hpp>
#include <hone/op/accuracy.hpp>
#include <hone/op/definition.hpp>
#include <hone/op/definition_check.hpp>
#include <hone/op/epilogue.hpp>
#include <hone/op/operator.hpp>

#ifndef HONE_SHOW_WARNINGS // see core/config.hpp
#pragma GCC system_header
#endif

namespace hone::operators {

enum class cell : std::uint8_t {
    lstm,
    gru, // whose reset gate multiplies behind the product with h: linear_before_reset of ONNX
};
constexpr const char* name_of(cell c) { return c == cell::lstm ? "lstm_cell" : "gru_cell"; }

// In which order the gates stand in weights and biases.
enum class gate_order : std::uint8_t {
    pytorch, // i, f, g, o; r, z, n
    onnx,    // i, o, f, c; z, r, h
};

struct cell_shape {
    extent m = 1;       // rows of the batch; left to each call, its parameter "m"
    std::int64_t k = 1; // inputs
    std::int64_t n = 1; // units
    gate_order order = gate_order::pytorch;

    constexpr status check(const char* name) const
    {
        constexpr std::int64_t most_gates = 4;
        for (const std::int64_t e : {m.value, k, n})
            if (e < 1) return {fault::extent_zero, 1, e, name};
        for (const std::int64_t e : {m.value, k, n, saturated_product(m, k), saturated_product(m, n, most_gates),
                                     saturated_product(n, k, most_gates), saturated_product(n, n, most_gates)})
            if (e > most_elements) return {fault::extent_too_large, most_elements, e, name};
        return {};
    }
};

// As lstm_cell<...>::signature() or gru_cell's, for shapes that are known when a model is loaded; the words behind the
// type in order: "bias".
template <class Words = std::initializer_list<const char*>>
constexpr signature_text signature_of(const cell_shape& s, cell which, operand_types type, const Words& words = {})
{
    signature_text t;
    t.word(name_of(which)).field(s.m.at_call ? "m<=" : "m", s.m.value).field("k", s.k).field("n", s.n);
    if (s.order == gate_order::onnx) t.word("onnx");
    add_types(t, type);
    for (const char* name : words) t.word(name);
    return t;
}

namespace cells {

// Axes of all stages; those that compute each unit alone have one gate, and products have steps.
inline constexpr int row = 0, gate = 1, unit = 2, step = 3;

// 1 / (1 + e^-x), which is right where e^-x overflows, too. As the word sigmoid, but for results below normal floats.
constexpr expr logistic(const expr& x) { return 1.0f / (1.0f + ex::exp(-x)); }

class step_of_cell {
public:
    constexpr step_of_cell(const cell_shape& shape, std::int64_t gates, operand_types type)
        : shape_(shape), gates_(gates), type_(type)
    {
        if (shape.m.at_call)
            d_.parameters.push_back({.name = "m", .least = 1, .most = shape.m, .typical = shape.m.typical});
    }

    constexpr int given(const char* name, std::int64_t columns, role part = role::input)
    {
        tensor t{.name = name, .type = type_.others, .role = part};
        t.dims.push_back({.extent = shape_.m, .extent_parameter = parameter()});
        t.dims.push_back({.extent = columns});
        return add(t);
    }
    constexpr int weights(const char* name, std::int64_t steps)
    {
        tensor t{.name = name, .type = type_.weights, .role = role::weights};
        for (const std::int64_t e : {gates_, shape_.n, steps}) t.dims.push_back({.extent = e});
        return add(t);
    }
    constexpr int biases()
    {
        tensor t{.name = "bias", .type = type_.others, .role = role::bias};
        for (const std::int64_t e : {std::int64_t{2}, gates_, shape_.n}) t.dims.push_back({.extent = e});
        return add(t);
    }
    // For each unit `count` numbers that stand between stages, whose place is there before the call.
    constexpr int between(const char* name, std::int64_t count)
    {
        tensor t{.name = name, .type = type_.others, .memory = memory::workspace};
        for (const std::int64_t e : {shape_.m.value, count, shape_.n}) t.dims.push_back({.extent = e});
        return add(t);
    }

    // Gate `number` of a tensor between stages, or the unit in one that a call gives.
    constexpr operand at(int tensor, int number = 0) const
    {
        operand o{.tensor = static_cast<std::int8_t>(tensor)};
        o.index.push_back(along(row));
        if (d_.tensors[tensor].dims.size() > 2) {
            o.index.push_back({});
            o.index[1].offset = number;
        }
        o.index.push_back(along(unit));
        return o;
    }

    // to[row][gate][unit] = sum over steps of x * weights, plus a half of the biases and what another stage made; -1:
    // there are none.
    constexpr void multiply(const char* name, int x, int weights, int to, int bias, int half, int others = -1)
    {
        stage s = of_units(name, gates_);
        s.axes.push_back({"k", d_.tensors[x].dims[1].extent, true});
        operand left{.tensor = static_cast<std::int8_t>(x)}, right{.tensor = static_cast<std::int8_t>(weights)};
        for (const int a : {row, step}) left.index.push_back(along(a));
        for (const int a : {gate, unit, step}) right.index.push_back(along(a));
        s.operands.push_back(left);
        s.operands.push_back(right);
        s.reduce = reduction::add;
        s.body = ex::load(0) * ex::load(1);
        if (bias >= 0) {
            operand o{.tensor = static_cast<std::int8_t>(bias)};
            o.index.push_back({});
            o.index[0].offset = half;
            for (const int a : {gate, unit}) o.index.push_back(along(a));
            s.epilogue = s.epilogue + ex::load(s.operands.push_back(o));
        }
        if (others >= 0) s.epilogue = s.epilogue + ex::load(s.operands.push_back(of_gate(others)));
        s.output = of_gate(to);
        d_.stages.push_back(s);
    }
    // Its output is at the first gate; acc() of `kept` is the body.
    constexpr stage& compute(const char* name, std::initializer_list<operand> read, int to, const expr& body,
                             const expr& kept = ex::acc())
    {
        stage s = of_units(name, 1);
        for (const operand& o : read) s.operands.push_back(o);
        s.output = d_.tensors[to].dims.size() > 2 ? of_gate(to) : at(to);
        s.body = body;
        s.epilogue = kept;
        d_.stages.push_back(s);
        return d_.stages.back();
    }

    constexpr definition done(const status& found)
    {
        d_.found = found;
        return d_;
    }

private:
    constexpr std::int16_t parameter() const { return static_cast<std::int16_t>(shape_.m.at_call ? 0 : -1); }
    constexpr int add(tensor& t)
    {
        set_dense(t);
        return d_.tensors.push_back(t);
    }
    constexpr stage of_units(const char* name, std::int64_t gates) const
    {
        stage s{.name = name};
        s.axes.push_back({"m", shape_.m, false, parameter()});
        s.axes.push_back({"gate", gates});
        s.axes.push_back({"n", shape_.n});
        return s;
    }
    constexpr operand of_gate(int tensor) const
    {
        operand o{.tensor = static_cast<std::int8_t>(tensor)};
        for (const int a : {row, gate, unit}) o.index.push_back(along(a));
        return o;
    }

    cell_shape shape_;
    std::int64_t gates_;
    operand_types type_;
    definition d_{};
};

} // namespace cells

// The definition for any shape.
constexpr definition lstm_definition(const cell_shape& shape, operand_types type, bool has_bias)
{
    const status found = shape.check(name_of(cell::lstm));
    if (!found.ok()) return {.found = found};
    cells::step_of_cell s(shape, 4, type);
    const bool is_onnx = shape.order == gate_order::onnx;
    constexpr int input = 0;
    const int forget = is_onnx ? 2 : 1, candidate = is_onnx ? 3 : 2, output = is_onnx ? 1 : 3;
    const int x = s.given("x", shape.k), h = s.given("h", shape.n), c = s.given("c", shape.n);
    const int weights = s.weights("weights", shape.k), recurrent = s.weights("recurrent", shape.n);
    const int bias = has_bias ? s.biases() : -1;
    const int from_input = s.between("from_input", 4), gates = s.between("gates", 4), made = s.between("cell", 1);
    const int next = s.given("next_c", shape.n, role::output), y = s.given("y", shape.n, role::output);
    s.multiply("input", x, weights, from_input, bias, 0);
    s.multiply("state", h, recurrent, gates, bias, 1, from_input);
    s.compute("cell", {s.at(gates, input), s.at(gates, forget), s.at(gates, candidate), s.at(c)}, made,
              cells::logistic(ex::load(1)) * ex::load(3) + cells::logistic(ex::load(0)) * ex::tanh(ex::load(2)));
    // The cells are stored behind all reads of the former ones, which may stand in their place.
    stage& last = s.compute("lstm_cell", {s.at(gates, output), s.at(made)}, y,
                            cells::logistic(ex::load(0)) * ex::tanh(ex::load(1)));
    last.further.push_back({.to = s.at(next), .value = ex::load(1)});
    return s.done(found);
}
constexpr definition gru_definition(const cell_shape& shape, operand_types type, bool has_bias)
{
    const status found = shape.check(name_of(cell::gru));
    if (!found.ok()) return {.found = found};
    cells::step_of_cell s(shape, 3, type);
    const bool is_onnx = shape.order == gate_order::onnx;
    const int reset = is_onnx ? 1 : 0, update = is_onnx ? 0 : 1;
    constexpr int candidate = 2;
    const int x = s.given("x", shape.k), h = s.given("h", shape.n);
    const int weights = s.weights("weights", shape.k), recurrent = s.weights("recurrent", shape.n);
    const int bias = has_bias ? s.biases() : -1;
    const int from_input = s.between("from_input", 3), from_state = s.between("from_state", 3);
    const int made = s.between("candidate", 1), y = s.given("y", shape.n, role::output);
    s.multiply("input", x, weights, from_input, bias, 0);
    s.multiply("state", h, recurrent, from_state, bias, 1);
    s.compute(
        "candidate",
        {s.at(from_input, reset), s.at(from_state, reset), s.at(from_input, candidate), s.at(from_state, candidate)},
        made, ex::tanh(ex::load(2) + cells::logistic(ex::load(0) + ex::load(1)) * ex::load(3)));
    s.compute("gru_cell", {s.at(from_input, update), s.at(from_state, update), s.at(made), s.at(h)}, y,
              cells::logistic(ex::load(0) + ex::load(1)), (1.0f - ex::acc()) * ex::load(2) + ex::acc() * ex::load(3));
    return s.done(found);
}

namespace cells {

template <cell Which, cell_shape S, class Type, operator_word... E>
struct of_shape {
    static_assert(accuracy_words<E...> <= 1,
                  "hone::lstm_cell: a workload has one accuracy; name hone::exact or hone::fast");
    static_assert(((same_as<E, bias> || accuracy_word<E>)&&...),
                  "hone::lstm_cell: a cell takes no other words than hone::bias, hone::exact and hone::fast; put an "
                  "elementwise operator behind it");
    static constexpr cell_shape shape = S;
    static constexpr bool has_bias = (false || ... || same_as<E, bias>);

    static constexpr hone::definition definition()
    {
        return Which == cell::lstm ? lstm_definition(shape, types_of<Type>(), has_bias)
                                   : gru_definition(shape, types_of<Type>(), has_bias);
    }
    static constexpr signature_text signature()
    {
        return signature_of(shape, Which, types_of<Type>(), {signature_word<E>()...});
    }
};

} // namespace cells

// A call gives x, .operands = {h, c}, .bias, .y for h' and .outputs = {c'}. c' may be c; on the CPU h' may be h.
template <cell_shape S, class Type, operator_word... E>
struct lstm_cell : cells::of_shape<cell::lstm, S, Type, E...> {};
// A call gives x, .operands = {h}, .bias, and .y for h', which on the CPU may be h.
template <cell_shape S, class Type, operator_word... E>
struct gru_cell : cells::of_shape<cell::gru, S, Type, E...> {};

} // namespace hone::operators

namespace hone { // API
using operators::cell, operators::cell_shape, operators::gate_order, operators::gru_cell, operators::lstm_cell,
    operators::name_of, operators::signature_of;
} // namespace hone
