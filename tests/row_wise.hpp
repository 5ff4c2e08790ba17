// SPDX-License-Identifier: BSL-1.0
// Softmax and normalisations as plain loops in double, written from their formulas alone, and how far a result in
// floats may lie from them, as include/hone/README.md says.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <limits>
#include <span>
#include <string>
#include <vector>

#include <doctest/doctest.h>

#include <hone/ir/interpret.hpp>
#include <hone/op/norm.hpp>
#include <hone/op/softmax.hpp>

#include "reference.hpp"

namespace hone::test {

// What a call gives; operands of with_gamma and with_beta.
struct rows_data {
    floats x;
    std::vector<floats> operands{};
};
// Of both signs, in eighths.
inline floats eighths(std::int64_t elements, std::uint64_t seed, std::int64_t most)
{
    random_numbers random{seed};
    floats v(static_cast<std::size_t>(elements));
    for (float& f : v) f = static_cast<float>(random.between(-8 * most, 8 * most)) / 8;
    return v;
}
inline rows_data data_of(const row_shape& s, std::uint64_t seed, std::int64_t most = 6)
{
    return {eighths(s.rows * s.n * s.inner, seed, most)};
}
inline rows_data data_of(const norm_shape& s, std::uint64_t seed)
{
    return {eighths(s.rows * s.n * s.inner, seed, 4), {eighths(s.n, seed + 1, 2), eighths(s.n, seed + 2, 2)}};
}

// f(row, one after another) for each row of n doubles, which stand `inner` apart.
template <class F>
doubles each_row(std::int64_t rows, std::int64_t n, std::int64_t inner, const floats& x, F&& f)
{
    doubles y(x.size());
    for (std::int64_t r = 0; r < rows; ++r)
        for (std::int64_t j = 0; j < inner; ++j) {
            const auto at = [&](std::size_t i) {
                return static_cast<std::size_t>(r * n * inner + j) + i * static_cast<std::size_t>(inner);
            };
            doubles row(static_cast<std::size_t>(n));
            for (std::size_t i = 0; i < row.size(); ++i) row[i] = static_cast<double>(x[at(i)]);
            f(row);
            for (std::size_t i = 0; i < row.size(); ++i) y[at(i)] = row[i];
        }
    return y;
}
template <class F>
doubles each_row(std::int64_t rows, std::int64_t n, const floats& x, F&& f)
{
    return each_row(rows, n, 1, x, f);
}
inline doubles reference(const row_shape& s, const rows_data& d, softmax_scale scale = softmax_scale::linear)
{
    return each_row(s.rows, s.n, s.inner, d.x, [&](doubles& row) {
        double largest = -std::numeric_limits<double>::infinity(), sum = 0;
        for (const double v : row) largest = v > largest ? v : largest;
        for (double& v : row) sum += std::exp(v -= largest);
        for (double& v : row) v = scale == softmax_scale::linear ? std::exp(v) / sum : v - std::log(sum);
    });
}
inline doubles reference(const norm_shape& s, norm how, const rows_data& d)
{
    const auto count = static_cast<double>(s.n), epsilon = static_cast<double>(s.epsilon.value());
    return each_row(s.rows, s.n, s.inner, d.x, [&](doubles& row) {
        double mean = 0, squares = 0;
        if (how == norm::layer)
            for (const double v : row) mean += v / count;
        for (const double v : row) squares += (v - mean) * (v - mean) / count;
        const double divisor = std::sqrt(squares + epsilon);
        for (std::size_t i = 0; i < row.size(); ++i) {
            row[i] = (row[i] - mean) / divisor;
            if (!d.operands.empty()) row[i] *= static_cast<double>(d.operands[0][i]);
            if (d.operands.size() > 1) row[i] += static_cast<double>(d.operands[1][i]);
        }
    });
}

// How far results may lie from these at most, in floats of the unit u.
inline constexpr double float_unit = 0x1p-24, denormals = 4 * 0x1p-149;
inline doubles error_bounds(const row_shape& s, const rows_data& d, softmax_scale scale = softmax_scale::linear)
{
    const doubles y = reference(s, d, scale);
    doubles bounds = each_row(s.rows, s.n, s.inner, d.x, [](doubles& row) {
        const double largest = *std::max_element(row.begin(), row.end());
        for (double& v : row) v = largest - v;
    });
    const double of_sums = 2 * static_cast<double>(s.n) + 8;
    for (std::size_t i = 0; i < y.size(); ++i)
        bounds[i] = scale == softmax_scale::logarithmic
                        ? (of_sums + 2 * bounds[i]) * float_unit
                        : denormals + (y[i] == 0 ? 0 : (of_sums + bounds[i]) * float_unit * y[i]);
    return bounds;
}
inline doubles error_bounds(const norm_shape& s, norm how, const rows_data& d)
{
    const auto n = static_cast<double>(s.n), epsilon = static_cast<double>(s.epsilon.value());
    const auto inner = static_cast<std::size_t>(s.inner);
    const doubles plain = reference(s, how, {d.x}), y = reference(s, how, d);
    doubles bounds = each_row(s.rows, s.n, s.inner, d.x, [&](doubles& row) {
        double mean = 0, size = 0, squares = 0;
        for (const double v : row) mean += v / n, size += std::fabs(v) / n;
        for (const double v : row) squares += (v - mean) * (v - mean) / n;
        for (double& v : row) v = how == norm::layer ? size / std::sqrt(squares + epsilon) : 0;
    });
    for (std::size_t i = 0; i < y.size(); ++i) {
        const double factor =
            d.operands.empty() ? 1 : static_cast<double>(d.operands[0][i / inner % d.operands[0].size()]);
        const double own =
            (n + 8) * float_unit * std::fabs(plain[i]) + (n + 3) * float_unit * (1 + std::fabs(plain[i])) * bounds[i];
        bounds[i] =
            std::fabs(factor) * (own + float_unit * std::fabs(plain[i])) + float_unit * std::fabs(y[i]) + denormals;
    }
    return bounds;
}

// Empty where each is as near as that; what is not finite has to be the same.
inline std::string far_from(const floats& found, const doubles& expected, const doubles& bounds)
{
    for (std::size_t i = 0; i < expected.size(); ++i) {
        const auto f = static_cast<double>(found[i]);
        const bool is_right = std::isnan(expected[i])   ? std::isnan(f) && !is_poison(found[i])
                              : std::isinf(expected[i]) ? f == expected[i]
                                                        : std::fabs(f - expected[i]) <= bounds[i];
        if (!is_right)
            return "[" + std::to_string(i) + "] is " + std::to_string(f) + ", expected " + std::to_string(expected[i]);
    }
    return {};
}

// Where each is within `absolute` + `relative` * |expected|.
inline std::string far_from(const floats& found, const doubles& expected, double relative, double absolute)
{
    doubles bounds = expected;
    for (double& b : bounds) b = absolute + relative * std::fabs(b);
    return far_from(found, expected, bounds);
}

// Empty where a nest computes what is expected and touches nothing else; y is a buffer of its own, then x itself.
// `parameters`: of the call, what no call gives with them.
inline std::string wrong_rows(const nest& n, const rows_data& given, const doubles& expected, double relative,
                              double absolute, std::span<const std::int64_t> parameters = {})
{
    // Proofs are of tensors as large as the call says, no larger, where it gives the length of a row.
    for (const ir::buffer& b : n.buffers)
        if (!parameters.empty() && (b.role == role::input || b.role == role::output))
            CHECK(ir::value_of(n, b.elements, nullptr, parameters.data()) ==
                  static_cast<std::int64_t>(expected.size()));
    for (const bool in_place : {false, true}) {
        rows_data d = given;
        floats y = poisoned(static_cast<std::int64_t>(expected.size()));
        std::vector<argument> arguments;
        const auto add = [&](floats& of) { arguments.push_back({of.data(), static_cast<std::int64_t>(of.size())}); };
        add(d.x);
        for (floats& o : d.operands) add(o);
        add(in_place ? d.x : y);
        const status found = interpret(n, arguments, parameters);
        if (!found.ok()) return std::string(found.message()) + ", " + found.subject;
        const bool keeps_x = std::memcmp(d.x.data(), given.x.data(), d.x.size() * sizeof(float)) == 0; // NaN, too
        if (d.operands != given.operands || (!in_place && !keeps_x)) return "writes to an input";
        const std::string wrong = far_from(in_place ? d.x : y, expected, relative, absolute);
        if (!wrong.empty()) return (in_place ? "in place: " : "") + wrong;
    }
    return {};
}

// A nest of softmax whose calls give how many rows there are: those computed, and no others touched.
inline void check_open_rows(const nest& n, std::int64_t elements, std::int64_t most)
{
    for (const std::int64_t rows : {std::int64_t{1}, std::int64_t{7}, most}) {
        CAPTURE(rows);
        rows_data given = data_of(row_shape{rows, elements}, 2);
        floats y = poisoned(rows * elements);
        const argument call[] = {{given.x.data(), rows * elements}, {y.data(), rows * elements}};
        CHECK(std::string(interpret(n, call, std::span(&rows, 1)).message()) == message_of(fault::none));
        CHECK(far_from(y, reference(row_shape{rows, elements}, given), 1e-5, 1e-37) == "");
    }
}

// A softmax whose calls give the distance of rows of x, too.
inline definition with_open_distance(definition d)
{
    d.parameters.push_back({.name = "rows", .least = 1, .most = d.stages[0].axes[0].extent});
    d.parameters.push_back({.name = "ldx", .least = d.stages[0].axes[1].extent, .most = 1000});
    for (stage& s : d.stages) s.axes[0].parameter = 0;
    for (tensor& t : d.tensors)
        if (t.memory == memory::argument) t.dims[0].extent_parameter = 0;
    d.tensors[0].dims[0].stride = 1;
    d.tensors[0].dims[0].stride_parameter = 1;
    return checked(d);
}
inline void check_distant_rows(const nest& n, std::int64_t elements)
{
    const std::int64_t parameters[] = {5, elements + 3};
    rows_data given = data_of(row_shape{5, elements + 3}, 4);
    floats x, y = poisoned(5 * elements);
    for (std::size_t i = 0; i < given.x.size(); ++i)
        if (static_cast<std::int64_t>(i) % (elements + 3) < elements) x.push_back(given.x[i]);
    const argument call[] = {{given.x.data(), 5 * (elements + 3) - 3}, {y.data(), 5 * elements}};
    CHECK(std::string(interpret(n, call, parameters).message()) == message_of(fault::none));
    CHECK(far_from(y, reference(row_shape{5, elements}, {x}), 1e-5, 1e-37) == "");
}

} // namespace hone::test
