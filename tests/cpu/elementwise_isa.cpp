// SPDX-License-Identifier: BSL-1.0
// Default kernels of element-wise operators, compiled, against plain loops: operands that reach over channels or all in
// both layouts, tails of vectors, y in the place of x, and what minimum and maximum make of NaN.
#include <cmath>
#include <cstdint>
#include <limits>
#include <string>
#include <vector>

#include <doctest/doctest.h>

#include <hone/cpu/kernel.hpp>

#include "elementwise.hpp"
#include "kernel_trial.hpp"

using namespace hone;
using namespace hone::core;
using namespace hone::test;

namespace {

// On one thread and on two, into poisoned memory and in place.
template <class Op>
std::string wrong(const chain& words, const elementwise_data& given, double tolerance = 0)
{
    using own = kernel<Op>;
    const doubles expected = reference(Op::shape, words, given);
    std::vector<const float*> operands;
    for (const floats& o : given.operands) operands.push_back(o.data());
    const auto run = [&](auto&& executor) -> std::string {
        for (const bool in_place : {false, true}) {
            guarded y(expected.size() * sizeof(float));
            if (in_place) std::copy(given.x.begin(), given.x.end(), y.data());
            const float* x = in_place ? y.data() : given.x.data();
            const status found = own::run(executor, {.x = x, .operands = operands.data(), .y = y.data()});
            if (!found.ok()) return std::string(found.message()) + ", " + found.subject;
            if (!y.is_intact()) return "writes beside y";
            const std::string wrong = difference_of(y.values(), expected, tolerance);
            if (!wrong.empty()) return (in_place ? "in place: " : "") + wrong;
        }
        return {};
    };
    const std::string one = run(serial_executor());
    return one.empty() ? run(eager_pool(2)) : one;
}

constexpr image_shape rows{.n = 2, .h = 3, .w = 5, .c = 21};
constexpr image_shape planes{.n = 2, .h = 3, .w = 7, .c = 5, .layout = layout::nchw};

} // namespace

TEST_CASE("arithmetic with one tensor after the other, in both layouts")
{
    CHECK(wrong<scaled_sum<rows>>(scaled_sum_words(), data_of(rows, scaled_sum_words(), 1)) == "");
    CHECK(wrong<scaled_sum<planes>>(scaled_sum_words(), data_of(planes, scaled_sum_words(), 2)) == "");
}

TEST_CASE("a minimum or maximum of NaN is NaN, whichever of the two it is")
{
    constexpr float nan = std::numeric_limits<float>::quiet_NaN();
    elementwise_data given = data_of(rows, quotient_words(), 3);
    for (std::size_t i = 0; i < given.x.size(); i += 5) given.x[i] = nan;
    for (std::size_t i = 0; i < given.x.size(); i += 7) given.operands[2][i] = nan;
    CHECK(wrong<quotient<rows>>(quotient_words(), given) == "");
    given = data_of(planes, scaled_sum_words(), 4);
    given.operands[2][0] = nan; // the one for all
    const chain words{multiplies(per::channel), adds(per::element), takes_larger(per::tensor), clamps()};
    CHECK(wrong<scaled_sum<planes>>(words, given) == "");
}

TEST_CASE("an activation of each element")
{
    const chain words{{[](double x, double) { return x / (1 + std::exp(-x)); }, per::element, false, false}};
    CHECK(wrong<elementwise<rows, f32, silu>>(words, data_of(rows, words, 5), 1e-6) == "");
}
