// SPDX-License-Identifier: BSL-1.0
// Definitions that cannot be worked with are named as such, without an overflow on the way: these are constants.
#include <hone/op/definition_check.hpp>

#include <cstdint>
#include <limits>
#include <string>

#include <doctest/doctest.h>

#include <hone/codegen/lower.hpp>
#include <hone/op/conv2d.hpp>
#include <hone/op/gemm.hpp>
#include <hone/run/kernel.hpp>

using namespace hone;

namespace {

constexpr std::int64_t most = std::numeric_limits<std::int64_t>::max();
constexpr std::int64_t large[] = {(std::int64_t{1} << 40) + 1, std::int64_t{1} << 52, std::int64_t{1} << 62, most};

template <gemm_shape S>
constexpr bool refuses_product =
    with_roles_checked(gemm<S, f32, bias, residual>::definition()).found.what == fault::extent_too_large;
template <conv2d_shape S>
constexpr bool refuses_layer =
    with_roles_checked(conv2d<S, f32, bias, residual>::definition()).found.what == fault::extent_too_large;

// In each place alone, and in all at once.
template <std::int64_t E>
constexpr bool products_are_refused()
{
    return refuses_product<gemm_shape{.batch = E}> && refuses_product<gemm_shape{.m = E}> &&
           refuses_product<gemm_shape{.n = E}> && refuses_product<gemm_shape{.k = E}> &&
           refuses_product<gemm_shape{.batch = E, .m = E, .n = E, .k = E}> &&
           refuses_product<gemm_shape{.m = extent::up_to(E), .ldx = leading::at_call(), .ldy = leading::at_call()}> &&
           refuses_product<gemm_shape{.batch = E, .m = extent::up_to(E), .ldy = leading::at_call()}> &&
           refuses_product<gemm_shape{.m = 2, .ldx = E}> && refuses_product<gemm_shape{.k = 2, .ldw = E}> &&
           refuses_product<gemm_shape{.m = 2, .ldy = E}> &&
           refuses_product<gemm_shape{.batch = 2, .batch_stride_x = E}> &&
           refuses_product<gemm_shape{.batch = 2, .batch_stride_w = E}> &&
           refuses_product<gemm_shape{.batch = 2, .batch_stride_y = E}>;
}
template <std::int64_t E>
constexpr bool layers_are_refused()
{
    return refuses_layer<conv2d_shape{.n = E}> && refuses_layer<conv2d_shape{.h = E}> &&
           refuses_layer<conv2d_shape{.w = E}> && refuses_layer<conv2d_shape{.ic = E}> &&
           refuses_layer<conv2d_shape{.oc = E}> &&
           refuses_layer<conv2d_shape{.n = E, .h = E, .w = E, .ic = E, .oc = E, .groups = E}>;
}
static_assert(products_are_refused<large[0]>() && products_are_refused<large[1]>() &&
              products_are_refused<large[2]>() && products_are_refused<large[3]>());
static_assert(layers_are_refused<large[0]>() && layers_are_refused<large[1]>() && layers_are_refused<large[2]>() &&
              layers_are_refused<large[3]>());

// Each extent is fine by itself.
constexpr std::int64_t half = std::int64_t{1} << 24;
static_assert(refuses_product<gemm_shape{.m = half, .n = half}> && refuses_product<gemm_shape{.n = half, .k = half}> &&
              refuses_product<gemm_shape{.batch = half, .m = half}>);
static_assert(refuses_layer<conv2d_shape{.h = half, .w = half}> &&
              refuses_layer<conv2d_shape{.ic = half, .oc = half}> &&
              refuses_layer<conv2d_shape{.w = half, .kw = half, .pad_top = half}> &&
              refuses_layer<conv2d_shape{.n = half, .pad_left = half}>);

// The largest that is taken.
constexpr gemm_shape whole{.m = std::int64_t{1} << 40};
static_assert(with_roles_checked(gemm<whole, f32>::definition()).found.ok());
static_assert(with_roles_checked(conv2d<conv2d_shape{.h = std::int64_t{1} << 40}, f32>::definition()).found.ok());
// Calls choose strides up to 2^31.
static_assert(
    with_roles_checked(
        gemm<gemm_shape{
                 .m = extent::up_to(1 << 20), .n = 16, .k = 16, .ldx = leading::at_call(), .ldy = leading::at_call()},
             f32>::definition())
        .found.ok());

constexpr definition product = gemm<gemm_shape{.m = 8, .n = 16, .k = 4}, f32, bias>::definition();
template <class Change>
status found(Change change)
{
    definition d = product;
    change(d);
    return with_roles_checked(d).found;
}
void is_named(const status& s, fault what, const char* subject)
{
    CHECK(s.what == what);
    CHECK(std::string(s.subject) == subject);
}

} // namespace

TEST_CASE("what is too large is named, with how large it may be")
{
    constexpr status m = gemm<gemm_shape{.m = most, .n = most}, f32>::definition().found;
    is_named(m, fault::extent_too_large, "gemm");
    CHECK(m.expected == std::int64_t{1} << 40);
    CHECK(m.found == most);
    constexpr status y = gemm<gemm_shape{.m = half, .n = half}, f32>::definition().found;
    is_named(y, fault::extent_too_large, "y");
    CHECK(y.found == std::int64_t{1} << 48);
    is_named(conv2d_shape{.h = half, .w = half}.check(), fault::extent_too_large, "conv2d: x");
    is_named(conv2d_shape{.h = half, .oc = half}.check(), fault::extent_too_large, "conv2d: y");
    is_named(conv2d_shape{.ic = half, .oc = half}.check(), fault::extent_too_large, "conv2d: weights");
    // So is what lowering is asked for.
    const definition d = with_roles_checked(gemm<gemm_shape{.m = half, .n = half}, f32>::definition());
    is_named(lower(cpu_schedule(d, {}, isa::baseline)).found, fault::extent_too_large, "y");
}

TEST_CASE("a user's definition")
{
    CHECK(found([](definition&) {}).ok());
    for (const std::int64_t e : large) {
        CAPTURE(e);
        is_named(found([&](definition& d) { d.stages[0].axes[0].extent = e; }), fault::extent_too_large, "batch");
        is_named(found([&](definition& d) { d.tensors[0].dims[1].extent = e; }), fault::extent_too_large, "x");
        is_named(found([&](definition& d) { d.tensors[1].dims[1].stride = e; }), fault::extent_too_large, "weights");
        is_named(found([&](definition& d) { d.tensors[1].dims[1].stride = -e; }), fault::extent_too_large, "weights");
        is_named(found([&](definition& d) {
                     for (dimension& own : d.tensors[0].dims) own.extent = e;
                     set_dense(d.tensors[0]);
                 }),
                 fault::extent_too_large, "x");
    }
    for (const std::int64_t e : {std::int64_t{0}, std::int64_t{-1}, std::numeric_limits<std::int64_t>::min()}) {
        CAPTURE(e);
        is_named(found([&](definition& d) { d.stages[0].axes[1].extent = e; }), fault::extent_zero, "m");
        is_named(found([&](definition& d) { d.tensors[0].dims[1].extent = e; }), fault::extent_zero, "x");
    }
    // An index that leaves 64 bits on an axis and a tensor that do not.
    is_named(found([](definition& d) {
                 d.stages[0].axes[1].extent = std::int64_t{1} << 40;
                 d.stages[0].operands[0].index[1].terms[0].coefficient = std::numeric_limits<std::int32_t>::min();
             }),
             fault::extent_too_large, "gemm");
}

TEST_CASE("what a definition has no room for is named")
{
    const auto fill = [](auto& table) {
        while (!table.overflowed()) table.push_back({});
    };
    const auto is_too_large = [&](auto&& change, const char* subject, fault what = fault::definition_too_large) {
        is_named(found(change), what, subject);
        // Also where a schedule of a user takes it as it is.
        schedule s = cpu_schedule(product, {}, isa::baseline);
        change(s.definition);
        CHECK(lower(s).found.what == what);
    };
    is_too_large([&](definition& d) { fill(d.tensors); }, "tensors");
    is_too_large([&](definition& d) { fill(d.stages); }, "stages");
    is_too_large([&](definition& d) { fill(d.parameters); }, "parameters");
    is_too_large([&](definition& d) { fill(d.table_values); }, "values of tables");
    is_too_large([&](definition& d) { fill(d.tensors[1].dims); }, "dimensions of a tensor");
    is_too_large([&](definition& d) { fill(d.stages[0].axes); }, "axes of a stage");
    is_too_large([&](definition& d) { fill(d.stages[0].operands); }, "operands of a stage");
    is_too_large([&](definition& d) { fill(d.stages[0].tables); }, "tables of a stage");
    is_too_large([&](definition& d) { fill(d.stages[0].operands[0].index); }, "dimensions of an index");
    is_too_large([&](definition& d) { fill(d.stages[0].output.index[0].terms); }, "terms of an index");
    is_too_large([&](definition& d) { fill(d.stages[0].body.nodes); }, "body", fault::expression_too_long);
    is_too_large([&](definition& d) { fill(d.stages[0].epilogue.nodes); }, "epilogue", fault::expression_too_long);
}
