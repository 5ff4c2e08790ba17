// SPDX-License-Identifier: BSL-1.0
// What counts as an executor, and when a region is worth asking one for.
#include <hone/core/executor.hpp>

#include <cstdint>
#include <utility>
#include <vector>

#include <doctest/doctest.h>

using namespace hone;
using namespace hone::core;

namespace {

struct counting {
    int regions = 0;
    std::vector<std::pair<std::int64_t, int>> calls{};

    int slots() const { return 3; }
    template <class F>
    void run(std::int64_t n, F&& f)
    {
        ++regions;
        for (std::int64_t i = 0; i < n; ++i) {
            const int slot = static_cast<int>(i % slots());
            calls.emplace_back(i, slot);
            f(i, slot);
        }
    }
};
struct eager : counting {
    static constexpr std::int64_t least_region_ns = 0;
};
struct lazy : counting {
    std::int64_t least_region_ns = 1'000'000;
};

struct without_slots {
    void run(std::int64_t, void (*)(std::int64_t, int)) {}
};
struct without_slot_of_call {
    int slots() const { return 1; }
    void run(std::int64_t, void (*)(std::int64_t)) {}
};
struct with_slots_as_text {
    const char* slots() const { return "1"; }
    void run(std::int64_t, void (*)(std::int64_t, int)) {}
};

static_assert(executor<serial_executor> && executor<counting>);
static_assert(!executor<int> && !executor<without_slots> && !executor<without_slot_of_call>);
static_assert(!executor<with_slots_as_text>);

static_assert(least_region_ns(counting{}) == default_least_region_ns);
static_assert(least_region_ns(eager{}) == 0 && least_region_ns(lazy{}) == 1'000'000);

// Each index once, in order, in slot 0: at compile time, too.
constexpr std::int64_t digits_in_order(std::int64_t n)
{
    std::int64_t digits = 0;
    serial_executor::run(n, [&](std::int64_t i, int slot) { digits = 10 * digits + i + slot; });
    return digits;
}
static_assert(serial_executor::slots() == 1);
static_assert(digits_in_order(5) == 1234 && digits_in_order(0) == 0);

struct visited {
    int regions;
    std::vector<std::pair<std::int64_t, int>> calls; // index and slot, as the region saw them
};
template <class E>
visited visits(E e, std::int64_t n, std::int64_t ns)
{
    visited v{};
    run_region(e, n, ns, [&](std::int64_t i, int slot) { v.calls.emplace_back(i, slot); });
    v.regions = e.regions;
    if (v.regions > 0) CHECK(v.calls == e.calls);
    return v;
}

} // namespace

TEST_CASE("a region goes to the executor where it lasts long enough and has several chunks, else it stays here")
{
    const auto asked = [](auto e, std::int64_t n, std::int64_t ns) { return visits(e, n, ns).regions; };
    CHECK(asked(counting{}, 4, default_least_region_ns) == 1);
    CHECK(asked(counting{}, 4, default_least_region_ns - 1) == 0);
    CHECK(asked(counting{}, 1, 1'000'000'000) == 0);
    CHECK(asked(lazy{}, 4, 999'999) == 0);
    CHECK(asked(lazy{}, 4, 1'000'000) == 1);
    // Who asks for every region gets those of one chunk and of no time.
    CHECK(asked(eager{}, 1, 0) == 1);
}

TEST_CASE("wherever a region runs, each chunk runs once, in a slot that there is")
{
    for (const std::int64_t ns : {std::int64_t{0}, std::int64_t{1} << 40})
        for (const std::int64_t n : {0, 1, 2, 7}) {
            CAPTURE(ns);
            CAPTURE(n);
            const visited v = visits(counting{}, n, ns);
            REQUIRE(v.calls.size() == static_cast<std::size_t>(n));
            for (std::int64_t i = 0; i < n; ++i) {
                CHECK(v.calls[static_cast<std::size_t>(i)].first == i);
                CHECK(v.calls[static_cast<std::size_t>(i)].second == (v.regions > 0 ? i % 3 : 0));
            }
        }
}
