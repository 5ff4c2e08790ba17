// SPDX-License-Identifier: BSL-1.0
// Operators that write several tensors, on the device under validation: with and without shared memory, and with
// layouts of which one is stored by vectors and the other element by element.
#include <cstdint>
#include <string>
#include <vector>

#include <doctest/doctest.h>

#include <hone/ir/check.hpp>
#include <hone/lower/lower.hpp>
#include <hone/run/pack.hpp>
#include <hone/schedule/vulkan_direct.hpp>

#include "further_outputs.hpp"
#include "reference.hpp"
#include "vulkan_rig.hpp"

using namespace hone;
using namespace hone::calls;
using namespace hone::test;

namespace {

constexpr vulkan_knobs knobs_under_test[] = {
    naive_vulkan(),
    {.rows = 4, .vectors = 2, .components = 4, .lane_rows = 2, .lane_vectors = 4, .edge = edge::clip},
    {.rows = 3, .vectors = 1, .components = 2, .lane_rows = 4, .lane_vectors = 8, .order = walk::weights_outer},
    {.rows = 2,
     .vectors = 1,
     .components = 4,
     .lane_rows = 4,
     .lane_vectors = 4,
     .reduce_block = 8,
     .reduce_unroll = 2,
     .stage = staging::shared},
};
template <class F>
void for_each_nest(const definition& d, F&& run)
{
    for (const vulkan_knobs& given : knobs_under_test) {
        const vulkan_knobs k = fitted(d, given);
        CAPTURE(&given - knobs_under_test);
        const nest n = lower(vulkan_schedule(d, k));
        INFO(n.found.message());
        REQUIRE(n.ok());
        REQUIRE(check(n, vulkan_target({.max_storage_buffers = 8})).ok());
        run(n, k);
    }
}
floats packed_for_device(const definition& d, const vulkan_knobs& k, const floats& weights)
{
    const tensor layout = vulkan_weights(d, k)[0];
    floats packed(static_cast<std::size_t>(layout.elements()));
    pack_into(d.tensors[d.tensor_of(role::weights)], layout, weights.data(), packed.data());
    return packed;
}

} // namespace

TEST_CASE("products of two and of three outputs on the device")
{
    vulkan::device& device = test_device();
    const std::int64_t m = further::shape.m.value, n = further::shape.n, k = further::shape.k;
    const floats x = small_integers(m * k, 1), w = small_integers(k * n, 2), b = small_integers(n, 3),
                 residual = small_integers(m * n, 4), none(static_cast<std::size_t>(m * n), poison);
    const definition two = checked(further::kept::definition()), three = checked(further::thrice::definition());
    for_each_nest(two, [&](const nest& made, const vulkan_knobs& knobs) {
        const further::results expected = further::expected_product(true, x, w, b, residual);
        const auto after = run_on(device, made, {x, packed_for_device(two, knobs, w), b, none, none});
        CHECK(difference(after[3], expected.first) == "");
        CHECK(difference(after[4], expected.y) == "");
    });
    for_each_nest(three, [&](const nest& made, const vulkan_knobs& knobs) {
        const further::results expected = further::expected_product(false, x, w, b, residual);
        const auto after = run_on(device, made, {x, packed_for_device(three, knobs, w), none, b, residual, none, none});
        CHECK(difference(after[2], expected.first) == "");
        CHECK(difference(after[5], expected.second) == "");
        CHECK(difference(after[6], expected.y) == "");
    });
}

TEST_CASE("a layer that keeps what it had before relu on the device")
{
    vulkan::device& device = test_device();
    const definition d = checked(further::layer::definition());
    const call_data given = data_of(further::image, 3);
    const floats none(given.y.size(), poison);
    for_each_nest(d, [&](const nest& made, const vulkan_knobs& knobs) {
        const auto after =
            run_on(device, made, {given.x, packed_for_device(d, knobs, given.weights), given.bias, none, none});
        CHECK(difference(after[3], reference(further::image, given, {step::bias})) == "");
        CHECK(difference(after[4], reference(further::image, given, {step::bias, step::relu})) == "");
    });
}

TEST_CASE("an operator without weights in two layouts on the device")
{
    vulkan::device& device = test_device();
    using op = further::planes;
    const floats x = small_integers(op::h * op::w * op::c, 5), none(x.size(), poison);
    const further::results expected = further::expected_planes(x);
    for_each_nest(checked(op::definition()), [&](const nest& made, const vulkan_knobs&) {
        const auto after = run_on(device, made, {x, none, none});
        CHECK(difference(after[1], expected.first) == "");
        CHECK(difference(after[2], expected.y) == "");
    });
}
