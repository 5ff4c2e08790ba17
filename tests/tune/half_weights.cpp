// SPDX-License-Identifier: BSL-1.0
// Weights of 16 bits: what problems draw for them, and a product and a convolution tuned, verified and measured.
#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <string>
#include <vector>

#include <doctest/doctest.h>

#include <hone/measure/problem.hpp>
#include <hone/tune/cpu/arithmetic.hpp>
#include <hone/tune/cpu/tuning.hpp>

#include "half_weights.hpp"
#include "tuned_operator.hpp"

using namespace hone;
using namespace hone::core;
using namespace hone::test;

TEST_CASE("measure kernels with weights of 16 bits in a child" * doctest::skip())
{
    std::exit(tune::measure_cpu_child(nlohmann::json::parse(tune::read_job())));
}

TEST_CASE("weights are drawn as halves hold them, none of them denormal, and all else as floats")
{
    const tune::problem p =
        tune::problem_of(halves::layer::definition(), 3, tune::cpu_arithmetics(halves::layer::definition()));
    CHECK(p.arithmetics == std::vector{tune::arithmetic::direct}); // Winograd is not for them
    for (const tune::problem_draw& draw : p.draws)
        for (const tune::problem_operand& o : draw.operands) {
            CAPTURE(draw.name);
            CAPTURE(o.position);
            const auto is_held = [](float v) {
                return std::isnan(v) || (rounded_to(dtype::f16, v) == v && (v == 0 || std::fabs(v) >= 0x1p-14f));
            };
            const bool all = std::all_of(o.values.begin(), o.values.end(), is_held);
            CHECK(all == (o.role == role::weights));
        }
    // The outliers among the special values are as large as a half is.
    const auto largest = [&](const tune::problem_draw& draw) {
        float most = 0;
        for (float v : *draw.values_at(1))
            if (std::isfinite(v)) most = std::max(most, std::fabs(v));
        return most;
    };
    CHECK(largest(p.signs()) <= 1);
    CHECK(tune::drawing::held(dtype::f16, 0x1p-20f) == 0x1p-14f);
    CHECK(tune::drawing::held(dtype::f16, -0x1p-15f) == -0x1p-14f);
    CHECK(tune::drawing::held(dtype::f16, 0x1p-40f) == 0);
    CHECK(tune::drawing::held(dtype::f32, 0x1p-140f) == 0x1p-140f);
    std::vector<float> some(64, 1.0f);
    tune::drawing::put_outliers(some, dtype::f16);
    CHECK(*std::max_element(some.begin(), some.end()) == 65504);
}

TEST_CASE_TEMPLATE("a product and convolutions with weights of 16 bits are tuned", Op, halves::product, halves::layer,
                   halves::upsampled)
{
    const std::string name = std::is_same_v<Op, halves::product> ? "product"
                             : std::is_same_v<Op, halves::layer> ? "layer"
                                                                 : "upsampled";
    for (const tune::record& r : check_tuned<Op>("half_weights.hpp", "halves", name,
                                                 "measure kernels with weights of 16 bits in a child", 1e-5, 4))
        CHECK(r.signature.find(" wf16 f32") != std::string::npos);
}
