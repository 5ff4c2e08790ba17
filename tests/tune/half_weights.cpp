// SPDX-License-Identifier: BSL-1.0
// Weights of 16 bits: what problems draw for them, and a product and a convolution tuned, verified and measured.
#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <filesystem>
#include <string>
#include <vector>

#include <doctest/doctest.h>

#include <hone/measure/problem.hpp>
#include <hone/tune/cpu/arithmetic.hpp>
#include <hone/tune/cpu/tuning.hpp>

#include "half_weights.hpp"
#include "tuner_rig.hpp"

using namespace hone;
using namespace hone::test;
using tune::verdict;

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

TEST_CASE_TEMPLATE("a product and a convolution with weights of 16 bits are tuned", Op, halves::product, halves::layer)
{
    const folder at;
    const isa set = cpu();
    tune::builder build(tune::find_compiler("c++", set),
                        {.directory = at.path() / "work",
                         .include_directories = {include_directory(),
                                                 std::filesystem::path(__FILE__).parent_path().parent_path().string()},
                         .headers = {"half_weights.hpp"}});
    const tune::tuning_environment environment{
        .self = {std::filesystem::read_symlink("/proc/self/exe").string(), "--no-skip",
                 "--test-case=measure kernels with weights of 16 bits in a child"},
        .work_directory = at.path() / "work",
        .seed = 5};
    const std::string name = std::is_same_v<Op, halves::product> ? "product" : "layer";
    tune::cpu_tuning tuning(tune::task_of<Op>(name, "halves::" + name), environment, build, set);
    turn(tuning, build, 4);
    tuning.compare();
    for (const tune::record& r : tuning.records()) {
        INFO(tune::line_of(r));
        CHECK(r.found == verdict::ok);
        CHECK(r.max_rel_error < 1e-5);
        CHECK(r.signature.find(" wf16 f32") != std::string::npos);
    }
    const tune::standing s = tuning.standing();
    CHECK(s.trials == 4);
    CHECK(s.chosen != nullptr);
    CHECK(s.standard != nullptr);
    CHECK(s.naive != nullptr);
}
