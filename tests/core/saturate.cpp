// SPDX-License-Identifier: BSL-1.0
// Sums and products are exact as long as they are below the limit, and the limit from then on.
#include <cstdint>
#include <limits>

#include <doctest/doctest.h>

#include <hone/core/saturate.hpp>

using namespace hone;
using namespace hone::codegen;

static_assert(saturated_product(3, 5) == 15);
static_assert(saturated_product(-3, 5) == -15);
static_assert(saturated_product(-3, -5) == 15);
static_assert(saturated_product(0, std::numeric_limits<std::int64_t>::min()) == 0);
static_assert(saturated_product(2, 3, 4, 5) == 120);
static_assert(saturated_sum(saturated, saturated) == saturated);

TEST_CASE("what fits is exact, and what does not is the limit with its sign")
{
    constexpr std::int64_t least = std::numeric_limits<std::int64_t>::min(),
                           most = std::numeric_limits<std::int64_t>::max();
    const std::int64_t values[] = {
        0, 1, 2, 3, std::int64_t{1} << 31, (std::int64_t{1} << 31) + 1, saturated / 3, saturated - 1, saturated, most};
    for (const std::int64_t a : values)
        for (const std::int64_t b : values) {
            CAPTURE(a);
            CAPTURE(b);
            const double exact = static_cast<double>(a) * static_cast<double>(b);
            const std::int64_t product = saturated_product(a, b);
            if (exact < static_cast<double>(saturated) * 0.999)
                CHECK(product == a * b);
            else if (exact > static_cast<double>(saturated) * 1.001)
                CHECK(product == saturated);
            CHECK(product <= saturated);
            CHECK(saturated_product(b, a) == product);
            CHECK(saturated_product(-a, b) == -product);
            CHECK(saturated_product(-a, -b) == product);
            if (a > saturated || b > saturated) continue;
            CHECK(saturated_sum(a, b) == (a > saturated - b ? saturated : a + b));
        }
    CHECK(saturated_product(least, 1) == -saturated);
    CHECK(saturated_product(least, least) == saturated);
    CHECK(saturated_product(most, 2, 2, 2) == saturated);
    CHECK(saturated_magnitude(least) == saturated);
    CHECK(saturated_magnitude(-7) == 7);
}
