// SPDX-License-Identifier: BSL-1.0
// Softmax, its logarithm and normalisations on a device: nests of drawn rows, by default and by drawn knobs, printed,
// compiled and run under validation, against plain loops.
#include <cmath>
#include <cstdint>
#include <limits>
#include <string>
#include <vector>

#include <doctest/doctest.h>

#include <hone/ir/check.hpp>
#include <hone/ir/print.hpp>
#include <hone/lower/lower.hpp>
#include <hone/schedule/vulkan_row_wise.hpp>

#include "row_wise.hpp"
#include "vulkan_rig.hpp"

using namespace hone;
using namespace hone::codegen;
using namespace hone::test;

namespace {

void run_on_device(const definition& d, const vulkan_row_wise_knobs& k, const rows_data& given, const doubles& expected,
                   const std::vector<std::int64_t>& parameters = {})
{
    const nest n = lower(vulkan_row_wise_schedule(d, k));
    INFO(print(n));
    REQUIRE(check(n, vulkan_target(test_device().limits())).ok());
    std::vector<std::vector<float>> buffers{given.x};
    for (const floats& o : given.operands) buffers.push_back(o);
    buffers.push_back(poisoned(static_cast<std::int64_t>(expected.size())));
    const auto after = run_on(test_device(), n, buffers, parameters);
    CHECK(after[0] == given.x);
    CHECK(far_from(after.back(), expected, 2e-5, 2e-5) == "");
}
vulkan_row_wise_knobs drawn_knobs(random_numbers& random)
{
    vulkan_row_wise_knobs k;
    for (const auto& own : knobs_of(k))
        own.set(
            k,
            own.values[static_cast<std::size_t>(random.between(0, static_cast<std::int64_t>(own.values.size()) - 1))]);
    return k;
}
void run_both(const definition& d, random_numbers& random, const rows_data& given, const doubles& expected)
{
    run_on_device(d, default_vulkan_row_wise(d), given, expected);
    const vulkan_row_wise_knobs k = fitted_vulkan_row_wise(d, drawn_knobs(random));
    if (vulkan_row_wise_constraints[0].found(k, test_device().limits()).ok()) run_on_device(d, k, given, expected);
}

} // namespace

TEST_CASE("drawn rows, by default and by drawn knobs, on the device")
{
    random_numbers random{51};
    for (int i = 0; i < 12; ++i) {
        const row_shape s{.rows = random.between(1, 12), .n = random.between(1, i % 2 == 0 ? 20 : 300)};
        const norm_shape of{.rows = s.rows, .n = s.n};
        CAPTURE(s.rows);
        CAPTURE(s.n);
        const auto seed = static_cast<std::uint64_t>(i);
        if (i % 3 == 0) {
            const rows_data given = data_of(s, seed);
            run_both(softmax_definition<>(s, dtype::f32), random, given, reference(s, given));
            run_both(softmax_definition<>(s, dtype::f32, softmax_scale::logarithmic), random, given,
                     reference(s, given, softmax_scale::logarithmic));
        } else {
            const norm how = i % 3 == 1 ? norm::layer : norm::rms;
            const rows_data given = data_of(of, seed);
            run_both(norm_definition<with_gamma, with_beta>(of, how, dtype::f32), random, given,
                     reference(of, how, given));
        }
    }
}

TEST_CASE("rows whose elements are apart, on the device")
{
    random_numbers random{52};
    for (int i = 0; i < 6; ++i) {
        const row_shape s{.rows = random.between(1, 3), .n = random.between(1, 40), .inner = random.between(2, 50)};
        CAPTURE(signature_of(s, dtype::f32).c_str());
        const rows_data given = data_of(s, static_cast<std::uint64_t>(i));
        run_both(softmax_definition<>(s, dtype::f32), random, given, reference(s, given));
        const norm_shape of{.rows = s.rows, .n = s.n, .inner = s.inner};
        const rows_data scaled = data_of(of, static_cast<std::uint64_t>(i));
        run_both(norm_definition<with_gamma, with_beta>(of, norm::layer, dtype::f32), random, scaled,
                 reference(of, norm::layer, scaled));
    }
}

TEST_CASE("sums in order, of a row for each invocation, on the device")
{
    constexpr row_shape s{.rows = 20, .n = 33};
    const definition d = softmax_definition<>(s, dtype::f32);
    const rows_data given = data_of(s, 9, 500);
    run_on_device(d, default_vulkan_row_wise(d, 1), given, reference(s, given));
}

TEST_CASE("as many rows as a call gives, on the device")
{
    constexpr extent most = extent::up_to(9);
    for (const std::int64_t rows : {1, 4, 9}) {
        const row_shape s{.rows = rows, .n = 75};
        const rows_data given = data_of(s, 11);
        const definition shares = softmax_definition<>({.rows = most, .n = 75}, dtype::f32);
        run_on_device(shares, default_vulkan_row_wise(shares), given, reference(s, given), {rows});
        const norm_shape t{.rows = rows, .n = 64};
        const rows_data scaled = data_of(t, 12);
        const definition layer =
            norm_definition<with_gamma, with_beta>({.rows = most, .n = 64}, norm::layer, dtype::f32);
        run_on_device(layer, default_vulkan_row_wise(layer), scaled, reference(t, norm::layer, scaled), {rows});
    }
}

TEST_CASE("logarithms of shares that are 0 are -infinity on the device")
{
    constexpr row_shape s{.rows = 3, .n = 37};
    const definition d = softmax_definition<>(s, dtype::f32, softmax_scale::logarithmic);
    rows_data given = data_of(s, 10, 4000);
    for (int i = 0; i < 37; i += 2) given.x[static_cast<std::size_t>(37 + i)] = -std::numeric_limits<float>::infinity();
    const doubles expected = reference(s, given, softmax_scale::logarithmic);
    CHECK(expected[37] == -HUGE_VAL);
    run_on_device(d, default_vulkan_row_wise(d), given, expected);
}
