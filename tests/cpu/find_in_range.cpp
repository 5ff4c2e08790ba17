// SPDX-License-Identifier: BSL-1.0
// Which kernels are for a shape that is known at the call, and which of them an engine takes.
#include <hone/cpu/find_in_range.hpp>

#include <cstdint>
#include <string>
#include <vector>

#include <doctest/doctest.h>

#include <hone/op/any_transposed.hpp>
#include <hone/op/conv2d.hpp>
#include <hone/op/gemm.hpp>
#include <hone/op/matmul.hpp>
#include <hone/op/resize.hpp>

using namespace hone;
using namespace hone::operators;

namespace {

signature_text product(const gemm_shape& s, const char* word = "bias") { return signature_of(s, dtype::f32, {word}); }
double held(const signature_text& range, const signature_text& shape)
{
    return shapes_of(range.c_str(), shape.c_str());
}

} // namespace

TEST_CASE("a range holds the shapes up to its largest extents, and no others")
{
    const signature_text rows = product({.m = extent::up_to(64), .n = 24, .k = 8});
    for (const std::int64_t m : {0, 1, 6, 37, 64}) CHECK(held(rows, product({.m = m, .n = 24, .k = 8})) == 64);
    CHECK(held(rows, product({.m = 65, .n = 24, .k = 8})) == 0);
    CHECK(held(rows, product({.m = 640, .n = 24, .k = 8})) == 0);
    CHECK(held(rows, product({.m = -1, .n = 24, .k = 8})) == 0);
    for (const gemm_shape& other :
         {gemm_shape{.m = 6, .n = 2, .k = 8}, gemm_shape{.m = 6, .n = 240, .k = 8},
          gemm_shape{.batch = 2, .m = 6, .n = 24, .k = 8}, gemm_shape{.m = 6, .n = 24, .k = 8, .x = transposed::yes}})
        CHECK(held(rows, product(other)) == 0);
    CHECK(held(rows, product({.m = 6, .n = 24, .k = 8}, "relu")) == 0);
    // Itself; of a smaller range nothing is said.
    CHECK(held(rows, rows) == 1);
    CHECK(held(rows, product({.m = extent::up_to(32), .n = 24, .k = 8})) == 0);
    CHECK(held(product({.m = 6, .n = 24, .k = 8}), product({.m = 6, .n = 24, .k = 8})) == 1);
    CHECK(held(product({.m = 6, .n = 24, .k = 8}), product({.m = 61, .n = 24, .k = 8})) == 0);

    const signature_text all = product({.m = extent::up_to(64), .n = extent::up_to(32), .k = extent::up_to(10)});
    CHECK(held(all, product({.m = 6, .n = 24, .k = 8})) == 64 * 32 * 10);
    CHECK(held(all, product({.m = 6, .n = 24, .k = 11})) == 0);
    const signature_text images =
        signature_of(conv2d_shape{.n = extent::up_to(8), .h = 9, .w = 9, .ic = 2, .oc = 2}, dtype::f32);
    CHECK(held(images, signature_of(conv2d_shape{.n = 3, .h = 9, .w = 9, .ic = 2, .oc = 2}, dtype::f32)) == 8);
    CHECK(held(images, signature_of(conv2d_shape{.n = 3, .h = 9, .w = 8, .ic = 2, .oc = 2}, dtype::f32)) == 0);
    CHECK(held(images, product({.m = 3})) == 0);
    CHECK(shapes_of("", "a") == 0);
    CHECK(shapes_of("a m<=9 b", "a m b") == 0);
    CHECK(shapes_of("a m<=9 b", "a m99999999999999999999999 b") == 0);
}

TEST_CASE("a distance that each call gives is any that is named")
{
    const signature_text open = product({.m = 4, .n = 24, .k = 8, .ldx = leading::at_call()});
    for (const std::int64_t ld : {0, 8, 1000})
        CHECK(held(open, product({.m = 4, .n = 24, .k = 8, .ldx = ld})) == 0x1p31);
    CHECK(held(product({.m = 4, .n = 24, .k = 8, .ldx = 8}), product({.m = 4, .n = 24, .k = 8, .ldx = 80})) == 0);
    const signature_text matrices =
        product({.batch = 2, .m = 4, .n = 24, .k = 8, .batch_stride_y = leading::at_call()});
    CHECK(held(matrices, product({.batch = 2, .m = 4, .n = 24, .k = 8, .batch_stride_y = 96})) == 0x1p31);
    CHECK(held(matrices, product({.batch = 2, .m = 4, .n = 24, .k = 8})) == 0);
    // A word that an epilogue begins with is no distance.
    CHECK(held(product({.m = 4}, "scale"), product({.m = 4}, "scale2")) == 0);
}

TEST_CASE("channels of a depthwise convolution are one number")
{
    constexpr extent many = extent::up_to(512);
    const auto layer = [](extent ic, extent oc, extent groups) {
        return signature_of(conv2d_shape{.h = 9, .w = 9, .ic = ic, .oc = oc, .kh = 3, .kw = 3, .groups = groups},
                            dtype::f32);
    };
    const signature_text dense = layer(many, many, 1), depthwise = layer(many, many, many);
    CHECK(held(depthwise, layer(64, 64, 64)) == 512);
    CHECK(held(depthwise, layer(512, 512, 512)) == 512);
    CHECK(held(depthwise, layer(513, 513, 513)) == 0);
    CHECK(held(depthwise, layer(64, 128, 64)) == 0);
    CHECK(held(depthwise, layer(64, 64, 32)) == 0);
    CHECK(held(depthwise, layer(64, 64, 1)) == 0);
    CHECK(held(depthwise, depthwise) == 1);
    CHECK(held(depthwise, dense) == 0);
    CHECK(held(dense, layer(64, 3, 1)) == 512 * 512);
    CHECK(held(dense, layer(64, 64, 64)) == 0);
    CHECK(held(dense, depthwise) == 0);
}

TEST_CASE("groups of the call are given behind the window, and those of a shape are its own")
{
    constexpr extent many = extent::up_to(512), side = extent::up_to(64);
    const auto text = [&](extent ic, extent oc, extent groups, bool is_open = false) {
        conv2d_shape s{.h = 9, .w = 9, .ic = ic, .oc = oc, .kh = 3, .kw = 3, .groups = groups};
        if (is_open) {
            s.h = s.w = side;
            s.window_at_call = true;
        }
        return signature_of(s, dtype::f32);
    };
    const auto given = [](const signature_text& range, const signature_text& shape) {
        const auto values = parameters_in_range(range.c_str(), shape.c_str());
        return std::vector<std::int64_t>(values.begin(), values.end());
    };
    using list = std::vector<std::int64_t>;
    const signature_text any = text(many, many, extent::up_to(100)), four = text(many, many, 4);
    CHECK(given(any, text(64, 128, 4)) == list{64, 128, 4});
    CHECK(given(any, text(64, 128, 64)) == list{64, 128, 64});
    CHECK(given(any, text(64, 128, 1)) == list{64, 128, 1});
    CHECK(given(any, text(128, 128, 128)).empty());
    CHECK(given(four, text(64, 128, 4)) == list{64, 128});
    CHECK(given(four, text(64, 128, 2)).empty());
    CHECK(given(four, text(64, 128, 64)).empty());
    CHECK(held(any, text(64, 128, 4)) > held(four, text(64, 128, 4)));
    CHECK(held(any, four) == 0);
    CHECK(held(any, any) == 1);
    CHECK(given(text(many, many, extent::up_to(100), true), text(64, 128, 4)) ==
          list{9, 9, 64, 128, 3, 3, 1, 1, 0, 0, 0, 0, 1, 1, 4});
    CHECK(given(text(many, many, 4, true), text(64, 128, 4)) == list{9, 9, 64, 128, 3, 3, 1, 1, 0, 0, 0, 0, 1, 1});
    CHECK(given(text(64, 128, 4, true), text(64, 128, 4)) == list{9, 9, 3, 3, 1, 1, 0, 0, 0, 0, 1, 1});
    CHECK(given(text(64, 128, 4, true), text(64, 128, 8)).empty());
}

TEST_CASE("a window of the call is one of any strides, paddings and dilations, up to the most, however it is written")
{
    constexpr extent side = extent::up_to(40), many = extent::up_to(64);
    const auto text = [](const conv2d_shape& s) { return signature_of(s, dtype::f32, {"relu"}); };
    const conv2d_shape open{
        .n = 2, .h = side, .w = side, .ic = many, .oc = 9, .kh = 5, .kw = 7, .window_at_call = true};
    conv2d_shape depthwise = open;
    depthwise.oc = depthwise.groups = many;
    const conv2d_shape some{.n = 2, .h = 11, .w = 12, .ic = 3, .oc = 9, .kh = 5, .kw = 1};
    using list = std::vector<std::int64_t>;
    const auto given = [&](const conv2d_shape& range, auto change) {
        conv2d_shape s = some;
        change(s);
        const auto values = parameters_in_range(text(range).c_str(), text(s).c_str());
        CHECK((held(text(range), text(s)) > 0) == !values.empty());
        return list(values.begin(), values.end());
    };
    // h, w, ic, taps, strides down and across, paddings from the top to the right, dilations.
    CHECK(given(open, [](conv2d_shape&) {}) == list{11, 12, 3, 5, 1, 1, 1, 0, 0, 0, 0, 1, 1});
    CHECK(given(open, [](conv2d_shape& s) {
              s.stride = 2;
              s.pad = 12;
              s.dilation = 3;
          }) == list{11, 12, 3, 5, 1, 2, 2, 12, 12, 12, 12, 3, 3});
    CHECK(given(open, [](conv2d_shape& s) { s.stride_w = 13; }) == list{11, 12, 3, 5, 1, 1, 13, 0, 0, 0, 0, 1, 1});
    CHECK(given(open, [](conv2d_shape& s) {
              s.pad_top = 1;
              s.pad_left = 20;
              s.pad_bottom = 3;
              s.pad_right = 4;
          }) == list{11, 12, 3, 5, 1, 1, 1, 1, 20, 3, 4, 1, 1});
    CHECK(given(open, [](conv2d_shape& s) {
              s.kw = 7;
              s.dilation_h = 2;
          }) == list{11, 12, 3, 5, 7, 1, 1, 0, 0, 0, 0, 2, 1});
    CHECK(given(open, [](conv2d_shape& s) {
              s.stride_h = 64;
              s.pad = 256;
              s.pad_right = 255;
              s.dilation_w = 64;
          }) == list{11, 12, 3, 5, 1, 64, 1, 256, 256, 256, 255, 1, 64});

    // Beyond the most, and what it does not leave open.
    CHECK(given(open, [](conv2d_shape& s) { s.stride = 65; }).empty());
    CHECK(given(open, [](conv2d_shape& s) { s.stride_w = 65; }).empty());
    CHECK(given(open, [](conv2d_shape& s) { s.pad = 257; }).empty());
    CHECK(given(open, [](conv2d_shape& s) { s.pad_right = 257; }).empty());
    CHECK(given(open, [](conv2d_shape& s) { s.dilation = 65; }).empty());
    CHECK(given(open, [](conv2d_shape& s) { s.dilation_h = 65; }).empty());
    CHECK(given(open, [](conv2d_shape& s) { s.h = 41; }).empty());
    CHECK(given(open, [](conv2d_shape& s) { s.kh = 6; }).empty());
    CHECK(given(open, [](conv2d_shape& s) { s.kw = 8; }).empty());
    CHECK(given(open, [](conv2d_shape& s) { s.ic = 65; }).empty());
    CHECK(given(open, [](conv2d_shape& s) { s.oc = 8; }).empty());
    CHECK(given(open, [](conv2d_shape& s) { s.n = 1; }).empty());
    CHECK(given(open, [](conv2d_shape& s) { s.layout = layout::nchw; }).empty());
    CHECK(given(open, [](conv2d_shape& s) { s.ic = s.oc = s.groups = 9; }).empty());
    CHECK(given(depthwise, [](conv2d_shape&) {}).empty());
    CHECK(given(depthwise, [](conv2d_shape& s) {
              s.ic = s.oc = s.groups = 6;
              s.pad = 2;
          }) == list{11, 12, 6, 5, 1, 1, 1, 2, 2, 2, 2, 1, 1});
    // Itself; of another range nothing is said.
    CHECK(held(text(open), text(open)) == 1);
    CHECK(held(text(depthwise), text(depthwise)) == 1);
    conv2d_shape closed = open;
    closed.window_at_call = false;
    closed.pad = 3;
    CHECK(held(text(closed), text(open)) == 0);
    CHECK(shapes_of("a s p d b", "a s1 p1 d1 b") > 0);
    CHECK(shapes_of("a s p d b", "a s1 p0 d1 b") > 0);
    CHECK(shapes_of("a s p d b", "a s0 p1 d1 b") == 0);
    CHECK(shapes_of("a s p d b", "a s1 p1 dh1 dw0 b") == 0);
    CHECK(shapes_of("a s p d b", "a s1 p1 d1 c") == 0);
    CHECK(shapes_of("a s p d b", "a s1 p1 b") == 0);
    CHECK(shapes_of("a s p d b", "a s1 p1 d b") == 0);
    CHECK(shapes_of("a s p d b", "a s-1 p1 d1 b") == 0);
    CHECK(shapes_of("a s p d b", "a sh1 p1 d1 b") == 0);
    CHECK(shapes_of("a s p d b", "a s1 pt1 pl1 pb1 d1 b") == 0);
    CHECK(shapes_of("a s p d b", "a s1 p99999999999999999999999 d1 b") == 0);

    // A kernel of that window alone is the better one, and of two ranges that with fewer taps.
    conv2d_shape fewer = open;
    fewer.kh = fewer.kw = 5;
    const signature_text any = text(open), less = text(fewer), same = text(closed), exact = text(some);
    const entry entries[] = {{.signature = any.c_str(), .set = isa::baseline},
                             {.signature = less.c_str(), .set = isa::baseline},
                             {.signature = same.c_str(), .set = isa::baseline},
                             {.signature = exact.c_str(), .set = isa::baseline}};
    const auto found = [&](auto change) {
        conv2d_shape s = some;
        change(s);
        const entry_list those{entries, 4};
        return find_in_range(entry_table{&those, 1}, text(s).c_str(), isa::baseline) - entries;
    };
    CHECK(found([](conv2d_shape&) {}) == 3);
    CHECK(found([](conv2d_shape& s) { s.pad = 1; }) == 1);
    CHECK(found([](conv2d_shape& s) { s.kw = 7; }) == 0);
    CHECK(found([](conv2d_shape& s) {
              s.kw = 7;
              s.pad = 3;
          }) == 2);
}

TEST_CASE("what a range leaves open is given in the order of its parameters")
{
    using list = std::vector<std::int64_t>;
    const auto given = [](const signature_text& range, const signature_text& shape) {
        const auto values = parameters_in_range(range.c_str(), shape.c_str());
        return list(values.begin(), values.end());
    };
    constexpr extent any = extent::up_to(64);
    const gemm_shape open{.batch = 2, .m = any, .n = 8, .k = any, .ldy = leading::at_call()};
    CHECK(given(product(open), product({.batch = 2, .m = 5, .n = 8, .k = 7, .ldy = 30})) == list{5, 7, 30});
    CHECK(given(product(open), product({.batch = 2, .m = 65, .n = 8, .k = 7, .ldy = 30})).empty());
    const gemm_shape known{.m = 5, .n = 8, .k = 7};
    CHECK(given(product(known), product(known)).empty());
    constexpr conv2d_shape layer{.n = any, .h = any, .w = 9, .ic = any, .oc = any, .kh = 3, .kw = 3};
    conv2d_shape shape{.n = 2, .h = 11, .w = 9, .ic = 32, .oc = 48, .kh = 3, .kw = 3};
    CHECK(given(signature_of(layer, dtype::f32), signature_of(shape, dtype::f32)) == list{2, 11, 32, 48});
    conv2d_shape depthwise = layer;
    depthwise.groups = any;
    shape.oc = shape.groups = 32;
    const resize_shape sizes{.n = any, .h = any, .w = any, .c = any, .oh = any, .ow = 30};
    CHECK(given(signature_of(sizes, dtype::f32),
                signature_of(resize_shape{.h = 11, .w = 12, .c = 5, .oh = 33, .ow = 30}, dtype::f32)) ==
          list{1, 11, 12, 5, 33});
    CHECK(given(signature_of(sizes, dtype::f32),
                signature_of(resize_shape{.h = 11, .w = 12, .c = 5, .oh = 33, .ow = 31}, dtype::f32))
              .empty());
    CHECK(given(signature_of(depthwise, dtype::f32), signature_of(shape, dtype::f32)) == list{2, 11, 32});
}

TEST_CASE("a shape that leaves open a part of what the kernel does gives no call")
{
    constexpr extent any = extent::up_to(64);
    const gemm_shape open{.m = any, .n = any, .k = 8, .ldy = leading::at_call()};
    const auto nothing_is_given = [](const signature_text& range, const signature_text& shape) {
        CHECK(held(range, range) == 1);
        CHECK(held(range, shape) == 0);
        CHECK(parameters_in_range(range.c_str(), shape.c_str()).empty());
    };
    nothing_is_given(product(open), product({.m = any, .n = 7, .k = 8, .ldy = 30}));
    nothing_is_given(product(open), product({.m = 5, .n = any, .k = 8, .ldy = 30}));
    nothing_is_given(product(open), product({.m = 5, .n = 7, .k = 8, .ldy = leading::at_call()}));
    CHECK(held(product(open), product({.m = 5, .n = 7, .k = 8, .ldy = 30})) > 0);
    const conv2d_shape layer{.h = any, .w = any, .ic = 4, .oc = any, .kh = 5, .kw = 5, .window_at_call = true};
    const signature_text range = signature_of(layer, dtype::f32);
    conv2d_shape some = layer;
    some.oc = 9;
    nothing_is_given(range, signature_of(some, dtype::f32));
    CHECK(parameters_in_range(range.c_str(), "conv2d n1 h9 w9 ic4 oc9 kh3 kw3 s p d g1 nhwc f32").empty());
    CHECK(parameters_in_range(range.c_str(), "conv2d n1 h9 w9 ic4 oc9 kh3 kw3 s1 p1 d1 g1 nhwc f32").size() == 13);
}

TEST_CASE("a transposed convolution has the outputs that it says, and the kernel of its window before that of any")
{
    const conv2d_transposed_shape exact{.h = 8, .w = 8, .ic = 512, .oc = 256, .kh = 4, .kw = 4, .stride = 2, .pad = 1};
    conv2d_transposed_shape known = exact;
    known.h = known.w = extent::up_to(64);
    const auto of = [](const conv2d_transposed_shape& s) { return signature_of(s, dtype::f32, {"bias"}); };
    const signature_text first = any_conv2d_transposed<f32, bias>::signature(), second = of(known), third = of(exact);
    const entry all[] = {{.signature = first.c_str(), .set = isa::baseline},
                         {.signature = second.c_str(), .set = isa::baseline},
                         {.signature = third.c_str(), .set = isa::baseline}};
    const entry_list list{all, 3};
    const entry_table table{&list, 1};
    const auto found = [&](auto change) {
        conv2d_transposed_shape s = exact;
        change(s);
        return find_in_range(table, of(s).c_str(), isa::baseline);
    };
    using shape = conv2d_transposed_shape;
    CHECK(found([](shape&) {}) == &all[2]);
    CHECK(found([](shape& s) { s.w = 9; }) == &all[1]);
    CHECK(found([](shape& s) { s.w = 65; }) == &all[0]);
    CHECK(found([](shape& s) { s.output_padding_w = 1; }) == &all[0]);
    CHECK(found([](shape& s) { s.dilation = 2; }) == nullptr);
    CHECK(found([](shape& s) { s.groups = 2; }) == nullptr);

    using list_of = std::vector<std::int64_t>;
    const auto given = [&](const signature_text& range, auto change) {
        conv2d_transposed_shape s = exact;
        change(s);
        const auto values = parameters_in_range(range.c_str(), of(s).c_str());
        return list_of(values.begin(), values.end());
    };
    CHECK(given(second, [](shape& s) { s.w = 9; }) == list_of{8, 9});
    CHECK(given(first, [](shape&) {}) == list_of{1, 8, 8, 512, 256, 4, 4, 2, 2, 1, 1, 16, 16});
    // Output padding adds rows and columns, and padding behind takes them away.
    CHECK(given(first, [](shape& s) { s.output_padding = 1; }) == list_of{1, 8, 8, 512, 256, 4, 4, 2, 2, 1, 1, 17, 17});
    CHECK(given(first, [](shape& s) { s.stride_w = 3, s.output_padding_w = 2, s.pad_bottom = 3; }) ==
          list_of{1, 8, 8, 512, 256, 4, 4, 2, 3, 1, 1, 14, 25});
    CHECK(given(first, [](shape& s) { s.pad_bottom = 16; }) == list_of{1, 8, 8, 512, 256, 4, 4, 2, 2, 1, 1, 1, 16});
    CHECK(given(first, [](shape& s) { s.pad_bottom = 17; }).empty());
}

TEST_CASE("the smallest range that holds a shape is found, and in it the best instruction set")
{
    const signature_text small = product({.m = extent::up_to(64), .n = 24, .k = 8}),
                         large = product({.m = extent::up_to(4096), .n = 24, .k = 8}),
                         any = product({.m = extent::up_to(4096), .n = extent::up_to(64), .k = 8}),
                         exact = product({.m = 100, .n = 24, .k = 8});
    const entry baseline[] = {{.signature = any.c_str(), .set = isa::baseline},
                              {.signature = large.c_str(), .set = isa::baseline},
                              {.signature = small.c_str(), .set = isa::baseline},
                              {.signature = small.c_str(), .set = isa::baseline, .threads = 8},
                              {.signature = exact.c_str(), .set = isa::baseline}};
    const entry wide[] = {{.signature = large.c_str(), .set = isa::avx2},
                          {.signature = small.c_str(), .set = isa::avx2}};
    const entry_list lists[] = {{baseline, 5}, {wide, 2}};
    const entry_table table{lists, 2};
    const auto found = [&](std::int64_t m, std::int64_t n, isa set, int threads = 1) {
        return find_in_range(table, product({.m = m, .n = n, .k = 8}).c_str(), set, threads);
    };
    CHECK(found(16, 24, isa::baseline) == &baseline[2]);
    CHECK(found(16, 24, isa::baseline, 8) == &baseline[3]);
    CHECK(found(64, 24, isa::avx2) == &wide[1]);
    CHECK(found(65, 24, isa::avx2) == &wide[0]);
    CHECK(found(65, 24, isa::baseline) == &baseline[1]);
    CHECK(found(4096, 24, isa::avx512) == &wide[0]);
    CHECK(found(100, 24, isa::avx512) == &baseline[4]);
    CHECK(found(100, 20, isa::avx512) == &baseline[0]);
    CHECK(found(4097, 24, isa::avx512) == nullptr);
    CHECK(found(16, 65, isa::avx512) == nullptr);
    CHECK(found(16, 24, isa::none) == nullptr);
    CHECK(find_in_range(entry_table{}, small.c_str(), isa::baseline) == nullptr);
}
