// SPDX-License-Identifier: BSL-1.0
// Bounds of errors: what they are in numbers, that they hold sums in floats, and what is exact or not known.
#include <cmath>
#include <cstdint>
#include <limits>
#include <random>
#include <set>
#include <string>
#include <vector>

#include <doctest/doctest.h>

#include <hone/measure/error_bound.hpp>

using namespace hone;
using namespace hone::operators;

namespace {

using tune::arithmetic, tune::bounded, tune::error_bound_of, tune::error_model_of, tune::summands;

constexpr arithmetic every_arithmetic[] = {arithmetic::direct, arithmetic::winograd_2, arithmetic::winograd_4,
                                           arithmetic::device};
static_assert(sizeof every_arithmetic / sizeof *every_arithmetic == tune::arithmetics);
constexpr double no_bound = std::numeric_limits<double>::infinity();

// Whether all that the computed value may be is.
bool holds(const bounded& b, double value) { return std::fabs(value - b.value) <= b.error; }

} // namespace

TEST_CASE("the format of a type is that of what holds it, and what is computed in has as many digits")
{
    CHECK(tune::format_of(dtype::f32).unit == core::binary_format<float>.unit);
    CHECK(tune::format_of(dtype::f16).least == core::binary_format<core::half>.least);
    for (const dtype t : core::all_dtypes)
        CHECK(tune::format_of(core::accumulator_of(t)).fraction_bits >= tune::format_of(t).fraction_bits);
}

TEST_CASE("ways of summing have names of their own, and larger tiles err more")
{
    std::set<std::string> names;
    for (const arithmetic a : every_arithmetic) CHECK(names.insert(name_of(a)).second);
    CHECK(error_model_of(arithmetic::direct, dtype::f32).factor <=
          error_model_of(arithmetic::winograd_2, dtype::f32).factor);
    CHECK(error_model_of(arithmetic::winograd_2, dtype::f32).factor <
          error_model_of(arithmetic::winograd_4, dtype::f32).factor);
    CHECK(error_model_of(arithmetic::winograd_2, dtype::f32).tile == 2);
    CHECK(error_model_of(arithmetic::winograd_4, dtype::f32).tile == 4);
    for (const arithmetic a : {arithmetic::direct, arithmetic::device}) CHECK(error_model_of(a, dtype::f32).tile == 1);
    for (const arithmetic a : every_arithmetic)
        CHECK(error_model_of(a, dtype::f32).is_device == (a == arithmetic::device));
}

TEST_CASE("a bound in numbers: the factor times u times the root of k (S^2 + Q^2), and what summands bring")
{
    const summands own{.sum = 3, .squares = 16, .error = 0.5};
    CHECK(error_bound_of(error_model_of(arithmetic::direct, dtype::f32), 4, own, 9 + 16) ==
          doctest::Approx(4 * 0x1p-24 * std::sqrt(4.0 * 25) + 0.5).epsilon(1e-12));
    CHECK(error_bound_of(error_model_of(arithmetic::winograd_4, dtype::f32), 4, {}, 25) ==
          doctest::Approx(64 * 0x1p-24 * 10).epsilon(1e-12));
    // The largest of the tile counts, not its own.
    CHECK(error_bound_of(error_model_of(arithmetic::winograd_2, dtype::f32), 4, own, 1e6) >
          error_bound_of(error_model_of(arithmetic::winograd_2, dtype::f32), 4, own, 25));
}

TEST_CASE("sums in floats, in any order, are within their bounds")
{
    std::mt19937 bits(11);
    std::uniform_real_distribution<float> centred(-1, 1), positive(0.5f, 1);
    int outside = 0;
    double worst = 0;
    for (int trial = 0; trial < 400; ++trial) {
        const int k = 1 << (trial % 10);
        double exact = 0;
        summands own;
        std::vector<float> parts(trial % 3 == 0 ? 1 : 4); // one chain, or four that come together
        for (int i = 0; i < k; ++i) {
            const float a = trial % 2 == 0 ? centred(bits) : positive(bits), b = positive(bits);
            const double p = static_cast<double>(a) * static_cast<double>(b);
            exact += p;
            own.squares += p * p;
            parts[static_cast<std::size_t>(i) % parts.size()] += a * b;
        }
        float sum = 0;
        for (const float part : parts) sum += part;
        own.sum = exact;
        const double bound =
            error_bound_of(error_model_of(arithmetic::direct, dtype::f32), k, own, exact * exact + own.squares);
        const double error = std::fabs(static_cast<double>(sum) - exact);
        outside += error > bound;
        worst = std::max(worst, error / bound);
    }
    CHECK(outside == 0);
    CHECK(worst < 0.5);  // as tests/measure/problem.cpp holds kernels to
    CHECK(worst > 0.05); // and no wider than need be
}

TEST_CASE("a sum of zeros is exact; of what is not finite only one without a tile says anything")
{
    CHECK(error_bound_of(error_model_of(arithmetic::direct, dtype::f32), 100, {}, 0) == 0);
    CHECK(error_bound_of(error_model_of(arithmetic::device, dtype::f32), 100, {}, 0) == 0);
    CHECK(error_bound_of(error_model_of(arithmetic::device, dtype::f32), 100, {.sum = 1e-40}, 0) ==
          error_model_of(arithmetic::device, dtype::f32).flushed);
    CHECK(error_bound_of(error_model_of(arithmetic::winograd_2, dtype::f32), 100, {}, 0) >
          0); // its neighbours' sums come in
    for (const double largest : {no_bound, std::numeric_limits<double>::quiet_NaN()}) {
        CHECK(error_bound_of(error_model_of(arithmetic::direct, dtype::f32), 3, {}, largest) == 0);
        CHECK(error_bound_of(error_model_of(arithmetic::device, dtype::f32), 3, {}, largest) == 0);
        CHECK(error_bound_of(error_model_of(arithmetic::winograd_2, dtype::f32), 3, {}, largest) == no_bound);
    }
}

// Of any value that v may be, the float next to it.
TEST_CASE("rounding to float is within its bound, and what a float does not hold may be anything")
{
    std::mt19937 bits(3);
    std::uniform_real_distribution<double> mantissa(-2, 2), share(-1, 1);
    for (int trial = 0; trial < 2000; ++trial) {
        const double value = std::ldexp(mantissa(bits), trial % 250 - 125);
        const double error = trial % 3 == 0 ? 0 : std::fabs(value) * 0.01;
        const bounded r = tune::rounded({value, error}, 1, tune::format_of(dtype::f32));
        const double computed = static_cast<double>(static_cast<float>(value + share(bits) * error));
        CAPTURE(value);
        CHECK(holds(r, computed));
        CHECK(r.error <= error + 0x1p-24 * std::fabs(value) + 0x1p-149);
    }
    const double most = static_cast<double>(std::numeric_limits<float>::max());
    CHECK(tune::rounded({most, 0}, 1, tune::format_of(dtype::f32)).error == no_bound);
    CHECK(tune::rounded({most / 2, most}, 1, tune::format_of(dtype::f32)).error == no_bound);
    CHECK(tune::rounded({no_bound, 0}, 1, tune::format_of(dtype::f32)).error == 0); // an infinity stays one
    CHECK(tune::rounded({0, 0}, 1, tune::format_of(dtype::f32)).error == 0);
}

TEST_CASE("on a device a small value may be zero; on a processor it is itself")
{
    const tune::error_model device = error_model_of(arithmetic::device, dtype::f32),
                            cpu = error_model_of(arithmetic::direct, dtype::f32);
    const double small = 0x1p-127;
    CHECK(holds(tune::flushed({small, 0}, device), 0));
    CHECK(holds(tune::flushed({-small, 0}, device), 0));
    CHECK_FALSE(holds(tune::flushed({small, 0}, cpu), 0));
    CHECK(tune::flushed({1, 0}, device).error == 0);
    // One that may be small, by its error.
    CHECK(holds(tune::flushed({2 * device.flushed, 1.5 * device.flushed}, device), 0));
    CHECK_FALSE(holds(tune::flushed({4 * device.flushed, device.flushed}, device), 0));
}
