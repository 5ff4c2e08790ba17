// SPDX-License-Identifier: BSL-1.0
// A value or a fault: which of them it is, and that the value is there to be used either way.
#include <hone/core/result.hpp>

#include <string>

#include <doctest/doctest.h>

using namespace hone;

namespace {

struct point {
    int x = 3;
    constexpr int doubled() const { return 2 * x; }
    friend constexpr bool operator==(const point&, const point&) = default;
};

constexpr result<point> point_below(int x, int limit)
{
    if (x >= limit) return {.found = {fault::extent_too_large, limit, x, "x"}};
    return {.value = {x}};
}

static_assert(point_below(4, 5).ok() && point_below(4, 5)->x == 4);
static_assert(!point_below(5, 5).ok());
static_assert(point_below(5, 5).value == point{}); // as constructed by default, not as left behind
static_assert(point_below(5, 5).found.what == fault::extent_too_large);
static_assert(point_below(7, 5).found.expected == 5 && point_below(7, 5).found.found == 7);

} // namespace

TEST_CASE("the members of the value are those of the result, to read and to write")
{
    result<point> r = point_below(4, 5);
    r->x = 9;
    CHECK(r.value.x == 9);
    const result<point>& same = r;
    CHECK(same->doubled() == 18);
    CHECK(same.operator->() == &r.value);
}

TEST_CASE("a fault keeps its sentence and its subject")
{
    const result<std::string> r{.found = {.what = fault::capacity, .subject = "nodes"}};
    CHECK_FALSE(r.ok());
    CHECK(r.value.empty());
    CHECK(std::string{r.found.message()} == message_of(fault::capacity));
    CHECK(std::string{r.found.subject} == "nodes");
}
