// SPDX-License-Identifier: BSL-1.0
// The pack of the numbers 0 to N - 1 is that of the standard library.
#include <hone/core/sequence.hpp>

#include <type_traits>
#include <utility>

#include <doctest/doctest.h>

using namespace hone;
using namespace hone::core;

namespace {

static_assert(std::is_same_v<make_sequence<0>, sequence<>>);
static_assert(std::is_same_v<make_sequence<1>, sequence<0>>);
static_assert(std::is_same_v<make_sequence<4>, sequence<0, 1, 2, 3>>);

template <int... I>
constexpr bool is_that_of_the_library(sequence<I...>)
{
    return std::is_same_v<std::integer_sequence<int, I...>, std::make_integer_sequence<int, sizeof...(I)>>;
}
static_assert(is_that_of_the_library(make_sequence<300>{}));

template <int... I>
constexpr int sum_of(sequence<I...>)
{
    return (0 + ... + I);
}

} // namespace

TEST_CASE("functions deduce the numbers, in order")
{
    CHECK(sum_of(make_sequence<200>{}) == 199 * 200 / 2); // clang folds 256 at most
    CHECK(sum_of(make_sequence<0>{}) == 0);
    int digits = 0;
    [&]<int... I>(sequence<I...>) { ((digits = 10 * digits + I), ...); }(make_sequence<6>{});
    CHECK(digits == 12345);
}
