// SPDX-License-Identifier: BSL-1.0
// What calls are measured at, and where else the chosen kernel has to be right: named values, the rule for others,
// distances that keep rows and matrices apart, and what is refused.
#include <hone/measure/call_values.hpp>

#include <cstdint>
#include <string>
#include <vector>

#include <doctest/doctest.h>

#include <hone/op/conv2d.hpp>
#include <hone/op/conv2d_transposed.hpp>
#include <hone/op/gemm.hpp>
#include <hone/op/matmul.hpp>
#include <hone/op/pool.hpp>

#include "op/definition_laws.hpp"

using namespace hone;
using namespace hone::test;
using tune::call_values;

namespace {

template <gemm_shape S>
definition definition_of_product()
{
    return gemm<S, f32, bias>::definition();
}
template <gemm_shape S>
std::string typical_text()
{
    const definition d = definition_of_product<S>();
    return tune::text_of_call(d, tune::typical_call(d));
}

constexpr extent any_rows = extent::up_to(4096);
constexpr gemm_shape with_distances{.batch = 3,
                                    .m = extent::up_to(64).typically(20),
                                    .n = 24,
                                    .k = extent::up_to(100).typically(31),
                                    .ldx = leading::at_call(),
                                    .ldy = leading::at_call().typically(30),
                                    .batch_stride_x = leading::at_call(),
                                    .batch_stride_y = leading::at_call()};
constexpr gemm_shape rows(extent m, leading ldx) { return {.m = m, .n = 24, .k = 31, .ldx = ldx}; }
constexpr gemm_shape matrices(std::int64_t apart)
{
    return {.batch = 2,
            .m = extent::up_to(60).typically(10),
            .n = 8,
            .k = 8,
            .batch_stride_y = leading::at_call().typically(apart)};
}

} // namespace

TEST_CASE("typical values are those that are named, else a quarter of the largest, as far as that can be measured")
{
    CHECK(typical_text<gemm_shape{.m = extent::up_to(4096).typically(128), .n = 8, .k = 8}>() == "m=128");
    CHECK(typical_text<gemm_shape{.m = any_rows, .n = 8, .k = 8}>() == "m=1024");
    CHECK(typical_text<gemm_shape{.m = extent::up_to(64), .n = 8, .k = 8}>() == "m=16");
    CHECK(typical_text<gemm_shape{.m = extent::up_to(3), .n = 8, .k = 8}>() == "m=1");
    CHECK(typical_text<gemm_shape{.m = extent::up_to(1 << 20), .n = 8, .k = 8}>() == "m=1024");
    CHECK(typical_text<gemm_shape{.m = any_rows, .n = any_rows, .k = any_rows}>() == "m=1024 n=1024 k=1024");
    // 8 GFLOP are halved, and nothing that is named.
    CHECK(typical_text<gemm_shape{.m = any_rows, .n = 4096, .k = 1024}>() == "m=512");
    CHECK(typical_text<gemm_shape{.m = extent::up_to(4096).typically(1024), .n = 4096, .k = 1024}>() == "m=1024");

    using images = conv2d<conv2d_shape{.n = extent::up_to(8), .h = 6, .w = 6, .ic = 2, .oc = 2}, f32>;
    CHECK(tune::typical_call(images::definition()) == call_values{2});
    using known = gemm<gemm_shape{.m = 3, .n = 8, .k = 8}, f32>;
    CHECK(tune::typical_call(known::definition()).empty());
    CHECK(flops_of(tune::of_typical_call(known::definition())) == flops_of(known::definition()));
}

TEST_CASE("distances that are not named leave no gaps, and their matrices do not overlap")
{
    const definition d = definition_of_product<with_distances>();
    // Rows of x: k; of y: 30; matrices: all rows of one, the last of y without its gap.
    CHECK(tune::text_of_call(d, tune::typical_call(d)) ==
          "m=20 k=31 ldx=31 ldy=30 batch_stride_x=620 batch_stride_y=594");
    const definition call = tune::of_typical_call(d);
    CHECK(call.parameters.empty());
    check_laws(call);
    CHECK(call.tensors[0].elements() == 3 * 20 * 31);
    CHECK(call.tensors[call.tensor_of(role::weights)].elements() == 3 * 31 * 24);
    CHECK(call.tensors[call.tensor_of(role::output)].elements() == 2 * 594 + 19 * 30 + 24);
    CHECK(flops_of(call) == 2.0 * 3 * 20 * 31 * 24);
    // As the operator itself has it where the shape says so.
    using closed = gemm<gemm_shape{.batch = 3, .m = 20, .n = 24, .k = 31, .ldy = 30, .batch_stride_y = 594}, f32, bias>;
    const definition expected = closed::definition();
    for (std::size_t t = 0; t < expected.tensors.size(); ++t)
        for (std::size_t i = 0; i < expected.tensors[t].dims.size(); ++i) {
            CAPTURE(expected.tensors[t].name);
            CHECK(call.tensors[t].dims[i].extent == expected.tensors[t].dims[i].extent);
            CHECK(call.tensors[t].dims[i].stride == expected.tensors[t].dims[i].stride);
        }

    // Where matrices stand a fixed distance apart, rows fit between them; of x stored [k][m] a row has m.
    CHECK(typical_text<gemm_shape{.batch = 2,
                                  .m = extent::up_to(40),
                                  .n = 8,
                                  .k = 8,
                                  .x = transposed::yes,
                                  .ldx = leading::at_call(),
                                  .ldy = leading::at_call(),
                                  .batch_stride_y = 1000}>() == "m=10 ldx=10 ldy=8");
    using scores = matmul<matmul_shape{.batch = 2,
                                       .m = extent::up_to(48).typically(9),
                                       .n = 20,
                                       .k = 6,
                                       .right = transposed::yes,
                                       .ldr = leading::at_call().typically(7),
                                       .batch_stride_r = leading::at_call()},
                          f32>;
    const definition s = scores::definition();
    CHECK(tune::text_of_call(s, tune::typical_call(s)) == "m=9 ldr=7 batch_stride_r=139");
}

TEST_CASE("images of a call's height and width have the windows and strides of such images")
{
    using images = conv2d<conv2d_shape{.n = extent::up_to(8).typically(3),
                                       .h = extent::up_to(40).typically(13),
                                       .w = extent::up_to(40),
                                       .ic = 48,
                                       .oc = 4,
                                       .kh = 3,
                                       .kw = 3,
                                       .stride = 2,
                                       .pad = 1},
                          f32>;
    const auto same = [](const definition& call, const definition& expected) {
        REQUIRE(call.found.ok());
        for (std::size_t a = 0; a < expected.stages[0].axes.size(); ++a)
            CHECK(call.stages[0].axes[a].extent == expected.stages[0].axes[a].extent);
        for (std::size_t t = 0; t < expected.tensors.size(); ++t)
            for (std::size_t i = 0; i < expected.tensors[t].dims.size(); ++i) {
                CAPTURE(expected.tensors[t].name);
                CHECK(call.tensors[t].dims[i].extent == expected.tensors[t].dims[i].extent);
                CHECK(call.tensors[t].dims[i].stride == expected.tensors[t].dims[i].stride);
            }
    };
    constexpr conv2d_shape typical{
        .n = 3, .h = 13, .w = 10, .ic = 48, .oc = 4, .kh = 3, .kw = 3, .stride = 2, .pad = 1};
    const definition d = images::definition();
    CHECK(tune::text_of_call(d, tune::typical_call(d)) == "n=3 h=13 w=10");
    same(tune::of_typical_call(d), conv2d<typical, f32>::definition());
    for (const call_values& c : tune::other_calls(d)) check_laws(tune::of_call(d, c));
    // The twin has as many rows and columns as its calls give, and 37 channels.
    constexpr conv2d_shape twin{.n = 3, .h = 13, .w = 10, .ic = 37, .oc = 4, .kh = 3, .kw = 3, .stride = 2, .pad = 1};
    same(tune::of_call(tune::with_odd_extents(d), {3, 13, 10}), conv2d<twin, f32>::definition());
}

TEST_CASE("windows of a call are 3 x 3 with padding, and elsewhere as large as there are and images hold")
{
    using layer = conv2d<conv2d_shape{.h = extent::up_to(40).typically(13),
                                      .w = extent::up_to(12),
                                      .ic = 48,
                                      .oc = extent::up_to(8),
                                      .kh = 5,
                                      .kw = 15,
                                      .window_at_call = true},
                         f32>;
    const auto same = [](const definition& call, const definition& expected) {
        REQUIRE(call.found.ok());
        CHECK(call.parameters.empty());
        for (std::size_t a = 0; a < expected.stages[0].axes.size(); ++a)
            CHECK(call.stages[0].axes[a].extent == expected.stages[0].axes[a].extent);
        for (std::size_t i = 0; i < expected.stages[0].operands[0].index.size(); ++i)
            CHECK(call.stages[0].operands[0].index[i] == expected.stages[0].operands[0].index[i]);
        for (std::size_t t = 0; t < expected.tensors.size(); ++t)
            for (std::size_t i = 0; i < expected.tensors[t].dims.size(); ++i) {
                CAPTURE(expected.tensors[t].name);
                CHECK(call.tensors[t].dims[i].extent == expected.tensors[t].dims[i].extent);
                if (expected.tensors[t].dims[i].extent > 1)
                    CHECK(call.tensors[t].dims[i].stride == expected.tensors[t].dims[i].stride);
            }
    };
    const definition d = layer::definition();
    CHECK(tune::text_of_call(d, tune::typical_call(d)) ==
          "h=13 w=3 oc=2 kh=3 kw=3 stride_h=1 stride_w=1 pad_top=1 pad_left=1 pad_bottom=1 pad_right=1 dilation_h=1 "
          "dilation_w=1");
    conv2d_shape typical{.h = 13, .w = 3, .ic = 48, .oc = 2, .kh = 3, .kw = 3, .pad = 1};
    same(tune::of_typical_call(d), conv2d_definition<>(typical, dtype::f32));
    CHECK(tune::with_typical(d).found.ok());
    const auto calls = tune::other_calls(d);
    REQUIRE(calls.size() == 3);
    CHECK(tune::text_of_call(d, calls[0]) == "h=1 w=1 oc=1 kh=1 kw=1 stride_h=1 stride_w=1 pad_top=0 pad_left=0 "
                                             "pad_bottom=0 pad_right=0 dilation_h=1 dilation_w=1");
    // 3 of 13 taps that stand 4 apart, and 12 of 15, are as many as rows of 5 with padding, and of 12, have.
    CHECK(tune::text_of_call(d, calls[1]) == "h=37 w=5 oc=5 kh=5 kw=3 stride_h=4 stride_w=4 pad_top=3 pad_left=3 "
                                             "pad_bottom=3 pad_right=3 dilation_h=4 dilation_w=4");
    CHECK(tune::text_of_call(d, calls[2]) == "h=40 w=12 oc=8 kh=5 kw=12 stride_h=1 stride_w=1 pad_top=0 pad_left=0 "
                                             "pad_bottom=0 pad_right=0 dilation_h=1 dilation_w=1");
    same(tune::of_call(d, calls[1]),
         conv2d_definition<>(
             {.h = 37, .w = 5, .ic = 48, .oc = 5, .kh = 5, .kw = 3, .stride = 4, .pad = 3, .dilation = 4}, dtype::f32));
    for (const call_values& c : calls) {
        CAPTURE(tune::text_of_call(d, c));
        check_laws(tune::of_call(d, c));
        CHECK(calls::check_parameters(d.parameters, 0, c.data()).found.ok());
    }
    // The twin has the windows that its calls give, and 37 channels.
    typical.ic = 37;
    same(tune::of_call(tune::with_odd_extents(d), tune::typical_call(d)), conv2d_definition<>(typical, dtype::f32));
}

TEST_CASE("channels of a call are of whole groups, unless others are named")
{
    const auto text = [](const definition& d, const call_values& c) {
        const std::string all = tune::text_of_call(d, c);
        return all.substr(all.find("ic="));
    };
    const auto of = [](extent ic, extent oc, extent groups) {
        return checked(conv2d_definition<bias>(
            {.h = 9, .w = extent::up_to(12), .ic = ic, .oc = oc, .kh = 3, .kw = 3, .groups = groups}, dtype::f32));
    };
    constexpr extent::open many = extent::up_to(44), more = extent::up_to(300);
    const definition open = of(many, more, extent::up_to(20));
    CHECK(text(open, tune::typical_call(open)) == "ic=10 oc=75 groups=5"); // of 11 and 75 a quarter
    const definition known = of(extent::up_to(45), more, 5);
    CHECK(text(known, tune::typical_call(known)) == "ic=10 oc=75");
    const definition named = of(many.typically(12), more, extent::up_to(20).typically(4));
    CHECK(text(named, tune::typical_call(named)) == "ic=12 oc=72 groups=4");
    const definition of_inputs = of(many.typically(12), more.typically(40), extent::up_to(20));
    CHECK(text(of_inputs, tune::typical_call(of_inputs)) == "ic=12 oc=40 groups=1"); // of 5 neither is
    const definition of_known_outputs = of(extent::up_to(64), 48, 8);
    CHECK(text(of_known_outputs, tune::typical_call(of_known_outputs)) == "ic=16");
    for (const definition& d : {open, known, named, of_inputs, of_known_outputs}) {
        const definition twin = tune::with_odd_extents(d);
        REQUIRE(twin.found.ok());
        check_laws(tune::of_call(twin, tune::typical_call(d)));
        REQUIRE(d.found.ok());
        CHECK(tune::with_typical(d).found.ok());
        check_laws(tune::of_typical_call(d));
        const auto calls = tune::other_calls(d);
        CHECK(calls.size() == 3);
        for (const call_values& c : calls) {
            CAPTURE(tune::text_of_call(d, c));
            check_laws(tune::of_call(d, c));
            CHECK(calls::check_parameters(d.parameters, 0, c.data()).found.ok());
        }
    }
    CHECK(text(open, tune::other_calls(open)[0]) == "ic=1 oc=1 groups=1");
    CHECK(text(known, tune::other_calls(known)[0]) == "ic=5 oc=5");
    CHECK(text(known, tune::other_calls(known)[1]) == "ic=35 oc=35");
    CHECK(text(known, tune::other_calls(known)[2]) == "ic=45 oc=300");
    const auto found = [&](const definition& d) { return tune::with_typical(d).found; };
    for (const definition& d :
         {of(many.typically(10), more, extent::up_to(20).typically(4)),
          of(many, more.typically(10), extent::up_to(20).typically(4)), of(extent::up_to(44).typically(10), more, 4)}) {
        CHECK(found(d).what == fault::typical_out_of_range);
        CHECK(found(d).expected == 4);
        CHECK(found(d).found == 10);
    }
}

TEST_CASE("transposed windows of a call are 4 x 4 and double an image, and elsewhere have outputs")
{
    constexpr conv2d_transposed_shape open{.h = extent::up_to(40).typically(13),
                                           .w = extent::up_to(12),
                                           .ic = 48,
                                           .oc = extent::up_to(8),
                                           .kh = 5,
                                           .kw = 15,
                                           .window_at_call = true,
                                           .most_outputs = 500};
    const definition d = conv2d_transposed<open, f32>::definition();
    CHECK(tune::text_of_call(d, tune::typical_call(d)) ==
          "h=13 w=3 oc=2 kh=4 kw=4 stride_h=2 stride_w=2 pad_top=1 pad_left=1 oh=26 ow=8");
    CHECK(tune::with_typical(d).found.ok());
    const auto calls = tune::other_calls(d);
    REQUIRE(calls.size() == 3);
    CHECK(tune::text_of_call(d, calls[0]) ==
          "h=1 w=1 oc=1 kh=1 kw=1 stride_h=1 stride_w=1 pad_top=0 pad_left=0 oh=1 ow=1");
    CHECK(tune::text_of_call(d, calls[1]) ==
          "h=37 w=5 oc=5 kh=5 kw=13 stride_h=4 stride_w=4 pad_top=3 pad_left=3 oh=37 ow=29");
    for (const call_values& c : calls) {
        CAPTURE(tune::text_of_call(d, c));
        check_laws(tune::of_call(d, c));
        CHECK(calls::check_parameters(d.parameters, 0, c.data()).found.ok());
    }
    // Padding of which nothing is left.
    constexpr conv2d_transposed_shape small{
        .h = extent::up_to(2), .w = extent::up_to(2), .ic = 4, .oc = 4, .kh = 1, .kw = 1, .window_at_call = true};
    const definition few = conv2d_transposed<small, f32>::definition();
    for (const call_values& c : tune::other_calls(few)) {
        CAPTURE(tune::text_of_call(few, c));
        CHECK(calls::check_parameters(few.parameters, 0, c.data()).found.ok());
    }
}

TEST_CASE("other calls: the least, odd ones with gaps, and the largest that can be measured")
{
    const definition d = definition_of_product<with_distances>();
    const auto calls = tune::other_calls(d);
    REQUIRE(calls.size() == 3);
    CHECK(tune::text_of_call(d, calls[0]) == "m=1 k=1 ldx=1 ldy=24 batch_stride_x=1 batch_stride_y=24");
    CHECK(tune::text_of_call(d, calls[1]) == "m=37 k=37 ldx=40 ldy=27 batch_stride_x=1480 batch_stride_y=999");
    CHECK(tune::text_of_call(d, calls[2]) == "m=64 k=100 ldx=100 ldy=24 batch_stride_x=6400 batch_stride_y=1536");
    for (const call_values& c : calls) {
        CAPTURE(tune::text_of_call(d, c));
        check_laws(tune::of_call(d, c));
        CHECK(calls::check_parameters(d.parameters, 0, c.data()).found.ok());
    }
    // 2^36 rows of 8 are more than is measured; what is typical is not tried twice.
    const definition tall =
        definition_of_product<gemm_shape{.m = extent::up_to(std::int64_t{1} << 36), .n = 8, .k = 8}>();
    CHECK(tune::other_calls(tall).back() == call_values{1 << 21});
    const definition few = definition_of_product<gemm_shape{.m = extent::up_to(3), .n = 8, .k = 8}>();
    CHECK(tune::other_calls(few) == std::vector<call_values>{{3}});
    CHECK(tune::other_calls(gemm<gemm_shape{.m = 3, .n = 8, .k = 8}, f32>::definition()).empty());
}

TEST_CASE("values that no call can give are refused, and those beside them are not")
{
    const auto found = [](const definition& d) { return tune::with_typical(checked(d)).found; };
    for (const definition& d : {definition_of_product<rows(extent::up_to(64).typically(65), leading::at_call())>(),
                                definition_of_product<rows(extent::up_to(64).typically(0), leading::at_call())>(),
                                definition_of_product<rows(extent::up_to(64).typically(-3), leading::at_call())>(),
                                definition_of_product<rows(64, leading::at_call().typically(30))>()}) {
        const status s = found(d);
        CAPTURE(s.found);
        CHECK(s.what == fault::typical_out_of_range);
    }
    for (const definition& d : {definition_of_product<rows(extent::up_to(64).typically(64), leading::at_call())>(),
                                definition_of_product<rows(extent::up_to(64).typically(1), leading::at_call())>(),
                                definition_of_product<rows(64, leading::at_call().typically(31))>()})
        CHECK(found(d).ok());
    CHECK(std::string(
              found(definition_of_product<rows(extent::up_to(64).typically(65), leading::at_call())>()).subject) ==
          "m");

    // Each in its range, and not together: rows of 40 for k of 50, and matrices of y that overlap.
    CHECK(found(definition_of_product<gemm_shape{
                    .m = 8, .n = 8, .k = extent::up_to(60).typically(50), .ldx = leading::at_call().typically(40)}>())
              .what == fault::typical_out_of_range);
    CHECK(found(definition_of_product<matrices(72)>()).what == fault::typical_out_of_range);
    CHECK(found(definition_of_product<matrices(80)>()).ok());

    // What is resolved is typical of the nest, too.
    const definition d = tune::with_typical(definition_of_product<rows(extent::up_to(64), leading::at_call())>());
    CHECK(d.parameters[0].typical == 16);
    CHECK(d.parameters[1].typical == 31);
}

TEST_CASE("windows that must meet the image have no more padding than that, nor do means dilations")
{
    for (const std::int64_t most : {1, 2, 4, 9, 31}) {
        const pool_shape s{.n = extent::up_to(2),
                           .h = extent::up_to(20),
                           .w = extent::up_to(3),
                           .c = extent::up_to(40),
                           .kh = most,
                           .kw = 2,
                           .window_at_call = true};
        for (const pooling how : {pooling::max, pooling::average}) {
            const definition d = checked(pool_definition<>(s, how, dtype::f32));
            REQUIRE(d.found.ok());
            CHECK(tune::with_typical(d).found.ok());
            const auto calls = tune::other_calls(d);
            CHECK(calls.size() == 3);
            for (const call_values& c : calls) {
                CAPTURE(tune::text_of_call(d, c));
                const definition own = tune::of_call(d, c);
                check_laws(own);
                for (const table_operand& t : own.stages[0].tables) CHECK_FALSE(t.index.has_parameters());
                CHECK(calls::check_parameters(d.parameters, 0, c.data()).found.ok());
                if (how == pooling::average) CHECK(c[12] == 1);
            }
        }
    }
}
