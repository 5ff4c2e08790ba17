// SPDX-License-Identifier: BSL-1.0
// The control bits of a thread's floating-point unit: what they govern changes with them and comes back with them, and
// what has happened is no part of them.
#include <hone/run/processor.hpp>

#include <atomic>
#include <cfenv>
#include <cstdint>
#include <thread>

#include <doctest/doctest.h>

using namespace hone;
using namespace hone::calls;

namespace {

// Computed when it is asked for.
float sum_of(float a, float b)
{
    volatile float x = a, y = b;
    return x + y;
}
float quotient_of(float a, float b)
{
    volatile float x = a, y = b;
    return x / y;
}

// Rounds up until it goes.
class rounding_up {
public:
    rounding_up() { std::fesetround(FE_UPWARD); }
    rounding_up(const rounding_up&) = delete;
    rounding_up& operator=(const rounding_up&) = delete;
    ~rounding_up() { std::fesetround(FE_TONEAREST); }
};

} // namespace

#if defined(__SSE__) || defined(__aarch64__)

TEST_CASE("the bits of a mode are read, and set it again")
{
    const std::uint64_t usual = float_control();
    CHECK(sum_of(1.0f, 0x1p-30f) == 1.0f);
    const rounding_up up;
    const std::uint64_t upwards = float_control();
    CHECK(upwards != usual);
    CHECK(sum_of(1.0f, 0x1p-30f) > 1.0f);
    set_float_control(usual);
    CHECK(float_control() == usual);
    CHECK(sum_of(1.0f, 0x1p-30f) == 1.0f);
    set_float_control(upwards);
    CHECK(float_control() == upwards);
    CHECK(sum_of(1.0f, 0x1p-30f) > 1.0f);
}

TEST_CASE("the mode of a thread is its own")
{
    const std::uint64_t usual = float_control();
    std::uint64_t upwards = usual;
    std::thread([&] {
        const rounding_up up;
        upwards = float_control();
    }).join();
    CHECK(upwards != usual);
    CHECK(float_control() == usual);
}

#else

TEST_CASE("a processor whose bits are not known has none")
{
    const rounding_up up;
    CHECK(float_control() == 0);
    set_float_control(1);
    CHECK(float_control() == 0);
}

#endif

TEST_CASE("exceptions that have happened are no part of the mode, and setting it keeps them")
{
    std::feclearexcept(FE_ALL_EXCEPT);
    const std::uint64_t before = float_control();
    CHECK(quotient_of(1.0f, 3.0f) * 3.0f >= 0.99f); // inexact
    CHECK(float_control() == before);
    CHECK(std::fetestexcept(FE_INEXACT) != 0);
    set_float_control(before);
    CHECK(std::fetestexcept(FE_INEXACT) != 0);
}

TEST_CASE("a thread that pauses sees what another writes")
{
    std::atomic<int> written{0};
    std::thread other([&] { written.store(1); });
    while (written.load() == 0) spin_pause();
    other.join();
    CHECK(written.load() == 1);
}
