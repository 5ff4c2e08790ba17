// SPDX-License-Identifier: BSL-1.0
// The first lanes of a vector, as many as there are: read and written up to the edge of a page that nobody may touch.
#include <hone/cpu/first_lanes.hpp>

#include <doctest/doctest.h>

#include <hone/core/isa.hpp>
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

template <class Number, int N, int... C>
int wrong(sequence<C...>)
{
    return (0 + ... + (holds<Number, N, C + 1>() ? 0 : 1));
}

} // namespace

TEST_CASE("of each number of lanes, those are loaded and stored, and nothing beside them")
{
    CHECK(wrong<float, lanes>(make_sequence<lanes>()) == 0);
    CHECK(wrong<float, 4>(make_sequence<4>()) == 0);
    CHECK(wrong<double, lanes / 2>(make_sequence<lanes / 2>()) == 0);
}
