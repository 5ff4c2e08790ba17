// SPDX-License-Identifier: BSL-1.0
// Products of two activations on a device: nests by default and by drawn knobs, printed, compiled and run under
// validation, against plain loops.
#include <algorithm>
#include <cstdint>
#include <string>
#include <vector>

#include <doctest/doctest.h>

#include <hone/ir/check.hpp>
#include <hone/ir/print.hpp>
#include <hone/lower/lower.hpp>
#include <hone/schedule/vulkan_templates.hpp>

#include "matmuls.hpp"
#include "vulkan_rig.hpp"

using namespace hone;
using namespace hone::codegen;
using namespace hone::test;

namespace {

void run_on_device(const product_case& c, const vulkan_knobs& k)
{
    const nest n = lower(vulkan_schedule(c.d, k));
    INFO(print(n));
    REQUIRE(std::string(check(n, vulkan_target(test_device().limits())).message()) == message_of(fault::none));
    const std::int64_t m = c.shape.m.value;
    const gemm_call call = call_of(c.shape, m, 2);
    const call_data d = data_of(c.shape, call, 5);
    std::vector<std::vector<float>> given;
    for (const tensor& t : c.d.tensors)
        given.push_back(t.role == role::input      ? (given.empty() ? d.x : d.weights)
                        : t.role == role::bias     ? d.bias
                        : t.role == role::residual ? d.residual
                                                   : d.y);
    const auto after = run_on(test_device(), n, given, parameters_of(c.shape, call, true));
    CHECK(after[0] == d.x);
    CHECK(after[1] == d.weights);
    CHECK(hone::test::difference(after.back(), reference(c.shape, call, d, c.epilogue)) == "");
}

} // namespace

TEST_CASE("products of two activations, by default and by drawn knobs, on the device")
{
    random_numbers random{11};
    int drawn = 0, staged = 0;
    for (const product_case& c : product_cases()) {
        CAPTURE(matmul_text(c.shape));
        CHECK_FALSE(vulkan_reduce::applies(c.d));
        REQUIRE(vulkan_direct::applies(c.d));
        run_on_device(c, default_vulkan(c.d));
        for (int i = 0; i < 3; ++i) {
            vulkan_knobs k;
            for (const auto& own : knobs_of(k))
                own.set(k, own.values[static_cast<std::size_t>(
                               random.between(0, static_cast<std::int64_t>(own.values.size()) - 1))]);
            // A test at each leaf of a large tile takes lavapipe minutes to compile.
            k.rows = std::min(k.rows, 4);
            k.vectors = std::min(k.vectors, 2);
            k.reduce_unroll = std::min(k.reduce_unroll, 2);
            k = fitted(c.d, k);
            const nest n = lower(vulkan_schedule(c.d, k));
            if (!check(n, vulkan_target(test_device().limits())).ok()) continue;
            ++drawn;
            staged += k.stage != staging::none ? 1 : 0;
            run_on_device(c, k);
        }
    }
    CHECK(drawn > 20);
    CHECK(staged > 5);
}
