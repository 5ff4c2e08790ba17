// SPDX-License-Identifier: BSL-1.0
// How a kernel asks for its parallel chunks to be run: executor.run(n, f) calls f(i, slot) once for each i in [0, n).
// A slot is a worker's number below slots(): two calls of one region that overlap in time never share one, so scratch
// is per slot, and each region that may run beside another has its own.
#pragma once

#include <cstdint>

#include <hone/core/config.hpp>
#include <hone/core/rooms.hpp>
#include <hone/core/traits.hpp>

#ifndef HONE_SHOW_WARNINGS // see core/config.hpp
#pragma GCC system_header
#endif

namespace hone::core {

template <class E>
concept executor = requires(E& e, void (*f)(std::int64_t, int)) {
    {
        e.slots()
    } -> convertible_to<int>;
    e.run(std::int64_t{}, f);
};

// Work below which a region stays in the calling thread. An executor that wakes its threads faster or slower says so in
// a member `least_region_ns`; 0: it is asked for every region.
//
// While the workers of hone's pool spin, the second thread begins 0.9 us after the call; where they sleep, the call
// takes 8 us and the second thread begins after 20 (bench/wake). Two threads save 4 us of a region of 10, and lose 8
// where that region is the first after a while.
inline constexpr std::int64_t default_least_region_ns = 10'000;
template <class E>
constexpr std::int64_t least_region_ns(const E& e)
{
    if constexpr (requires { e.least_region_ns; })
        return e.least_region_ns;
    else
        return default_least_region_ns;
}

// Runs n chunks of `ns` nanoseconds in all: by the executor, or here where its threads are not worth waking.
template <class E, class F>
HONE_INLINE constexpr void run_region(E& e, std::int64_t n, std::int64_t ns, F&& f)
{
    const std::int64_t least = least_region_ns(e);
    if (least > 0 && (n <= 1 || ns < least))
        for (std::int64_t i = 0; i < n; ++i) f(i, 0);
    else
        e.run(n, static_cast<F&&>(f));
}

// Runs the chunks one after another on the calling thread. Costs nothing.
struct serial_executor {
    static constexpr std::int64_t least_region_ns = 0;
    static constexpr int slots() { return 1; }
    template <class F>
    static constexpr void run(std::int64_t n, F&& f)
    {
        for (std::int64_t i = 0; i < n; ++i) f(i, 0);
    }
};

} // namespace hone::core

namespace hone { // API
using core::executor, core::serial_executor;
} // namespace hone
