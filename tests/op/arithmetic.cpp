// SPDX-License-Identifier: BSL-1.0
// Arithmetic with one more tensor, by value, and the words that stand for it. What kernels make of it is tested with
// element-wise operators.
#include <hone/op/arithmetic.hpp>

#include <cmath>
#include <cstddef>
#include <limits>
#include <string>
#include <vector>

#include <doctest/doctest.h>

#include <hone/op/epilogue.hpp>

using namespace hone;
using namespace hone::codegen;

namespace {

// Of x and an element of the operand, in floats, word by word.
template <class E>
float value_at(float x, float other)
{
    const expr e = E::apply(ex::acc(), ex::load(0));
    std::vector<float> v;
    const auto of = [&](int i) { return i < 0 ? 0.0f : v[static_cast<std::size_t>(i)]; };
    for (const expr_node& n : e.nodes)
        v.push_back(n.op == expr_op::constant      ? n.value
                    : n.op == expr_op::accumulator ? x
                    : n.op == expr_op::load        ? other
                                                   : value_of(n.op, of(n.a), of(n.b), of(n.c)));
    return v.back();
}

// Of a user, by a name of hone's.
struct user_add : add<per::element> {};
static_assert(operand_epilogue<add<per::tensor>> && !pointwise_epilogue<add<per::tensor>>);
static_assert(add<per::channel>::operand_role == role::operand && add<per::channel>::operand_per == per::channel);

constexpr float no_number = std::numeric_limits<float>::quiet_NaN();

} // namespace

TEST_CASE("each word by value, x on the left")
{
    CHECK(value_at<add<per::element>>(7, 2) == 9);
    CHECK(value_at<subtract<per::element>>(7, 2) == 5);
    CHECK(value_at<multiply<per::element>>(7, 2) == 14);
    CHECK(value_at<divide<per::element>>(7, 2) == 3.5f);
    CHECK(value_at<minimum<per::element>>(7, 2) == 2);
    CHECK(value_at<minimum<per::element>>(2, 7) == 2);
    CHECK(value_at<maximum<per::element>>(7, 2) == 7);
    CHECK(value_at<maximum<per::element>>(2, 7) == 7);
    CHECK(value_at<divide<per::tensor>>(1, 0) == std::numeric_limits<float>::infinity());
}

TEST_CASE("a minimum and a maximum are NaN where either is, on whichever side")
{
    for (const float number : {-1.0f, 0.0f, std::numeric_limits<float>::infinity()}) {
        CAPTURE(number);
        CHECK(std::isnan(value_at<minimum<per::channel>>(no_number, number)));
        CHECK(std::isnan(value_at<minimum<per::channel>>(number, no_number)));
        CHECK(std::isnan(value_at<maximum<per::channel>>(no_number, number)));
        CHECK(std::isnan(value_at<maximum<per::channel>>(number, no_number)));
    }
}

TEST_CASE("a word says what has an element of its operand, and that it is hone's")
{
    CHECK(std::string{add<per::element>::name} == "add");
    CHECK(std::string{subtract<per::channel>::name} == "subtract_channel");
    CHECK(std::string{multiply<per::tensor>::name} == "multiply_tensor");
    CHECK(std::string{divide<per::channel>::name} == "divide_channel");
    CHECK(std::string{minimum<per::tensor>::name} == "minimum_tensor");
    CHECK(std::string{maximum<per::element>::name} == "maximum");
    // A word of hone's stands for itself; that of a user has the hash of what it computes, too.
    CHECK(std::string{signature_word<add<per::element>>()} == "add");
    CHECK(std::string{signature_word<user_add>()}.starts_with("add:"));
}
