// SPDX-License-Identifier: BSL-1.0
// Shapes as the command line of bench/layers takes them: what they mean, and what is said of those that mean nothing.
#include "../../bench/layers/shape.hpp"

#include <string>

#include <doctest/doctest.h>

using namespace bench::layers;

namespace {

std::string wrong(const std::string& text)
{
    try {
        parse_shape(text);
    } catch (const std::invalid_argument& e) {
        return e.what();
    }
    return "nothing";
}

bool says(const std::string& text, const std::string& word) { return text.find(word) != std::string::npos; }

} // namespace

TEST_CASE("a shape has the signature of the workload that it names")
{
    using hone::bias;
    using hone::relu;
    const auto signature = [](const char* text) { return parse_shape(text).signature(); };
    CHECK(signature("conv2d 56x57x64 -> 128 3x5 /2 pad 1 groups 4 nchw bias relu") ==
          hone::conv2d<hone::conv2d_shape{.h = 56,
                                          .w = 57,
                                          .ic = 64,
                                          .oc = 128,
                                          .kh = 3,
                                          .kw = 5,
                                          .stride = 2,
                                          .pad = 1,
                                          .groups = 4,
                                          .layout = hone::layout::nchw},
                       hone::f32, bias, relu>::signature()
              .c_str());
    CHECK(signature("depthwise 28x28x37 3x3 pad 1") == signature("conv2d 28x28x37 -> 37 3x3 groups 37 pad 1"));
    CHECK(signature("depthwise 28x28x8 -> 16 3x3") == signature("conv2d 28x28x8 -> 16 3x3 groups 8"));
    CHECK(
        signature("conv2d 9x9x3 -> 4 3x3 /2x1 pad 1x0 dilation 1x2 batch 2") ==
        hone::conv2d<
            hone::conv2d_shape{
                .n = 2, .h = 9, .w = 9, .ic = 3, .oc = 4, .kh = 3, .kw = 3, .stride_h = 2, .pad_h = 1, .dilation_w = 2},
            hone::f32>::signature()
            .c_str());
    CHECK(signature("conv2d 9x9x3 -> 4 3x3 pad 0,1,2,3") ==
          hone::conv2d<
              hone::conv2d_shape{
                  .h = 9, .w = 9, .ic = 3, .oc = 4, .kh = 3, .kw = 3, .pad_left = 1, .pad_bottom = 2, .pad_right = 3},
              hone::f32>::signature()
              .c_str());
    CHECK(signature("gemm 5x24x7 batch 3 xt wt relu") ==
          hone::gemm<
              hone::gemm_shape{
                  .batch = 3, .m = 5, .n = 24, .k = 7, .x = hone::transposed::yes, .weights = hone::transposed::yes},
              hone::f32, relu>::signature()
              .c_str());
}

TEST_CASE("what is wrong with a shape is said with the word and the mend")
{
    CHECK(says(wrong("pool 3x3"), "'pool' in the shape 'pool 3x3': a shape begins with conv2d, depthwise or gemm"));
    CHECK(says(wrong(""), "the end"));
    CHECK(says(wrong("conv2d 56x56 -> 4 3x3"), "'56x56'"));
    CHECK(says(wrong("conv2d 56x56x64 3x3"), "write '->'"));
    CHECK(says(wrong("conv2d 56x56x64 -> 128"), "the window as height x width"));
    CHECK(says(wrong("conv2d 56x56x64 -> 128 3x3 /0"), "'0' in"));
    CHECK(says(wrong("conv2d 56x56x64 -> 128 3x3 pad 1,2"), "top, left, bottom, right"));
    CHECK(says(wrong("conv2d 56x56x64 -> 128 3x3 padding 1"), "'padding'"));
    CHECK(says(wrong("conv2d 56x56x64 -> 128 3y3"), "'3y3'"));
    CHECK(says(wrong("conv2d 56x56x64 -> 128 3x3x3"), "'3x3x3'"));
    CHECK(says(wrong("depthwise 56x56x64 3x3 groups 4"), "leave it out"));
    CHECK(says(wrong("gemm 5x24"), "m x n x k"));
    CHECK(says(wrong("gemm 5x24x7 nchw"), "'nchw'"));
    // What hone itself refuses.
    CHECK(says(wrong("conv2d 5x5x6 -> 8 3x3 groups 4"), "conv2d: ic"));
    CHECK(says(wrong("conv2d 2x2x6 -> 8 3x3"), "conv2d: h"));
    CHECK(says(wrong("gemm 99999999x99999999x99999999"), "gemm"));
    CHECK(says(wrong("gemm 99999999999999999999x1x1"), "m x n x k"));
}

TEST_CASE("a file of shapes has a group, a name and a shape on a line")
{
    const auto all =
        parse_shapes("# shapes\n\na one: gemm 1x2x3  # of somebody\nb two: depthwise 4x4x8 3x3 pad 1\n", "f");
    REQUIRE(all.size() == 2);
    CHECK(all[0].group == "a");
    CHECK(all[0].name == "one");
    CHECK(all[0].text == "gemm 1x2x3");
    CHECK(all[1].text == "depthwise 4x4x8 3x3 pad 1");
    const auto why = [](const char* text) {
        try {
            parse_shapes(text, "f");
        } catch (const std::invalid_argument& e) {
            return std::string(e.what());
        }
        return std::string("nothing");
    };
    CHECK(says(why("a one gemm 1x2x3\n"), "f:1: write 'group name: shape'"));
    CHECK(says(why("\na one: gemm 1x2\n"), "f:2: '1x2'"));
    CHECK(says(why("a one: gemm 1x2x3\nb one: gemm 1x2x4\n"), "f:2: there is another shape 'one'"));
}
