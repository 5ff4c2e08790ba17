// SPDX-License-Identifier: BSL-1.0
// Transposed convolutions of which each call gives all: what they say of themselves, and that layers of networks are
// calls of them, output padding and what is cut behind among it.
#include <hone/op/any_transposed.hpp>

#include <cstdint>
#include <string>
#include <vector>

#include <doctest/doctest.h>

#include <hone/cpu/find_in_range.hpp>
#include <hone/ir/access_proof.hpp>
#include <hone/ir/check.hpp>
#include <hone/lower/lower.hpp>
#include <hone/schedule/direct.hpp>
#include <hone/schedule/vulkan_direct.hpp>

#include "open_transposed.hpp"

using namespace hone;
using namespace hone::operators;
using namespace hone::test;

namespace {

using layer = any_conv2d_transposed<f32>;
using numbers = std::vector<std::int64_t>;

numbers given(const conv2d_transposed_shape& s, const signature_text& signature = layer::signature())
{
    const std::string text = text_of(s);
    const auto parameters = parameters_in_range(signature.c_str(), text.c_str());
    CHECK((shapes_of(signature.c_str(), text.c_str()) > 0) == !parameters.empty());
    return {parameters.begin(), parameters.end()};
}

} // namespace

TEST_CASE("it is legal by default, with parameters for all that a layer has")
{
    const definition& d = definition_of<layer>;
    REQUIRE(d.found.ok());
    CHECK(given_parameters(d.parameters) == 13);
    CHECK(std::string(layer::signature().c_str()) ==
          "conv2d_transposed n<=8 h<=2048 w<=2048 ic<=4096 oc<=4096 kh<=31 kw<=31 s p d1 o<=4096 g1 nhwc f32");
    CHECK(std::string(any_conv2d_transposed<f32, bias, relu>::signature().c_str()).ends_with(" f32 bias relu"));
    for (const isa set : {isa::baseline, isa::avx2, isa::avx512}) {
        const nest n = schedules::lower(schedules::direct_schedule(d, schedules::default_direct(d, set), set));
        CHECK(ir::check(n, cpu_target(set)).ok());
        CHECK(ir::prove_accesses(n).ok());
    }
    CHECK_FALSE(schedules::vulkan_direct::applies(d));
}

TEST_CASE("transposed layers of networks are calls of it")
{
    // Of generators, of U-Nets, and with output padding.
    CHECK(given({.h = 4, .w = 4, .ic = 1024, .oc = 512, .kh = 4, .kw = 4, .stride = 2, .pad = 1}) ==
          numbers{1, 4, 4, 1024, 512, 4, 4, 2, 2, 1, 1, 8, 8});
    CHECK(given({.n = 2, .h = 28, .w = 20, .ic = 512, .oc = 256, .kh = 2, .kw = 2, .stride = 2}) ==
          numbers{2, 28, 20, 512, 256, 2, 2, 2, 2, 0, 0, 56, 40});
    CHECK(
        given({.h = 64, .w = 64, .ic = 128, .oc = 64, .kh = 3, .kw = 3, .stride = 2, .pad = 1, .output_padding = 1}) ==
        numbers{1, 64, 64, 128, 64, 3, 3, 2, 2, 1, 1, 128, 128});
    CHECK(given({.h = 7,
                 .w = 5,
                 .ic = 3,
                 .oc = 21,
                 .kh = 16,
                 .kw = 5,
                 .stride_h = 8,
                 .stride_w = 3,
                 .pad_top = 4,
                 .pad_left = 0,
                 .pad_bottom = 3,
                 .pad_right = 2,
                 .output_padding_w = 2}) == numbers{1, 7, 5, 3, 21, 16, 5, 8, 3, 4, 0, 6 * 8 + 16 - 7, 4 * 3 + 5});
    // Dilated ones, groups, planes and other epilogues are other kernels, and so is what is larger.
    const conv2d_transposed_shape s{.h = 4, .w = 4, .ic = 4, .oc = 4, .kh = 3, .kw = 3, .stride = 2};
    const auto is_held = [&](auto change) {
        conv2d_transposed_shape own = s;
        change(own);
        REQUIRE(own.check().ok());
        return !given(own).empty();
    };
    using shape = conv2d_transposed_shape;
    CHECK(is_held([](shape&) {}));
    CHECK(is_held([](shape& x) { x.stride = 64; }));
    CHECK_FALSE(is_held([](shape& x) { x.stride = 65; }));
    CHECK_FALSE(is_held([](shape& x) { x.dilation = 2; }));
    CHECK_FALSE(is_held([](shape& x) { x.groups = 2; }));
    CHECK_FALSE(is_held([](shape& x) { x.layout = layout::nchw; }));
    CHECK_FALSE(is_held([](shape& x) { x.kw = 32; }));
    CHECK_FALSE(is_held([](shape& x) { x.h = 2049; }));
    CHECK(is_held([](shape& x) { x.h = 2047; }));
    CHECK_FALSE(is_held([](shape& x) { x.h = 2047, x.stride_h = 3; })); // more than 4096 rows of y
    const std::string with_bias = signature_of(s, dtype::f32, {"bias"}).c_str();
    CHECK(parameters_in_range(layer::signature().c_str(), with_bias.c_str()).empty());
    // A text that is no shape.
    const auto is_text_held = [](const char* end) {
        const std::string text = std::string("conv2d_transposed n1 h4 w4 ic4 oc4 kh3 kw3 s2 p0 d1 ") + end;
        return shapes_of(layer::signature().c_str(), text.c_str()) > 0;
    };
    CHECK(is_text_held("op0 g1 nhwc f32"));
    CHECK(is_text_held("oph0 opw1 g1 nhwc f32"));
    for (const char* end : {"", "op", "op2 g1 nhwc f32", "oph0 g1 nhwc f32", "g1 nhwc f32", "op-1 g1 nhwc f32"})
        CHECK_FALSE(is_text_held(end));
    // What is cut is more than there is.
    CHECK_FALSE(shapes_of(layer::signature().c_str(),
                          "conv2d_transposed n1 h4 w4 ic4 oc4 kh3 kw3 s2 p5 d1 op0 g1 nhwc f32") > 0);
}

TEST_CASE("drawn calls are found with the numbers that they give, of a window that is known, too")
{
    random_numbers random{5};
    for (int i = 0; i < 300; ++i) {
        const conv2d_transposed_shape open =
            drawn_open_transposed(random, i % 2 ? open_part::window : open_part::image);
        const conv2d_transposed_shape called = drawn_call(open, random);
        CAPTURE(text_of(called));
        CHECK(given(called, signature_of(open, dtype::f32)) == values_of_call(open, called));
    }
}
