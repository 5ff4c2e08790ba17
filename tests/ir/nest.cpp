// SPDX-License-Identifier: BSL-1.0
// The tables of a nest: parameters that a call gives and those that follow, what a reduction begins with, and that a
// copy of exact size is the same nest.
#include <hone/ir/nest.hpp>

#include <cstdint>
#include <limits>
#include <set>
#include <string>

#include <doctest/doctest.h>

#include "nests.hpp"

using namespace hone;
using namespace hone::calls;
using namespace hone::test;

namespace {

constexpr float infinity = std::numeric_limits<float>::infinity();
static_assert(identity_of(reduction::add) == 0 && identity_of(reduction::none) == 0);
static_assert(identity_of(reduction::max) == -infinity && identity_of(reduction::min) == infinity);

// m, n, m * n, (m * n) * n
constexpr auto products()
{
    inline_vector<parameter, 4> all;
    all.push_back({.name = "m", .least = 2, .most = 10});
    all.push_back({.name = "n", .least = 0, .most = 7});
    all.push_back(product_of(all, "mn", 0, 1));
    all.push_back(product_of(all, "mnn", 2, 1));
    return all;
}
static_assert(given_parameters(products()) == 2);
static_assert(products()[0].is_given() && !products()[2].is_given());
static_assert(products()[2].least == 0 && products()[2].most == 70);
static_assert(products()[3].least == 0 && products()[3].most == 490);

constexpr bool is_completed()
{
    const std::int64_t given[] = {3, 5};
    std::int64_t values[4]{};
    complete(products(), given, values);
    return values[0] == 3 && values[1] == 5 && values[2] == 15 && values[3] == 75;
}
static_assert(is_completed());

// h, the windows of 5 rows with stride 2 and padding of 1 on both sides in it, and their product
constexpr auto windows()
{
    inline_vector<parameter, 3> all;
    all.push_back({.name = "h", .least = 3, .most = 10});
    all.push_back(quotient_of(all, "oh", 0, 2 - 5 + 2, 2));
    all.push_back(product_of(all, "h * oh", 0, 1));
    return all;
}
static_assert(given_parameters(windows()) == 1 && !windows()[1].is_given());
static_assert(windows()[1].least == 1 && windows()[1].most == 4 && windows()[2].most == 40);
constexpr std::int64_t windows_in(std::int64_t h)
{
    std::int64_t values[3]{};
    complete(windows(), &h, values);
    return values[2] == values[0] * values[1] ? values[1] : -1;
}
static_assert(windows_in(3) == 1 && windows_in(4) == 1 && windows_in(5) == 2 && windows_in(10) == 4);

// Two sizes, and how far apart the parts of one are in the other, counted from the first, in 256ths; and the same of
// known sizes on either side.
constexpr auto ratios()
{
    inline_vector<parameter, 5> all;
    all.push_back({.name = "h", .least = 1, .most = 10});
    all.push_back({.name = "oh", .least = 1, .most = 10});
    all.push_back({.name = "apart", .over = 0, .under = 1, .added = -1, .scale = 256});
    all.push_back({.name = "of 3", .under = 1, .scale = 3 * 256});
    all.push_back({.name = "to 3", .over = 0, .divisor = 3, .scale = 256});
    return all;
}
static_assert(given_parameters(ratios()) == 2);
constexpr std::int64_t ratio_of(int which, std::int64_t h, std::int64_t oh)
{
    const std::int64_t given[] = {h, oh};
    std::int64_t values[5]{};
    complete(ratios(), given, values);
    return values[which];
}
static_assert(ratio_of(2, 4, 7) == 128 && ratio_of(2, 4, 8) == 110 && ratio_of(2, 1, 5) == 0);
static_assert(ratio_of(2, 4, 1) == 0); // of nothing
static_assert(ratio_of(3, 9, 7) == 110 && ratio_of(4, 7, 9) == 598);

// An image, what is before and behind it, taps, how far they stand apart, and how far windows do: the windows in it,
// and their taps.
constexpr auto open_windows()
{
    inline_vector<parameter, 8> all;
    all.push_back({.name = "h", .least = 1, .most = 10});
    all.push_back({.name = "before", .least = 0, .most = 4});
    all.push_back({.name = "behind", .least = 0, .most = 3});
    all.push_back({.name = "taps", .least = 1, .most = 3});
    all.push_back({.name = "dilation", .least = 1, .most = 2});
    all.push_back({.name = "stride", .least = 2, .most = 5});
    all.push_back(windows_of(all, "oh", {0, 1, 2, 3, 4, 5}));
    all.push_back(product_of(all, "oh * taps", 6, 3));
    return all;
}
static_assert(given_parameters(open_windows()) == 6 && !open_windows()[6].is_given());
static_assert(open_windows()[6].least == 1 && open_windows()[6].most == 17 / 2 && open_windows()[7].most == 17 / 2 * 3);
static_assert(open_windows()[6].counts_windows_of(0) && !open_windows()[6].counts_windows_of(1));
static_assert(windows()[1].counts_windows_of(0) && !open_windows()[0].counts_windows_of(0));
static_assert(find_product(open_windows(), 6, 3) == 7 && find_product(open_windows(), 3, 6) == 7);
static_assert(find_product(open_windows(), 6, 0) == -1 && find_product(open_windows(), -1, 3) == -1);

// Channels in as many groups as another parameter says, and in three.
constexpr auto shares()
{
    inline_vector<parameter, 4> all;
    all.push_back({.name = "ic", .least = 3, .most = 60});
    all.push_back({.name = "groups", .least = 1, .most = 20});
    parameter share = quotient_of(all, "ic / groups", 0, 0, 1);
    share.groups = 1;
    share.is_share = true;
    all.push_back(share);
    share = quotient_of(all, "a third", 0, 0, 3);
    share.is_share = true;
    all.push_back(share);
    return all;
}
static_assert(given_parameters(shares()) == 2 && shares()[2].most == 60 && shares()[3].least == 1);
constexpr bool are_completed()
{
    const std::int64_t given[] = {24, 6};
    std::int64_t values[4]{};
    complete(shares(), given, values);
    return values[2] == 4 && values[3] == 8 && shares()[2].by(values) == 6 && shares()[3].by(values) == 3;
}
static_assert(are_completed());

// Outputs of a transposed convolution, counted as single pixels in steps of the stride, behind what is cut.
constexpr auto spread_windows()
{
    inline_vector<parameter, 8> all;
    all.push_back({.name = "h", .least = 1, .most = 10});
    all.push_back({.name = "oh", .least = 1, .most = 30});
    all.push_back({.name = "before", .least = 0, .most = 4});
    all.push_back({.name = "stride", .least = 2, .most = 5});
    all.push_back(quotient_of(all, "3 h - 1", 0, -1, 1, 3));
    all.push_back(windows_of(all, "q", {.image = 1, .before = 2, .stride = 3, .spread = 0}));
    return all;
}
static_assert(spread_windows()[4].least == 2 && spread_windows()[4].most == 29);
static_assert(spread_windows()[5].least == 1 && spread_windows()[5].most == 34 / 2);
static_assert(spread_windows()[5].counts_windows_of(0) && spread_windows()[5].counts_windows_of(1) &&
              !spread_windows()[5].counts_windows_of(2));

// Bounds of a product stay numbers, however large its factors.
constexpr bool saturates()
{
    inline_vector<parameter, 2> all;
    all.push_back({.name = "huge", .least = 1, .most = std::int64_t{1} << 40});
    all.push_back(product_of(all, "square", 0, 0));
    return all[1].most == saturated;
}
static_assert(saturates());

// One entry less in one table than this nest has.
constexpr nest small = matmul();
constexpr nest_sizes less(int nest_sizes::*table)
{
    nest_sizes s = small.sizes();
    --(s.*table);
    return s;
}

template <class E>
int names_of(std::initializer_list<E> all)
{
    std::set<std::string> names;
    for (E e : all) names.insert(name_of(e));
    return static_cast<int>(names.size());
}

} // namespace

TEST_CASE("each word has a name of its own, as nests are printed")
{
    CHECK(names_of({binding::serial, binding::unroll, binding::vectorize, binding::parallel, binding::grid,
                    binding::lane}) == 6);
    CHECK(names_of({role::none, role::input, role::weights, role::bias, role::residual, role::operand, role::output}) ==
          7);
    CHECK(std::string{name_of(binding::lane)} == "lane");
    CHECK(std::string{name_of(role::output)} == "y");
}

TEST_CASE("windows of a call are as many as fit, one after another; none where not even one does")
{
    const auto all = open_windows();
    int without = 0;
    for (const std::int64_t h : {1, 2, 7, 10})
        for (const std::int64_t before : {0, 1, 4})
            for (const std::int64_t behind : {0, 3})
                for (const std::int64_t taps : {1, 2, 3})
                    for (const std::int64_t dilation : {1, 2, 5})
                        for (const std::int64_t stride : {1, 2, 3, 20}) {
                            const std::int64_t given[] = {h, before, behind, taps, dilation, stride};
                            std::int64_t values[8]{}, count = 0;
                            complete(all, given, values);
                            for (std::int64_t at = -before; at + dilation * (taps - 1) < h + behind; at += stride)
                                ++count;
                            CHECK(values[6] == count);
                            CHECK(values[7] == count * taps);
                            const std::int64_t reach = dilation * (taps - 1) + 1;
                            CHECK(missing_of(all[6].window, values) == reach - h - before - behind);
                            without += count == 0 ? 1 : 0;
                        }
    CHECK(without > 10);
    // What is not known yet is 0: of a window without a stride nothing is said.
    const std::int64_t unknown[8]{}, of_no_stride[] = {5, 0, 0, 3, 1, 0};
    std::int64_t values[8]{};
    complete(all, unknown, values);
    CHECK(values[6] == 0);
    complete(all, of_no_stride, values);
    CHECK(values[6] == 0);
}

TEST_CASE("outputs of a transposed convolution are counted in steps of its stride, from the first that is cut")
{
    const auto all = spread_windows();
    for (const std::int64_t oh : {1, 2, 7, 30})
        for (const std::int64_t before : {0, 1, 4})
            for (const std::int64_t stride : {1, 2, 3, 20}) {
                const std::int64_t given[] = {5, oh, before, stride};
                std::int64_t values[6]{};
                complete(all, given, values);
                CHECK(values[4] == 14);
                CHECK(values[5] == (before + oh - 1) / stride + 1);
            }
}

TEST_CASE("a copy of exact size has the same tables, and no room for more")
{
    constexpr nest from = matmul({.m = 7, .n = 16, .k = 5, .tile_m = 3}, isa::avx2, 8);
    constexpr auto to = resized<from.sizes()>(from);
    CHECK(to.sizes() == from.sizes());
    CHECK_FALSE(to.overflowed());
    REQUIRE(to.nodes.size() == from.nodes.size());
    for (std::size_t i = 0; i < to.nodes.size(); ++i) CHECK(to.nodes[i] == from.nodes[i]);
    for (std::size_t i = 0; i < to.accesses.size(); ++i) CHECK(to.accesses[i] == from.accesses[i]);
    for (std::size_t i = 0; i < to.terms.size(); ++i) CHECK(to.terms[i] == from.terms[i]);
    CHECK(to.root == from.root);
    CHECK(to.vector_length == 8);
    CHECK(to.set == isa::avx2);
    CHECK(to.registers == from.registers);
    CHECK(to.ok());

    nest_sizes fewer = from.sizes();
    CHECK(fewer.nodes == static_cast<int>(from.nodes.size()));
    auto full = to;
    full.nodes.push_back({});
    CHECK(full.overflowed());
}

TEST_CASE("each table that is too small is seen")
{
    CHECK(resized<less(&nest_sizes::nodes)>(small).overflowed());
    CHECK(resized<less(&nest_sizes::terms)>(small).overflowed());
    CHECK(resized<less(&nest_sizes::variables)>(small).overflowed());
    CHECK(resized<less(&nest_sizes::exprs)>(small).overflowed());
    CHECK(resized<less(&nest_sizes::bounds)>(small).overflowed());
}

TEST_CASE("a cleared nest is a new one")
{
    nest n = reversed();
    n.found = {.what = fault::capacity};
    while (!n.bounds.overflowed()) n.bounds.push_back({});
    n.clear();
    const nest fresh;
    CHECK(n.ok());
    CHECK_FALSE(n.overflowed());
    CHECK(n.sizes() == fresh.sizes());
    CHECK(n.root == fresh.root);
    CHECK(n.set == fresh.set);
    CHECK(n.lanes == fresh.lanes);
    CHECK(n.vector_length == fresh.vector_length);
    CHECK(n.registers == fresh.registers);
}
