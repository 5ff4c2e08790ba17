// SPDX-License-Identifier: BSL-1.0
// One variant in this process: a right one passes, and what is wrong with the others is a sentence. Those that end
// their process are measured in children (tests/measure/planted_kernels.cpp).
#include <hone/tune/cpu/prepared_variant.hpp>

#include <cmath>
#include <cstddef>
#include <cstdint>
#include <string>

#include <doctest/doctest.h>

#include <hone/core/executor.hpp>
#include <hone/measure/problem.hpp>

#include "tuner_rig.hpp"

using namespace hone;
using namespace hone::operators;
using namespace hone::test;

namespace {

using naive_tiny = tune::naive_kernel<tiny, isa::baseline>;
constexpr tune::variant right_variant = tune::variant_of<naive_tiny>();
int calls_of_variant = 0;

// The right one, with a change behind it.
template <status (*Then)(const arguments&)>
constexpr tune::variant with_change()
{
    tune::variant v = right_variant;
    v.run = [](const executor_ref& e, const arguments& a) -> status {
        ++calls_of_variant;
        const status s = right_variant.run(e, a);
        return s.ok() ? Then(a) : s;
    };
    return v;
}
status changes_nothing(const arguments&) { return {}; }
status adds_one(const arguments& a)
{
    a.y.as<float>()[7] += 1;
    return {};
}
status fails_at_last(const arguments& a)
{
    if (calls_of_variant == 7) a.y.as<float>()[119] = NAN;
    return {};
}
status writes_before_y(const arguments& a)
{
    if (calls_of_variant > 2) a.y.as<float>()[-1] = 0;
    return {};
}
status writes_to_x(const arguments& a)
{
    if (calls_of_variant == 7) const_cast<float*>(a.x.as<float>())[3] *= 2;
    return {};
}
status reports_late(const arguments&)
{
    return calls_of_variant > 4 ? status{.what = fault::workspace_missing, .subject = "late"} : status{};
}
status takes_y_away(const arguments& a)
{
    const_cast<arguments&>(a).y = nullptr;
    return {};
}

// Verified with two draws, then timed as a child does; what is said of it.
std::string said_of(const tune::variant& v)
{
    static const tune::problem p = tune::problem_of(tiny::definition(), 1, {tune::arithmetic::direct});
    serial_executor serial;
    calls_of_variant = 0;
    tune::measuring::prepared_variant prepared(v, p, tune::arithmetic::direct, reference_to(serial));
    double ms = -1;
    if (const auto wrong = prepared.verify(p.signs(), tune::measuring::flush::to_end, ms)) return *wrong;
    CHECK(ms >= 0);
    if (const auto wrong = prepared.verify(p.specials(), tune::measuring::flush::to_begin, ms)) return *wrong;
    CHECK(prepared.error() < 1e-6);
    tune::measuring::weight_rotation weights;
    prepared.prepare(weights, tune::cache_mode::hot);
    CHECK(prepared.milliseconds(3, weights, tune::measuring::timed_calls::others) >= 0);
    CHECK(prepared.milliseconds(2, weights, tune::measuring::timed_calls::last) >= 0);
    return prepared.wrong().value_or("");
}

} // namespace

TEST_CASE("a right kernel is right whatever it is given, and called as often as is said")
{
    CHECK(said_of(right_variant) == "");
    CHECK(said_of(with_change<changes_nothing>()) == "");
    CHECK(calls_of_variant == 2 + 3 + 2);
}

TEST_CASE("what is wrong with a kernel is said, in its first call or in its last")
{
    CHECK(said_of(with_change<adds_one>()).starts_with("y[7] is "));
    CHECK(calls_of_variant == 1);
    CHECK(said_of(with_change<fails_at_last>()).starts_with("y[119] is "));
    CHECK(said_of(with_change<writes_before_y>()) == "it wrote outside a buffer");
    CHECK(said_of(with_change<writes_to_x>()) == "it wrote to an operand");
    CHECK(said_of(with_change<reports_late>()).ends_with("[late]"));
    CHECK(said_of(with_change<takes_y_away>()) == "it changed its executor or its arguments");
}

TEST_CASE("floats between guards begin poisoned at a line, and a touch on either side is found")
{
    for (const std::size_t count : {std::size_t{0}, std::size_t{1}, std::size_t{100}}) {
        const tune::measuring::framed_floats f(count);
        CHECK(f.size() == count);
        CHECK(reinterpret_cast<std::uintptr_t>(f.data()) % 64 == 0);
        for (std::size_t i = 0; i < count; ++i) CHECK(std::isnan(f.data()[i]));
        CHECK(f.guards_hold());
        f.data()[-1] = 0;
        CHECK_FALSE(f.guards_hold());
        const tune::measuring::framed_floats other(count);
        other.data()[count] = 0;
        CHECK_FALSE(other.guards_hold());
    }
}

TEST_CASE("a place at random is below what it is asked to be below, and reaches all of it")
{
    tune::measuring::random_places places;
    bool met[5]{};
    for (int i = 0; i < 1000; ++i) {
        const std::size_t at = places.below(5);
        REQUIRE(at < 5);
        met[at] = true;
    }
    for (const bool m : met) CHECK(m);
    CHECK(places.below(1) == 0);
}
