// SPDX-License-Identifier: BSL-1.0
// The table of the words of the expression language: in the order of the list, with the numbers that records hold.
#include <hone/ir/expr.hpp>

#include <cmath>
#include <iterator>
#include <limits>
#include <set>
#include <string>

#include <doctest/doctest.h>

#include <hone/ir/evaluate.hpp>

using namespace hone;

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

} // namespace

TEST_CASE("names and numbers of words differ, and their operands are none, one or two")
{
    std::set<std::string> names;
    std::set<int> numbers;
    for (const expr_word& w : expr_words) {
        CHECK(names.insert(w.name).second);
        CHECK(numbers.insert(w.number).second);
        CHECK(w.arity >= 0);
        CHECK(w.arity <= 2);
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
}
