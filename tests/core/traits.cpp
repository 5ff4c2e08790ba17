// SPDX-License-Identifier: BSL-1.0
// The traits of engine headers say what those of the standard library say.
#include <hone/core/traits.hpp>

#include <concepts>
#include <type_traits>

#include <doctest/doctest.h>

namespace {

struct base {};
struct derived : base {};
struct from_int {
    from_int(int) {}
};
struct only_asked {
    explicit operator int() const { return 1; }
};

template <class A, class B>
constexpr bool agrees_on =
    hone::core::same_as<A, B> == std::same_as<A, B> && hone::core::convertible_to<A, B> == std::convertible_to<A, B>;
template <class A, class... B>
constexpr bool agrees_with_all = (agrees_on<A, B> && ...);
template <class... A>
struct types {
    static constexpr bool agree = (agrees_with_all<A, A...> && ...);
};

} // namespace

TEST_CASE("what is the same and what converts is what the standard says, for each pair of types")
{
    CHECK(types<int, float, const char*, char*, bool, base, derived, base*, derived*, from_int, only_asked>::agree);
    CHECK(types<int&, const int&, int&&, int>::agree);
    CHECK(hone::core::convertible_to<int, from_int>);
    CHECK_FALSE(hone::core::convertible_to<only_asked, int>);
    CHECK_FALSE(hone::core::convertible_to<const char*, char*>);
}

TEST_CASE("types that are made of types are those of the standard")
{
    CHECK(std::is_same_v<hone::core::conditional_t<true, int, float>, int>);
    CHECK(std::is_same_v<hone::core::conditional_t<false, int, float>, float>);
    CHECK(std::is_same_v<hone::core::pointed_to_t<const float*>, const float>);
    CHECK(std::is_same_v<hone::core::plain_t<const int&>, int>);
    CHECK(std::is_same_v<hone::core::plain_t<int&&>, int>);
    CHECK(std::is_same_v<hone::core::plain_t<int>, int>);
    CHECK(std::is_same_v<hone::core::type_identity<int>::type, int>);
}
