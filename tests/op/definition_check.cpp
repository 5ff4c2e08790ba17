// SPDX-License-Identifier: BSL-1.0
// Definitions that cannot be worked with are named as such, without an overflow on the way: these are constants.
#include <hone/op/definition_check.hpp>

#include <cstdint>
#include <limits>
#include <string>
#include <utility>

#include <doctest/doctest.h>

#include <hone/cpu/kernel.hpp>
#include <hone/lower/lower.hpp>
#include <hone/op/conv2d.hpp>
#include <hone/op/conv2d_transposed.hpp>
#include <hone/op/gemm.hpp>

using namespace hone;
using namespace hone::codegen;

namespace {

constexpr std::int64_t most = std::numeric_limits<std::int64_t>::max();
constexpr std::int64_t large[] = {(std::int64_t{1} << 40) + 1, std::int64_t{1} << 52, std::int64_t{1} << 62, most};

template <gemm_shape S>
constexpr bool refuses_product =
    checked(gemm<S, f32, bias, residual>::definition()).found.what == fault::extent_too_large;
template <conv2d_shape S>
constexpr bool refuses_layer =
    checked(conv2d<S, f32, bias, residual>::definition()).found.what == fault::extent_too_large;

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
constexpr std::int64_t part = std::int64_t{1} << 24;
static_assert(refuses_product<gemm_shape{.m = part, .n = part}> && refuses_product<gemm_shape{.n = part, .k = part}> &&
              refuses_product<gemm_shape{.batch = part, .m = part}>);
static_assert(refuses_layer<conv2d_shape{.h = part, .w = part}> &&
              refuses_layer<conv2d_shape{.ic = part, .oc = part}> &&
              refuses_layer<conv2d_shape{.w = part, .kw = part, .pad_top = part}> &&
              refuses_layer<conv2d_shape{.n = part, .pad_left = part}>);

// The largest that is taken.
constexpr gemm_shape whole{.m = std::int64_t{1} << 40};
static_assert(checked(gemm<whole, f32>::definition()).found.ok());
static_assert(checked(conv2d<conv2d_shape{.h = std::int64_t{1} << 40}, f32>::definition()).found.ok());
// Calls choose strides up to 2^31.
static_assert(
    checked(
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
    return checked(d).found;
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
    constexpr status y = gemm<gemm_shape{.m = part, .n = part}, f32>::definition().found;
    is_named(y, fault::extent_too_large, "y");
    CHECK(y.found == std::int64_t{1} << 48);
    is_named(conv2d_shape{.h = part, .w = part}.check(), fault::extent_too_large, "conv2d: x");
    is_named(conv2d_shape{.h = part, .oc = part}.check(), fault::extent_too_large, "conv2d: y");
    is_named(conv2d_shape{.ic = part, .oc = part}.check(), fault::extent_too_large, "conv2d: weights");
    // So is what lowering is asked for.
    const definition d = checked(gemm<gemm_shape{.m = part, .n = part}, f32>::definition());
    is_named(lower(schedule_for(d, cpu_config(direct_knobs{}), isa::baseline)).found, fault::extent_too_large, "y");
}

TEST_CASE("a user's definition")
{
    CHECK(found([](definition&) {}).ok());
    // Kernels read weights of 16 bits, and nothing else.
    CHECK(found([](definition& d) { d.tensors[1].type = dtype::f16; }).ok());
    is_named(found([](definition& d) { d.tensors[0].type = dtype::f16; }), fault::element_type_unknown, "x");
    is_named(found([](definition& d) { d.tensors.back().type = dtype::f16; }), fault::element_type_unknown, "y");
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
    // So does one along a stride of 0.
    is_named(found([](definition& d) {
                 d.stages[0].axes[1].extent = std::int64_t{1} << 40;
                 d.tensors[0].dims[1].stride = 0;
                 d.stages[0].operands[0].index[1].terms[0].coefficient = std::numeric_limits<std::int32_t>::max();
             }),
             fault::extent_too_large, "gemm");
    // An index that leaves 64 bits on an axis and a tensor that do not.
    is_named(found([](definition& d) {
                 d.stages[0].axes[1].extent = std::int64_t{1} << 40;
                 d.stages[0].operands[0].index[1].terms[0].coefficient = std::numeric_limits<std::int32_t>::min();
             }),
             fault::extent_too_large, "gemm");
}

TEST_CASE("a quotient has a value that its axis has, of an axis that is before it")
{
    // x[i] of 5 for y[o] of 9, i = floor(o / 2).
    const auto found = [](auto change) {
        definition d;
        d.tensors.push_back({.name = "x", .role = role::input});
        d.tensors.push_back({.name = "y", .role = role::output});
        d.tensors[0].dims.push_back({.extent = 5});
        d.tensors[1].dims.push_back({.extent = 9});
        stage s;
        s.name = "halves";
        s.axes.push_back({"o", 9});
        s.axes.push_back({.name = "i", .extent = 5, .quotient = {.of = 0, .divisor = 2}});
        s.operands.push_back({.tensor = 0});
        s.operands[0].index.push_back(along(1));
        s.output.tensor = 1;
        s.output.index.push_back(along(0));
        s.body = ex::load(0);
        d.stages.push_back(s);
        change(d);
        return checked(d).found;
    };
    CHECK(found([](definition&) {}).ok());
    const auto with = [&](auto change) { return found([&](definition& d) { change(d.stages[0].axes[1]); }); };
    is_named(with([](axis& a) { a.quotient.of = 1; }), fault::definition_unknown_part, "i");
    is_named(with([](axis& a) { a.quotient.divisor = 0; }), fault::definition_outside, "i");
    is_named(with([](axis& a) { a.quotient.added = -1; }), fault::definition_outside, "i");
    is_named(with([](axis& a) { a.quotient.added = 2; }), fault::definition_outside, "i");
    is_named(with([](axis& a) { a.quotient.times = 2; }), fault::definition_outside, "i");
    is_named(with([](axis& a) { a.extent = 4; }), fault::definition_outside, "i");
    is_named(with([](axis& a) { a.reduction = true; }), fault::definition_reduction, "halves");
    is_named(found([](definition& d) { d.stages[0].axes[0].extent = std::int64_t{1} << 40; }),
             fault::definition_outside, "i");
    CHECK(with([](axis& a) { a.quotient = {.of = 0, .times = -1, .added = 8, .divisor = 2}; }).ok());

    // Where the call says where it stands, and where all values are summed, those of the axis are taken.
    const auto of_call = [&](auto change) {
        return found([&](definition& d) {
            d.parameters.push_back({.name = "step", .least = 1, .most = 4});
            d.stages[0].axes[1].quotient.parameter = 0;
            change(d);
        });
    };
    CHECK(of_call([](definition&) {}).ok());
    CHECK(of_call([](definition& d) { d.stages[0].axes[1].quotient.rest = -1; }).ok());
    is_named(of_call([](definition& d) { d.stages[0].axes[1].quotient.parameter = 1; }), fault::definition_unknown_part,
             "i");
    is_named(of_call([](definition& d) { d.stages[0].axes[1].quotient.divisor = 0; }), fault::definition_outside, "i");
    is_named(of_call([](definition& d) {
                 d.stages[0].axes[0].reduction = true;
                 d.stages[0].reduce = reduction::add;
             }),
             fault::definition_outside, "i");
    // What leaves 64 bits at some step is none.
    is_named(of_call([](definition& d) {
                 d.parameters[0].most = std::int64_t{1} << 50;
                 d.stages[0].axes[1].quotient.times = 1 << 20;
             }),
             fault::definition_outside, "i");
    is_named(
        of_call([](definition& d) { d.stages[0].axes[1].quotient.rest = std::numeric_limits<std::int64_t>::min(); }),
        fault::definition_outside, "i");
    const auto summed = [&](std::int64_t span) {
        return found([&](definition& d) {
            d.stages[0].reduce = reduction::add;
            d.stages[0].axes[1].reduction = true;
            d.stages[0].axes[1].quotient = {.of = 0, .added = -3, .divisor = 2, .span = span};
        });
    };
    CHECK(summed(3).ok());
    is_named(summed(-1), fault::definition_outside, "i");
}

TEST_CASE("what a definition has no room for is named")
{
    const auto fill = [](auto& table) {
        while (!table.overflowed()) table.push_back({});
    };
    const auto is_too_large = [&](auto&& change, const char* subject, fault what = fault::definition_too_large) {
        is_named(found(change), what, subject);
        // Also where a schedule of a user takes it as it is.
        schedule s = schedule_for(product, cpu_config(direct_knobs{}), isa::baseline);
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

TEST_CASE("numbers that name nothing")
{
    const auto unknown = [](auto change, const char* subject) {
        is_named(found(change), fault::definition_unknown_part, subject);
    };
    for (const int number : {-2, 4, 100}) {
        CAPTURE(number);
        const auto n = static_cast<std::int8_t>(number);
        unknown([&](definition& d) { d.stages[0].operands[0].index[1].terms[0].axis = n; }, "gemm");
        unknown([&](definition& d) { d.stages[0].output.index[2].terms[0].axis = n; }, "gemm");
        unknown([&](definition& d) { d.stages[0].operands[1].tensor = n; }, "gemm");
        unknown([&](definition& d) { d.stages[0].output.tensor = n; }, "gemm");
        unknown([&](definition& d) { d.stages[0].body = ex::load(0) * ex::load(n); }, "gemm");
        unknown([&](definition& d) { d.stages[0].epilogue = ex::acc() + ex::load(n); }, "gemm");
        unknown([&](definition& d) { d.stages[0].epilogue = ex::acc() + ex::table(n); }, "gemm");
        unknown([&](definition& d) { d.stages[0].axes[1].parameter = n; }, "m");
        unknown([&](definition& d) { d.tensors[1].dims[1].stride_parameter = n; }, "weights");
        unknown([&](definition& d) { d.tensors[1].dims[1].extent_parameter = n; }, "weights");
        // A table of two values that begins, or ends, where there are none.
        unknown(
            [&](definition& d) {
                d.table_values.push_back(1);
                d.table_values.push_back(2);
                d.stages[0].tables.push_back({.first = n, .count = 2, .index = along(1)});
            },
            "gemm");
    }
    unknown([](definition& d) { d.stages[0].tables.push_back({.first = 0, .count = 1, .index = along(1)}); }, "gemm");

    // A position is the index of a table without values, and of that alone.
    const auto placed = [](const expr& e, const dim_index& index) {
        return found([&](definition& d) {
            d.stages[0].tables.push_back({.index = index});
            d.stages[0].epilogue = ex::acc() + e;
        });
    };
    CHECK(placed(ex::position(0), along(1, 3, -2)).ok());
    is_named(placed(ex::position(1), along(1)), fault::definition_unknown_part, "gemm");
    is_named(placed(ex::table(0), along(1)), fault::definition_unknown_part, "gemm");
    is_named(placed(ex::position(0), along(1, 1 << 24)), fault::extent_too_large, "gemm");

    // Of a call, it is one of a parameter that is there, and at most as large with that.
    const auto placed_by = [](std::int16_t parameter, std::int64_t largest) {
        return found([&](definition& d) {
            d.parameters.push_back({.name = "p", .least = 0, .most = largest});
            d.stages[0].tables.push_back({.index = {.offset = 2, .offset_parameter = parameter}});
            d.stages[0].epilogue = ex::acc() + ex::position(0);
        });
    };
    CHECK(placed_by(0, 1 << 23).ok());
    is_named(placed_by(0, (1 << 23) + 1), fault::extent_too_large, "gemm");
    is_named(placed_by(1, 8), fault::definition_unknown_part, "gemm");
}

TEST_CASE("indexes of another rank, and expressions of nothing")
{
    is_named(found([](definition& d) { d.stages[0].operands[0].index.pop_back(); }), fault::definition_rank, "x");
    is_named(found([](definition& d) { d.stages[0].output.index.push_back({}); }), fault::definition_rank, "y");
    is_named(found([](definition& d) { d.tensors[1].dims.push_back({}); }), fault::definition_rank, "weights");
    CHECK(found([](definition& d) { d.stages[0].operands[0].index.pop_back(); }).expected == 3);
    CHECK(found([](definition& d) { d.stages[0].operands[0].index.pop_back(); }).found == 2);

    const auto empty = [](auto change) { is_named(found(change), fault::definition_expression, "gemm"); };
    empty([](definition& d) { d.stages[0].body = {}; });
    empty([](definition& d) { d.stages[0].epilogue = {}; });
    empty([](definition& d) { d.stages[0].body = ex::load(0) * expr{}; });
    empty([](definition& d) { d.stages[0].body = expr{} + ex::load(0); });
    empty([](definition& d) { d.stages[0].body = ex::sqrt(expr{}); });
    empty([](definition& d) { d.stages[0].body = ex::select(ex::load(0), ex::load(1), expr{}); });
    empty([](definition& d) { d.stages[0].body = ex::load(0) * ex::acc(); });
    is_named(found([](definition& d) { d.stages.clear(); }), fault::definition_expression, "stages");
    is_named(found([](definition& d) { d.stages[0].reduce = reduction::none; }), fault::definition_reduction, "gemm");
}

TEST_CASE("stages that leave their tensors")
{
    const auto outside = [](auto change, const char* subject, std::int64_t last, std::int64_t at) {
        is_named(found(change), fault::definition_outside, subject);
        CHECK(found(change).expected == last);
        CHECK(found(change).found == at);
    };
    outside([](definition& d) { d.stages[0].axes[1].extent = 9; }, "x", 7, 8);
    outside([](definition& d) { d.tensors[1].dims[2].extent = 15; }, "weights", 14, 15);
    outside([](definition& d) { d.stages[0].operands[0].index[1].offset = -1; }, "x", 7, -1);
    outside([](definition& d) { d.stages[0].operands[0].index[1] = along(1, -1, 6); }, "x", 7, -1);
    outside([](definition& d) { d.stages[0].operands[0].index[1] = along(1, 2); }, "x", 7, 14);
    outside([](definition& d) { d.tensors[d.stages[0].output.tensor].dims[2].extent = 12; }, "y", 11, 15);
    // The same where zeros stand outside, and upside down but inside.
    CHECK(found([](definition& d) {
              d.stages[0].operands[0].index[1].offset = -1;
              d.stages[0].operands[0].may_leave = true;
          }).ok());
    CHECK(found([](definition& d) { d.stages[0].operands[0].index[1] = along(1, -1, 7); }).ok());
}

namespace {

constexpr extent many = extent::up_to(20);
constexpr definition any_window =
    conv2d<conv2d_shape{
               .n = many, .h = many, .w = many, .ic = many, .oc = many, .kh = 3, .kw = 5, .window_at_call = true},
           f32, bias>::definition();
static_assert(checked(any_window).found.ok());

template <class Change>
status found_in_window(Change change)
{
    definition d = any_window;
    change(d);
    return checked(d).found;
}
// The parameter of this name.
std::size_t parameter_of(const definition& d, const std::string& name)
{
    std::size_t p = 0;
    while (p < d.parameters.size() && name != d.parameters[p].name) ++p;
    REQUIRE(p < d.parameters.size());
    return p;
}

} // namespace

TEST_CASE("steps of the call are parameters, and so are their products with distances of the call")
{
    const auto x_index = [](definition& d, int dim) -> dim_index& { return d.stages[0].operands[0].index[dim]; };
    for (const int n : {-2, 32, 100}) {
        CAPTURE(n);
        const auto number = static_cast<std::int16_t>(n);
        const auto unknown = [&](auto change) {
            is_named(found_in_window(change), fault::definition_unknown_part, "conv2d");
        };
        unknown([&](definition& d) { x_index(d, 1).terms[0].parameter = number; });
        unknown([&](definition& d) { x_index(d, 2).terms[1].parameter = number; });
        unknown([&](definition& d) { x_index(d, 1).offset_parameter = number; });
    }
    for (const char* name : {"stride_h * row", "dilation_h * row", "pad_top * row", "stride_w * pixel",
                             "dilation_w * pixel", "pad_left * pixel"}) {
        CAPTURE(name);
        is_named(found_in_window([&](definition& d) {
                     parameter& p = d.parameters[parameter_of(d, name)];
                     p.first_factor = p.second_factor = 0;
                 }),
                 fault::definition_unknown_part, "x");
        CHECK(found_in_window([&](definition& d) {
                  parameter& p = d.parameters[parameter_of(d, name)];
                  std::swap(p.first_factor, p.second_factor);
              }).ok());
    }
    // A distance that is known needs none.
    constexpr conv2d_shape of_channels{
        .h = many, .w = many, .ic = 3, .oc = 4, .kh = 3, .kw = 5, .window_at_call = true};
    definition d = conv2d<of_channels, f32>::definition();
    for (const char* name : {"pad_left * pixel", "stride_w * pixel"})
        for (const parameter& p : d.parameters) CHECK(std::string(p.name) != name);
    CHECK(checked(d).found.ok());

    // As far as the call may step.
    CHECK(found_in_window([](definition& w) { w.parameters[parameter_of(w, "stride_h")].most = 1 << 30; }).ok());
    is_named(found_in_window([](definition& w) { w.parameters[parameter_of(w, "stride_h")].most = large[2]; }),
             fault::extent_too_large, "conv2d");
    is_named(found_in_window([](definition& w) {
                 w.parameters[parameter_of(w, "pad_left")].most = std::numeric_limits<std::int64_t>::max();
             }),
             fault::extent_too_large, "conv2d");
}

TEST_CASE("what steps by the call is read where what is outside is tested, and is not written")
{
    is_named(found_in_window([](definition& d) { d.stages[0].operands[0].may_leave = false; }),
             fault::definition_outside, "x");
    const auto stride = [](const definition& d) { return static_cast<std::int16_t>(parameter_of(d, "stride_h")); };
    const auto of_weights = [&](bool may_leave) {
        return found_in_window([&](definition& d) {
            d.stages[0].operands[1].index[4].terms[0].parameter = stride(d);
            d.stages[0].operands[1].may_leave = may_leave;
        });
    };
    is_named(of_weights(false), fault::definition_outside, "weights");
    CHECK(of_weights(true).ok());
    const auto of_y = [&](bool steps, bool may_leave) {
        return found_in_window([&](definition& d) {
            d.stages[0].output.may_leave = may_leave;
            if (steps) d.stages[0].output.index[4].terms[0].parameter = stride(d);
        });
    };
    CHECK(of_y(false, true).ok());
    is_named(of_y(true, true), fault::definition_output, "conv2d");
    is_named(of_y(true, false), fault::definition_outside, "y");
}

TEST_CASE("outputs of the call are written once where phases are as many as it steps")
{
    constexpr conv2d_transposed_shape open{.h = extent::up_to(9),
                                           .w = extent::up_to(9),
                                           .ic = 3,
                                           .oc = 5,
                                           .kh = 3,
                                           .kw = 3,
                                           .window_at_call = true,
                                           .most_outputs = 40};
    enum : int { ph = 1, pw = 2 };
    const auto found_with = [&](auto change) {
        definition d = conv2d_transposed<open, f32>::definition();
        change(d, d.stages[0].output.index[1]);
        return checked(d).found;
    };
    const auto twice = [&](auto change) {
        is_named(found_with(change), fault::definition_output, "conv2d_transposed");
    };
    CHECK(found_with([](definition&, dim_index&) {}).ok());
    twice([](definition& d, dim_index&) { d.stages[0].axes[ph].parameter = d.stages[0].axes[pw].parameter; });
    twice([](definition& d, dim_index&) { d.stages[0].axes[ph].parameter = -1; });
    twice([](definition&, dim_index& y) { y.terms[0].parameter = -1; });
    twice([](definition&, dim_index& y) { y.terms[0].coefficient = 2; });
    twice([](definition&, dim_index& y) { y.terms[1].coefficient = 2; });
    twice([](definition&, dim_index& y) { y.terms[1].parameter = y.terms[0].parameter; });
}

TEST_CASE("stages that write an element twice")
{
    const auto twice = [](auto change) { is_named(found(change), fault::definition_output, "gemm"); };
    const auto y = [](definition& d) -> tensor& { return d.tensors[d.stages[0].output.tensor]; };
    twice([&](definition& d) { y(d).dims[1].stride = 15; }); // rows of 16
    twice([&](definition& d) { y(d).dims[1].stride = 0; });
    twice([&](definition& d) { y(d).dims[2].stride = 0; });
    twice([](definition& d) { d.stages[0].output.index[1] = {}; }); // each row is the first
    twice([](definition& d) { d.stages[0].axes[3].reduction = false; });
    twice([&](definition& d) { // a sum along k moves y
        y(d).dims.push_back({.extent = 4, .stride = 0});
        d.stages[0].output.index.push_back(along(3));
        y(d).dims.back().stride = 1000;
    });
    // Weights are not what a stage writes.
    twice([](definition& d) {
        const std::int8_t kept = d.stages[0].output.tensor;
        d.stages[0].output.tensor = d.stages[0].operands[1].tensor;
        d.stages[0].output.index = d.stages[0].operands[1].index;
        d.stages[0].operands[1].tensor = kept;
        d.stages[0].operands[1].index = product.stages[0].output.index;
    });
    // Further apart than needed, turned, and across: fine.
    CHECK(found([&](definition& d) { y(d).dims[1].stride = 17; }).ok());
    CHECK(found([&](definition& d) {
              y(d).dims[1].stride = 1;
              y(d).dims[2].stride = 8;
          }).ok());
    CHECK(found([](definition& d) { d.stages[0].output.index[1] = along(1, -1, 7); }).ok());
}

TEST_CASE("axes that move one dimension together write each element once, where they leave it, too")
{
    // Row a i + b j + offset of y, for i below `rows` and j below `more`.
    const auto written = [](std::int64_t rows, int a, std::int64_t more, int b, int offset) {
        return found([&](definition& d) {
            stage& s = d.stages[0];
            s.axes[1].extent = rows;
            s.output.index[1] = along(1, a, s.axes.push_back({"more", more}), b, offset);
            s.output.may_leave = true;
        });
    };
    CHECK(written(4, 2, 2, 1, 0).ok());
    CHECK(written(5, 2, 2, 1, -1).ok()); // rows of -1 and 8 are left out
    CHECK(written(5, 2, 2, -1, 1).ok());
    CHECK(written(5, 3, 3, 2, -4).ok()); // 3 i + 2 j meets the first time in (2, 0) and (0, 3)
    is_named(written(5, 3, 4, 2, -4), fault::definition_output, "gemm");
    CHECK(written(2, 3, 4, 2, -4).ok());
    CHECK(written(1, 3, 4, 2, -4).ok());
    is_named(written(5, 2, 3, 1, -1), fault::definition_output, "gemm");
    is_named(written(5, 4, 3, 2, -1), fault::definition_output, "gemm");
    is_named(written(5, 0, 2, 1, 0), fault::definition_output, "gemm");
}

TEST_CASE("what the epilogue reads may leave its tensor where y is left in the same way")
{
    const auto shifted = [](auto change) {
        definition d = gemm<gemm_shape{.m = 8, .n = 16, .k = 4}, f32, residual, keep>::definition();
        stage& s = d.stages[0];
        for (operand* o : {&s.output, &s.operands[2], &s.further[0].to}) o->index[1].offset = -1;
        s.output.may_leave = true;
        change(d);
        return checked(d).found;
    };
    CHECK(shifted([](definition&) {}).ok());
    is_named(shifted([](definition& d) { d.stages[0].operands[2].index[1].offset = -2; }), fault::definition_outside,
             "residual");
    is_named(shifted([](definition& d) { d.stages[0].further[0].to.index[1].offset = -2; }), fault::definition_outside,
             "keep");
    is_named(shifted([](definition& d) { d.stages[0].output.may_leave = false; }), fault::definition_outside,
             "residual");
    is_named(shifted([](definition& d) { d.tensors[d.stages[0].operands[2].tensor].dims[1].extent = 7; }),
             fault::definition_outside, "residual");
}

namespace {

// y = x * weights + bias, kept before the bias and turned into columns behind it.
constexpr definition three_outputs = [] {
    definition d = gemm<gemm_shape{.m = 8, .n = 16, .k = 4}, f32, keep, bias>::definition();
    stage& s = d.stages[0];
    tensor turned = d.tensors[s.output.tensor];
    turned.name = "turned";
    turned.dims[1].stride = 1;
    turned.dims[2].stride = 8;
    further_output f{.to = s.output, .value = -ex::acc()};
    f.to.tensor = static_cast<std::int8_t>(d.tensors.push_back(turned));
    s.further.push_back(f);
    return d;
}();
static_assert(checked(three_outputs).found.ok());

template <class Change>
status found_in_three(Change change)
{
    definition d = three_outputs;
    change(d);
    return checked(d).found;
}
constexpr further_output& turned_of(definition& d) { return d.stages[0].further[1]; }

} // namespace

TEST_CASE("each tensor of role::output is written once")
{
    const auto wrong = [](auto change, const char* subject, std::int64_t writers) {
        const status s = found_in_three(change);
        is_named(s, fault::output_not_written_once, subject);
        CHECK(s.expected == 1);
        CHECK(s.found == writers);
    };
    wrong([](definition& d) { d.stages[0].further.pop_back(); }, "turned", 0);
    wrong([](definition& d) { turned_of(d).to = d.stages[0].output; }, "y", 2);
    wrong([](definition& d) { turned_of(d).to.tensor = d.stages[0].further[0].to.tensor; }, "keep", 2);
    wrong(
        [](definition& d) { // by two stages
            d.stages.push_back(d.stages[0]);
            d.stages[1].further.clear();
        },
        "y", 2);
    // Four are too many, whether a stage has room for them or not.
    const status fourth = found_in_three([](definition& d) {
        d.tensors.push_back(d.tensors[turned_of(d).to.tensor]);
        d.stages.push_back(d.stages[0]);
        d.stages[1].further.clear();
        d.stages[1].output.tensor = static_cast<std::int8_t>(d.tensors.size() - 1);
    });
    is_named(fourth, fault::role_taken, "turned");
    CHECK(fourth.expected == most_outputs);
    CHECK(fourth.found == 4);
    is_named(found_in_three([](definition& d) { d.stages[0].further.push_back(turned_of(d)); }), fault::role_taken,
             "gemm");
    static_assert(checked(gemm<gemm_shape{.m = 8, .n = 16, .k = 4}, f32, keep, bias, keep, relu, keep>::definition())
                      .found.what == fault::role_taken);
}

TEST_CASE("further outputs are looked at as outputs are")
{
    const auto named = [](fault what, auto change, const char* subject) {
        is_named(found_in_three(change), what, subject);
    };
    constexpr auto unknown = fault::definition_unknown_part;
    for (const int number : {-2, 6, 100}) {
        const auto n = static_cast<std::int8_t>(number);
        named(
            unknown, [&](definition& d) { turned_of(d).to.tensor = n; }, "gemm");
        named(
            unknown, [&](definition& d) { turned_of(d).to.index[1].terms[0].axis = n; }, "gemm");
        named(
            unknown, [&](definition& d) { turned_of(d).value = ex::acc() + ex::load(n); }, "gemm");
    }
    named(
        fault::definition_rank, [](definition& d) { turned_of(d).to.index.pop_back(); }, "turned");
    named(
        fault::definition_expression, [](definition& d) { turned_of(d).value = {}; }, "gemm");
    named(
        fault::definition_too_large,
        [](definition& d) {
            while (!turned_of(d).to.index[0].terms.overflowed()) turned_of(d).to.index[0].terms.push_back({});
        },
        "terms of an index");
    named(
        fault::expression_too_long,
        [](definition& d) {
            while (!turned_of(d).value.nodes.overflowed()) turned_of(d).value.nodes.push_back({});
        },
        "further output");
    // Nothing is left out there, and whoever says so is not heard.
    const auto leaves = [](definition& d) { turned_of(d).to.index[1].offset = 1; };
    named(fault::definition_outside, leaves, "turned");
    named(
        fault::definition_outside,
        [&](definition& d) {
            leaves(d);
            turned_of(d).to.may_leave = true;
        },
        "turned");
    named(
        fault::extent_too_large,
        [](definition& d) {
            d.stages[0].axes[1].extent = std::int64_t{1} << 40;
            for (operand* o : {&d.stages[0].operands[0], &d.stages[0].output, &d.stages[0].further[0].to})
                o->index[1] = {};
            turned_of(d).to.index[1].terms[0].coefficient = std::numeric_limits<std::int32_t>::max();
        },
        "gemm");
    // Columns that lie over one another, rows that do not move, and a tensor that a call does not give.
    named(
        fault::definition_output, [](definition& d) { d.tensors[turned_of(d).to.tensor].dims[2].stride = 7; },
        "turned");
    named(
        fault::definition_output, [](definition& d) { turned_of(d).to.index[1] = {}; }, "turned");
    named(
        fault::definition_output,
        [](definition& d) {
            d.tensors[turned_of(d).to.tensor].role = role::none;
            d.tensors[turned_of(d).to.tensor].memory = memory::workspace;
        },
        "turned");
}

TEST_CASE("what one statement computes, without a reduction, fits an expression")
{
    const auto long_product = [](int factors) {
        expr e = ex::load(0);
        for (int i = 1; i < factors; ++i) e = e * ex::load(0);
        return e; // of 2 * factors - 1 nodes
    };
    const auto found_with = [&](const expr& body, const expr& epilogue, const expr& further) {
        definition d;
        d.tensors.push_back({.name = "x", .role = role::input});
        d.tensors.push_back({.name = "y", .role = role::output});
        d.tensors.push_back({.name = "z", .role = role::output});
        stage s{.name = "powers"};
        s.axes.push_back({"i", 4});
        for (tensor& t : d.tensors) t.dims.push_back({.extent = 4});
        const auto at = [](std::int8_t t) {
            operand o{.tensor = t};
            o.index.push_back(along(0));
            return o;
        };
        s.operands.push_back(at(0));
        s.output = at(1);
        s.body = body;
        s.epilogue = epilogue;
        s.further.push_back({.to = at(2), .value = further});
        d.stages.push_back(s);
        return checked(d).found;
    };
    const expr half = long_product(8); // of 15 nodes
    CHECK(found_with(half, ex::acc() + half, ex::acc() + half).ok());
    is_named(found_with(half, ex::acc() + long_product(9), ex::acc()), fault::expression_too_long, "powers");
    is_named(found_with(half, ex::acc(), ex::acc() + long_product(9)), fault::expression_too_long, "powers");
}
