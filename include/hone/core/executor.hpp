// SPDX-License-Identifier: BSL-1.0
// How a kernel asks for its parallel chunks to be run: executor.run(n, f) calls f(i, slot) once for each i in [0, n).
// A slot is a worker's number below slots(): two calls that overlap in time never share one, so scratch is per slot.
#pragma once

#include <concepts>
#include <cstdint>

namespace hone {

template <class E>
concept executor = requires(E& e, void (*f)(std::int64_t, int)) {
    {
        e.slots()
    } -> std::convertible_to<int>;
    e.run(std::int64_t{}, f);
};

// Runs the chunks one after another on the calling thread. Costs nothing.
struct serial_executor {
    static constexpr int slots() { return 1; }
    template <class F>
    static constexpr void run(std::int64_t n, F&& f)
    {
        for (std::int64_t i = 0; i < n; ++i) f(i, 0);
    }
};

} // namespace hone
