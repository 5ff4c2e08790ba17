// SPDX-License-Identifier: BSL-1.0
// Steps that change what a schedule computes with: axes that stand still, dimensions that one axis walks, and the
// schedule that packs.
#include <hone/schedule/transform.hpp>

#include <cstddef>
#include <cstdint>
#include <vector>

#include <doctest/doctest.h>

#include <hone/ir/interpret.hpp>
#include <hone/lower/lower.hpp>
#include <hone/op/gemm.hpp>

using namespace hone;
using namespace hone::schedules;

namespace {

using op = gemm<gemm_shape{.m = 8, .n = 7, .k = 5}, f32>;

} // namespace

TEST_CASE("axes of one step leave an index, and no others do")
{
    stage s;
    s.axes.push_back({"one", 1});
    s.axes.push_back({"two", 2});
    s.axes.push_back({"of the call", 1, false, 0});
    operand o;
    o.index.push_back(along(0, 3, 1, 1, 5));
    o.index.push_back(along(2));
    drop_still_axes(s, o);
    REQUIRE(o.index[0].terms.size() == 1);
    CHECK(o.index[0].terms[0].axis == 1);
    CHECK(o.index[0].offset == 5);
    CHECK(o.index[1].terms.size() == 1);
}

TEST_CASE("a dimension is an axis' own where nothing else moves in it, one by one and over all of it")
{
    const definition d = op::definition();
    const operand &x = d.stages[0].operands[0], &weights = d.stages[0].operands[1];
    CHECK(dimension_of_all(d, x, op::k) >= 0);
    CHECK(dimension_of_all(d, x, op::n) == -1);
    CHECK(dimension_of_all(d, weights, op::n) >= 0);
    operand moved = x;
    for (dim_index& index : moved.index) index.offset = 1;
    CHECK(dimension_of_all(d, moved, op::k) == -1);
    definition longer = d;
    longer.stages[0].axes[op::k].extent = 4;
    CHECK(dimension_of_all(longer, x, op::k) == -1);
}

// (5, 7) with 7 in blocks of 4: what is past the end of a block is 0.
TEST_CASE("a packing copies each element to its place, and fills blocks with zeros")
{
    tensor source{.name = "w", .role = role::weights};
    source.dims.push_back({.extent = 5, .stride = 7});
    source.dims.push_back({.extent = 7, .stride = 1});
    inline_vector<std::int8_t, 6> order;
    order.push_back(1);
    order.push_back(0);
    const tensor packed = packed_tensor(source, order, 1, 4); // (2 blocks, 5, 4)
    const nest n = lower(packing_schedule(source, packed, isa::baseline));
    REQUIRE(n.ok());
    std::vector<float> from(35), to(static_cast<std::size_t>(packed.elements()), -1.0f);
    for (std::size_t i = 0; i < from.size(); ++i) from[i] = static_cast<float>(i + 1);
    const argument given[] = {{from.data(), 35}, {to.data(), 40}};
    REQUIRE(interpret(n, given).ok());
    for (std::size_t block = 0; block < 2; ++block)
        for (std::size_t i = 0; i < 5; ++i)
            for (std::size_t j = 0; j < 4; ++j) {
                const std::size_t column = 4 * block + j;
                CHECK(to[(block * 5 + i) * 4 + j] == (column < 7 ? from[i * 7 + column] : 0.0f));
            }
}
