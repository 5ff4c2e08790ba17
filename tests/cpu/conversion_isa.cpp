// SPDX-License-Identifier: BSL-1.0
// What memory holds in another type than is computed in: each half, and floats where doubles are computed in, loaded
// and stored by vectors of each length, whole and in part.
#include <hone/cpu/conversion.hpp>

#include <cmath>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <type_traits>
#include <vector>

#include <doctest/doctest.h>

using namespace hone;
using namespace hone::codegen;

namespace {

constexpr isa set = compiled_isa();

template <class T>
bool is_same(T a, T b)
{
    return std::isnan(a) ? std::isnan(b) : std::memcmp(&a, &b, sizeof(T)) == 0;
}

std::vector<half> all_halves()
{
    std::vector<half> all;
    for (int i = 0; i < 0x10000; ++i) all.push_back(half::of_bits(static_cast<std::uint16_t>(i)));
    return all;
}

// f(length) of each length of vectors of T that the registers have.
template <class T, class F>
void for_each_length(F f)
{
    const auto of = [&]<std::size_t Bytes>(std::integral_constant<std::size_t, Bytes>) {
        if constexpr (Bytes <= static_cast<std::size_t>(row_of(set).register_bytes))
            f(std::integral_constant<int, static_cast<int>(Bytes / sizeof(T))>());
    };
    of(std::integral_constant<std::size_t, 16>());
    of(std::integral_constant<std::size_t, 32>());
    of(std::integral_constant<std::size_t, 64>());
}

// Whether loads give each element its value; of the first Count of a vector, with nothing read behind them.
template <class Memory, class T>
bool loads(const std::vector<Memory>& from)
{
    bool all = true;
    for_each_length<T>([&]<int N>(std::integral_constant<int, N>) {
        using c = conversion<set, Memory, T, N>;
        constexpr int part = N / 2 + 1;
        for (std::size_t i = 0; i + N <= from.size(); i += N) {
            const auto whole = c::load(from.data() + i);
            for (int l = 0; l < N; ++l)
                all = all && is_same<T>(whole[l], static_cast<T>(from[i + static_cast<std::size_t>(l)]));
        }
        // In memory of their own, whose end sanitizers see.
        for (std::size_t i = 0; i + part <= from.size(); i += 211) {
            const std::vector<Memory> few(from.begin() + static_cast<std::ptrdiff_t>(i),
                                          from.begin() + static_cast<std::ptrdiff_t>(i) + part);
            const auto first = c::template load_first<part>(few.data());
            for (int l = 0; l < N; ++l)
                all = all && is_same<T>(first[l], l < part ? static_cast<T>(few[static_cast<std::size_t>(l)]) : T(0));
        }
    });
    return all;
}

} // namespace

TEST_CASE("each half is read as its value, denormals, infinities and NaN too")
{
    CHECK(loads<half, float>(all_halves()));
    CHECK(loads<half, double>(all_halves()));
}

#if defined(__SSE__)
TEST_CASE("denormal halves are no denormal floats: where those are taken for zero, these are not")
{
    const unsigned before = __builtin_ia32_stmxcsr();
    __builtin_ia32_ldmxcsr(before | 0x8040); // flush to zero, denormals are zero
    const bool found = loads<half, float>(all_halves());
    __builtin_ia32_ldmxcsr(before);
    CHECK(found);
}
#endif

TEST_CASE("floats are read as doubles exactly, and doubles are rounded where floats are stored")
{
    const std::vector<float> floats{0.1f,  -2.5f, 0.0f, -0.0f, 0x1p-149f, 0x1.fffffep127f, -INFINITY, NAN,
                                    1e-3f, 7.0f,  -1e6, 3.5f,  0x1p-126f, 1.0f / 3,        -123.25f,  42.0f};
    CHECK(loads<float, double>(floats));
    const double doubles[8] = {0.1, -1.0 / 3, 1e300, 1e-50, -0.0, 1 + 0x1p-30, -1e6, INFINITY};
    for_each_length<double>([&]<int N>(std::integral_constant<int, N>) {
        using c = conversion<set, float, double, N>;
        lane_vector<double, N> v{};
        for (int l = 0; l < N; ++l) v[l] = doubles[l];
        constexpr int part = N / 2 + 1;
        float whole[N + 1]{}, first[N + 1]{};
        c::store(whole, v);
        c::template store_first<part>(first, v);
        for (int l = 0; l <= N; ++l) {
            CHECK(is_same(whole[l], l < N ? static_cast<float>(doubles[l]) : 0.0f));
            CHECK(is_same(first[l], l < part ? static_cast<float>(doubles[l]) : 0.0f));
        }
    });
}
