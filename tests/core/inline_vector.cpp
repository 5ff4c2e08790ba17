// SPDX-License-Identifier: BSL-1.0
// Laws of the vector that nests are made of: it agrees with std::vector up to its capacity, and remembers, never
// writes, what goes beyond.
#include <hone/core/inline_vector.hpp>

#include <cstdint>
#include <vector>

#include <doctest/doctest.h>

using namespace hone;
using namespace hone::core;

namespace {

// A literal type, usable as a template argument where its elements are.
template <inline_vector<int, 4> V>
constexpr int sum = [] {
    int s = 0;
    for (int v : V) s += v;
    return s;
}();
constexpr inline_vector<int, 4> up_to(int n)
{
    inline_vector<int, 4> v;
    for (int i = 1; i <= n; ++i) v.push_back(i);
    return v;
}
static_assert(sum<up_to(0)> == 0);
static_assert(sum<up_to(4)> == 10);
static_assert(sum<up_to(9)> == 10);

static_assert(up_to(4).size() == 4 && !up_to(4).overflowed());
static_assert(up_to(5).size() == 4 && up_to(5).overflowed());
static_assert(up_to(5).back() == 4);
static_assert(up_to(3) == up_to(3));
static_assert(!(up_to(3) == up_to(2)));
static_assert(inline_vector<int, 4>::capacity == 4);

// The index of the new element; of the last one when full.
constexpr int index_after(int n)
{
    inline_vector<int, 4> v = up_to(n);
    return v.push_back(7);
}
static_assert(index_after(0) == 0);
static_assert(index_after(3) == 3);
static_assert(index_after(4) == 3);

// Without capacity everything overflows.
constexpr bool overflows_at_once()
{
    inline_vector<int, 0> v;
    const bool was_empty = v.empty() && !v.overflowed() && v.begin() == v.end();
    v.push_back(1);
    return was_empty && v.overflowed() && v.empty();
}
static_assert(overflows_at_once());

// What was taken away does not count, and comes back as new.
constexpr bool compares_live_elements()
{
    inline_vector<int, 4> a = up_to(3);
    a.pop_back();
    if (!(a == up_to(2))) return false;
    a.resize(3);
    return a[2] == 0 && a.size() == 3;
}
static_assert(compares_live_elements());

constexpr bool resizes_within_capacity()
{
    inline_vector<int, 4> a = up_to(2);
    a.resize(5);
    if (!a.overflowed() || a.size() != 4 || a[1] != 2 || a[3] != 0) return false;
    a.clear();
    return a.empty() && !a.overflowed();
}
static_assert(resizes_within_capacity());

} // namespace

TEST_CASE("random steps agree with std::vector")
{
    inline_vector<std::uint32_t, 6> v;
    std::vector<std::uint32_t> expected;
    bool overflowed = false;
    std::uint32_t random = 1;
    for (int step = 0; step < 2000; ++step) {
        random = random * 1664525u + 1013904223u;
        CAPTURE(step);
        switch (random >> 28) {
        case 0:
            v.clear();
            expected.clear();
            overflowed = false;
            break;
        case 1: {
            const std::size_t size = (random >> 20) % 9;
            v.resize(size);
            expected.resize(size < 6 ? size : 6);
            overflowed = overflowed || size > 6;
            break;
        }
        case 2:
        case 3:
        case 4:
            if (!expected.empty()) {
                v.pop_back();
                expected.pop_back();
            }
            break;
        default:
            v.push_back(random);
            if (expected.size() < 6)
                expected.push_back(random);
            else
                overflowed = true;
        }
        CHECK(std::vector<std::uint32_t>(v.begin(), v.end()) == expected);
        CHECK(v.empty() == expected.empty());
        CHECK(v.overflowed() == overflowed);
        if (!expected.empty()) CHECK(v.back() == expected.back());
    }
}
