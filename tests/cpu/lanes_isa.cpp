// SPDX-License-Identifier: BSL-1.0
// Steps of a reduction that are written out: where an instruction set takes x from lanes, a load of several steps reads
// those steps and nothing beside. So x lies flush against pages that nobody may touch, before it and behind it.
#include <doctest/doctest.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include <hone/op/conv2d.hpp>
#include <hone/op/gemm.hpp>
#include <hone/process/guarded_memory.hpp>

#include "kernel_trial.hpp"

using namespace hone;
using namespace hone::schedules;
using namespace hone::test;
using tune::measuring::flush;
using tune::measuring::guarded_memory;

namespace {

constexpr int lanes = lanes_of(compiled_isa(), dtype::f32);

// Small whole numbers: sums are exact in any order.
std::vector<float> numbers(std::size_t count, std::uint32_t seed)
{
    std::vector<float> v(count);
    for (float& x : v) {
        seed = seed * 1664525 + 1013904223;
        x = static_cast<float>(seed >> 29) - 3;
    }
    return v;
}

// y[i] = sum over t of x[i / Shared + t - 1], with a weight for each place and tap or none: a user's operator, of whose
// lanes so many share an element, and in a sum that ends in padding some have none.
template <std::int64_t N, std::int32_t Shared, std::int64_t Taps, bool HasWeights>
struct shared_sums {
    static constexpr std::size_t x_size = N / Shared, weights_size = HasWeights ? N * Taps : 0;
    static constexpr hone::definition definition()
    {
        enum : int { place, source, tap };
        hone::definition d;
        d.tensors.push_back({.name = "x", .role = role::input});
        d.tensors.push_back({.name = "y", .role = role::output});
        d.tensors[0].dims.push_back({.extent = N / Shared, .stride = 1});
        d.tensors[1].dims.push_back({.extent = N, .stride = 1});
        stage s;
        s.name = "sum";
        s.axes.push_back({"place", N});
        s.axes.push_back({.name = "source", .extent = N / Shared, .quotient = {place, 1, 0, Shared}});
        s.axes.push_back({"tap", Taps, true});
        operand x{.tensor = 0, .may_leave = true};
        x.index.push_back(along(source, 1, tap, 1, -1));
        s.operands.push_back(x);
        s.output.tensor = 1;
        s.output.index.push_back(along(place));
        s.body = ex::load(0);
        s.reduce = reduction::add;
        if (HasWeights) {
            d.tensors.push_back({.name = "weights", .role = role::weights});
            d.tensors[2].dims.push_back({.extent = Taps, .stride = N});
            d.tensors[2].dims.push_back({.extent = N, .stride = 1});
            operand w{.tensor = 2};
            w.index.push_back(along(tap));
            w.index.push_back(along(place));
            s.operands.push_back(w);
            s.body = s.body * ex::load(1);
        }
        d.stages.push_back(s);
        return d;
    }
    static constexpr signature_text signature()
    {
        signature_text t;
        t.word("shared_sums").field("n", N).field("shared", Shared).field("taps", Taps);
        return t.field("weights", HasWeights).word("f32");
    }
    static std::vector<float> expected(const std::vector<float>& x, const std::vector<float>& w)
    {
        std::vector<float> y(N);
        for (std::int64_t i = 0; i < N; ++i)
            for (std::int64_t t = 0; t < Taps; ++t) {
                const std::int64_t from = i / Shared + t - 1;
                if (from < 0 || from >= N / Shared) continue;
                const float weight = HasWeights ? w[static_cast<std::size_t>(t * N + i)] : 1;
                y[static_cast<std::size_t>(i)] += x[static_cast<std::size_t>(from)] * weight;
            }
        return y;
    }
};

// A kernel, with x and y between guards.
template <class Op, direct_knobs Knobs>
void try_one(const std::vector<float>& expected, const std::vector<float>& x, const std::vector<float>& weights)
{
    using k = kernel<Op, tuned<Op, Knobs>>;
    static_assert(k::config == cpu_config(Knobs));
    std::vector<float> packed(k::packed_bytes / sizeof(float));
    k::pack(weights.data(), packed.data());
    std::vector<char> workspace(k::workspace_bytes(1));
    for (const flush side : {flush::to_begin, flush::to_end}) {
        const guarded_memory guarded_x("x", x.size() * sizeof(float), side);
        const guarded_memory guarded_y("y", expected.size() * sizeof(float), side);
        std::copy(x.begin(), x.end(), guarded_x.floats());
        guarded_x.make_read_only();
        const status s = k::run({.x = guarded_x.floats(),
                                 .weights = packed.data(),
                                 .y = guarded_y.floats(),
                                 .workspace = workspace.data()});
        CAPTURE(Knobs.reduce_unroll);
        CAPTURE(Knobs.rows);
        CHECK_MESSAGE(s.ok(), s.message());
        CHECK_MESSAGE(std::equal(expected.begin(), expected.end(), guarded_y.floats()), Op::signature().c_str());
    }
}

template <std::int64_t M, std::int64_t N, std::int64_t Depth>
struct product : gemm<gemm_shape{.m = M, .n = N, .k = Depth}, f32> {
    static constexpr std::size_t x_size = M * Depth, weights_size = Depth * N;
    static std::vector<float> expected(const std::vector<float>& x, const std::vector<float>& w)
    {
        std::vector<float> y(M * N);
        for (std::size_t m = 0; m < M; ++m)
            for (std::size_t k = 0; k < Depth; ++k)
                for (std::size_t n = 0; n < N; ++n) y[m * N + n] += x[m * Depth + k] * w[k * N + n];
        return y;
    }
};

// 5 x 6 images of C channels, 3 x 3 taps, padding of 1.
template <std::int64_t C, std::int64_t O>
struct window : conv2d<conv2d_shape{.h = 5, .w = 6, .ic = C, .oc = O, .kh = 3, .kw = 3, .pad = 1}, f32> {
    static constexpr std::size_t x_size = 5 * 6 * C, weights_size = O * 9 * C;
    static std::vector<float> expected(const std::vector<float>& x, const std::vector<float>& w)
    {
        std::vector<float> y(5 * 6 * O);
        for (int i = 0; i < 5 * 6 * O * 9; ++i) {
            const int o = i % O, kw = i / O % 3, kh = i / O / 3 % 3, column = i / O / 9 % 6, row = i / O / 54;
            const int from_row = row + kh - 1, from_column = column + kw - 1;
            if (from_row < 0 || from_row >= 5 || from_column < 0 || from_column >= 6) continue;
            for (int c = 0; c < C; ++c)
                y[static_cast<std::size_t>((row * 6 + column) * O + o)] +=
                    x[static_cast<std::size_t>((from_row * 6 + from_column) * C + c)] *
                    w[static_cast<std::size_t>(((o * 3 + kh) * 3 + kw) * C + c)];
        }
        return y;
    }
};

template <class Op, direct_knobs... Knobs>
void try_each()
{
    const std::vector<float> x = numbers(Op::x_size, 1), w = numbers(Op::weights_size, 2);
    const std::vector<float> expected = Op::expected(x, w);
    (try_one<Op, Knobs>(expected, x, w), ...);
}

} // namespace

TEST_CASE("steps that are written out read what the loop would, and nothing beside")
{
    try_each<product<5, 9, 13>, direct_knobs{.rows = 2, .vectors = 1, .reduce_unroll = 4},
             direct_knobs{.rows = 3, .vectors = 2, .reduce_unroll = 6},
             direct_knobs{.rows = 5, .vectors = 1, .reduce_unroll = 12, .order = walk::rows_outer}>();
    try_each<product<1, 17, 16>, direct_knobs{.rows = 1, .vectors = 2, .reduce_unroll = 8},
             direct_knobs{.rows = 1, .vectors = 1, .reduce_unroll = 3}>();
    try_each<product<4, 8, 4>, direct_knobs{.rows = 4, .vectors = 1, .reduce_unroll = 4}>();
    try_each<product<4, 8, 12>, direct_knobs{.rows = 3, .vectors = 1, .reduce_unroll = 4, .reduce_block = 8}>();
    try_each<window<6, 5>, direct_knobs{.rows = 3, .vectors = 1, .reduce_unroll = 4},
             direct_knobs{.rows = 4, .vectors = 1, .reduce_unroll = 4, .pad = padding::copy},
             direct_knobs{.rows = 2, .vectors = 1, .reduce_unroll = 5, .unroll_window = false}>();
    try_each<window<4, 9>, direct_knobs{.rows = 3, .vectors = 1, .unroll_window = true}>();
}

TEST_CASE(
    "lanes that share elements take none of another place where theirs is padding, and weights as they are packed")
{
    constexpr direct_knobs one{.rows = 1, .vectors = 1}, two{.rows = 1, .vectors = 2, .unroll_window = true};
    try_each<shared_sums<2 * lanes, 2, 3, false>, one, two>();
    try_each<shared_sums<2 * lanes - 2, 2, 4, false>, one, two>();
    try_each<shared_sums<3 * lanes, 4, 3, false>, one, two>();
    try_each<shared_sums<2 * lanes, 2, 3, true>, one, two>();
    try_each<shared_sums<2 * lanes - 2, 2, 3, true>, one, two>();
    try_each<shared_sums<12, 3, 3, true>, direct_knobs{.rows = 1, .vectors = 1}>();
}
