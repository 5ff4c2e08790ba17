// SPDX-License-Identifier: BSL-1.0
// Workloads of which each call gives all: what they say of themselves, and that a table of them lacks no layer.
#include <hone/op/any_shape.hpp>

#include <string>
#include <vector>

#include <doctest/doctest.h>

#include <hone/cpu/find_in_range.hpp>

using namespace hone;
using namespace hone::operators;

namespace {

using product = any_gemm<f32, bias, relu>;
using layer = any_conv2d<f32, bias, relu>;
using grouped = any_grouped_conv2d<f32, bias, relu>;
using each = any_depthwise<f32, bias, relu>;

template <class Shape>
std::string of(const Shape& s)
{
    return signature_of(s, dtype::f32, {"bias", "relu"}).c_str();
}
std::vector<std::int64_t> given(const signature_text& signature, const std::string& shape)
{
    const auto parameters = parameters_in_range(signature.c_str(), shape.c_str());
    return {parameters.begin(), parameters.end()};
}

} // namespace

TEST_CASE("they are legal, with parameters for all that a shape has")
{
    CHECK(definition_of<product>.found.ok());
    CHECK(definition_of<layer>.found.ok());
    CHECK(definition_of<grouped>.found.ok());
    CHECK(definition_of<each>.found.ok());
    CHECK(given_parameters(definition_of<product>.parameters) == 3);
    CHECK(given_parameters(definition_of<layer>.parameters) == 15);
    CHECK(given_parameters(definition_of<grouped>.parameters) == 16);
    CHECK(given_parameters(definition_of<each>.parameters) == 14);
}

TEST_CASE("layers of networks are calls of them")
{
    const auto is_product = [](std::int64_t m, std::int64_t n, std::int64_t k) {
        return given(product::signature(), of(gemm_shape{.m = m, .n = n, .k = k})) == std::vector{m, n, k};
    };
    CHECK(is_product(1, 1000, 2048));
    CHECK(is_product(8192, 1, 7));
    CHECK(is_product(1, 151936, 4096)); // words of a language model

    using numbers = std::vector<std::int64_t>;
    const std::string stem =
        of(conv2d_shape{.h = 224, .w = 224, .ic = 3, .oc = 64, .kh = 7, .kw = 7, .stride = 2, .pad = 3});
    CHECK(given(layer::signature(), stem) == numbers{1, 224, 224, 3, 64, 7, 7, 2, 2, 3, 3, 3, 3, 1, 1});
    const std::string same = of(conv2d_shape{.n = 8,
                                             .h = 56,
                                             .w = 40,
                                             .ic = 24,
                                             .oc = 24,
                                             .kh = 3,
                                             .kw = 5,
                                             .stride_h = 2,
                                             .pad_bottom = 1,
                                             .dilation_w = 2});
    CHECK(given(layer::signature(), same) == numbers{8, 56, 40, 24, 24, 3, 5, 2, 1, 0, 0, 1, 0, 1, 2});
    CHECK(given(each::signature(), same).empty());
    const std::string patches =
        of(conv2d_shape{.h = 224, .w = 224, .ic = 3, .oc = 768, .kh = 16, .kw = 16, .stride = 16});
    CHECK(given(layer::signature(), patches).size() == 15);
    const std::string depthwise =
        of(conv2d_shape{.h = 112, .w = 112, .ic = 32, .oc = 32, .kh = 3, .kw = 3, .pad = 1, .groups = 32});
    CHECK(given(each::signature(), depthwise) == numbers{1, 112, 112, 32, 3, 3, 1, 1, 1, 1, 1, 1, 1, 1});
    CHECK(given(layer::signature(), depthwise).empty());

    // Layers in groups: ResNeXt, ShuffleNet, AlexNet, and two outputs for each input.
    const auto in_groups = [&](std::int64_t size, std::int64_t ic, std::int64_t oc, std::int64_t taps,
                               std::int64_t groups) {
        const conv2d_shape s{
            .h = size, .w = size, .ic = ic, .oc = oc, .kh = taps, .kw = taps, .pad = taps / 2, .groups = groups};
        const std::int64_t pad = taps / 2;
        CHECK(given(layer::signature(), of(s)).empty());
        return given(grouped::signature(), of(s)) ==
               numbers{1, size, size, ic, oc, taps, taps, 1, 1, pad, pad, pad, pad, 1, 1, groups};
    };
    CHECK(in_groups(56, 128, 128, 3, 32));
    CHECK(in_groups(28, 240, 60, 1, 3));
    CHECK(in_groups(27, 96, 256, 5, 2));
    CHECK(in_groups(56, 64, 128, 3, 64));
    CHECK(in_groups(14, 4096, 4096, 1, 2048));

    // Other epilogues, layouts and groups are other kernels.
    CHECK(given(layer::signature(), signature_of(conv2d_shape{}, dtype::f32, {"bias"}).c_str()).empty());
    CHECK(given(layer::signature(), of(conv2d_shape{.layout = hone::layout::nchw})).empty());
    CHECK(given(layer::signature(), of(conv2d_shape{.ic = 4, .oc = 4, .groups = 2})).empty());
    CHECK(given(layer::signature(), of(conv2d_shape{.h = 2049})).empty());
}

TEST_CASE("of kernels for any layer the one that leaves the least open is found")
{
    const signature_text signatures[] = {layer::signature(), grouped::signature(), each::signature()};
    std::vector<entry> entries;
    for (const signature_text& s : signatures) entries.push_back({.signature = s.c_str(), .set = isa::baseline});
    const entry_list list{entries.data(), entries.size()};
    const auto found = [&](std::int64_t ic, std::int64_t oc, std::int64_t groups) {
        const conv2d_shape s{.h = 9, .w = 9, .ic = ic, .oc = oc, .kh = 3, .kw = 3, .groups = groups};
        const entry* const e = find_in_range(entry_table{&list, 1}, of(s).c_str(), isa::baseline);
        return e == nullptr ? -1 : e - entries.data();
    };
    CHECK(found(12, 24, 1) == 0);
    CHECK(found(12, 24, 3) == 1);
    CHECK(found(12, 24, 12) == 1);
    CHECK(found(24, 12, 12) == 1);
    CHECK(found(12, 12, 12) == 2);
    CHECK(found(1, 1, 1) == 2); // one channel, of a table that has both
    CHECK(found(4097, 12, 1) == -1);
}
