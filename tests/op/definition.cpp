// SPDX-License-Identifier: BSL-1.0
// Tensors and stages as data: how many elements a layout spans, where an index stands, and what an operator costs.
#include <hone/op/definition.hpp>

#include <cstdint>
#include <vector>

#include <doctest/doctest.h>

using namespace hone;
using namespace hone::operators;

namespace {

constexpr tensor dense(std::initializer_list<std::int64_t> extents)
{
    tensor t;
    for (const std::int64_t e : extents) t.dims.push_back({.extent = e});
    set_dense(t);
    return t;
}
static_assert(dense({2, 3, 5}).dims[0].stride == 15 && dense({2, 3, 5}).dims[1].stride == 5 &&
              dense({2, 3, 5}).dims[2].stride == 1);
static_assert(dense({2, 3, 5}).elements() == 30);
static_assert(tensor{}.elements() == 1); // a scalar
// Strides stay numbers, however large the extents.
static_assert(dense({8, std::int64_t{1} << 40, std::int64_t{1} << 40}).dims[0].stride == saturated);

// Where element `index` stands, by what the struct says.
constexpr std::int64_t place_of(const tensor& t, std::initializer_list<std::int64_t> index)
{
    std::int64_t at = 0;
    const std::int64_t* i = index.begin();
    for (const dimension& d : t.dims) {
        at += d.block > 0 ? *i / d.block * d.outer_stride + *i % d.block * d.stride : *i * d.stride;
        ++i;
    }
    return at;
}

constexpr bool is_along(const dim_index& d, std::initializer_list<index_term> terms, int offset)
{
    if (d.terms.size() != terms.size() || d.offset != offset) return false;
    const index_term* t = terms.begin();
    for (const index_term& own : d.terms) {
        if (own.axis != t->axis || own.coefficient != t->coefficient) return false;
        ++t;
    }
    return true;
}
static_assert(is_along(along(3), {{3, 1}}, 0));
static_assert(is_along(along(3, 2, -1), {{3, 2}}, -1));
static_assert(is_along(along(3, 2, 5, 4, -1), {{3, 2}, {5, 4}}, -1));

// y[m] = sum over k, and z[m] = y[m] without one. The extent of m is parameter 1, that of k parameter `of_k`.
constexpr definition two_stages(std::int16_t of_k)
{
    definition d;
    d.tensors.push_back({.name = "x", .role = role::input});
    d.tensors.push_back({.name = "y", .role = role::none});
    d.tensors.push_back({.name = "z", .role = role::output});
    stage sum{.name = "sum"};
    sum.axes.push_back({"m", 6, false, 1});
    sum.axes.push_back({"k", 7, true, of_k});
    sum.reduce = reduction::add;
    stage copy{.name = "copy"};
    copy.axes.push_back({"m", 6, false, 1});
    sum.output.tensor = 1;
    copy.output.tensor = 2;
    d.stages.push_back(sum);
    d.stages.push_back(copy);
    return d;
}
static_assert(two_stages(-1).tensor_of(role::input) == 0 && two_stages(-1).tensor_of(role::output) == 2);
static_assert(two_stages(-1).tensor_of(role::bias) == -1);

} // namespace

TEST_CASE("as many elements as reach from the first to the last place, gaps and whole blocks included")
{
    tensor rows = dense({4, 5});
    rows.dims[0].stride = 8; // a view: three elements between rows
    CHECK(rows.elements() == 3 * 8 + 5);
    CHECK(place_of(rows, {3, 4}) == rows.elements() - 1);

    // (19 in blocks of 8, 3) as (3 blocks, 3, 8)
    tensor blocked;
    blocked.dims.push_back({.extent = 19, .stride = 1, .block = 8, .outer_stride = 24});
    blocked.dims.push_back({.extent = 3, .stride = 8});
    CHECK(blocked.elements() == 3 * 3 * 8);
    CHECK(place_of(blocked, {23, 2}) == blocked.elements() - 1); // the padding of the last block
    std::vector<int> taken(static_cast<std::size_t>(blocked.elements()));
    for (std::int64_t i = 0; i < 24; ++i)
        for (std::int64_t j = 0; j < 3; ++j) ++taken[static_cast<std::size_t>(place_of(blocked, {i, j}))];
    CHECK(taken == std::vector<int>(taken.size(), 1));
}

TEST_CASE("elements of a tensor whose strides a call gives are those of the largest")
{
    // Rows of as many columns as parameter 1 says: the last element is behind all of the others.
    tensor rows;
    rows.dims.push_back({.extent = 4, .stride = 1, .extent_parameter = 0, .stride_parameter = 1});
    rows.dims.push_back({.extent = 5, .stride = 1, .extent_parameter = 1});
    CHECK(rows.elements() == 4 * 5);
    rows.dims[0].stride = 2; // every second row
    CHECK(rows.elements() == 3 * 10 + 5);
    rows.dims[0].stride = 1;

    // Images of parameter 7 elements, the product of the others, which no dimension is as long as: dense.
    tensor images;
    images.dims.push_back({.extent = 3, .stride = 1, .stride_parameter = 7});
    for (const dimension& d : rows.dims) images.dims.push_back(d);
    CHECK(images.elements() == 3 * 4 * 5);
    // The same in blocks: 4 of them are 3 whole ones.
    tensor blocked;
    blocked.dims.push_back({.extent = 10, .stride = 1, .block = 4, .outer_stride = 4, .outer_parameter = 7});
    for (const dimension& d : rows.dims) blocked.dims.push_back(d);
    CHECK(blocked.elements() == 12 * 4 * 5);
    images.dims[0].extent = std::int64_t{1} << 62;
    CHECK(images.elements() == saturated); // a number, however large they are
}

TEST_CASE("steps of an index that a call gives are told apart from those that are known")
{
    dim_index i = along(3, 2, 5, 1, -1);
    const dim_index known = i;
    operand o;
    o.index.push_back(along(0));
    o.index.push_back(i);
    CHECK_FALSE(i.has_parameters());
    CHECK_FALSE(has_open_windows(o));
    i.offset_parameter = 4;
    CHECK(i.has_parameters());
    CHECK(i != known);
    i = known;
    i.terms[1].parameter = 0;
    CHECK(i.has_parameters());
    CHECK(i != known);
    o.index[1] = i;
    CHECK(has_open_windows(o));
}

TEST_CASE("dense strides take the place of blocks")
{
    tensor t;
    t.dims.push_back({.extent = 19, .stride = 1, .block = 8, .outer_stride = 24});
    t.dims.push_back({.extent = 3, .stride = 8});
    set_dense(t);
    CHECK(t.elements() == 57);
    CHECK(place_of(t, {18, 2}) == 56);
}

TEST_CASE("a call is empty where an axis of outputs is, and not where a sum is")
{
    CHECK(emptying_parameters(two_stages(-1)) == 0b10);
    CHECK(emptying_parameters(two_stages(0)) == 0b10); // k = 0: y is a sum of nothing
    CHECK(emptying_parameters(two_stages(1)) == 0b10); // no output is a sum of nothing
    definition d = two_stages(1);
    d.tensors[1].role = role::output;
    CHECK(emptying_parameters(d) == 0); // now one is
    CHECK(emptying_parameters(definition{}) == 0);

    d = {};
    d.tensors.push_back({.name = "y", .role = role::output});
    d.parameters.push_back({.name = "h"});
    d.parameters.push_back({.name = "w"});
    d.parameters.push_back({.name = "h * w", .first_factor = 0, .second_factor = 1});
    stage pixels{.name = "pixels"};
    pixels.axes.push_back({"pixel", 8, false, 2});
    pixels.output.tensor = 0;
    d.stages.push_back(pixels);
    CHECK(emptying_parameters(d) == 0b111);
}
