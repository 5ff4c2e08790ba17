// SPDX-License-Identifier: BSL-1.0
// The first lanes of a vector, as many as there are, those from another one on, and those that lie apart: read and
// written up to the edge of a page that nobody may touch.
#include <hone/cpu/first_lanes.hpp>

#include <doctest/doctest.h>

#include <hone/core/isa.hpp>
#include <hone/cpu/simd.hpp>
#include <hone/process/guarded_memory.hpp>

namespace {

using namespace hone;
using namespace hone::codegen;

constexpr isa set = compiled_isa();
constexpr int lanes = lanes_of(set, dtype::f32);

template <class Number, int N, int Count>
bool holds()
{
    using first = first_lanes<set, Number, N>;
    using tune::measuring::guarded_memory;
    const guarded_memory memory("lanes", 2 * N * sizeof(Number), tune::measuring::flush::to_end);
    Number* const all = reinterpret_cast<Number*>(memory.floats());
    Number* const at = all + 2 * N - Count; // behind its last element lies the page
    bool good = true;
    for (int l = 0; l < 2 * N; ++l) all[l] = static_cast<Number>(100 + l);
    const auto v = first::template load<Count>(at);
    for (int l = 0; l < N; ++l) good = good && v[l] == (l < Count ? at[l] : Number{});
    lane_vector<Number, N> w{};
    for (int l = 0; l < N; ++l) w[l] = static_cast<Number>(-1 - l);
    first::template store<Count>(at, w);
    for (int l = 0; l < 2 * N; ++l) {
        const int lane = l - (2 * N - Count);
        good = good && all[l] == static_cast<Number>(lane >= 0 ? -1 - lane : 100 + l);
    }
    // Nothing is written behind them either, where there is memory.
    for (int l = 0; l < 2 * N; ++l) all[l] = static_cast<Number>(100 + l);
    first::template store<Count>(all, w);
    for (int l = 0; l < 2 * N; ++l) good = good && all[l] == static_cast<Number>(l < Count ? -1 - l : 100 + l);
    return good;
}

// The same where the count is known at run time, in the middle of memory as well.
template <class Number, int N>
bool holds_at_run_time(int count)
{
    using first = first_lanes<set, Number, N>;
    using tune::measuring::guarded_memory;
    const guarded_memory memory("lanes", 2 * N * sizeof(Number), tune::measuring::flush::to_end);
    Number* const all = reinterpret_cast<Number*>(memory.floats());
    bool good = true;
    for (Number* const at : {all + 2 * N - count, all}) {
        for (int l = 0; l < 2 * N; ++l) all[l] = static_cast<Number>(100 + l);
        const auto v = first::load(at, count);
        for (int l = 0; l < N; ++l) good = good && v[l] == (l < count ? at[l] : Number{});
        lane_vector<Number, N> w{};
        for (int l = 0; l < N; ++l) w[l] = static_cast<Number>(-1 - l);
        first::store(at, w, count);
        for (int l = 0; l < 2 * N; ++l) {
            const auto lane = static_cast<int>(all + l - at);
            good = good && all[l] == static_cast<Number>(lane >= 0 && lane < count ? -1 - lane : 100 + l);
        }
    }
    return good;
}

template <class Number, int N, int... C>
int wrong(sequence<C...>)
{
    return (0 + ... + (holds<Number, N, C + 1>() ? 0 : 1));
}

// Lanes [First, Count), Stride elements apart, of memory that begins or ends with them.
template <class Number, int N, int Stride, int First, int Count>
bool holds_apart()
{
    using own = simd<set, Number, N>;
    using namespace tune::measuring;
    constexpr int reach = (Count - First - 1) * Stride + 1;
    bool good = true;
    for (const flush side : {flush::to_begin, flush::to_end}) {
        const guarded_memory memory("lanes", reach * sizeof(Number), side);
        Number* const all = reinterpret_cast<Number*>(memory.floats());
        for (int i = 0; i < reach; ++i) all[i] = static_cast<Number>(100 + i);
        const Number* const origin = all - First * Stride; // where lane 0 would stand
        const auto check = [&](const typename own::vector& v, bool clears) {
            for (int l = 0; l < N; ++l)
                if (l >= First && l < Count)
                    good = good && v[l] == origin[l * Stride];
                else if (clears)
                    good = good && v[l] == Number{};
        };
        check(own::template load_strided<Stride, First, Count>(origin), false);
        check(own::template gather<Count, First>(origin, Stride), true);
        if constexpr (Stride == 1) check(own::template load_from<First, Count>(origin), true);
    }
    return good;
}
template <class Number, int N, int Stride, int First, int... C>
int wrong_apart(sequence<C...>)
{
    return (0 + ... + (holds_apart<Number, N, Stride, First, First + C + 1>() ? 0 : 1));
}
template <class Number, int N, int Stride>
int wrong_apart()
{
    return wrong_apart<Number, N, Stride, 0>(make_sequence<N>()) +
           wrong_apart<Number, N, Stride, 1>(make_sequence<N - 1>()) +
           wrong_apart<Number, N, Stride, N - 2>(make_sequence<2>());
}

} // namespace

TEST_CASE("of each number of lanes, those are loaded and stored, and nothing beside them")
{
    CHECK(wrong<float, lanes>(make_sequence<lanes>()) == 0);
    CHECK(wrong<float, 4>(make_sequence<4>()) == 0);
    CHECK(wrong<double, lanes / 2>(make_sequence<lanes / 2>()) == 0);
}

TEST_CASE("lanes that lie apart are loaded from any lane on, and nothing outside of them")
{
    CHECK(wrong_apart<float, lanes, 1>() == 0);
    CHECK(wrong_apart<float, lanes, 2>() == 0);
    CHECK(wrong_apart<float, lanes, 3>() == 0);
    CHECK(wrong_apart<float, lanes, 4>() == 0);
    CHECK(wrong_apart<float, lanes, 5>() == 0);
    CHECK(wrong_apart<double, lanes / 2, 2>() == 0);
    CHECK(wrong_apart<double, lanes / 2, 3>() == 0);
}

TEST_CASE("of a number of lanes that is known at run time, those are, too")
{
    for (int count = 1; count < lanes; ++count) CHECK(holds_at_run_time<float, lanes>(count));
    for (int count = 1; count < 4; ++count) CHECK(holds_at_run_time<float, 4>(count));
    for (int count = 1; count < lanes / 2; ++count) CHECK(holds_at_run_time<double, lanes / 2>(count));
}
