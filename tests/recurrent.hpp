// SPDX-License-Identifier: BSL-1.0
// Steps of recurrent layers as plain loops in double, written from their formulas alone; what calls give, and nests
// that are run on it.
#pragma once

#include <cmath>
#include <cstddef>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include <hone/ir/interpret.hpp>
#include <hone/lower/lower.hpp>
#include <hone/op/recurrent.hpp>

#include "reference.hpp"

namespace hone::test {

// What a call gives, and the former state.
struct cell_data {
    floats x, h, c, weights, recurrent, bias;
};
// Sums of which gates are near saturation where steps are some dozens.
inline cell_data data_of(const cell_shape& s, cell which, std::uint64_t seed)
{
    random_numbers random{seed};
    const auto drawn = [&](std::int64_t elements, std::int64_t most, float unit) {
        floats v(static_cast<std::size_t>(elements));
        for (float& f : v) f = static_cast<float>(random.between(-most, most)) * unit;
        return v;
    };
    const std::int64_t gates = which == cell::lstm ? 4 : 3;
    return {drawn(s.m * s.k, 16, 1.0f / 8),         drawn(s.m * s.n, 8, 1.0f / 8),
            drawn(s.m * s.n, 16, 1.0f / 8),         drawn(gates * s.n * s.k, 8, 1.0f / 32),
            drawn(gates * s.n * s.n, 8, 1.0f / 32), drawn(2 * gates * s.n, 8, 1.0f / 8)};
}

struct cell_state {
    doubles h, c;
};
inline cell_state state_of(const cell_data& d)
{
    return {doubles(d.h.begin(), d.h.end()), doubles(d.c.begin(), d.c.end())};
}
// The state behind a step from another; without biases those of the data are not read.
inline cell_state step(const cell_shape& s, cell which, bool has_bias, const cell_data& d, const cell_state& from)
{
    const auto at = [](const auto& v, std::int64_t i) { return static_cast<double>(v[static_cast<std::size_t>(i)]); };
    const auto sigmoid = [](double v) { return 1 / (1 + std::exp(-v)); };
    const bool is_onnx = s.order == gate_order::onnx;
    cell_state to;
    for (std::int64_t row = 0; row < s.m; ++row)
        for (std::int64_t unit = 0; unit < s.n; ++unit) {
            double of_x[4]{}, of_h[4]{};
            const int gates = which == cell::lstm ? 4 : 3;
            for (int g = 0; g < gates; ++g) {
                const std::int64_t r = g * s.n + unit;
                for (std::int64_t i = 0; i < s.k; ++i) of_x[g] += at(d.x, row * s.k + i) * at(d.weights, r * s.k + i);
                for (std::int64_t i = 0; i < s.n; ++i)
                    of_h[g] += at(from.h, row * s.n + i) * at(d.recurrent, r * s.n + i);
                if (!has_bias) continue;
                of_x[g] += at(d.bias, r);
                of_h[g] += at(d.bias, gates * s.n + r);
            }
            const auto sum = [&](int g) { return of_x[g] + of_h[g]; };
            if (which == cell::lstm) {
                const double in = sigmoid(sum(0)), forget = sigmoid(sum(is_onnx ? 2 : 1));
                const double out = sigmoid(sum(is_onnx ? 1 : 3)), candidate = std::tanh(sum(is_onnx ? 3 : 2));
                to.c.push_back(forget * at(from.c, row * s.n + unit) + in * candidate);
                to.h.push_back(out * std::tanh(to.c.back()));
            } else {
                const double reset = sigmoid(sum(is_onnx ? 1 : 0)), update = sigmoid(sum(is_onnx ? 0 : 1));
                const double candidate = std::tanh(of_x[2] + reset * of_h[2]);
                to.h.push_back((1 - update) * candidate + update * at(from.h, row * s.n + unit));
            }
        }
    return to;
}

// Empty where each is as near as steps of some dozens of sums may be; what is not finite has to be the same.
inline std::string far_from_state(const floats& found, const doubles& expected, double tolerance = 1e-5)
{
    for (std::size_t i = 0; i < expected.size(); ++i) {
        const auto f = static_cast<double>(found[i]);
        const bool is_right = std::isnan(expected[i])   ? std::isnan(f) && !is_poison(found[i])
                              : std::isinf(expected[i]) ? f == expected[i]
                                                        : std::fabs(f - expected[i]) <= tolerance * (1 + std::fabs(f));
        if (!is_right)
            return "[" + std::to_string(i) + "] is " + std::to_string(f) + ", expected " + std::to_string(expected[i]);
    }
    return {};
}

// Where a nest of a template does not compute a step of both tensors, or writes to what it reads; c' stands in the
// place of c, and where `replaces` h' in that of h.
template <class Template>
std::string wrong_step(const definition& d, const typename Template::knobs& k, const typename Template::target& on,
                       const cell_shape& s, cell which, std::uint64_t seed, bool replaces,
                       std::vector<std::int64_t> parameters = {})
{
    cell_data given = data_of(s, which, seed);
    bool has_bias = false;
    for (const tensor& t : d.tensors) has_bias = has_bias || t.role == role::bias;
    const cell_state expected = step(s, which, has_bias, given, state_of(given));
    const auto of = [](floats& v) { return argument{v.data(), static_cast<std::int64_t>(v.size())}; };
    floats packed[2];
    for (std::size_t w = 0; w < 2; ++w) {
        packed[w] = poisoned(Template::packed(d, k, on)[w].elements());
        const argument both[] = {of(w == 0 ? given.weights : given.recurrent), of(packed[w])};
        const status found = interpret(lower(Template::packing(d, k, on, w)), both);
        if (!found.ok()) return std::string("packing: ") + std::string(found.message());
    }
    const nest n = lower(Template::scheduled(d, k, on));
    const cell_data before = given;
    for (const bool in_place : {false, true}) {
        given = before;
        floats h = poisoned(s.m * s.n), c = h;
        std::vector<argument> arguments;
        for (const auto& b : n.buffers) {
            if (b.memory != memory::argument) continue;
            arguments.resize(std::max(arguments.size(), static_cast<std::size_t>(b.position) + 1));
            const std::string name = b.name;
            floats& values = name == "x"           ? given.x
                             : name == "h"         ? given.h
                             : name == "c"         ? given.c
                             : name == "weights"   ? packed[0]
                             : name == "recurrent" ? packed[1]
                             : name == "bias"      ? given.bias
                             : name == "next_c"    ? (in_place ? given.c : c)
                                                   : (in_place && replaces ? given.h : h);
            arguments[static_cast<std::size_t>(b.position)] = of(values);
        }
        const status found = interpret(n, arguments, parameters);
        if (!found.ok()) return std::string(found.message()) + ", " + found.subject;
        const std::string how = in_place ? "in place: " : "";
        if (given.x != before.x || given.bias != before.bias ||
            (!in_place && (given.h != before.h || given.c != before.c)))
            return how + "writes to an input";
        if (const std::string wrong = far_from_state(in_place && replaces ? given.h : h, expected.h); !wrong.empty())
            return how + "h" + wrong;
        if (which != cell::lstm) continue;
        if (const std::string wrong = far_from_state(in_place ? given.c : c, expected.c); !wrong.empty())
            return how + "c" + wrong;
    }
    return {};
}

inline definition cell_definition(const cell_shape& s, cell which, bool has_bias)
{
    return checked(which == cell::lstm ? lstm_definition(s, dtype::f32, has_bias)
                                       : gru_definition(s, dtype::f32, has_bias));
}

} // namespace hone::test
