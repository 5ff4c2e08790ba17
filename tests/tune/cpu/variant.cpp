// SPDX-License-Identifier: BSL-1.0
// A variant is its kernel behind plain functions, and the naive kernel and the twin's have one like any other.
#include <cstddef>
#include <string>
#include <type_traits>
#include <vector>

#include <doctest/doctest.h>

#include <hone/core/executor.hpp>
#include <hone/cpu/kernel.hpp>
#include <hone/op/gemm.hpp>
#include <hone/tune/cpu/variant.hpp>

#include "tuner_rig.hpp"

using namespace hone;
using namespace hone::schedules;
using namespace hone::test;

TEST_CASE("a variant computes what its kernel computes")
{
    const tune::variant fast = tune::variant_of<kernel<tiny>>();
    const tune::variant naive = tune::variant_of<tune::naive_kernel<tiny, isa::baseline>>();
    CHECK(fast.packed_bytes == kernel<tiny>::packed_bytes);
    CHECK(fast.layout_id == kernel<tiny>::layout_id);
    std::vector<float> x(5 * 7), weights(7 * 24);
    for (std::size_t i = 0; i < x.size(); ++i) x[i] = static_cast<float>(i % 5);
    for (std::size_t i = 0; i < weights.size(); ++i) weights[i] = static_cast<float>(i % 3) - 1;
    serial_executor serial;
    std::vector<std::vector<float>> results;
    for (const tune::variant& v : {fast, naive}) {
        std::vector<std::byte> packed(v.packed_bytes), workspace(v.workspace_bytes(1));
        REQUIRE(v.pack(weights.data(), packed.data()).ok());
        auto& y = results.emplace_back(5 * 24);
        REQUIRE(v.run(reference_to(serial),
                      {.x = x.data(), .weights = packed.data(), .y = y.data(), .workspace = workspace.data()})
                    .ok());
    }
    CHECK(results[0] == results[1]);
}

namespace {

struct of_direct : tiny {
    using cpu_templates = template_list<direct>;
};

} // namespace

TEST_CASE("kernels of the twin are of the workload's templates")
{
    static_assert(std::is_same_v<cpu_templates_of<tune::odd_twin<of_direct>>, template_list<direct>>);
    static_assert(std::is_same_v<cpu_templates_of<tune::odd_twin<tiny>>, cpu_templates>);
}
