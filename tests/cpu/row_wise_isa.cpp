// SPDX-License-Identifier: BSL-1.0
// Default kernels of softmax, its logarithm and normalisations, compiled, against plain loops in double: rows that fill
// vectors or do not, one or many, y in the place of x, sums in order, and rows with infinities and NaN.
#include <algorithm>
#include <cmath>
#include <cstdint>
#include <limits>
#include <string>
#include <vector>

#include <doctest/doctest.h>

#include <hone/stages.hpp>

#include "kernel_trial.hpp"
#include "row_wise.hpp"

using namespace hone;
using namespace hone::codegen;
using namespace hone::test;

namespace {

constexpr float not_a_number = std::numeric_limits<float>::quiet_NaN(),
                infinity = std::numeric_limits<float>::infinity();

// On one thread and on two, into poisoned memory and in place.
template <class Op>
std::string wrong(const rows_data& given, const doubles& expected, const doubles& bounds,
                  const std::int64_t* parameters = nullptr)
{
    using own = kernel<Op>;
    std::vector<const float*> operands;
    for (const floats& o : given.operands) operands.push_back(o.data());
    const auto run = [&](auto&& executor) -> std::string {
        for (const bool in_place : {false, true}) {
            guarded y(expected.size() * sizeof(float)), workspace(own::workspace_bytes(executor.slots()));
            if (in_place) std::copy(given.x.begin(), given.x.end(), y.data());
            const float* x = in_place ? y.data() : given.x.data();
            const status found = own::run(executor, {.x = x,
                                                     .operands = operands.data(),
                                                     .y = y.data(),
                                                     .workspace = workspace.data(),
                                                     .parameters = parameters});
            if (!found.ok()) return std::string(found.message()) + ", " + found.subject;
            if (!y.is_intact() || !workspace.is_intact()) return "writes beside its buffers";
            const std::string wrong = far_from(y.values(), expected, bounds);
            if (!wrong.empty()) return (in_place ? "in place: " : "") + wrong;
        }
        return {};
    };
    const std::string one = run(serial_executor());
    return one.empty() ? run(eager_pool(2)) : one;
}
template <class Op>
std::string wrong_softmax(const rows_data& given)
{
    return wrong<Op>(given, reference(Op::shape, given), error_bounds(Op::shape, given));
}
template <class Op>
std::string wrong_logarithm(const rows_data& given)
{
    constexpr auto scale = softmax_scale::logarithmic;
    return wrong<Op>(given, reference(Op::shape, given, scale), error_bounds(Op::shape, given, scale));
}
template <class Op>
std::string wrong_norm(norm how, const rows_data& given)
{
    return wrong<Op>(given, reference(Op::shape, how, given), error_bounds(Op::shape, how, given));
}

constexpr row_shape odd{.rows = 6, .n = 37}, wide{.rows = 3, .n = 1003}, one{.n = 5}, narrow{.rows = 41, .n = 3};
constexpr norm_shape odd_norm{.rows = 6, .n = 37}, wide_norm{.rows = 5, .n = 768, .epsilon = 1e-6},
    narrow_norm{.rows = 40, .n = 2};
constexpr row_shape planes{.rows = 2, .n = 21, .inner = 35}, heads{.n = 60, .inner = 33 * 33};
constexpr norm_shape plane_norm{.rows = 2, .n = 24, .inner = 49};

} // namespace

TEST_CASE("softmax of rows that fill vectors or do not")
{
    CHECK(wrong_softmax<softmax<odd, f32>>(data_of(odd, 1)) == "");
    CHECK(wrong_softmax<softmax<wide, f32>>(data_of(wide, 2)) == "");
    CHECK(wrong_softmax<softmax<one, f32>>(data_of(one, 3)) == "");
    CHECK(wrong_softmax<softmax<narrow, f32>>(data_of(narrow, 4)) == "");
    // Exponentials of these would overflow but for the largest.
    CHECK(wrong_softmax<softmax<odd, f32>>(data_of(odd, 5, 4000)) == "");
}

TEST_CASE("the logarithm of softmax, where shares are too small for a float, too")
{
    CHECK(wrong_logarithm<log_softmax<odd, f32>>(data_of(odd, 13)) == "");
    CHECK(wrong_logarithm<log_softmax<wide, f32>>(data_of(wide, 14)) == "");
    CHECK(wrong_logarithm<log_softmax<narrow, f32, exact>>(data_of(narrow, 15)) == "");
    CHECK(wrong_logarithm<log_softmax<odd, f32>>(data_of(odd, 16, 4000)) == "");
}

TEST_CASE("rows whose elements are apart, as channels of planes, in blocks that divide a plane")
{
    CHECK(wrong_softmax<softmax<planes, f32>>(data_of(planes, 20)) == "");
    CHECK(wrong_logarithm<log_softmax<planes, f32, exact>>(data_of(planes, 21, 4000)) == "");
    using large = kernel<softmax<heads, f32>>;
    static_assert(large::config.is<row_wise>() && large::config.knobs<row_wise>().row_block > 0);
    CHECK(wrong_softmax<softmax<heads, f32>>(data_of(heads, 22)) == "");
    rows_data given = data_of(planes, 23);
    given.x[0] = not_a_number;
    for (int i = 0; i < 21; ++i) given.x[static_cast<std::size_t>(i * 35 + 3)] = -infinity;
    CHECK(wrong_softmax<softmax<planes, f32>>(given) == "");
    using layer = layer_norm<plane_norm, f32, with_gamma, with_beta>;
    CHECK(wrong_norm<layer>(norm::layer, data_of(plane_norm, 24)) == "");
}

TEST_CASE("as many rows as a call gives, none among them")
{
    constexpr row_shape open{.rows = extent::up_to(19), .n = 37};
    using shares = kernel<softmax<open, f32>>;
    constexpr norm_shape of_norm{.rows = extent::up_to(19), .n = 75};
    using root = rms_norm<of_norm, f32, with_gamma>;
    for (const std::int64_t rows : {1, 2, 7, 18, 19}) {
        CAPTURE(rows);
        const row_shape s{.rows = rows, .n = 37};
        const rows_data given = data_of(s, 17);
        CHECK(wrong<softmax<open, f32>>(given, reference(s, given), error_bounds(s, given), &rows) == "");
        const norm_shape t{.rows = rows, .n = 75};
        rows_data scaled = data_of(t, 18);
        scaled.operands.pop_back();
        CHECK(wrong<root>(scaled, reference(t, norm::rms, scaled), error_bounds(t, norm::rms, scaled), &rows) == "");
    }
    floats x(19 * 37, 1.0f), y = poisoned(19 * 37);
    std::vector<char> workspace(shares::workspace_bytes(1));
    const auto with = [&](std::int64_t rows) {
        return shares::run({.x = x.data(), .y = y.data(), .workspace = workspace.data(), .parameters = &rows});
    };
    CHECK(with(0).ok());
    const std::int64_t none = 0;
    CHECK(shares::run({.parameters = &none}).ok()); // what does no work reads no tensor
    for (const std::int64_t rows : {std::int64_t{-1}, std::int64_t{20}, INT64_MAX, INT64_MIN}) {
        CHECK(with(rows).what == fault::parameter_out_of_range);
        CHECK(std::string(with(rows).subject) == "rows");
    }
    CHECK(shares::run({.x = x.data(), .y = y.data(), .workspace = workspace.data()}).what ==
          fault::parameter_out_of_range);
    for (const float f : y) REQUIRE(is_poison(f));
    CHECK(with(19).ok());
    for (const float f : y) REQUIRE_FALSE(is_poison(f));
}

TEST_CASE("softmax with sums in order")
{
    CHECK(kernel<softmax<odd, f32, exact>>::config.is<row_wise>());
    CHECK(wrong_softmax<softmax<odd, f32, exact>>(data_of(odd, 6)) == "");
}

TEST_CASE("rows that are not finite give what the arithmetic gives")
{
    rows_data given = data_of(odd, 7);
    given.x[3] = not_a_number;
    given.x[37 + 36] = infinity;
    for (int i = 0; i < 37; ++i) given.x[2 * 37 + i] = -infinity;
    for (int i = 0; i < 37; i += 2) given.x[3 * 37 + i] = -infinity; // 0 beside finite ones
    const doubles expected = reference(odd, given);
    for (int i = 0; i < 3 * 37; ++i) CHECK(std::isnan(expected[static_cast<std::size_t>(i)]));
    CHECK(expected[3 * 37] == 0);
    CHECK(wrong<softmax<odd, f32>>(given, expected, error_bounds(odd, given)) == "");
    const doubles logarithms = reference(odd, given, softmax_scale::logarithmic);
    CHECK(std::isnan(logarithms[0]));
    CHECK(logarithms[3 * 37] == -HUGE_VAL);
    CHECK(wrong_logarithm<log_softmax<odd, f32>>(given) == "");
}

TEST_CASE("normalisations by mean and variance, or by the mean of squares")
{
    using layer = layer_norm<odd_norm, f32, with_gamma, with_beta>;
    CHECK(wrong_norm<layer>(norm::layer, data_of(odd_norm, 8)) == "");
    using root = rms_norm<odd_norm, f32, with_gamma>;
    rows_data given = data_of(odd_norm, 9);
    given.operands.pop_back();
    CHECK(wrong_norm<root>(norm::rms, given) == "");
    given = data_of(wide_norm, 10);
    CHECK(wrong_norm<layer_norm<wide_norm, f32, with_gamma, with_beta>>(norm::layer, given) == "");
    given = data_of(narrow_norm, 11);
    given.operands.clear();
    CHECK(wrong_norm<layer_norm<narrow_norm, f32>>(norm::layer, given) == "");
    CHECK(wrong_norm<rms_norm<narrow_norm, f32, exact>>(norm::rms, given) == "");
}

TEST_CASE("a large mean takes no digits from the variance, and rows without one are divided by the root of epsilon")
{
    rows_data given = data_of(wide_norm, 12);
    given.operands.clear();
    for (float& x : given.x) x += 4096; // eighths are exact still
    for (int i = 0; i < 768; ++i) given.x[static_cast<std::size_t>(i)] = 3;
    CHECK(wrong_norm<layer_norm<wide_norm, f32>>(norm::layer, given) == "");
    // Sums of squares alone would have lost all of it.
    for (const double b : error_bounds(wide_norm, norm::layer, given)) CHECK(b < 1);
}
