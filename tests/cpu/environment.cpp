// SPDX-License-Identifier: BSL-1.0
// Pointers that move with loops, and affine values at run time: whatever path leads to an iteration, an access stands
// at the element that its index names there.
#include <hone/cpu/environment.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <type_traits>
#include <vector>

#include <doctest/doctest.h>

#include <hone/ir/visit.hpp>

#include "cpu/tags.hpp"
#include "ir/nests.hpp"

using namespace hone;
using namespace hone::codegen;
using namespace hone::test;
namespace cpu = hone::codegen::cpu;

namespace {

constexpr nest product() { return matmul({.m = 8, .n = 16, .k = 5, .tile_m = 4}, isa::baseline, 4); }

// y[i, j] = x[j, i], rows as far apart as the call says; i from floor((rows - 5) / 3) and 1 to rows and 9.
constexpr nest transposed_rows()
{
    nest_builder b;
    const form rows = b.extent("rows", 1, 20), apart = b.extent("apart", 4, 100);
    const form i = b.axis("i"), j = b.axis("j");
    const int x = b.access(b.buffer("x", memory::argument, 2000, role::input), j * 20 + i + form{3});
    const int y = b.access(b.buffer("y", memory::argument, 2000, role::output), nest_builder::product(i, apart) + j);
    b.loop(binding::serial, i, {quotient{rows - form{5}, 3}, quotient{1}}, {quotient{rows}, quotient{9}});
    b.loop(binding::serial, j, 4).store(y, ex::load(x));
    return b.n;
}

// Scratch of the call and of each slot.
constexpr nest scratches()
{
    nest_builder b;
    const form i = b.axis("i");
    const int first = b.buffer("first", memory::workspace, 5), second = b.buffer("second", memory::workspace, 20);
    const int own = b.buffer("own", memory::slot, 17), half_own = b.buffer("half_own", memory::slot, 33);
    b.n.buffers[static_cast<std::size_t>(half_own)].type = dtype::f16;
    b.loop(binding::serial, i, 5);
    for (const int target : {first, second, own, half_own}) b.store(b.access(target, i), 1.0f);
    return b.n;
}

using k = tag_of<transposed_rows>;

// Walks to (i, j) in steps and jumps, and gives how far the accesses are from where they began.
struct distances {
    std::ptrdiff_t x, y;
};
distances walked(std::int64_t i, std::int64_t j, const std::int64_t* parameters, bool by_steps)
{
    std::vector<float> x(2000), y(2000);
    float* const arguments[] = {x.data(), y.data()};
    cpu::environment<k> e = environment_of<k>(arguments, parameters);
    cpu::move_by<k, -1, ~std::uint64_t{0}>(e, 1); // what moves with no variable: nothing here
    const int outer = k::nest.root, inner = k::nest.nodes[outer].child;
    REQUIRE(k::nest.nodes[inner].kind == node_kind::loop);
    constexpr int outer_node = k::nest.root, inner_node = k::nest.nodes[k::nest.root].child;
    if (by_steps) {
        for (std::int64_t n = 0; n < i; ++n) cpu::advance<k, outer_node>(e, 1);
        for (std::int64_t n = 0; n < j; ++n) cpu::advance<k, inner_node>(e, 1);
    } else {
        cpu::advance<k, inner_node>(e, j + 2);
        cpu::advance<k, outer_node>(e, i);
        cpu::advance<k, inner_node>(e, -2);
    }
    return {cpu::pointer_of<k, 0>(e) - x.data(), cpu::pointer_of<k, 1>(e) - y.data()};
}

} // namespace

TEST_CASE("accesses move as their indices do, by steps and by jumps, with distances of the call")
{
    for (const std::int64_t apart : {4, 7, 100}) {
        const std::int64_t parameters[] = {20, apart};
        for (const std::int64_t i : {0, 1, 5})
            for (const std::int64_t j : {0, 3})
                for (const bool by_steps : {true, false}) {
                    const distances d = walked(i, j, parameters, by_steps);
                    CHECK(d.x == j * 20 + i); // the constant is literal in each step
                    CHECK(d.y == i * apart + j);
                }
    }
    static_assert(cpu::facts<k>::coefficient(0, 0) == 1 && cpu::facts<k>::coefficient(0, 1) == 20);
    static_assert(cpu::facts<k>::coefficient(1, 1) == 1);
    static_assert(cpu::facts<k>::coefficient(1, 0) == 0); // not known before the call
}

TEST_CASE("bounds are the greatest of the lower and the least of the upper ones, floors towards below")
{
    for (std::int64_t rows = 1; rows <= 20; ++rows) {
        CAPTURE(rows);
        const std::int64_t parameters[] = {rows, 4};
        cpu::environment<k> e{};
        e.parameters = parameters;
        CHECK(cpu::lower_value<k, k::nest.root>(e) == std::max(floor_div(rows - 5, 3), std::int64_t{1}));
        CHECK(cpu::upper_value<k, k::nest.root>(e) == std::min(rows, std::int64_t{9}));
    }
}

TEST_CASE("scratch stands in whole cache lines, that of the call before that of each slot")
{
    using s = tag_of<scratches>;
    constexpr cpu::workspace_layout w = cpu::layout_of(s::nest);
    static_assert(w.offset[0] == 0 && w.offset[1] == 64 && w.call_bytes == 64 + 128);
    static_assert(w.offset[2] == 0 && w.offset[3] == 128 && w.slot_bytes == 128 + 128); // 17 floats, 33 halves
    std::vector<char> memory(1024);
    cpu::environment<s> e{};
    e.workspace = memory.data();
    cpu::point_at<s, memory::workspace>(e, 0);
    cpu::point_at<s, memory::slot>(e, 2);
    const auto at = [&](int access) { return reinterpret_cast<char*>(e.at[access]) - memory.data(); };
    CHECK(at(0) == 0);
    CHECK(at(1) == 64);
    CHECK(at(2) == 192 + 2 * 256);
    CHECK(at(3) == 192 + 2 * 256 + 128);
}

TEST_CASE("what a kernel computes in is what its buffers ask for")
{
    using p = tag_of<product>;
    static_assert(std::is_same_v<cpu::scalar_of<p>, float> && std::is_same_v<cpu::scalar_of<tag_of<scratches>>, float>);
    static_assert(cpu::simd_of<p>::lanes == 4 && std::is_same_v<cpu::simd_of<p>, simd<isa::baseline, float, 4>>);
    static_assert(std::is_same_v<cpu::element_at<tag_of<scratches>, 3>, half>);
    static_assert(std::is_same_v<cpu::scalar_of<tag_of<product, double>>, double>);
    // Each leaf uses its own accesses, and what is around it those of all leaves below.
    constexpr auto used = cpu::facts<p>::used;
    static_assert(used.of[p::nest.root] == (1u << p::nest.accesses.size()) - 1);
    // a, b, y and the sum, in this order.
    static_assert(cpu::accesses_of(p::nest, 0) == 0b1000);
    static_assert(cpu::accesses_of(p::nest, 1) == 0b1011);
    static_assert(cpu::accesses_of(p::nest, 2) == 0b1100);
}
