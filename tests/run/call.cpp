// SPDX-License-Identifier: BSL-1.0
// Which part of a call gives which tensor, and kernels of operators with several tensors of one role.
#include <hone/run/call.hpp>

#include <cmath>
#include <limits>
#include <string>
#include <vector>

#include <doctest/doctest.h>

#include <hone/cpu/kernel.hpp>

#include "kernel_trial.hpp"
#include "many_operands.hpp"

using namespace hone;
using namespace hone::calls;

namespace {

template <class... E>
constexpr call_parts parts_behind()
{
    return parts_of(gemm<gemm_shape{.m = 2, .n = 3, .k = 4}, f32, E...>::definition());
}
constexpr bool are(const call_parts& parts, std::initializer_list<call_part> expected)
{
    if (parts.size() != expected.size()) return false;
    const call_part* p = parts.begin();
    for (const call_part& e : expected)
        if (!(*p++ == e)) return false;
    return true;
}
constexpr call_part x{call_member::x}, weights{call_member::weights}, the_bias{call_member::bias},
    the_residual{call_member::residual}, y{call_member::y};
constexpr call_part operand_number(int i) { return {call_member::operands, i}; }

// Each member gives what has its name, else the first of its role; the others are operands, in their order.
static_assert(are(parts_behind<>(), {x, weights, y}));
static_assert(are(parts_behind<residual, bias>(), {x, weights, the_residual, the_bias, y}));
static_assert(are(parts_behind<bias, bias>(), {x, weights, the_bias, operand_number(0), y}));
static_assert(are(parts_behind<residual, residual, residual>(),
                  {x, weights, the_residual, operand_number(0), operand_number(1), y}));
static_assert(are(parts_behind<many::scale>(), {x, weights, the_bias, y}));
static_assert(are(parts_behind<many::scale, bias>(), {x, weights, operand_number(0), the_bias, y}));
static_assert(are(parts_behind<bias, many::scale>(), {x, weights, the_bias, operand_number(0), y}));
static_assert(are(parts_of(many::mixed::definition()),
                  {weights, x, {call_member::weights, 1}, {call_member::weights, 2}, the_bias, y}));
static_assert(are(parts_of(many::pool::definition()), {x, y}));
static_assert(are(parts_of(many::difference::definition()), {x, operand_number(0), y}));
static_assert(are(parts_behind<many::gate, residual, many::scale, bias, residual>(),
                  {x, weights, operand_number(0), the_residual, operand_number(1), the_bias, operand_number(2), y}));

struct rig {
    std::vector<float> x, weights;
    many::operands others;
    std::vector<float> y;
    const float* two[2] = {others.scale.data(), others.second.data()};

    rig(many::behind what, std::int64_t inputs, std::int64_t of_weights, std::int64_t rows, std::int64_t channels)
        : x(many::operands::drawn(inputs, 6)), weights(many::operands::drawn(of_weights, 7)),
          others(what, rows, channels),
          y(static_cast<std::size_t>(rows * channels), std::numeric_limits<float>::quiet_NaN())
    {
    }
    template <class Kernel, class Change>
    status run(Change change)
    {
        std::vector<float> packed(Kernel::packed_bytes / sizeof(float)),
            workspace(Kernel::workspace_bytes(1) / sizeof(float) + 1);
        Kernel::pack(weights.data(), packed.data());
        arguments a{.x = x.data(),
                    .weights = packed.data(),
                    .bias = others.bias.data(),
                    .residual = others.first.data(),
                    .operands = two,
                    .y = y.data(),
                    .workspace = workspace.data()};
        change(a);
        return Kernel::run(a);
    }
};

} // namespace

TEST_CASE("a product with a scale, a bias and two residuals")
{
    rig r(many::behind::product, many::m * many::k, many::k * many::n, many::m, many::n);
    CHECK(r.run<kernel<many::product>>([](arguments&) {}).ok());
    CHECK(many::error_of(r.y, many::expected_product(r.x, r.weights, r.others)) < 1e-6);

    // What is missing is named.
    const status none = r.run<kernel<many::product>>([](arguments& a) { a.operands = nullptr; });
    CHECK(none.what == fault::tensor_missing);
    CHECK(std::string(none.subject) == "scale");
    r.two[1] = nullptr;
    const status last = r.run<kernel<many::product>>([](arguments&) {});
    CHECK(last.what == fault::tensor_missing);
    CHECK(std::string(last.subject) == "residual");
}

TEST_CASE("y in the place of an operand of its shape")
{
    rig r(many::behind::product, many::m * many::k, many::k * many::n, many::m, many::n);
    r.y = r.others.second;
    r.two[1] = r.y.data();
    CHECK(r.run<kernel<many::product>>([](arguments&) {}).ok());
    CHECK(many::error_of(r.y, many::expected_product(r.x, r.weights, r.others)) < 1e-6);
}

TEST_CASE("a convolution with a scale, a bias and a gate: direct, with copied borders, and Winograd")
{
    const auto check = []<class Kernel>(double tolerance) {
        rig r(many::behind::layer, many::image.h * many::image.w * many::image.ic, many::image.oc * 9 * many::image.ic,
              many::image.h * many::image.w, many::image.oc);
        CHECK(r.run<Kernel>([](arguments&) {}).ok());
        CHECK(many::error_of(r.y, many::expected_layer(r.x, r.weights, r.others)) < tolerance);
    };
    constexpr direct_knobs copied{.rows = 4, .vectors = 1, .pad = padding::copy};
    constexpr winograd_knobs tiles{.tile = 4, .block_rows = 1, .block_columns = 2, .rows = 2, .vectors = 2};
    check.operator()<kernel<many::layer>>(1e-6);
    check.operator()<kernel<many::layer, test::tuned<many::layer, copied>>>(1e-6);
    check.operator()<kernel<many::layer, test::tuned<many::layer, tiles>>>(1e-4);
}

namespace {

struct three_weights {
    std::vector<float> x = many::operands::drawn(many::m * many::k, 1),
                       weights = many::operands::drawn(many::n * many::k, 2), gain = many::operands::drawn(many::k, 3),
                       delta = many::operands::drawn(many::k * many::n, 4), bias = many::operands::drawn(many::n, 5);
    const float* all[3] = {weights.data(), gain.data(), delta.data()};

    template <class Kernel>
    double error(status& found) const
    {
        std::vector<float> packed(Kernel::packed_bytes / sizeof(float)), results(many::m * many::n, std::nanf(""));
        std::vector<float> workspace(Kernel::workspace_bytes(1) / sizeof(float) + 1);
        found = Kernel::pack(all, packed.data());
        if (!found.ok()) return 1;
        found = Kernel::run({.x = x.data(),
                             .weights = packed.data(),
                             .bias = bias.data(),
                             .y = results.data(),
                             .workspace = workspace.data(),
                             .weights_layout = Kernel::layout_id});
        return many::error_of(results, many::expected_mixed(x, weights, gain, delta, bias));
    }
};

} // namespace

TEST_CASE("three weights of one operator, packed side by side")
{
    three_weights w;
    status found;
    CHECK(w.error<kernel<many::mixed>>(found) < 1e-6);
    CHECK(found.ok());
    constexpr direct_knobs blocked{
        .rows = 4, .vectors = 1, .reduce_unroll = 2, .reduce_block = 16, .order = walk::rows_outer};
    using other = kernel<many::mixed, test::tuned<many::mixed, blocked>>;
    static_assert(other::config.knobs<direct>() == blocked);
    CHECK(w.error<other>(found) < 1e-6);
    CHECK(found.ok());
    // Each is a tensor of its own in one block of memory.
    constexpr auto& layouts = kernel<many::mixed>::packed_layouts;
    CHECK(layouts.size() == 3);
    CHECK(packed_offset(layouts, 1) % 256 == 0);
    CHECK(packed_offset(layouts, 1) >= packed_bytes(layouts[0]));
    CHECK(packed_offset(layouts, 2) == packed_offset(layouts, 1) + 256);
    CHECK(kernel<many::mixed>::layout_id != other::layout_id);
    // The one that is missing is named.
    w.all[1] = nullptr;
    CHECK(w.error<other>(found) == 1);
    CHECK(found.what == fault::tensor_missing);
    CHECK(std::string(found.subject) == "gain");
    std::vector<float> packed(other::packed_bytes / sizeof(float));
    CHECK(std::string(other::pack(w.weights.data(), packed.data()).subject) == "gain"); // of three, one is given
    CHECK(std::string(other::pack(nullptr, packed.data()).subject) == "weights");
    CHECK(std::string(other::pack(w.all, nullptr).subject) == "gain");
    w.all[1] = w.gain.data();
    CHECK(std::string(other::pack(w.all, nullptr).subject) == "packed weights");
    // None of them are given: named, and nothing is computed from where they would stand.
    const status none = other::run({.x = w.x.data(), .bias = w.bias.data(), .y = packed.data()});
    CHECK(none.what == fault::tensor_missing);
    CHECK(std::string(none.subject) == "weights");
}

TEST_CASE("operators without weights have nothing to pack")
{
    using k = kernel<many::pool>;
    static_assert(k::packed_bytes == 0 && k::packed_layouts.empty());
    CHECK(k::pack(nullptr, nullptr).ok());
    const auto input = many::operands::drawn(many::pool::h * many::pool::w * many::pool::c, 1);
    const auto expected = many::expected_pool(input);
    const auto check = [&]<class Kernel>(Kernel) {
        std::vector<float> results(expected.size(), std::nanf(""));
        std::vector<float> workspace(Kernel::workspace_bytes(1) / sizeof(float) + 1);
        CHECK(Kernel::run({.x = input.data(), .y = results.data(), .workspace = workspace.data()}).ok());
        CHECK(many::error_of(results, expected) == 0);
    };
    check(k{});
    constexpr direct_knobs knobs{.rows = 2, .vectors = 3, .reduce_unroll = 2, .order = walk::rows_outer};
    check(kernel<many::pool, test::tuned<many::pool, knobs>>{});
    constexpr direct_knobs blocked{.rows = 4, .vectors = 1, .reduce_block = 1, .row_block = 4};
    constexpr direct_knobs copied{.rows = 4, .vectors = 2, .pad = padding::copy};
    check(kernel<many::pool, test::tuned<many::pool, copied>>{});
    check(kernel<many::pool, test::tuned<many::pool, blocked>>{});
    CHECK(std::string(k::run({.x = input.data()}).subject) == "y");
}

TEST_CASE("operators without a reduction")
{
    using op = many::difference;
    const auto input = many::operands::drawn(op::rows * op::columns, 1),
               z = many::operands::drawn(op::rows * op::columns, 2);
    const float* const others[] = {z.data()};
    std::vector<double> expected;
    for (std::size_t i = 0; i < input.size(); ++i)
        expected.push_back(std::fabs(static_cast<double>(input[i])) - static_cast<double>(z[i]));
    const auto check = [&]<class Kernel>(Kernel) {
        std::vector<float> results(input.size(), std::nanf(""));
        CHECK(Kernel::run({.x = input.data(), .operands = others, .y = results.data()}).ok());
        CHECK(many::error_of(results, expected) == 0);
    };
    check(kernel<op>{});
    constexpr direct_knobs knobs{.rows = 3, .vectors = 2, .order = walk::rows_outer};
    check(kernel<op, test::tuned<op, knobs>>{});
}

TEST_CASE("padding that is no 0, tap by tap and in a copy")
{
    using op = many::shifted;
    const auto input = many::operands::drawn(many::image.h * many::image.w * many::image.ic, 1),
               w = many::operands::drawn(many::image.oc * 9 * many::image.ic, 2);
    const auto expected = many::expected_shifted(input, w);
    const auto check = [&]<class Kernel>(Kernel) {
        std::vector<float> packed(Kernel::packed_bytes / sizeof(float)), results(expected.size(), std::nanf(""));
        std::vector<float> workspace(Kernel::workspace_bytes(1) / sizeof(float) + 1);
        CHECK(Kernel::pack(w.data(), packed.data()).ok());
        CHECK(Kernel::run(
                  {.x = input.data(), .weights = packed.data(), .y = results.data(), .workspace = workspace.data()})
                  .ok());
        CHECK(many::error_of(results, expected) < 1e-6);
    };
    check(kernel<op>{});
    constexpr direct_knobs tiles{.rows = 4, .vectors = 1, .reduce_unroll = 2, .order = walk::rows_outer};
    check(kernel<op, test::tuned<op, tiles>>{});
    constexpr direct_knobs copied{.rows = 4, .vectors = 2, .pad = padding::copy, .unroll_window = true};
    check(kernel<op, test::tuned<op, copied>>{});
    CHECK_FALSE(winograd_applies(op::definition()));
}
