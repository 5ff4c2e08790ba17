// SPDX-License-Identifier: BSL-1.0
// Random draws: the published outputs of both generators, and the laws of draws from a range.
#include <array>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <random>
#include <vector>

#include <doctest/doctest.h>

#include <hone/model/random.hpp>

namespace {

using namespace hone::tune;

} // namespace

TEST_CASE("splitmix64 gives the outputs of its reference")
{
    splitmix64 from_zero(0);
    for (std::uint64_t expected : {0xe220a8397b1dcdafu, 0x6e789e6aa1b965f4u, 0x06c45d188009454fu, 0xf88bb8a8724c81ecu})
        CHECK(from_zero() == expected);
    splitmix64 other(1234567);
    for (std::uint64_t expected : {6457827717110365317u, 3203168211198807973u, 9817491932198370423u,
                                   4593380528125082431u, 16408922859458223821u})
        CHECK(other() == expected);
}

TEST_CASE("xoshiro256** gives the outputs of its reference")
{
    xoshiro256 bits(std::array<std::uint64_t, 4>{1, 2, 3, 4});
    for (std::uint64_t expected :
         {std::uint64_t{11520}, std::uint64_t{0}, std::uint64_t{1509978240}, std::uint64_t{1215971899390074240u},
          std::uint64_t{1216172134540287360u}, std::uint64_t{607988272756665600u}, std::uint64_t{16172922978634559625u},
          std::uint64_t{8476171486693032832u}, std::uint64_t{10595114339597558777u},
          std::uint64_t{2904607092377533576u}})
        CHECK(bits() == expected);
    static_assert(std::uniform_random_bit_generator<xoshiro256>);
}

TEST_CASE("a seed fills the state by splitmix64")
{
    splitmix64 fill(42);
    std::array<std::uint64_t, 4> state{};
    for (std::uint64_t& word : state) word = fill();
    xoshiro256 by_state(state), by_seed(42), other(43);
    const std::uint64_t first = by_seed();
    CHECK(first == by_state());
    CHECK(first == 1546998764402558742u);
    CHECK(first != other());
}

TEST_CASE("draws below a bound take every value, equally often")
{
    for (std::size_t count : {1u, 2u, 3u, 7u, 24u, 64u}) {
        CAPTURE(count);
        xoshiro256 bits(7);
        std::vector<int> seen(count, 0);
        const int draws = 20000;
        for (int i = 0; i < draws; ++i) {
            const std::size_t place = bits.below(count);
            REQUIRE(place < count);
            ++seen[place];
        }
        // Five deviations of a binomial count.
        const double share = 1.0 / static_cast<double>(count);
        const double tolerance = 5 * std::sqrt(draws * share * (1 - share));
        for (int times : seen) CHECK(std::fabs(times - draws * share) <= tolerance);
    }
    xoshiro256 bits(7);
    const std::size_t large = (std::size_t{1} << 63) + 1;
    for (int i = 0; i < 100; ++i) CHECK(bits.below(large) < large);
}

TEST_CASE("unit draws stay in [0, 1) and are even")
{
    xoshiro256 bits(3);
    double sum = 0, squares = 0;
    const int draws = 20000;
    for (int i = 0; i < draws; ++i) {
        const double u = bits.unit();
        REQUIRE((u >= 0 && u < 1));
        sum += u;
        squares += u * u;
    }
    CHECK(sum / draws == doctest::Approx(0.5).epsilon(0.02));
    CHECK(squares / draws == doctest::Approx(1.0 / 3).epsilon(0.03));
}
