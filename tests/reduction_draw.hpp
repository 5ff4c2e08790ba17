// SPDX-License-Identifier: BSL-1.0
// Operators without weights of random shapes, with operands of which every sum is exact in float, and what is wrong
// with what a nest makes of them in the interpreter.
#pragma once

#include <array>
#include <bit>
#include <cstdint>
#include <string>
#include <vector>

#include <hone/ir/interpret.hpp>
#include <hone/ir/nest.hpp>
#include <hone/model/random.hpp>
#include <hone/op/definition_check.hpp>
#include <hone/op/epilogue.hpp>

#include "reductions.hpp"
#include "reference.hpp"

namespace hone::test {

using namespace operators;

struct drawn_reduction {
    hone::definition d{};
    std::string text{};
    floats x{}, bias{}, residual{};
    doubles expected{};
    std::vector<std::int64_t> parameters{};
    std::int64_t outputs = 0;

    // Empty where y is right and nothing else was written.
    std::string wrong(const nest& n) const
    {
        floats read = x, second = bias, third = residual, y = poisoned(outputs);
        std::vector<argument> arguments;
        for (const tensor& t : d.tensors) {
            floats& of = t.role == role::input      ? read
                         : t.role == role::bias     ? second
                         : t.role == role::residual ? third
                                                    : y;
            arguments.push_back({of.data(), static_cast<std::int64_t>(of.size())});
        }
        const status found = interpret(n, arguments, parameters);
        if (!found.ok()) return std::string(found.message()) + ", " + found.subject;
        if (read != x || second != bias || third != residual) return "writes to an input";
        return difference(y, expected, 0);
    }
};

namespace drawing {

template <class Shape, class... E>
drawn_reduction of(const Shape& s, std::string text, tune::xoshiro256& bits, std::int64_t channels)
{
    drawn_reduction r;
    r.d = checked(reductions::definition_of<E...>(s));
    r.text = std::move(text);
    r.x = small_integers(s.x_elements(), bits.below(1000));
    r.outputs = s.y_elements();
    r.bias = small_integers(channels, 7);
    r.residual = small_integers(r.outputs, 8);
    r.expected = reductions::expected(s, r.x.data());
    const steps epilogue{step_of<E>()...};
    for (std::int64_t i = 0; i < r.outputs; ++i) {
        const std::int64_t channel = s.channel_of(i);
        r.expected[static_cast<std::size_t>(i)] =
            finished(r.expected[static_cast<std::size_t>(i)], epilogue,
                     static_cast<double>(r.bias[static_cast<std::size_t>(channel)]),
                     static_cast<double>(r.residual[static_cast<std::size_t>(i)]));
    }
    return r;
}

} // namespace drawing

// The mean is of 2^k terms, so that it is exact.
inline drawn_reduction drawn(tune::xoshiro256& bits)
{
    using reductions::fold;
    const auto within = [&](std::int64_t least, std::int64_t most) {
        return least + static_cast<std::int64_t>(bits.below(static_cast<std::uint64_t>(most - least + 1)));
    };
    constexpr std::array folds{fold::sum, fold::largest, fold::least, fold::squares};
    const fold how = folds[bits.below(folds.size())];
    const std::string word = reductions::name_of(how);
    if (bits.below(2) == 0) {
        reductions::rows_shape s{.rows = within(1, 9), .n = within(1, 150), .how = how};
        if (bits.below(3) == 0) s.n = within(1, 9);
        if (bits.below(3) == 0) s.distance = s.n + within(0, 5);
        s.at_call = bits.below(4) == 0;
        const std::string text = word + " of rows " + std::to_string(s.rows) + " x " + std::to_string(s.n);
        if (!s.at_call)
            return bits.below(2) == 0 ? drawing::of<reductions::rows_shape, relu>(s, text + " relu", bits, 1)
                                      : drawing::of<reductions::rows_shape, residual>(s, text + " residual", bits, 1);
        drawn_reduction r = drawing::of(s, text + " at call", bits, 1);
        const std::int64_t rows = within(0, s.rows);
        r.parameters.push_back(rows);
        for (std::int64_t i = rows; i < s.rows; ++i)
            r.expected[static_cast<std::size_t>(i)] = std::numeric_limits<double>::quiet_NaN(); // stays as it was
        return r;
    }
    reductions::pool_shape s{.n = within(1, 2), .h = within(1, 9), .w = within(1, 12), .c = within(1, 40), .how = how};
    if (bits.below(3) == 0) s.c = within(1, 7);
    if (bits.below(2) == 0) s.layout = layout::nchw;
    if (bits.below(2) == 0) {
        s = global(s);
    } else {
        s.pad = within(0, 1);
        s.kh = within(1, s.h < 3 ? s.h : 3);
        s.kw = within(1, s.w < 3 ? s.w : 3);
        if (s.kh <= s.pad || s.kw <= s.pad) s.pad = 0;
        s.stride = within(1, 2);
    }
    const std::string text = word + " of " + std::to_string(s.n) + " x " + std::to_string(s.h) + " x " +
                             std::to_string(s.w) + " x " + std::to_string(s.c) + (s.is_nhwc() ? " nhwc" : " nchw") +
                             " by " + std::to_string(s.kh) + " x " + std::to_string(s.kw) + " / " +
                             std::to_string(s.stride) + " pad " + std::to_string(s.pad);
    if (bits.below(2) == 0) return drawing::of<reductions::pool_shape, bias, relu>(s, text + " bias relu", bits, s.c);
    return drawing::of(s, text, bits, s.c);
}

} // namespace hone::test
