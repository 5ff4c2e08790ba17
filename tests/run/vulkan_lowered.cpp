// SPDX-License-Identifier: BSL-1.0
// Operators lowered by the Vulkan template, on a device, against the interpreter on the same nest.
#include <algorithm>
#include <cstdint>
#include <string>
#include <vector>

#include <doctest/doctest.h>

#include <hone/codegen/lower.hpp>
#include <hone/ir/interpret.hpp>
#include <hone/op/conv2d.hpp>
#include <hone/op/gemm.hpp>
#include <hone/schedule/vulkan.hpp>

#include "vulkan_rig.hpp"

using namespace hone;
using namespace hone::test;

namespace {

const vulkan_knobs knobs[] = {
    naive_vulkan(),
    {.rows = 8, .vectors = 2, .components = 4, .lane_rows = 2, .lane_vectors = 8},
    {.rows = 4, .vectors = 1, .components = 2, .lane_rows = 8, .lane_vectors = 8, .reduce_unroll = 2},
    {.rows = 3, .vectors = 2, .components = 1, .lane_rows = 4, .lane_vectors = 3},
    {.rows = 2,
     .vectors = 1,
     .components = 4,
     .lane_rows = 4,
     .lane_vectors = 4,
     .reduce_block = 4,
     .stage = staging::shared},
    {.rows = 3,
     .vectors = 2,
     .components = 2,
     .lane_rows = 4,
     .lane_vectors = 3,
     .reduce_block = 5,
     .stage = staging::shared},
    {.rows = 1,
     .vectors = 1,
     .components = 1,
     .lane_rows = 8,
     .lane_vectors = 8,
     .reduce_block = 4,
     .reduce_unroll = 2,
     .stage = staging::shared},
    {.rows = 2, .vectors = 2, .lane_rows = 4, .lane_vectors = 2, .order = walk::weights_outer},
    {.rows = 4,
     .vectors = 1,
     .components = 2,
     .lane_rows = 2,
     .lane_vectors = 4,
     .reduce_block = 8,
     .reduce_unroll = 4,
     .stage = staging::x,
     .order = walk::weights_outer},
    {.rows = 3, .vectors = 2, .lane_rows = 4, .lane_vectors = 2, .reduce_block = 6, .stage = staging::weights},
};

void check(const definition& d, const vulkan_knobs& k)
{
    CAPTURE(k.rows);
    CAPTURE(k.vectors);
    CAPTURE(k.components);
    CAPTURE(k.lane_rows);
    CAPTURE(k.lane_vectors);
    CAPTURE(k.reduce_block);
    CAPTURE(k.reduce_unroll);
    CAPTURE(std::string(name_of(k.stage)));
    CAPTURE(static_cast<int>(k.order));
    const nest n = lower(vulkan_schedule(d, k));
    INFO(std::string(n.found.message()) << " [" << std::string(n.found.subject) << "]");
    REQUIRE(n.ok());

    std::vector<std::vector<float>> buffers(launch_of(n).buffers);
    std::size_t output = 0;
    unsigned seed = 0;
    for (const buffer& b : n.buffers) {
        if (b.memory != memory::argument) continue;
        const auto position = static_cast<std::size_t>(b.position);
        const auto elements = static_cast<std::size_t>(interval_of(n, b.elements, nullptr).most);
        buffers[position] = random_floats(elements, ++seed);
        if (b.role != role::output) continue;
        output = position;
        std::fill(buffers[position].begin(), buffers[position].end(), poison);
    }
    auto expected = buffers;
    std::vector<argument> arguments;
    for (auto& b : expected) arguments.push_back({b.data(), static_cast<std::int64_t>(b.size())});
    const status s = interpret(n, arguments);
    INFO(std::string(s.message()) << " [" << std::string(s.subject) << "]");
    REQUIRE(s.ok());
    const auto found = run_on(test_device(), n, buffers);
    CHECK(difference(found[output], expected[output]) < 1e-4f);
}

template <class Operator>
void check_all()
{
    for (const vulkan_knobs& k : knobs) check(Operator::definition(), k);
    check(Operator::definition(), default_vulkan(Operator::definition()));
}

} // namespace

TEST_CASE("gemm, dividing and not")
{
    check_all<gemm<gemm_shape{.m = 32, .n = 64, .k = 16}, f32>>();
    check_all<gemm<gemm_shape{.m = 37, .n = 45, .k = 29}, f32, bias, relu>>();
    check_all<gemm<gemm_shape{.m = 1, .n = 20, .k = 7}, f32, bias>>();
    check_all<gemm<gemm_shape{.batch = 3, .m = 5, .n = 8, .k = 9, .x = transposed::yes}, f32>>();
}

TEST_CASE("convolutions with padding and stride")
{
    check_all<conv2d<conv2d_shape{.h = 9, .w = 7, .ic = 8, .oc = 12, .kh = 3, .kw = 3, .pad = 1}, f32, bias, relu>>();
    check_all<conv2d<conv2d_shape{.h = 10, .w = 9, .ic = 4, .oc = 8, .kh = 3, .kw = 3, .stride = 2, .pad = 1}, f32>>();
    check_all<conv2d<conv2d_shape{.h = 5, .w = 6, .ic = 4, .oc = 16, .kh = 1, .kw = 1}, f32, residual, relu6>>();
}

TEST_CASE("depthwise convolutions")
{
    check_all<
        conv2d<conv2d_shape{.h = 9, .w = 11, .ic = 8, .oc = 8, .kh = 3, .kw = 3, .stride = 2, .pad = 1, .groups = 8},
               f32, bias>>();
}
