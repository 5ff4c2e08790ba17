// SPDX-License-Identifier: BSL-1.0
// Which part of a call gives which tensor, and kernels of operators with several tensors of one role.
#include <hone/run/call.hpp>

#include <cmath>
#include <limits>
#include <string>
#include <vector>

#include <doctest/doctest.h>

#include <hone/cpu/kernel.hpp>
#include <hone/op/pool.hpp>

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

TEST_CASE("windows of a call that must meet the image: padding that makes one is out of range, and no other")
{
    const pool_shape s{.h = extent::up_to(9), .w = extent::up_to(8), .kh = 5, .kw = 4, .window_at_call = true};
    const definition d = pool_definition<>(s, pooling::max, dtype::f32);
    // Columns are one window of one pixel. 0: legal; else the number of what is named.
    const auto wrong = [&](const pool_shape& call) {
        const std::vector<std::int64_t> given{call.h,       1, call.kh,         1, call.stride_h,   1,
                                              call.pad_top, 0, call.pad_bottom, 0, call.dilation_h, 1};
        const status found = check_parameters(d.parameters, 0, given.data()).found;
        if (!found.ok()) CHECK(found.what == fault::parameter_out_of_range);
        return std::string(found.subject);
    };
    int legal = 0, refused = 0;
    for (std::int64_t h = 1; h <= 5; ++h)
        for (std::int64_t kh = 1; kh <= 5; ++kh)
            for (std::int64_t stride = 1; stride <= 3; ++stride)
                for (std::int64_t dilation = 1; dilation <= 3; ++dilation)
                    for (std::int64_t before = 0; before <= 5; ++before)
                        for (std::int64_t behind = 0; behind <= 5; ++behind) {
                            pool_shape call{.h = h, .kh = kh};
                            call.stride_h = stride;
                            call.dilation_h = dilation;
                            call.pad_top = before;
                            call.pad_bottom = behind;
                            const bool is_legal = wrong(call).empty();
                            CHECK(is_legal == call.check().ok());
                            ++(is_legal ? legal : refused);
                        }
    CHECK(legal > 1000);
    CHECK(refused > 1000);
}

TEST_CASE("windows of a call: what the padded image does not hold is out of range, of its height or width")
{
    conv2d_shape s{.n = extent::up_to(3),
                   .h = extent::up_to(9),
                   .w = extent::up_to(8),
                   .ic = 2,
                   .oc = 2,
                   .kh = 5,
                   .kw = 4,
                   .window_at_call = true};
    const definition d = conv2d_definition<>(s, dtype::f32);
    const auto found = [&](std::vector<std::int64_t> given) {
        return check_parameters(d.parameters, emptying_parameters(d), given.data());
    };
    const auto is_named = [&](const std::vector<std::int64_t>& given, const char* name, std::int64_t expected,
                              std::int64_t value) {
        const status named = found(given).found;
        CHECK(named.what == fault::parameter_out_of_range);
        CHECK(std::string(named.subject) == name);
        CHECK(named.expected == expected);
        CHECK(named.found == value);
    };
    //           n, h, w, kh, kw, strides, pads, dilations
    CHECK(found({1, 5, 4, 5, 4, 1, 1, 0, 0, 0, 0, 1, 1}).found.ok());
    is_named({1, 4, 4, 5, 4, 1, 1, 0, 0, 0, 0, 1, 1}, "h", 5, 4);
    is_named({1, 5, 3, 5, 4, 1, 1, 0, 0, 0, 0, 1, 1}, "w", 4, 3);
    // Padding on either side helps, in its own direction.
    CHECK(found({1, 4, 4, 5, 4, 1, 1, 1, 0, 0, 0, 1, 1}).found.ok());
    CHECK(found({1, 4, 4, 5, 4, 1, 1, 0, 0, 1, 0, 1, 1}).found.ok());
    is_named({1, 4, 4, 5, 4, 1, 1, 0, 1, 0, 1, 1, 1}, "h", 5, 4);
    CHECK(found({1, 5, 3, 5, 4, 1, 1, 0, 1, 0, 0, 1, 1}).found.ok());
    CHECK(found({1, 5, 3, 5, 4, 1, 1, 0, 0, 0, 1, 1, 1}).found.ok());
    // Taps that stand apart need more of it, whatever the strides are.
    is_named({1, 5, 4, 5, 4, 64, 64, 0, 0, 0, 0, 1, 2}, "w", 7, 4);
    CHECK(found({1, 9, 7, 5, 4, 64, 64, 0, 0, 0, 0, 2, 2}).found.ok());
    is_named({1, 9, 7, 5, 4, 1, 1, 1, 0, 2, 0, 4, 2}, "h", 14, 9);
    // Each number in its range first; and of no images nothing else is asked.
    is_named({1, 4, 4, 6, 4, 1, 1, 0, 0, 0, 0, 1, 1}, "kh", 5, 6);
    is_named({1, 4, 4, 5, 4, 1, 0, 0, 0, 0, 0, 1, 1}, "stride_w", 1, 0);
    is_named({1, 4, 4, 5, 4, 1, 1, 257, 0, 0, 0, 1, 1}, "pad_top", 256, 257);
    is_named({1, 4, 4, 5, 4, 1, 1, 0, 0, 0, 0, 0, 1}, "dilation_h", 1, 0);
    CHECK(found({0, 4, 4, 5, 4, 1, 1, 0, 0, 0, 0, 1, 1}).is_empty);
    is_named({1, 0, 4, 5, 4, 1, 1, 9, 0, 0, 0, 1, 1}, "h", 1, 0);

    // Weights are packed for taps and channels: of images, strides and padding nothing is asked.
    const auto asked = [](const conv2d_shape& of) {
        const definition own = conv2d_definition<>(of, dtype::f32);
        const std::uint64_t which =
            parameters_of(own.parameters, packed_weights(own, direct_knobs{.rows = 2, .vectors = 1}, isa::baseline));
        std::string names;
        for (std::size_t p = 0; p < own.parameters.size(); ++p)
            if ((which >> p & 1) != 0) names += std::string(own.parameters[p].name) + ' ';
        std::int64_t values[40]{};
        std::vector<std::int64_t> given(given_parameters(own.parameters), -7);
        for (std::size_t p = 0; p < given.size(); ++p)
            if ((which >> p & 1) != 0) given[p] = 2;
        CHECK(check_some_parameters(own.parameters, which, 0, given.data(), values).found.ok());
        return names;
    };
    CHECK(asked(s) == "kh kw ");
    s.ic = s.oc = extent::up_to(9);
    CHECK(asked(s) == "ic oc kh kw ");
    s.groups = s.ic;
    CHECK(asked(s) == "ic kh kw ");
    s.groups = extent::up_to(4);
    CHECK(asked(s) == "ic oc kh kw groups ");
    s.groups = 2;
    s.ic = s.oc = extent::up_to(8);
    CHECK(asked(s) == "ic oc kh kw ");
}

TEST_CASE("shares of a call are whole, and asked of with what they are shares of")
{
    inline_vector<parameter, 5> all;
    all.push_back({.name = "rows", .least = 1, .most = 9});
    all.push_back({.name = "ic", .least = 1, .most = 60});
    all.push_back({.name = "groups", .least = 1, .most = 20});
    parameter share = quotient_of(all, "ic / groups", 1, 0, 1);
    share.groups = 2;
    share.is_share = true;
    all.push_back(share);
    share = quotient_of(all, "a third of ic", 1, 0, 3);
    share.is_share = true;
    all.push_back(share);
    const auto found = [&](std::int64_t rows, std::int64_t ic, std::int64_t groups, std::uint64_t which = 7) {
        const std::int64_t given[] = {rows, ic, groups};
        std::int64_t values[5]{};
        const status some = check_some_parameters(all, which, 0, given, values).found;
        if (some.ok() && (which & 6) == 6) CHECK(values[3] * groups == ic);
        if (which == 7) CHECK(check_parameters(all, 0, given).found.what == some.what);
        return some;
    };
    CHECK(found(1, 12, 4).ok());
    CHECK(found(1, 60, 20).ok());
    const status uneven = found(1, 12, 5);
    CHECK(uneven.what == fault::shape_mismatch);
    CHECK(std::string(uneven.subject) == "ic");
    CHECK(uneven.expected == 5);
    CHECK(uneven.found == 12);
    CHECK(found(1, 20, 4).expected == 3); // which is no third
    CHECK(found(1, 12, 0).what == fault::parameter_out_of_range);
    CHECK(found(10, 12, 5).what == fault::parameter_out_of_range);
    CHECK(found(10, 12, 5, 6).what == fault::shape_mismatch);
    CHECK(found(1, 13, 0, 1).ok());
}

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
