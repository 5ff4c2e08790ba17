// SPDX-License-Identifier: BSL-1.0
// Default kernels of recurrent cells, compiled, against plain loops in double: sequences whose state is fed back, in
// buffers of its own and in place; units that fill vectors or do not; rows that a call gives; gates that are saturated.
#include <algorithm>
#include <cmath>
#include <cstdint>
#include <limits>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <doctest/doctest.h>

#include <hone/stages.hpp>

#include "kernel_trial.hpp"
#include "recurrent.hpp"

using namespace hone;
using namespace hone::codegen;
using namespace hone::test;

namespace {

constexpr float not_a_number = std::numeric_limits<float>::quiet_NaN(),
                infinity = std::numeric_limits<float>::infinity();

template <class Op>
constexpr cell cell_of = std::string_view(Op::definition().stages.back().name) == "lstm_cell" ? cell::lstm : cell::gru;

// So many steps of one sequence, each fed with the state that the one before has left, on one thread and on two.
template <class Op>
std::string wrong_sequence(const cell_shape& s, const cell_data& d, int steps, bool in_place,
                           const std::int64_t* parameters = nullptr)
{
    using own = kernel<Op>;
    constexpr cell which = cell_of<Op>;
    const float* const weights[] = {d.weights.data(), d.recurrent.data()};
    guarded packed(own::packed_bytes);
    if (!own::pack(weights, packed.data()).ok() || !packed.is_intact()) return "not packed";
    const auto run = [&](auto&& executor) -> std::string {
        cell_state expected = state_of(d);
        const std::size_t bytes = d.h.size() * sizeof(float);
        guarded h(bytes), c(bytes), next_h(bytes), next_c(bytes), workspace(own::workspace_bytes(executor.slots()));
        std::copy(d.h.begin(), d.h.end(), h.data());
        std::copy(d.c.begin(), d.c.end(), c.data());
        float *from[] = {h.data(), c.data()}, *to[] = {next_h.data(), next_c.data()};
        for (int t = 0; t < steps; ++t) {
            const float* const state[] = {from[0], from[1]};
            float* const cells[] = {in_place ? from[1] : to[1]};
            const status found = own::run(executor, {.x = d.x.data(),
                                                     .weights = packed.data(),
                                                     .bias = d.bias.data(),
                                                     .operands = state,
                                                     .y = in_place ? from[0] : to[0],
                                                     .outputs = cells,
                                                     .workspace = workspace.data(),
                                                     .parameters = parameters});
            if (!found.ok()) return std::string(found.message()) + ", " + found.subject;
            if (!in_place) std::swap(from, to);
            expected = step(s, which, Op::has_bias, d, expected);
            for (const guarded* g : {&h, &c, &next_h, &next_c, &workspace})
                if (!g->is_intact()) return "writes beside its buffers";
            const floats found_h(from[0], from[0] + d.h.size()), found_c(from[1], from[1] + d.c.size());
            std::string wrong = far_from_state(found_h, expected.h);
            if (wrong.empty() && which == cell::lstm) wrong = far_from_state(found_c, expected.c);
            if (!wrong.empty()) return "step " + std::to_string(t) + ": " + wrong;
        }
        return {};
    };
    const std::string one = run(serial_executor());
    return one.empty() ? run(eager_pool(2)) : one;
}
template <class Op>
std::string wrong_cell(std::uint64_t seed)
{
    const cell_data d = data_of(Op::shape, cell_of<Op>, seed);
    const std::string apart = wrong_sequence<Op>(Op::shape, d, 4, false);
    return apart.empty() ? wrong_sequence<Op>(Op::shape, d, 4, true) : apart;
}

constexpr cell_shape one{.m = 1, .k = 37, .n = 48}, few{.m = 7, .k = 16, .n = 21, .order = gate_order::onnx},
    tiny{.m = 2, .k = 3, .n = 5}, open{.m = extent::up_to(9), .k = 9, .n = 35};
using lstm_one = lstm_cell<one, f32, bias>;
using gru_few = gru_cell<few, f32, bias>;

} // namespace

TEST_CASE("sequences of steps of LSTM and GRU cells, in place, too")
{
    CHECK(wrong_cell<lstm_one>(1) == "");
    CHECK(wrong_cell<lstm_cell<few, f32>>(2) == "");
    CHECK(wrong_cell<gru_cell<tiny, f32, exact>>(3) == "");
    CHECK(wrong_cell<gru_few>(4) == "");
}

TEST_CASE("as many rows as a call gives, none among them")
{
    using op = lstm_cell<open, f32, bias>;
    for (const std::int64_t m : {1, 4, 9}) {
        CAPTURE(m);
        const cell_shape s{.m = m, .k = open.k, .n = open.n};
        CHECK(wrong_sequence<op>(s, data_of(s, cell::lstm, 5), 2, m == 4, &m) == "");
    }
    const std::int64_t none = 0, many = 10;
    CHECK(kernel<op>::run({.parameters = &none}).ok());
    CHECK(kernel<op>::run({.parameters = &many}).what == fault::parameter_out_of_range);
}

TEST_CASE("saturated gates are 0 and 1, and what is not finite gives what the arithmetic gives")
{
    cell_data d = data_of(one, cell::lstm, 6);
    std::fill(d.x.begin(), d.x.end(), 0.0f);
    std::fill(d.h.begin(), d.h.end(), 0.0f);
    // Gates of the first units: in, forget and out wide open or shut; the cells of the second one pass unchanged.
    const auto bias_of = [&](int gate, std::int64_t unit) -> float& {
        return d.bias[static_cast<std::size_t>(gate * one.n + unit)];
    };
    std::fill(d.bias.begin(), d.bias.end(), 0.0f);
    for (const float far : {1e4f, infinity}) {
        for (int gate = 0; gate < 4; ++gate) {
            bias_of(gate, 0) = far;
            bias_of(gate, 1) = gate == 1 || gate == 3 ? far : -far;
            bias_of(gate, 2) = -far;
        }
        d.c = floats(d.c.size(), 0.5f);
        CHECK(wrong_sequence<lstm_one>(one, d, 1, false) == "");
        const cell_state to = step(one, cell::lstm, true, d, state_of(d));
        CHECK(to.c[0] == 1.5);
        CHECK(to.c[1] == 0.5);
        CHECK(to.c[2] == 0);
        // 0 times an infinite cell is NaN, and so is a NaN.
        d.c[1] = infinity;
        d.c[2] = infinity;
        d.c[3] = not_a_number;
        CHECK(wrong_sequence<lstm_one>(one, d, 1, true) == "");
        CHECK(std::isnan(step(one, cell::lstm, true, d, state_of(d)).c[2]));
    }
    cell_data g = data_of(few, cell::gru, 7);
    // A row with a NaN, beside others.
    g.x[0] = not_a_number;
    CHECK(wrong_sequence<gru_few>(few, g, 2, false) == "");
    for (std::int64_t unit = 0; unit < few.n; ++unit) // kept: z is 1
        g.bias[static_cast<std::size_t>(unit)] = 1e4f;
    g.x[0] = 0;
    const cell_state kept = step(few, cell::gru, true, g, state_of(g));
    for (std::size_t i = 0; i < g.h.size(); ++i) CHECK(kept.h[i] == static_cast<double>(g.h[i]));
    CHECK(wrong_sequence<gru_few>(few, g, 3, true) == "");
}

TEST_CASE("a call that lacks a part of the state is refused by its name")
{
    floats all(20000);
    const float* state[] = {all.data(), nullptr};
    float* cells[] = {all.data()};
    arguments a{.x = all.data(),
                .weights = all.data(),
                .bias = all.data(),
                .operands = state,
                .y = all.data(),
                .outputs = cells,
                .workspace = all.data()};
    CHECK(kernel<lstm_one>::run(a).what == fault::tensor_missing);
    CHECK(std::string(kernel<lstm_one>::run(a).subject) == "c");
    state[1] = all.data();
    cells[0] = nullptr;
    CHECK(std::string(kernel<lstm_one>::run(a).subject) == "next_c");
}
