// SPDX-License-Identifier: BSL-1.0
// Compiled softmax and normalisations whose calls give how long rows are: one kernel, rows that fill vectors or not,
// known in number or not, far apart or not, sums in order, what is not finite, and calls of no elements.
#include <cmath>
#include <cstdint>
#include <limits>
#include <string>
#include <vector>

#include <doctest/doctest.h>

#include <hone/stages.hpp>

#include "among_pages.hpp"
#include "row_wise.hpp"

using namespace hone;
using namespace hone::test;

namespace {

constexpr std::int64_t largest_rows = 9, largest_n = 300;
constexpr row_shape open{.rows = extent::up_to(largest_rows), .n = extent::up_to(largest_n)};
constexpr norm_shape open_norm{.rows = extent::up_to(largest_rows), .n = extent::up_to(largest_n)};
constexpr row_shape known{.rows = 6, .n = extent::up_to(70)};
constexpr norm_shape known_norm{.rows = 6, .n = extent::up_to(70)};

struct call_of_rows {
    std::int64_t rows, n;
};
// One, those beside whole vectors, whole ones, and any.
std::vector<call_of_rows> calls(std::int64_t most, bool has_rows)
{
    constexpr std::int64_t lanes = row_of(compiled_isa()).register_bytes / 4;
    random_numbers random{7};
    std::vector<call_of_rows> all;
    for (const std::int64_t n : {std::int64_t{1}, lanes - 1, lanes, lanes + 1, 3 * lanes + 2, 4 * lanes, 8 * lanes,
                                 8 * lanes + 1, 9 * lanes + 3, most - 1, most})
        if (n <= most) all.push_back({has_rows ? random.between(1, largest_rows) : 6, n});
    for (int i = 0; i < 12; ++i)
        all.push_back({has_rows ? random.between(1, largest_rows) : 6, random.between(1, most)});
    return all;
}

template <class Op, class Reference, class Bounds, class Data>
void check_calls(Data&& data, Reference&& expected_of, Bounds&& bounds_of)
{
    constexpr bool has_rows = Op::shape.rows.at_call;
    std::uint64_t seed = 0;
    for (const call_of_rows& c : calls(Op::shape.n, has_rows)) {
        CAPTURE(c.rows);
        CAPTURE(c.n);
        const std::int64_t parameters[] = {c.rows, c.n};
        const rows_data given = data(c, ++seed);
        const doubles expected = expected_of(c, given), bounds = bounds_of(c, given);
        CHECK(wrong_among_pages(entry_of<kernel<Op>>(), given.x, given.operands, parameters + (has_rows ? 0 : 1),
                                [&](const floats& y) { return far_from(y, expected, bounds); }) == "");
    }
}
template <class Op>
void check_softmax(softmax_scale scale = softmax_scale::linear, std::int64_t most = 6)
{
    const auto of = [](const call_of_rows& c) { return row_shape{c.rows, c.n}; };
    check_calls<Op>([&](const call_of_rows& c, std::uint64_t seed) { return data_of(of(c), seed, most); },
                    [&](const call_of_rows& c, const rows_data& d) { return reference(of(c), d, scale); },
                    [&](const call_of_rows& c, const rows_data& d) { return error_bounds(of(c), d, scale); });
}
template <class Op>
void check_norm(norm how, std::size_t operands)
{
    const auto of = [](const call_of_rows& c) { return norm_shape{.rows = c.rows, .n = c.n}; };
    check_calls<Op>(
        [&](const call_of_rows& c, std::uint64_t seed) {
            rows_data d = data_of(of(c), seed);
            d.operands.resize(operands);
            return d;
        },
        [&](const call_of_rows& c, const rows_data& d) { return reference(of(c), how, d); },
        [&](const call_of_rows& c, const rows_data& d) { return error_bounds(of(c), how, d); });
}

} // namespace

TEST_CASE("softmax of rows of any length, and its logarithm")
{
    check_softmax<softmax<open, f32>>();
    check_softmax<softmax<open, f32>>(softmax_scale::linear, 4000);
    check_softmax<softmax<known, f32>>();
    check_softmax<softmax<open, f32, exact>>();
    check_softmax<log_softmax<open, f32>>(softmax_scale::logarithmic);
    check_softmax<log_softmax<known, f32, exact>>(softmax_scale::logarithmic, 4000);
}

TEST_CASE("normalisations of rows of any length, divided by the length of the call")
{
    check_norm<layer_norm<open_norm, f32, with_gamma, with_beta>>(norm::layer, 2);
    check_norm<layer_norm<known_norm, f32>>(norm::layer, 0);
    check_norm<layer_norm<open_norm, f32, exact>>(norm::layer, 0);
    check_norm<rms_norm<open_norm, f32, with_gamma>>(norm::rms, 1);
    check_norm<rms_norm<known_norm, f32, with_gamma, exact>>(norm::rms, 1);
}

TEST_CASE("what is not finite gives what the arithmetic gives, and what is behind a row nothing")
{
    constexpr float infinity = std::numeric_limits<float>::infinity(), nan = std::numeric_limits<float>::quiet_NaN();
    const row_shape s{4, 37};
    rows_data given = data_of(s, 7);
    given.x[3] = nan;
    given.x[37 + 36] = infinity;
    for (int i = 0; i < 37; i += 2) given.x[static_cast<std::size_t>(3 * 37 + i)] = -infinity;
    const std::int64_t parameters[] = {4, 37};
    const doubles expected = reference(s, given), bounds = error_bounds(s, given);
    CHECK(wrong_among_pages(entry_of<kernel<softmax<open, f32>>>(), given.x, {}, parameters,
                            [&](const floats& y) { return far_from(y, expected, bounds); }) == "");
    // A row that is all below zero, its end in the midst of a vector: a zero behind it would be the largest.
    rows_data low{floats(37, -200.0f)};
    const std::int64_t one[] = {1, 37};
    const doubles even(37, 1.0 / 37), near(37, 1e-7);
    CHECK(wrong_among_pages(entry_of<kernel<softmax<open, f32>>>(), low.x, {}, one,
                            [&](const floats& y) { return far_from(y, even, near); }) == "");
}

TEST_CASE("rows as far apart as the shape or the call says")
{
    constexpr row_shape apart{.rows = extent::up_to(largest_rows),
                              .n = extent::up_to(largest_n),
                              .ldx = leading::at_call(),
                              .ldy = 300}; // the longest rows
    using own = kernel<softmax<apart, f32>>;
    for (const std::int64_t n : {1, 37, 300}) {
        const std::int64_t parameters[] = {5, n, n + 3};
        CAPTURE(n);
        const rows_data given = data_of(row_shape{5, n}, 3);
        floats x(static_cast<std::size_t>(5 * (n + 3)), std::numeric_limits<float>::quiet_NaN()), y = poisoned(1500);
        for (std::size_t i = 0; i < given.x.size(); ++i) x[i + 3 * (i / static_cast<std::size_t>(n))] = given.x[i];
        std::vector<char> workspace(own::workspace_bytes(1));
        REQUIRE(own::run({.x = x.data(), .y = y.data(), .workspace = workspace.data(), .parameters = parameters}).ok());
        floats found;
        for (std::size_t i = 0; i < y.size(); ++i) {
            if (static_cast<std::int64_t>(i % 300) < n)
                found.push_back(y[i]);
            else
                CHECK(is_poison(y[i]));
        }
        CHECK(far_from(found, reference(row_shape{5, n}, given), error_bounds(row_shape{5, n}, given)) == "");
    }
    const std::int64_t closer[] = {5, 37, 36};
    const status found = own::run({.parameters = closer});
    CHECK(found.what == fault::parameter_out_of_range);
    CHECK(std::string(found.subject) == "ldx");
    CHECK(found.expected == 37);
}

TEST_CASE("no rows or no elements are no work; others have to be in range")
{
    using own = kernel<layer_norm<open_norm, f32>>;
    const auto with = [](std::int64_t rows, std::int64_t n) {
        const std::int64_t parameters[] = {rows, n};
        return own::run({.parameters = parameters}); // no tensors
    };
    CHECK(with(0, 5).ok());
    CHECK(with(5, 0).ok());
    CHECK(with(0, 0).ok());
    for (const std::int64_t n : {std::int64_t{-1}, largest_n + 1, INT64_MAX, INT64_MIN}) {
        CHECK(with(5, n).what == fault::parameter_out_of_range);
        CHECK(std::string(with(5, n).subject) == "n");
    }
    CHECK(std::string(with(largest_rows + 1, 5).subject) == "rows");
    CHECK(own::run({}).what == fault::parameter_out_of_range);
}
