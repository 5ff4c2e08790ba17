// SPDX-License-Identifier: BSL-1.0
// The law of a bound: whatever the operands are within their errors, the word of floats is within the bound.
#include <hone/measure/word_bounds.hpp>

#include <algorithm>
#include <cmath>
#include <limits>
#include <random>
#include <string>

#include <doctest/doctest.h>

using namespace hone;
using namespace hone::ir;

namespace {

struct operand_draw {
    tune::bounded exact;
    float computed;
};
operand_draw drawn_operand(std::mt19937& random)
{
    std::uniform_real_distribution<double> unit(0, 1);
    const double scales[] = {1e-3, 1, 8, 90, 1e6};
    const double value = (2 * unit(random) - 1) * scales[random() % 5];
    const double errors[] = {0, 1e-7 * std::fabs(value), 1e-3, 0.3};
    const double error = errors[random() % 4];
    // An exact operand is a float.
    if (error == 0) return {{static_cast<double>(static_cast<float>(value)), 0}, static_cast<float>(value)};
    const double least = value - error, most = value + error;
    const double shares[] = {0, 1, unit(random)};
    auto computed = static_cast<float>(least + (most - least) * shares[random() % 3]);
    if (static_cast<double>(computed) < least || static_cast<double>(computed) > most) {
        const float middle = static_cast<float>(value);
        return {{value, std::max(error, std::fabs(static_cast<double>(middle) - value))}, middle};
    }
    return {{value, error}, computed};
}

} // namespace

TEST_CASE("a word of operands within their errors is within its bound")
{
    std::mt19937 random(11);
    for (const expr_word& w : expr_words) {
        if (w.arity == 0) continue;
        CAPTURE(std::string(w.name));
        int known = 0, tight = 0;
        for (int i = 0; i < 20'000; ++i) {
            const operand_draw a = drawn_operand(random), b = drawn_operand(random), c = drawn_operand(random);
            const auto model = tune::error_model_of(tune::arithmetic::direct, dtype::f32);
            const tune::bounded r = tune::bounded_word(w.op, a.exact, b.exact, c.exact, model);
            if (!std::isfinite(r.error) || std::isnan(r.value)) continue;
            ++known;
            const auto y = static_cast<double>(value_of(w.op, a.computed, b.computed, c.computed));
            CAPTURE(a.computed);
            CAPTURE(b.computed);
            CAPTURE(r.value);
            if (std::isinf(r.value)) {
                REQUIRE(y == r.value);
                continue;
            }
            // Rounding is of the exact value, not of what it may be.
            REQUIRE(std::fabs(y - r.value) <= r.error * (1 + 1e-6));
            // Exact operands: as near as the word is.
            const bool is_exact = a.exact.error + b.exact.error + c.exact.error == 0;
            if (is_exact) REQUIRE(r.error <= 2 * w.ulp * 0x1p-24 * std::fabs(r.value) + (w.ulp + 1) * 0x1p-149);
            tight += std::fabs(y - r.value) >= r.error / 8;
        }
        CHECK(known > 5'000);
        CHECK(tight > 500);
    }
}

TEST_CASE("what is not finite is exact, or not known")
{
    constexpr double infinity = std::numeric_limits<double>::infinity();
    constexpr double nan = std::numeric_limits<double>::quiet_NaN();
    const auto model = tune::error_model_of(tune::arithmetic::direct, dtype::f32);
    const auto of = [&](expr_op op, tune::bounded a, tune::bounded b = {}, tune::bounded c = {}) {
        return tune::bounded_word(op, a, b, c, model);
    };
    CHECK(of(expr_op::exp, {-infinity}).value == 0);
    CHECK(of(expr_op::exp, {-infinity}).error == 0);
    CHECK(of(expr_op::exp, {infinity}).value == infinity);
    CHECK(of(expr_op::exp, {infinity}).error == 0);
    CHECK(of(expr_op::tanh, {infinity}).error < 4e-7);
    CHECK(std::isnan(of(expr_op::erf, {nan}).value));
    CHECK(of(expr_op::erf, {nan}).error == 0);
    CHECK(of(expr_op::log, {0}).value == -infinity);
    CHECK(of(expr_op::log, {0}).error == 0);
    CHECK(of(expr_op::log, {infinity}).error == 0);
    CHECK(std::isnan(of(expr_op::log, {-1}).value));
    CHECK(of(expr_op::log, {-1}).error == 0);
    // A number that may be 0, or negative.
    CHECK(of(expr_op::log, {1, 1}).error == infinity);
    CHECK(of(expr_op::log, {-0.1, 0.3}).error == infinity);
    CHECK(of(expr_op::log, {1, 0.5}).error > 0.69);
    CHECK(of(expr_op::log, {1, 0.5}).error < 0.7);
    // A sum that Winograd may have lost can be anything, and so can what is made of it.
    for (const expr_op op : {expr_op::exp, expr_op::log, expr_op::tanh, expr_op::floor}) {
        const tune::bounded r = of(op, {infinity, infinity});
        CHECK(std::isfinite(r.value));
        CHECK(r.error == infinity);
    }
    CHECK(of(expr_op::select, {nan}, {2}, {3}).value == 2);
    CHECK(of(expr_op::select, {nan}, {2}, {3}).error == 0);
    CHECK(of(expr_op::select, {0.5, 1}, {2}, {3}).error == 1);
    CHECK(of(expr_op::select, {0.5, 1}, {2}, {infinity}).error == infinity);
    CHECK(of(expr_op::less, {nan}, {1}).error == 0);
    CHECK(of(expr_op::equal, {1, 0.1}, {1.05}).error == 1);
    CHECK(of(expr_op::equal, {1, 0.1}, {2}).error == 0);
}

TEST_CASE("bounds are as wide as the numbers that are computed in are coarse")
{
    const auto fine = tune::error_model_of(tune::arithmetic::direct, dtype::f32);
    const auto coarse = tune::error_model_of(tune::arithmetic::direct, dtype::f16);
    const auto error = [](const tune::error_model& m, expr_op op, tune::bounded a, tune::bounded b = {}) {
        return tune::bounded_word(op, a, b, {}, m).error;
    };
    CHECK(error(fine, expr_op::add, {1}, {2}) == 3 * 0x1p-24);
    CHECK(error(coarse, expr_op::add, {1}, {2}) == 3 * 0x1p-11);
    CHECK(error(fine, expr_op::mul, {300}, {300}) == 90'000 * 0x1p-24);
    CHECK(std::isinf(error(coarse, expr_op::mul, {300}, {300}))); // beyond 65504
    const tune::summands own{.sum = 3, .squares = 5};
    CHECK(tune::error_bound_of(coarse, 4, own, 14) > 0x1p13 * tune::error_bound_of(fine, 4, own, 14) * 0.99);
}
