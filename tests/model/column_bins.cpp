// SPDX-License-Identifier: BSL-1.0
// Bins of training columns: which columns stay, what goes into which bin, where splits are.
#include <cmath>
#include <cstddef>
#include <limits>
#include <utility>
#include <vector>

#include <doctest/doctest.h>

#include <hone/model/column_bins.hpp>
#include <hone/model/random.hpp>

namespace {

using namespace hone::tune;

constexpr float endless = std::numeric_limits<float>::infinity();
constexpr float no_number = std::numeric_limits<float>::quiet_NaN();

// Rows of the columns that are given.
struct table {
    std::vector<std::vector<float>> rows{};

    explicit table(const std::vector<std::vector<float>>& columns) : rows(columns[0].size())
    {
        for (const auto& c : columns)
            for (std::size_t r = 0; r < c.size(); ++r) rows[r].push_back(c[r]);
    }
    std::vector<feature_row> spans() const { return {rows.begin(), rows.end()}; }
};

} // namespace

TEST_CASE("columns that do not vary and columns that vary alike are dropped")
{
    const table t({{5, 5, 5, 5}, {1, 2, 3, 4}, {10, 20, 30, 40}, {0, 0, 1, 1}, {no_number, -endless, 7, 7}});
    const column_bins b(t.spans());
    REQUIRE(b.columns() == 2);
    // Few bins first.
    CHECK(b[0].source == 3);
    CHECK(b[1].source == 1);
    CHECK(b[0].low.size() == 2);
    CHECK(b[1].low.size() == 4);
}

TEST_CASE("few values have a bin each, in order")
{
    const table t({{3, -1, endless, 3, no_number, 0.5f, -endless}});
    const column_bins b(t.spans());
    REQUIRE(b.columns() == 1);
    const std::vector<float> values{-endless, -1, 0.5f, 3, endless};
    CHECK(b[0].low == values);
    CHECK(b[0].high == values);
    const int expected[] = {3, 1, 4, 3, 0, 2, 0};
    for (std::size_t r = 0; r < 7; ++r) CHECK(b.bin(0, r) == expected[r]);
}

TEST_CASE("many values share bins of about equal weight that do not overlap")
{
    xoshiro256 bits(1);
    std::vector<float> column(3000);
    for (float& v : column) v = static_cast<float>(std::exp(8 * bits.unit()));
    const table t({column});
    const column_bins b(t.spans());
    REQUIRE(b.columns() == 1);
    CHECK(b[0].low.size() <= column_bins::most_bins);
    CHECK(b[0].low.size() >= column_bins::most_bins / 2);
    std::vector<int> count(b[0].low.size(), 0);
    for (std::size_t r = 0; r < column.size(); ++r) {
        const std::size_t bin = b.bin(0, r);
        ++count[bin];
        REQUIRE((b[0].low[bin] <= column[r] && column[r] <= b[0].high[bin]));
    }
    for (std::size_t k = 0; k < count.size(); ++k) {
        CHECK((count[k] > 0 && count[k] <= 3 * 3000 / 256));
        if (k > 0) CHECK(b[0].high[k - 1] < b[0].low[k]);
    }
}

TEST_CASE("a threshold parts its neighbours")
{
    const float least = std::numeric_limits<float>::denorm_min();
    const float largest = std::numeric_limits<float>::max();
    const std::pair<float, float> pairs[] = {
        {0, 1},     {-endless, 3},      {3, endless}, {-endless, endless}, {1, std::nextafter(1.0f, 2.0f)},
        {0, least}, {-largest, largest}};
    for (const auto& [a, b] : pairs) {
        CAPTURE(a);
        CAPTURE(b);
        const float t = threshold_between(a, b);
        CHECK_FALSE(a >= t);
        CHECK(b >= t);
    }
    CHECK(threshold_between(1, 3) == 2);
}
