// SPDX-License-Identifier: BSL-1.0
// Compiled kernels whose tensors are parts of larger ones: neighbouring slices of channels, which fill no vectors, are
// written by one operator each and keep what the other wrote; gaps of x are not read, nor pages behind the last pixel.
#include <algorithm>
#include <cstring>
#include <memory>
#include <string>
#include <vector>

#include <doctest/doctest.h>

#include <hone/op/elementwise.hpp>
#include <hone/process/guarded_memory.hpp>
#include <hone/stages.hpp>

#include "kernel_trial.hpp"
#include "pools.hpp"
#include "row_wise.hpp"
#include "transposed.hpp"
#include "views.hpp"

using namespace hone;
using namespace hone::test;

namespace {

// The dense shape that a shape of images is a view of, and the runs of its tensors with these distances of a call.
template <class Shape>
Shape dense_of(Shape s)
{
    s.ldx = s.ldy = s.batch_stride_x = s.batch_stride_y = leading();
    return s;
}
constexpr std::int64_t gap_of_call = 5;
template <class Shape>
viewed<Shape> view_of(const Shape& s, std::int64_t channels_of_x, std::int64_t channels_of_y)
{
    const auto gap = [&](const image_view& v) {
        return v.distance().is_at_call ? gap_of_call : v.is_dense() ? 0 : v.distance().value - v.least();
    };
    const auto how = [](const image_view& v) {
        return v.distance().is_at_call ? gaps::at_call : v.is_dense() ? gaps::none : gaps::known;
    };
    return {dense_of(s), channels_of_x, channels_of_y, how(s.x()), gap(s.x()), how(s.y()), gap(s.y())};
}

// x and y end with a page that nobody may touch, then begin behind one.
std::string wrong_among_pages(const entry& kernel, const call_data& d, const doubles& expected,
                              const std::int64_t* parameters)
{
    using tune::measuring::flush, tune::measuring::guarded_memory;
    for (const flush side : {flush::to_begin, flush::to_end}) {
        guarded_memory x("x", d.x.size() * sizeof(float), side), y("y", d.y.size() * sizeof(float), side);
        std::memcpy(x.floats(), d.x.data(), d.x.size() * sizeof(float));
        std::memcpy(y.floats(), d.y.data(), d.y.size() * sizeof(float));
        x.make_read_only();
        floats packed(kernel.packed_bytes / sizeof(float) + 1),
            workspace(kernel.workspace_bytes(1) / sizeof(float) + 1);
        kernel.pack(d.weights.data(), packed.data());
        serial_executor serial;
        const status found = kernel.run(reference_to(serial), {.x = x.floats(),
                                                               .weights = packed.data(),
                                                               .bias = d.bias.data(),
                                                               .residual = d.residual.data(),
                                                               .y = y.floats(),
                                                               .workspace = workspace.data(),
                                                               .parameters = parameters});
        if (!found.ok()) return std::string{found.message()} + ", " + found.subject;
        if (!y.slack_holds()) return "run() writes beside y";
        const floats result(y.floats(), y.floats() + d.y.size());
        if (std::string wrong = difference(result, expected, 1e-2); !wrong.empty()) return "pages: " + wrong;
    }
    return "";
}
template <class Shape, class Dense>
std::string wrong_view(const entry& kernel, const Shape& s, std::int64_t channels_of_x, std::int64_t channels_of_y,
                       const Dense& expected_of, double tolerance = 0)
{
    const auto v = view_of(s, channels_of_x, channels_of_y);
    const call_data dense = data_of(dense_of(s), 7), given = v.spread(dense);
    const doubles expected = v.spread(expected_of(dense));
    std::string wrong = wrong_kernel(kernel, given, expected, v.parameters.data(), tolerance);
    if (wrong.empty()) wrong = wrong_among_pages(kernel, given, expected, v.parameters.data());
    return wrong.empty() ? wrong : std::string(kernel.signature) + ": " + wrong;
}
template <conv2d_shape S, auto Knobs = by_default{}>
std::string wrong_convolution(double tolerance = 0)
{
    const auto t = trial_of<S, Knobs, bias, residual, relu>();
    return wrong_view(
        t.kernel, S, S.ic, S.oc, [&](const call_data& dense) { return reference(dense_of(S), dense, t.epilogue); },
        tolerance);
}

constexpr leading of_call = leading::at_call();
constexpr conv2d_shape padded{
    .n = 2, .h = 5, .w = 7, .ic = 5, .oc = 19, .kh = 3, .kw = 3, .pad = 1, .ldx = 9, .ldy = of_call};
constexpr conv2d_shape depthwise{
    .h = 6, .w = 7, .ic = 35, .oc = 35, .kh = 3, .kw = 3, .pad = 1, .groups = 35, .ldx = of_call, .ldy = 37};
constexpr conv2d_shape grouped{
    .h = 4, .w = 9, .ic = 12, .oc = 20, .kh = 3, .kw = 3, .stride = 2, .pad = 1, .groups = 4, .ldx = 16, .ldy = 32};
constexpr conv2d_shape planes{.n = 2,
                              .h = 6,
                              .w = 11,
                              .ic = 3,
                              .oc = 5,
                              .kh = 3,
                              .kw = 3,
                              .pad = 1,
                              .layout = layout::nchw,
                              .batch_stride_x = 200,
                              .batch_stride_y = of_call};
constexpr conv2d_shape tiles{
    .n = 2, .h = 7, .w = 6, .ic = 9, .oc = 13, .kh = 3, .kw = 3, .pad = 1, .ldx = 24, .ldy = 17};
constexpr pool_shape pooled{
    .n = 2, .h = 5, .w = 7, .c = 21, .kh = 3, .kw = 2, .stride = 2, .pad = 1, .ldx = 24, .ldy = 23};
constexpr pool_shape means{.n = 2,
                           .h = 5,
                           .w = 7,
                           .c = 3,
                           .kh = 2,
                           .kw = 2,
                           .layout = layout::nchw,
                           .batch_stride_x = of_call,
                           .batch_stride_y = 80};
constexpr conv2d_transposed_shape doubled{
    .h = 3, .w = 5, .ic = 6, .oc = 19, .kh = 2, .kw = 2, .stride = 2, .ldx = of_call, .ldy = 24};

} // namespace

TEST_CASE("convolutions of parts of tensors into parts of others")
{
    CHECK(wrong_convolution<padded>() == "");
    CHECK(wrong_convolution<padded, direct_knobs{.rows = 3, .vectors = 1, .pad = padding::copy}>() == "");
    CHECK(wrong_convolution<depthwise>() == "");
    CHECK(wrong_convolution<grouped>() == "");
    CHECK(wrong_convolution<planes>() == "");
    CHECK(wrong_convolution<tiles,
                            winograd_knobs{.tile = 2, .block_rows = 2, .block_columns = 2, .rows = 3, .vectors = 1}>(
              1e-2) == "");
    const auto t =
        trial_of_operator<by_default{}, conv2d_transposed<doubled, f32, bias>, conv2d_transposed_shape, bias>(doubled);
    CHECK(wrong_view(t.kernel, doubled, doubled.ic, doubled.oc,
                     [&](const call_data& dense) { return reference(dense_of(doubled), dense, t.epilogue); }) == "");
}

TEST_CASE("pools of parts of tensors into parts of others")
{
    const auto largest = trial_of_operator<by_default{}, max_pool<pooled, f32>, pool_shape>(pooled);
    CHECK(wrong_view(largest.kernel, pooled, pooled.c, pooled.c, [&](const call_data& dense) {
              return reference(dense_of(pooled), pooling::max, dense, {});
          }) == "");
    const auto mean = trial_of_operator<by_default{}, average_pool<means, f32>, pool_shape>(means);
    CHECK(wrong_view(
              mean.kernel, means, means.c, means.c,
              [&](const call_data& dense) { return reference(dense_of(means), pooling::average, dense, {}); },
              1e-6) == "");
}

TEST_CASE("rows that are parts of longer ones")
{
    constexpr row_shape s{.rows = extent::up_to(6), .n = 37, .ldx = 40, .ldy = of_call};
    constexpr row_shape dense{.rows = 5, .n = 37};
    const runs x{5, 37, 40}, y{5, 37, 41};
    const rows_data given = data_of(dense, 3);
    const floats apart_x = x.spread(given.x, gap_of_x);
    guarded to(static_cast<std::size_t>(4 * 41 + 37) * sizeof(float));
    using own = kernel<softmax<s, f32>>;
    eager_pool pool(2);
    guarded workspace(own::workspace_bytes(2));
    const std::int64_t parameters[] = {5, 41};
    const auto run = [&](const std::int64_t* with) {
        return own::run(pool, {.x = apart_x.data(), .y = to.data(), .workspace = workspace.data(), .parameters = with});
    };
    REQUIRE(run(parameters).ok());
    CHECK(to.is_intact());
    const doubles expected = reference(dense, given), bounds = error_bounds(dense, given);
    floats packed = poisoned(5 * 37);
    const floats all = to.values();
    for (std::size_t i = 0; i < packed.size(); ++i) packed[i] = all[y.place_of(i)];
    CHECK(far_from(packed, expected, bounds) == "");
    CHECK(std::count_if(all.begin(), all.end(), is_poison) == 4 * 4);

    const std::int64_t too_near[] = {5, 36}, dense_rows[] = {5, 37};
    const status found = run(too_near);
    CHECK(found.what == fault::parameter_out_of_range);
    CHECK(std::string(found.subject) == "ldy");
    CHECK(found.expected == 37);
    CHECK(run(dense_rows).ok());
}

namespace {

// Three layers that write 19, 5 and 13 channels of a tensor that has 40, at places that no vector begins at.
constexpr std::int64_t all_channels = 40, first_channels = 19, second_channels = 5, third_channels = 13;
constexpr conv2d_shape first{.h = 5, .w = 7, .ic = 4, .oc = first_channels, .ldy = all_channels};
constexpr pool_shape second{.h = 5, .w = 7, .c = second_channels, .kh = 3, .kw = 3, .pad = 1, .ldy = all_channels};
constexpr image_shape third{.h = 5, .w = 7, .c = third_channels, .ldx = 17, .ldy = all_channels};
using first_layer = conv2d<first, f32, bias, relu>;
using second_layer = max_pool<second, f32>;
using third_layer = elementwise<third, f32, relu>;

} // namespace

TEST_CASE("layers write neighbouring channels of one tensor, in any order, and none of another's")
{
    eager_pool pool(2);
    const call_data a = data_of(dense_of(first), 1), b = data_of(dense_of(second), 2);
    const floats c = small_integers(35 * 17, 3);
    floats weights = poisoned(static_cast<std::int64_t>(kernel<first_layer>::packed_bytes / sizeof(float)));
    REQUIRE(kernel<first_layer>::pack(a.weights.data(), weights.data()).ok());
    const doubles of_first = reference(dense_of(first), a, {step::bias, step::relu}),
                  of_second = reference(dense_of(second), pooling::max, b, {});
    std::vector<int> order{0, 1, 2};
    do {
        guarded y(35 * all_channels * sizeof(float));
        for (const int layer : order) {
            const status found =
                layer == 0
                    ? kernel<first_layer>::run(
                          pool, {.x = a.x.data(), .weights = weights.data(), .bias = a.bias.data(), .y = y.data()})
                : layer == 1
                    ? kernel<second_layer>::run(pool, {.x = b.x.data(), .y = y.data() + first_channels})
                    : kernel<third_layer>::run(pool, {.x = c.data(), .y = y.data() + first_channels + second_channels});
            REQUIRE_MESSAGE(found.ok(), found.message());
        }
        CHECK(y.is_intact());
        doubles expected(35 * all_channels, untouched);
        const runs pixels[] = {{35, first_channels, all_channels}, {35, second_channels, all_channels}};
        for (std::size_t i = 0; i < of_first.size(); ++i) expected[pixels[0].place_of(i)] = of_first[i];
        for (std::size_t i = 0; i < of_second.size(); ++i)
            expected[first_channels + pixels[1].place_of(i)] = of_second[i];
        for (std::size_t p = 0; p < 35; ++p)
            for (std::size_t i = 0; i < third_channels; ++i)
                expected[p * all_channels + first_channels + second_channels + i] =
                    std::max(static_cast<double>(c[p * 17 + i]), 0.0);
        CHECK(difference(y.values(), expected) == "");
    } while (std::next_permutation(order.begin(), order.end()));
}

TEST_CASE("a call that gives pixels closer than their channels is refused")
{
    using own = kernel<conv2d<padded, f32, bias, residual, relu>>;
    const call_data d = data_of(dense_of(padded), 1);
    guarded y(static_cast<std::size_t>(padded.y().elements * 2) * sizeof(float)), workspace(own::workspace_bytes(1));
    floats packed(own::packed_bytes / sizeof(float)), x(2000);
    serial_executor serial;
    const auto run = [&](std::int64_t ldy) {
        return own::run(serial, {.x = x.data(),
                                 .weights = packed.data(),
                                 .bias = d.bias.data(),
                                 .residual = d.residual.data(),
                                 .y = y.data(),
                                 .workspace = workspace.data(),
                                 .parameters = &ldy});
    };
    for (const std::int64_t ldy : {std::int64_t{18}, std::int64_t{0}, std::int64_t{-19}, most_distance + 1}) {
        const status found = run(ldy);
        CHECK(found.what == fault::parameter_out_of_range);
        CHECK(std::string(found.subject) == "ldy");
    }
    CHECK(run(19).ok());
}
