// SPDX-License-Identifier: BSL-1.0
// The table of the words of the expression language: in the order of the list, with the numbers that records hold.
#include <hone/ir/words.hpp>

#include <bit>
#include <cmath>
#include <cstdint>
#include <iterator>
#include <limits>
#include <set>
#include <string>

#include <doctest/doctest.h>

using namespace hone;
using namespace hone::ir;

namespace {

constexpr bool is_in_order()
{
    for (int i = 0; i < static_cast<int>(std::size(expr_words)); ++i)
        if (static_cast<int>(expr_words[i].op) != i) return false;
    return true;
}
static_assert(is_in_order());

// Those of a record that was written when there were 13 words. None may change.
static_assert(word_of(expr_op::constant).number == 0 && word_of(expr_op::load).number == 1 &&
              word_of(expr_op::accumulator).number == 2 && word_of(expr_op::table).number == 3 &&
              word_of(expr_op::neg).number == 4 && word_of(expr_op::abs).number == 5 &&
              word_of(expr_op::sqrt).number == 6 && word_of(expr_op::add).number == 7 &&
              word_of(expr_op::sub).number == 8 && word_of(expr_op::mul).number == 9 &&
              word_of(expr_op::div).number == 10 && word_of(expr_op::min).number == 11 &&
              word_of(expr_op::max).number == 12);
// Those of a record that was written when there were 22.
static_assert(word_of(expr_op::exp).number == 13 && word_of(expr_op::tanh).number == 14 &&
              word_of(expr_op::erf).number == 15 && word_of(expr_op::round).number == 16 &&
              word_of(expr_op::floor).number == 17 && word_of(expr_op::less).number == 18 &&
              word_of(expr_op::less_or_equal).number == 19 && word_of(expr_op::equal).number == 20 &&
              word_of(expr_op::select).number == 21);
static_assert(word_of(expr_op::position).number == 22 && word_of(expr_op::log).number == 23);

} // namespace

TEST_CASE("names and numbers of words differ, each that takes operands has a meaning and a price")
{
    std::set<std::string> names;
    std::set<int> numbers;
    for (const expr_word& w : expr_words) {
        CHECK(names.insert(w.name).second);
        CHECK(numbers.insert(w.number).second);
        CHECK(w.arity >= 0);
        CHECK(w.arity <= 3);
        CHECK((w.value != nullptr) == (w.arity > 0));
        CHECK(w.cost >= 1);
        CHECK(w.device_ulp >= w.ulp);
    }
}

TEST_CASE("words by value, NaN where one is")
{
    constexpr float nan = std::numeric_limits<float>::quiet_NaN();
    CHECK(value_of(expr_op::neg, 2) == -2);
    CHECK(std::signbit(value_of(expr_op::neg, 0)));
    CHECK(value_of(expr_op::abs, -2) == 2);
    CHECK_FALSE(std::signbit(value_of(expr_op::abs, -0.0f)));
    CHECK(value_of(expr_op::sqrt, 9) == 3);
    CHECK(value_of(expr_op::add, 2, 3) == 5);
    CHECK(value_of(expr_op::sub, 2, 3) == -1);
    CHECK(value_of(expr_op::mul, 2, 3) == 6);
    CHECK(value_of(expr_op::div, 3, 2) == 1.5f);
    CHECK(value_of(expr_op::min, 2, 3) == 2);
    CHECK(value_of(expr_op::max, 2, 3) == 3);
    CHECK(value_of(expr_op::min, nan, 3) == 3);
    CHECK(std::isnan(value_of(expr_op::min, 3, nan)));
    CHECK(value_of(expr_op::max, 3, nan) == 3);
    CHECK(std::isnan(value_of(expr_op::max, nan, 3)));
    CHECK(value_of(expr_op::exp, 1) == 0x1.5bf0a8p+1f);
    CHECK(value_of(expr_op::log, 10) == 0x1.26bb1cp+1f);
    CHECK(value_of(expr_op::log, 0) == -std::numeric_limits<float>::infinity());
    CHECK(std::isnan(value_of(expr_op::log, -1)));
    CHECK(value_of(expr_op::tanh, 1) == 0x1.85efacp-1f);
    CHECK(value_of(expr_op::erf, 1) == 0x1.af767ap-1f);
    CHECK(value_of(expr_op::round, 2.5f) == 2);
    CHECK(value_of(expr_op::round, -3.5f) == -4);
    CHECK(std::signbit(value_of(expr_op::round, -0.25f)));
    CHECK(value_of(expr_op::floor, -0.25f) == -1);
    for (const expr_op op : {expr_op::exp, expr_op::log, expr_op::tanh, expr_op::erf, expr_op::round, expr_op::floor})
        CHECK(std::isnan(value_of(op, nan)));
    CHECK(value_of(expr_op::less, 2, 3) == 1);
    CHECK(value_of(expr_op::less, 3, 3) == 0);
    CHECK(value_of(expr_op::less_or_equal, 3, 3) == 1);
    CHECK(value_of(expr_op::equal, 0.0f, -0.0f) == 1);
    for (const expr_op op : {expr_op::less, expr_op::less_or_equal, expr_op::equal}) {
        CHECK(value_of(op, nan, nan) == 0);
        CHECK(value_of(op, 1, nan) == 0);
    }
    CHECK(value_of(expr_op::select, 1, 2, 3) == 2);
    CHECK(value_of(expr_op::select, -0.0f, 2, 3) == 3);
    CHECK(value_of(expr_op::select, nan, 2, 3) == 2);
    CHECK(value_of(expr_op::select, 0, nan, 3) == 3);
}

// By way of doubles: a double of the sum, product, quotient or root of two floats rounds to the float that is nearest.
TEST_CASE("words by value round once")
{
    std::uint32_t bits = 1;
    const auto next = [&] { return std::bit_cast<float>(bits = bits * 1664525u + 1013904223u); };
    for (int i = 0; i < 100'000; ++i) {
        const float a = next(), b = next();
        if (std::isnan(a) || std::isnan(b)) continue;
        const volatile float sum = a + b, product = a * b, quotient = a / b;
        REQUIRE((value_of(expr_op::add, a, b) == sum || std::isnan(sum)));
        REQUIRE((value_of(expr_op::mul, a, b) == product || std::isnan(product)));
        REQUIRE((value_of(expr_op::div, a, b) == quotient || std::isnan(quotient)));
        REQUIRE(value_of(expr_op::sqrt, std::fabs(a)) == std::sqrt(std::fabs(a)));
    }
}
