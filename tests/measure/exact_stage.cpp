// SPDX-License-Identifier: BSL-1.0
// Activations behind a sum: right kernels are right by the bounds of their words, and others are not.
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <string>
#include <vector>

#include <doctest/doctest.h>

#include <hone/cpu/kernel.hpp>
#include <hone/measure/problem.hpp>
#include <hone/op/conv2d.hpp>
#include <hone/op/gemm.hpp>

#include "activations.hpp"
#include "tuner_rig.hpp"

using namespace hone;
using namespace hone::codegen;
using namespace hone::test;
using tune::arithmetic;

namespace {

struct jump {
    static constexpr const char* name = "jump";
    static constexpr expr apply(const expr& acc) { return ex::select(ex::less(acc, 0.0f), 0.0f, 1.0f); }
};
template <class... E>
struct activated_product : gemm<gemm_shape{.m = 23, .n = 40, .k = 72}, f32, E...> {};
struct activated_layer
    : conv2d<conv2d_shape{.h = 14, .w = 14, .ic = 16, .oc = 16, .kh = 3, .kw = 3, .pad = 1}, f32, bias, silu> {};

template <class Op>
struct activated_by_winograd {
    static constexpr hone::accuracy accuracy = hone::accuracy::fast;
    static constexpr auto text = Op::signature();
    static constexpr cpu_entry entries[] = {
        {.signature = text.c_str(),
         .set = compiled_isa(),
         .config = config_text<winograd, fitted(Op::definition(), winograd_knobs{.tile = 4, .rows = 4, .vectors = 1},
                                                compiled_isa())>}};
};

template <class Kernel>
std::vector<float> results_behind(const tune::problem& p, const tune::problem_draw& draw)
{
    std::vector<float> y(p.outputs, tune::poison()), packed(Kernel::packed_bytes / sizeof(float)),
        workspace(Kernel::workspace_bytes(1) / sizeof(float) + 1);
    const auto values = [&](role r) -> const float* {
        for (const tune::problem_operand& o : draw.operands)
            if (o.role == r) return o.values.data();
        return nullptr;
    };
    Kernel::pack(values(role::weights), packed.data());
    REQUIRE(Kernel::run({.x = values(role::input),
                         .weights = packed.data(),
                         .bias = values(role::bias),
                         .residual = values(role::residual),
                         .y = y.data(),
                         .workspace = workspace.data()})
                .ok());
    return y;
}
double share_with_known_bounds(const tune::problem_draw& draw, std::size_t which)
{
    std::size_t known = 0;
    for (const float b : draw.bounds[which]) known += std::isfinite(b);
    return static_cast<double>(known) / static_cast<double>(draw.bounds[which].size());
}
// Those of another operator of the same shape and operands.
template <class Op, class Other>
std::string judged_as_another()
{
    const auto p = tune::problem_of(Op::definition(), 1, {arithmetic::direct});
    const auto y = results_behind<kernel<Other>>(p, p.signs());
    return tune::judge(p, p.signs(), arithmetic::direct, y.data()).wrong;
}

} // namespace

TEST_CASE("a kernel with an activation is right, and no more wrong than its bounds say")
{
    for_each_activation([&]<class E>() {
        using op = activated_product<E>;
        CAPTURE(op::signature().c_str());
        const auto p = tune::problem_of(op::definition(), 5, {arithmetic::direct, arithmetic::device});
        for (const tune::problem_draw& draw : p.draws) {
            CAPTURE(draw.name);
            const auto y = results_behind<kernel<op>>(p, draw);
            CHECK(tune::judge(p, draw, arithmetic::direct, y.data()).wrong == "");
            CHECK(tune::judge(p, draw, arithmetic::device, y.data()).wrong == "");
            CHECK(share_with_known_bounds(draw, 0) > 0.5);
        }
        // A part of 10^-3 is wrong.
        auto y = results_behind<kernel<op>>(p, p.signs());
        for (float& v : y) v *= 1.001f;
        CHECK(tune::judge(p, p.signs(), arithmetic::direct, y.data()).wrong != "");
        CHECK(tune::judge(p, p.signs(), arithmetic::device, y.data()).wrong != "");
    });
}

TEST_CASE("the approximation of GELU, and what is near another activation, is not taken for it")
{
    CHECK(judged_as_another<activated_product<gelu>, activated_product<gelu>>() == "");
    CHECK(judged_as_another<activated_product<gelu>, activated_product<gelu_tanh>>() != "");
    CHECK(judged_as_another<activated_product<silu>, activated_product<hard_swish>>() != "");
    CHECK(judged_as_another<activated_product<sigmoid>, activated_product<hard_sigmoid>>() != "");
    CHECK(judged_as_another<activated_product<elu<1>>, activated_product<elu<1.001>>>() != "");
}

TEST_CASE("an activation stands behind bias and residual, and behind Winograd's sums")
{
    using behind_two = activated_product<bias, residual, silu>;
    const auto p = tune::problem_of(behind_two::definition(), 2, {arithmetic::direct});
    for (const tune::problem_draw& draw : p.draws)
        CHECK(tune::judge(p, draw, arithmetic::direct, results_behind<kernel<behind_two>>(p, draw).data()).wrong == "");

    const auto q = tune::problem_of(activated_layer::definition(), 2, {arithmetic::direct, arithmetic::winograd_4});
    for (const tune::problem_draw& draw : q.draws) {
        CAPTURE(draw.name);
        using by_winograd = kernel<activated_layer, activated_by_winograd<activated_layer>>;
        const auto y = results_behind<kernel<activated_layer>>(q, draw), w = results_behind<by_winograd>(q, draw);
        CHECK(tune::judge(q, draw, arithmetic::direct, y.data()).wrong == "");
        CHECK(tune::judge(q, draw, arithmetic::winograd_4, w.data()).wrong == "");
    }
    const auto w = results_behind<kernel<activated_layer, activated_by_winograd<activated_layer>>>(q, q.specials());
    CHECK(tune::judge(q, q.specials(), arithmetic::direct, w.data()).wrong != "");
}

// Which of two is taken is open where what is compared may be either.
TEST_CASE("a choice that rounding can turn is bounded by both")
{
    using op = gemm<gemm_shape{.m = 2, .n = 2, .k = 2}, f32, jump>;
    const auto bounds_of = [](float a, float b) {
        const definition d = op::definition();
        const auto r =
            tune::exact_stage(d, {{a, b, 1, 1}, {1, 1, 1, 1}, {}}, tune::share_judged::all).run({arithmetic::direct});
        return std::pair(r.expected[0], r.bounds[0][0]);
    };
    CHECK(bounds_of(1, 2) == std::pair(1.0, 0.0f));
    CHECK(bounds_of(-1, -2) == std::pair(0.0, 0.0f));
    CHECK(bounds_of(0, 0) == std::pair(1.0, 0.0f)); // a sum of zeros is exact
    CHECK(bounds_of(1, -1) == std::pair(1.0, 1.0f));
    CHECK(bounds_of(1, -1.00000012f) == std::pair(0.0, 1.0f));
}

// The direct template begins a sum with its first term where all of it is one band, so that it has no zero to add.
TEST_CASE("a sum of nothing but -0 has either sign, and other sums of zeros have the sign of 0")
{
    constexpr std::int64_t m = 3, n = 21, k = 2;
    const definition d = gemm<gemm_shape{.m = m, .n = n, .k = k}, f32>::definition();
    std::vector<std::vector<float>> tensors{std::vector<float>(m * k, -0.0f), std::vector<float>(k * n, 1.0f), {}};
    tensors[0][k] = 0; // of the second row
    for (const arithmetic in : {arithmetic::direct, arithmetic::device}) {
        const tune::exact_results r = tune::exact_stage(d, tensors, tune::share_judged::all).run({in});
        REQUIRE(r.places.size() == m * n);
        for (std::size_t i = 0; i < r.places.size(); ++i) {
            CAPTURE(r.places[i]);
            const bool is_second = r.places[i] / n == 1;
            CHECK(tune::is_right(r.expected[i], r.bounds[0][i], 0.0f));
            CHECK(tune::is_right(r.expected[i], r.bounds[0][i], -0.0f) == (!is_second || in == arithmetic::device));
            CHECK_FALSE(tune::is_right(r.expected[i], r.bounds[0][i], 1e-30f));
        }
    }
}
