// SPDX-License-Identifier: BSL-1.0
// What a convolution says about itself: its signature, its tensors, and why a shape is no convolution.
#include <hone/op/conv2d.hpp>
#include <hone/op/flops.hpp>
#include <hone/schedule/packed.hpp>

#include <iterator>
#include <limits>
#include <set>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include <doctest/doctest.h>

#include "definition_laws.hpp"
#include "layers.hpp"

using namespace hone;
using namespace hone::operators;
using namespace hone::test;

namespace {

template <conv2d_shape S, epilogue... E>
using conv = conv2d<S, f32, E...>;

constexpr conv2d_shape base = {.n = 2, .h = 9, .w = 8, .ic = 12, .oc = 24, .kh = 3, .kw = 2, .stride = 2, .pad = 1};

template <class Change>
constexpr conv2d_shape changed(Change change)
{
    conv2d_shape s = base;
    change(s);
    return s;
}

} // namespace

TEST_CASE("the signature of a convolution")
{
    using c2 = conv<resnet18[1], bias, relu>;
    CHECK(std::string{c2::signature().c_str()} == "conv2d n1 h56 w56 ic64 oc64 kh3 kw3 s1 p1 d1 g1 nhwc f32 bias relu");
    using nchw = conv<changed([](conv2d_shape& s) {
        s.layout = layout::nchw;
        s.groups = 4;
        s.dilation = 3;
    })>;
    CHECK(std::string{nchw::signature().c_str()} == "conv2d n2 h9 w8 ic12 oc24 kh3 kw2 s2 p1 d3 g4 nchw f32");
    CHECK(same_text(c2::signature().c_str(), conv<resnet18[1], bias, relu>::signature().c_str()));
    // Of a shape that is known at run time only.
    conv2d_shape loaded = resnet18[1];
    CHECK(signature_of(loaded, dtype::f32, {"bias", "relu"}) == c2::signature());
    loaded.stride = 2;
    CHECK_FALSE(signature_of(loaded, dtype::f32, {"bias", "relu"}) == c2::signature());
    struct halves : conv2d<conv2d_shape{.h = 3, .w = 3, .ic = 2, .oc = 4}, types<f16>, bias> {};
    CHECK(std::string{halves::signature().c_str()} == "conv2d n1 h3 w3 ic2 oc4 kh1 kw1 s1 p0 d1 g1 nhwc wf16 f32 bias");
    for (const tensor& t : halves::definition().tensors)
        CHECK(t.type == (t.role == role::weights ? dtype::f16 : dtype::f32));
}

TEST_CASE("numbers of a signature are told apart whatever their sign and size")
{
    const auto text = [](std::int64_t value) { return std::string(signature_text{}.field("s", value).c_str()); };
    CHECK(text(0) == "s0");
    CHECK(text(-1) == "s-1");
    CHECK(text(-21) == "s-21");
    CHECK(text(std::numeric_limits<std::int64_t>::max()) == "s9223372036854775807");
    CHECK(text(std::numeric_limits<std::int64_t>::min()) == "s-9223372036854775808");
}

TEST_CASE("one shape has one signature and one definition, however it is written")
{
    constexpr conv2d_shape spelled = changed([](conv2d_shape& s) {
        s.stride = 7;
        s.stride_h = s.stride_w = 2;
        s.pad = 9;
        s.pad_h = 1;
        s.pad_w = 5;
        s.pad_left = s.pad_right = 1;
        s.dilation_h = 1;
        s.dilation_w = 1;
    });
    CHECK(conv<spelled>::signature() == conv<base>::signature());
    CHECK(std::string{conv<base>::signature().c_str()} == "conv2d n2 h9 w8 ic12 oc24 kh3 kw2 s2 p1 d1 g1 nhwc f32");
    const definition a = conv<spelled, bias>::definition(), b = conv<base, bias>::definition();
    CHECK(a.stages[0].operands[0].index[1].offset == b.stages[0].operands[0].index[1].offset);
    CHECK(a.stages[0].operands[0].index[2].offset == b.stages[0].operands[0].index[2].offset);
    for (std::size_t i = 0; i < 8; ++i) CHECK(a.stages[0].axes[i].extent == b.stages[0].axes[i].extent);

    // TensorFlow's SAME of stride 2 on an even image; one row; each direction and side its own.
    constexpr conv2d_shape same{.h = 224,
                                .w = 224,
                                .ic = 3,
                                .oc = 32,
                                .kh = 3,
                                .kw = 3,
                                .stride = 2,
                                .pad_top = 0,
                                .pad_left = 0,
                                .pad_bottom = 1,
                                .pad_right = 1};
    CHECK(same.oh() == 112);
    CHECK(same.ow() == 112);
    CHECK(std::string{conv<same>::signature().c_str()} ==
          "conv2d n1 h224 w224 ic3 oc32 kh3 kw3 s2 pt0 pl0 pb1 pr1 d1 g1 nhwc f32");
    constexpr conv2d_shape row{.h = 1, .w = 64, .ic = 8, .oc = 8, .kh = 1, .kw = 9, .pad_h = 0, .pad_w = 4};
    CHECK(row.oh() == 1);
    CHECK(row.ow() == 64);
    CHECK(std::string{conv<row>::signature().c_str()} ==
          "conv2d n1 h1 w64 ic8 oc8 kh1 kw9 s1 pt0 pl4 pb0 pr4 d1 g1 nhwc f32");
    constexpr conv2d_shape each{
        .h = 20, .w = 30, .kh = 3, .kw = 3, .stride_h = 3, .stride_w = 4, .dilation_h = 1, .dilation_w = 2};
    CHECK(each.oh() == 6);
    CHECK(each.ow() == 7);
    CHECK(std::string{conv<each>::signature().c_str()} ==
          "conv2d n1 h20 w30 ic1 oc1 kh3 kw3 sh3 sw4 p0 dh1 dw2 g1 nhwc f32");
}

TEST_CASE("the names of an epilogue may come as a span, an array or a vector")
{
    const std::vector<const char*> names{"bias", "relu"};
    const char* const array[] = {"bias", "relu"};
    const signature_text expected = conv<base, bias, relu>::signature();
    CHECK(signature_of(base, dtype::f32, names) == expected);
    CHECK(signature_of(base, dtype::f32, array) == expected);
    CHECK(signature_of(base, dtype::f32, std::span{names}.first(1)) == conv<base, bias>::signature());
    CHECK(signature_of(base, dtype::f32, {"bias", "relu"}) == expected);
    CHECK(signature_of(base, dtype::f32) == conv<base>::signature());
    CHECK(signature_of(base, dtype::f32, {}) == conv<base>::signature());
}

TEST_CASE("whatever differs is in the signature")
{
    std::set<std::string> texts;
    const auto add = [&]<conv2d_shape S, class... E>(std::integral_constant<conv2d_shape, S>, E...) {
        CHECK(texts.insert(conv<S, E...>::signature().c_str()).second);
    };
    const auto of = []<conv2d_shape S>() { return std::integral_constant<conv2d_shape, S>{}; };
    add(of.operator()<base>());
    add(of.operator()<base>(), bias{});
    add(of.operator()<base>(), relu{});
    add(of.operator()<base>(), relu6{});
    add(of.operator()<base>(), residual{});
    add(of.operator()<base>(), bias{}, relu{});
    add(of.operator()<base>(), relu{}, bias{});
    add(of.operator()<changed([](conv2d_shape& s) { s.n = 3; })>());
    add(of.operator()<changed([](conv2d_shape& s) { s.h = 10; })>());
    add(of.operator()<changed([](conv2d_shape& s) { s.w = 10; })>());
    add(of.operator()<changed([](conv2d_shape& s) { s.ic = 24; })>());
    add(of.operator()<changed([](conv2d_shape& s) { s.oc = 12; })>());
    add(of.operator()<changed([](conv2d_shape& s) { s.kh = 2; })>());
    add(of.operator()<changed([](conv2d_shape& s) { s.kw = 3; })>());
    add(of.operator()<changed([](conv2d_shape& s) { s.stride = 1; })>());
    add(of.operator()<changed([](conv2d_shape& s) { s.pad = 0; })>());
    add(of.operator()<changed([](conv2d_shape& s) { s.dilation = 2; })>());
    add(of.operator()<changed([](conv2d_shape& s) { s.groups = 4; })>());
    add(of.operator()<changed([](conv2d_shape& s) { s.layout = layout::nchw; })>());
    add(of.operator()<changed([](conv2d_shape& s) { s.stride_h = 1; })>());
    add(of.operator()<changed([](conv2d_shape& s) { s.stride_w = 1; })>());
    add(of.operator()<changed([](conv2d_shape& s) { s.pad_top = 2; })>());
    add(of.operator()<changed([](conv2d_shape& s) { s.pad_left = 2; })>());
    add(of.operator()<changed([](conv2d_shape& s) { s.pad_bottom = 2; })>());
    add(of.operator()<changed([](conv2d_shape& s) { s.pad_right = 2; })>());
    add(of.operator()<changed([](conv2d_shape& s) { s.dilation_h = 2; })>());
    add(of.operator()<changed([](conv2d_shape& s) { s.dilation_w = 2; })>());
    CHECK(texts.size() == 27);
}

TEST_CASE("outputs of the layers of ResNet-18 and MobileNet")
{
    constexpr int sides[] = {112, 56, 56, 28, 28, 28, 14, 14, 14, 7, 7, 7};
    // Multiply-adds times two, in units of a thousand million, as Table 1 of the paper counts them.
    constexpr double gflop[] = {0.2360, 0.2312, 0.0257, 0.1156, 0.0128, 0.2312,
                                0.1156, 0.0128, 0.2312, 0.1156, 0.0128, 0.2312};
    [&]<std::size_t... I>(std::index_sequence<I...>) {
        const auto layer = [&](std::size_t i, const conv2d_shape& s, const definition& d) {
            CAPTURE(i + 1);
            CHECK(s.oh() == sides[i]);
            CHECK(s.ow() == sides[i]);
            CHECK(flops_of(d) / 1e9 == doctest::Approx(gflop[i]).epsilon(0.005));
            check_laws(d);
        };
        (layer(I, resnet18[I], conv<resnet18[I], bias, residual, relu>::definition()), ...);
    }(std::make_index_sequence<std::size(resnet18)>{});
    constexpr int depthwise_sides[] = {112, 56, 56, 28, 28, 14, 14, 7, 7};
    [&]<std::size_t... I>(std::index_sequence<I...>) {
        const auto layer = [&](std::size_t i, const conv2d_shape& s, const definition& d) {
            CAPTURE(i + 1);
            CHECK(s.oh() == depthwise_sides[i]);
            CHECK(d.tensors[d.tensor_of(role::weights)].elements() == s.ic * 9);
            check_laws(d);
        };
        (layer(I, mobilenet_depthwise[I], conv<mobilenet_depthwise[I], bias, relu6>::definition()), ...);
    }(std::make_index_sequence<std::size(mobilenet_depthwise)>{});
}

TEST_CASE("tensors are as large as documented, in both layouts")
{
    const auto sizes = [](const conv2d_shape& s, const definition& d) {
        CHECK(d.tensors.size() == 5);
        CHECK(d.tensors[0].elements() == s.n * s.h * s.w * s.ic);
        CHECK(d.tensors[1].elements() == s.oc * s.kh * s.kw * (s.ic / s.groups));
        CHECK(d.tensors[d.tensor_of(role::bias)].elements() == s.oc);
        CHECK(d.tensors[d.tensor_of(role::residual)].elements() == s.n * s.oh() * s.ow() * s.oc);
        CHECK(d.tensors[4].role == role::output); // the last argument
        CHECK(d.tensors[4].elements() == s.n * s.oh() * s.ow() * s.oc);
        check_laws(d);
    };
    constexpr conv2d_shape nhwc = changed([](conv2d_shape& s) {
        s.groups = 3;
        s.dilation = 2;
    });
    constexpr conv2d_shape nchw = changed([](conv2d_shape& s) {
        s.groups = 3;
        s.dilation = 2;
        s.layout = layout::nchw;
    });
    CHECK(nhwc.oh() == 4);
    CHECK(nhwc.ow() == 4);
    sizes(nhwc, conv<nhwc, bias, residual>::definition());
    sizes(nchw, conv<nchw, bias, residual>::definition());

    // Element (n, h, w, c) of x, and (o, i, kh, kw) of the weights.
    const auto strides = [](const definition& d, int t) {
        std::vector<std::int64_t> of;
        for (const dimension& dim : d.tensors[t].dims) of.push_back(dim.stride);
        return of;
    };
    using list = std::vector<std::int64_t>;
    const definition a = conv<nhwc>::definition();
    CHECK(strides(a, 0) == list{9 * 8 * 12, 8 * 12, 12, 4, 1});
    CHECK(strides(a, 1) == list{8 * 3 * 2 * 4, 3 * 2 * 4, 2 * 4, 4, 1});
    const definition b = conv<nchw>::definition();
    CHECK(strides(b, 0) == list{12 * 9 * 8, 8, 1, 4 * 9 * 8, 9 * 8});
    CHECK(strides(b, 1) == list{8 * 4 * 3 * 2, 4 * 3 * 2, 2, 1, 3 * 2});
}

TEST_CASE("images that each call gives")
{
    constexpr conv2d_shape s{.n = extent::up_to(8), .h = 5, .w = 6, .ic = 3, .oc = 9, .kh = 3, .kw = 3, .pad = 1};
    const definition d = conv2d<s, f32, bias, residual>::definition();
    check_laws(d);
    CHECK(std::string{conv2d<s, f32>::signature().c_str()}.find("conv2d n<=8 h5 w6 ") == 0);
    REQUIRE(d.parameters.size() == 1);
    CHECK(std::string{d.parameters[0].name} == "n");
    CHECK(d.parameters[0].most == 8);
    CHECK(d.stages[0].axes[conv_axis::n].parameter == 0);
    for (const tensor& t : d.tensors)
        if (t.role == role::input || t.role == role::output || t.role == role::residual)
            CHECK(t.dims[0].extent_parameter == 0);
    CHECK(emptying_parameters(d) == 1);
}

TEST_CASE("images whose extents each call gives")
{
    constexpr extent most = extent::up_to(9), wide = extent::up_to(12);
    constexpr conv2d_shape s{
        .n = extent::up_to(8), .h = most, .w = wide, .ic = 3, .oc = 5, .kh = 3, .kw = 5, .stride = 2, .pad = 1};
    const definition d = conv2d<s, f32, bias, residual>::definition();
    check_laws(d);
    CHECK(std::string{conv2d<s, f32>::signature().c_str()}.find("conv2d n<=8 h<=9 w<=12 ic3 ") == 0);
    REQUIRE(d.parameters.size() == 7);
    const char* const names[] = {"n", "h", "w", "oh", "ow", "image", "image of y"};
    const std::int64_t least[] = {1, 1, 3, 1, 1, 3, 1}, largest[] = {8, 9, 12, 5, 5, 108, 25};
    for (std::size_t p = 0; p < 7; ++p) {
        CHECK(std::string{d.parameters[p].name} == names[p]);
        CHECK(d.parameters[p].least == least[p]);
        CHECK(d.parameters[p].most == largest[p]);
    }
    CHECK(given_parameters(d.parameters) == 3);
    CHECK(emptying_parameters(d) % 8 == 1); // of those that a call gives, n
    // Of each call the tensors are dense.
    const std::int64_t given[] = {2, 4, 7};
    std::int64_t values[7]{};
    complete(d.parameters, given, values);
    for (const tensor& t : d.tensors) {
        if (t.role == role::input) CHECK(schedules::at_call(t, values).elements() == 2 * 4 * 7 * 3);
        if (t.role == role::output || t.role == role::residual)
            CHECK(schedules::at_call(t, values).elements() == 2 * ((4 + 2 - 3) / 2 + 1) * ((7 + 2 - 5) / 2 + 1) * 5);
    }
    constexpr conv2d_shape rows{.h = most, .w = 4, .ic = 3, .oc = 5, .pad = 0};
    REQUIRE(conv2d<rows, f32>::definition().parameters.size() == 2);
    CHECK(std::string{conv2d<rows, f32>::definition().parameters[1].name} == "oh");
    // As large as the largest, and none where that is no convolution.
    CHECK(conv2d_shape{.h = extent::up_to(2), .w = 4, .kh = 3, .kw = 3}.check().what == fault::shape_mismatch);
    CHECK(conv2d_shape{.h = extent::up_to(0), .w = 4}.check().what == fault::extent_zero);
}

TEST_CASE("channels that each call gives")
{
    constexpr extent many = extent::up_to(64), more = extent::up_to(96).typically(32);
    constexpr conv2d_shape s{.n = 2,
                             .h = extent::up_to(9),
                             .w = extent::up_to(12),
                             .ic = many,
                             .oc = more,
                             .kh = 3,
                             .kw = 5,
                             .stride = 2,
                             .pad = 1};
    const definition d = conv2d<s, f32, bias, residual>::definition();
    check_laws(d);
    CHECK(std::string{conv2d<s, f32>::signature().c_str()} ==
          "conv2d n2 h<=9 w<=12 ic<=64 oc<=96 kh3 kw5 s2 p1 d1 g1 nhwc f32");
    const char* const names[] = {"h", "w", "ic", "oc", "oh", "ow", "row", "image", "row of y", "image of y"};
    REQUIRE(d.parameters.size() == std::size(names));
    for (std::size_t p = 0; p < std::size(names); ++p) CHECK(std::string{d.parameters[p].name} == names[p]);
    CHECK(given_parameters(d.parameters) == 4);
    CHECK(d.parameters[2].least == 1);
    CHECK(d.parameters[3].typical == 32);
    CHECK(emptying_parameters(d) % 16 == 8); // of those that a call gives, oc
    // Of each call the tensors are dense, weights as the operator has them, too.
    const std::int64_t given[] = {4, 7, 5, 11};
    std::int64_t values[std::size(names)]{};
    complete(d.parameters, given, values);
    const conv2d_shape called{.n = 2, .h = 4, .w = 7, .ic = 5, .oc = 11, .kh = 3, .kw = 5, .stride = 2, .pad = 1};
    const definition known = conv2d_definition<bias, residual>(called, dtype::f32);
    for (std::size_t t = 0; t < d.tensors.size(); ++t) {
        const tensor own = schedules::at_call(d.tensors[t], values);
        CHECK(own.elements() == known.tensors[t].elements());
        for (std::size_t i = 0; i < own.dims.size(); ++i) {
            CHECK(own.dims[i].extent == known.tensors[t].dims[i].extent);
            if (own.dims[i].extent > 1) CHECK(own.dims[i].stride == known.tensors[t].dims[i].stride);
        }
    }

    constexpr conv2d_shape each{.h = 5, .w = 6, .ic = many, .oc = many, .kh = 3, .kw = 3, .groups = many};
    const definition depthwise = conv2d<each, f32, bias>::definition();
    check_laws(depthwise);
    CHECK(std::string{conv2d<each, f32>::signature().c_str()} ==
          "conv2d n1 h5 w6 ic<=64 oc=ic kh3 kw3 s1 p0 d1 g=ic nhwc f32");
    REQUIRE(depthwise.parameters.size() == 1);
    CHECK(std::string{depthwise.parameters[0].name} == "ic");
    CHECK(depthwise.stages[0].axes[conv_axis::g].parameter == 0);
    CHECK(emptying_parameters(depthwise) == 1);
    const std::int64_t channels = 7;
    CHECK(schedules::at_call(depthwise.tensors[0], &channels).elements() == 5 * 6 * 7);
    CHECK(schedules::at_call(depthwise.tensors[1], &channels).elements() == 3 * 3 * 7);
}

TEST_CASE("channels of the call are of NHWC, and groups of the call have both; others say so")
{
    constexpr extent many = extent::up_to(12), fewer = extent::up_to(6);
    const auto found = [](extent ic, extent oc, extent groups, layout order = layout::nhwc) {
        conv2d_shape s = base;
        s.ic = ic;
        s.oc = oc;
        s.groups = groups;
        s.layout = order;
        return s.check();
    };
    CHECK(found(many, many, 1).ok());
    CHECK(found(many, 5, 1).ok());
    CHECK(found(5, many, 1).ok());
    CHECK(found(many, many, many).ok());
    CHECK(found(many, many, 1, layout::nchw).what == fault::channels_at_call);
    CHECK(std::string{found(many, 5, 1, layout::nchw).subject} == "conv2d: layout");
    CHECK(found(many, 12, 2).ok());
    CHECK(found(12, many, 4).ok());
    CHECK(found(many, many, 3).ok());
    CHECK(found(many, many, 3, layout::nchw).what == fault::channels_at_call);
    // The most channels are of whole groups, too.
    CHECK(found(many, many, 5).what == fault::shape_mismatch);
    CHECK(std::string{found(many, fewer, 4).subject} == "conv2d: oc");
    CHECK(found(many, 10, 4).what == fault::shape_mismatch);
    CHECK(found(many, many, fewer).ok());
    CHECK(found(fewer, many, fewer).ok());
    CHECK(found(many, extent::up_to(7), fewer).ok());
    for (const auto& [ic, oc] : {std::pair<extent, extent>{12, 12}, {many, 12}, {12, many}}) {
        CHECK(found(ic, oc, fewer).what == fault::channels_at_call);
        CHECK(std::string{found(ic, oc, fewer).subject} == "conv2d: groups");
    }
    CHECK(found(many, many, fewer, layout::nchw).what == fault::channels_at_call);
    CHECK(found(12, 12, 12, layout::nchw).ok());
}

namespace {

// x, weights, bias, residual and y of a call are those of the shape that the call gives.
void has_tensors_of(const conv2d_shape& open, const conv2d_shape& called, const std::vector<std::int64_t>& given)
{
    const definition d = conv2d_definition<bias, residual>(open, dtype::f32);
    const definition known = conv2d_definition<bias, residual>(called, dtype::f32);
    REQUIRE(known.found.ok());
    REQUIRE(given.size() == given_parameters(d.parameters));
    std::vector<std::int64_t> values = given;
    values.resize(d.parameters.size());
    complete(d.parameters, values.data(), values.data());
    for (std::size_t t = 0; t < d.tensors.size(); ++t) {
        CAPTURE(d.tensors[t].name);
        const tensor own = schedules::at_call(d.tensors[t], values.data());
        CHECK(own.elements() == known.tensors[t].elements());
        for (std::size_t i = 0; i < own.dims.size(); ++i) {
            CHECK(own.dims[i].extent == known.tensors[t].dims[i].extent);
            if (own.dims[i].extent > 1) CHECK(own.dims[i].stride == known.tensors[t].dims[i].stride);
        }
    }
    for (std::size_t a = 0; a < d.stages[0].axes.size(); ++a)
        if (const std::int16_t p = d.stages[0].axes[a].parameter; p >= 0)
            CHECK(values[static_cast<std::size_t>(p)] == known.stages[0].axes[a].extent);
}

constexpr extent many = extent::up_to(64);
constexpr conv2d_shape of_any_window{.n = extent::up_to(4),
                                     .h = extent::up_to(30),
                                     .w = extent::up_to(20),
                                     .ic = many,
                                     .oc = extent::up_to(96),
                                     .kh = 5,
                                     .kw = 7,
                                     .window_at_call = true};

} // namespace

TEST_CASE("windows that each call gives")
{
    const definition d = checked(conv2d<of_any_window, f32, bias, residual>::definition());
    REQUIRE(d.found.ok());
    CHECK(std::string{conv2d<of_any_window, f32, bias>::signature().c_str()} ==
          "conv2d n<=4 h<=30 w<=20 ic<=64 oc<=96 kh<=5 kw<=7 s p d g1 nhwc f32 bias");
    const struct {
        const char* name;
        std::int64_t least, most;
    } given[] = {{"n", 1, 4},           {"h", 1, 30},          {"w", 1, 20},          {"ic", 1, 64},
                 {"oc", 1, 96},         {"kh", 1, 5},          {"kw", 1, 7},          {"stride_h", 1, 64},
                 {"stride_w", 1, 64},   {"pad_top", 0, 256},   {"pad_left", 0, 256},  {"pad_bottom", 0, 256},
                 {"pad_right", 0, 256}, {"dilation_h", 1, 64}, {"dilation_w", 1, 64}, {"oh", 1, 30 + 512},
                 {"ow", 1, 20 + 512}};
    REQUIRE(d.parameters.size() > std::size(given));
    for (std::size_t p = 0; p < std::size(given); ++p) {
        CAPTURE(given[p].name);
        CHECK(std::string{d.parameters[p].name} == given[p].name);
        CHECK(d.parameters[p].least == given[p].least);
        CHECK(d.parameters[p].most == given[p].most);
    }
    CHECK(given_parameters(d.parameters) == 15);
    CHECK(emptying_parameters(d) % (1u << 15) == 0b10001); // of those that a call gives, n and oc
    CHECK(of_any_window.oh() == 30 + 512);                 // the most
    CHECK(of_any_window.ow() == 20 + 512);

    // 3 x 3 with padding of 1, as far as there may be so many taps.
    for (const std::int64_t taps : {1, 2, 3, 4}) {
        conv2d_shape s = of_any_window;
        s.kh = s.kw = taps;
        const definition own = conv2d_definition<>(s, dtype::f32);
        for (const std::size_t p : {5, 6}) CHECK(own.parameters[p].typical == (taps < 3 ? 0 : 3));
        for (const std::size_t p : {9, 10, 11, 12}) CHECK(own.parameters[p].typical == (taps < 3 ? 0 : 1));
    }
}

TEST_CASE("tensors of a window that the call gives are those of its shape")
{
    constexpr conv2d_shape called{.n = 2,
                                  .h = 11,
                                  .w = 13,
                                  .ic = 5,
                                  .oc = 9,
                                  .kh = 3,
                                  .kw = 2,
                                  .stride_h = 2,
                                  .stride_w = 3,
                                  .pad_top = 4,
                                  .pad_left = 0,
                                  .pad_bottom = 1,
                                  .pad_right = 2,
                                  .dilation_h = 1,
                                  .dilation_w = 5};
    static_assert(called.oh() == 7 && called.ow() == 4);
    has_tensors_of(of_any_window, called, {2, 11, 13, 5, 9, 3, 2, 2, 3, 4, 0, 1, 2, 1, 5});
    conv2d_shape of_channels = of_any_window;
    of_channels.n = 2;
    of_channels.ic = 5;
    of_channels.oc = 9;
    has_tensors_of(of_channels, called, {11, 13, 3, 2, 2, 3, 4, 0, 1, 2, 1, 5});
    conv2d_shape depthwise = of_any_window, each = called;
    depthwise.oc = depthwise.groups = depthwise.ic;
    each.ic = each.oc = each.groups = 6;
    CHECK(std::string{signature_of(depthwise, dtype::f32).c_str()} ==
          "conv2d n<=4 h<=30 w<=20 ic<=64 oc=ic kh<=5 kw<=7 s p d g=ic nhwc f32");
    has_tensors_of(depthwise, each, {2, 11, 13, 6, 3, 2, 2, 3, 4, 0, 1, 2, 1, 5});
    // One tap, of an image of one pixel; and an image that is smaller than its window.
    has_tensors_of(of_channels, {.n = 2, .h = 1, .w = 1, .ic = 5, .oc = 9}, {1, 1, 1, 1, 1, 1, 0, 0, 0, 0, 1, 1});
    constexpr conv2d_shape small{.n = 2, .h = 2, .w = 1, .ic = 5, .oc = 9, .kh = 5, .kw = 7, .pad_h = 2, .pad_w = 3};
    static_assert(small.oh() == 2 && small.ow() == 1);
    has_tensors_of(of_channels, small, {2, 1, 5, 7, 1, 1, 2, 3, 2, 3, 1, 1});
}

TEST_CASE("tensors of groups of the call are those of its shape")
{
    conv2d_shape called{.n = 2, .h = 11, .w = 13, .ic = 12, .oc = 18, .kh = 3, .kw = 2, .pad = 1, .groups = 6};
    conv2d_shape open = of_any_window;
    open.groups = extent::up_to(20);
    CHECK(std::string{signature_of(open, dtype::f32).c_str()} ==
          "conv2d n<=4 h<=30 w<=20 ic<=64 oc<=96 kh<=5 kw<=7 s p d g<=20 nhwc f32");
    const definition d = checked(conv2d_definition<bias>(open, dtype::f32));
    REQUIRE(d.found.ok());
    REQUIRE(given_parameters(d.parameters) == 16);
    CHECK(std::string{d.parameters[15].name} == "groups");
    CHECK(d.parameters[15].most == 20);
    CHECK(emptying_parameters(d) % (1u << 16) == 0b10001); // n and oc, not groups
    for (const std::int64_t groups : {1, 2, 3, 6}) {
        called.groups = groups;
        has_tensors_of(open, called, {2, 11, 13, 12, 18, 3, 2, 1, 1, 1, 1, 1, 1, 1, 1, groups});
    }
    // As many as inputs, and one output or more for each.
    called.groups = 12;
    for (const std::int64_t each : {1, 2, 3}) {
        called.oc = 12 * each;
        has_tensors_of(open, called, {2, 11, 13, 12, 12 * each, 3, 2, 1, 1, 1, 1, 1, 1, 1, 1, 12});
    }
    called.oc = 18;
    // A window that the shape names.
    conv2d_shape known = open;
    known.window_at_call = false;
    known.kh = 3;
    known.kw = 2;
    known.pad = 1;
    called.groups = 3;
    has_tensors_of(known, called, {2, 11, 13, 12, 18, 3});
    // Groups that the shape names, and channels of the call or not.
    open.groups = known.groups = 3;
    open.ic = known.ic = extent::up_to(63);
    CHECK(std::string{signature_of(open, dtype::f32).c_str()} ==
          "conv2d n<=4 h<=30 w<=20 ic<=63 oc<=96 kh<=5 kw<=7 s p d g3 nhwc f32");
    has_tensors_of(open, called, {2, 11, 13, 12, 18, 3, 2, 1, 1, 1, 1, 1, 1, 1, 1});
    has_tensors_of(known, called, {2, 11, 13, 12, 18});
    CHECK(conv2d_definition<>(known, dtype::f32).parameters[3].least == 3);
    CHECK(emptying_parameters(conv2d_definition<>(known, dtype::f32)) % (1u << 5) == 0b10001);
    open.ic = known.ic = 12;
    has_tensors_of(open, called, {2, 11, 13, 18, 3, 2, 1, 1, 1, 1, 1, 1, 1, 1});
    has_tensors_of(known, called, {2, 11, 13, 18});
    open.oc = 18;
    has_tensors_of(open, called, {2, 11, 13, 3, 2, 1, 1, 1, 1, 1, 1, 1, 1});
    known.n = 2;
    known.h = 11;
    known.w = 13;
    has_tensors_of(known, called, {18});
    known.ic = extent::up_to(63);
    known.oc = 18;
    has_tensors_of(known, called, {12});
    known.ldx = 64; // as in one group: pixels of so many channels as the call gives are dense
    CHECK(conv2d_definition<>(known, dtype::f32).found.what == fault::view_mismatch);
    known.ic = 12;
    CHECK(conv2d_definition<>(known, dtype::f32).found.ok());
}

TEST_CASE("windows of the call are of NHWC images of the call; others say so")
{
    const auto found = [](auto change) {
        conv2d_shape s = of_any_window;
        change(s);
        return s.check();
    };
    const auto is_refused = [&](auto change, const char* subject) {
        const status s = found(change);
        CHECK(s.what == fault::window_at_call);
        CHECK(std::string{s.subject} == subject);
        // The same is fine, or another fault, of a window that the shape names.
        conv2d_shape closed = of_any_window;
        change(closed);
        closed.window_at_call = false;
        CHECK(closed.check().what != fault::window_at_call);
    };
    CHECK(of_any_window.check().ok());
    const auto of_known_channels = [](conv2d_shape& s) {
        s.ic = s.oc = 6; // of those of the call, NCHW is a fault of its own
    };
    CHECK(found(of_known_channels).ok());
    is_refused(
        [&](conv2d_shape& s) {
            of_known_channels(s);
            s.layout = layout::nchw;
        },
        "conv2d: layout");
    is_refused([](conv2d_shape& s) { s.h = 30; }, "conv2d: h, w");
    is_refused([](conv2d_shape& s) { s.w = 20; }, "conv2d: h, w");
    CHECK(found([](conv2d_shape& s) { s.w = 20; }).found == 20);
    CHECK(found([](conv2d_shape& s) { s.n = 4; }).ok());
    for (const std::int64_t groups : {2, 6})
        CHECK(found([&](conv2d_shape& s) {
                  of_known_channels(s);
                  s.groups = groups;
              }).ok());
    CHECK(found([](conv2d_shape& s) { s.oc = s.groups = many; }).ok());
    CHECK(found([](conv2d_shape& s) { s.groups = extent::up_to(20); }).ok());
    for (std::int64_t conv2d_shape::*number :
         {&conv2d_shape::stride, &conv2d_shape::stride_h, &conv2d_shape::stride_w, &conv2d_shape::pad,
          &conv2d_shape::pad_h, &conv2d_shape::pad_w, &conv2d_shape::pad_top, &conv2d_shape::pad_left,
          &conv2d_shape::pad_bottom, &conv2d_shape::pad_right, &conv2d_shape::dilation, &conv2d_shape::dilation_h,
          &conv2d_shape::dilation_w})
        is_refused([&](conv2d_shape& s) { s.*number = 2; }, "conv2d: stride, pad, dilation");
    // What is as if it were not named is fine.
    CHECK(found([](conv2d_shape& s) { s.stride_h = s.dilation_w = 1; }).ok());
    CHECK(found([](conv2d_shape& s) { s.pad_left = 0; }).ok());
    // Taps are at most so many, and more than an image has, too.
    CHECK(found([](conv2d_shape& s) { s.kh = 31; }).ok());
    CHECK(found([](conv2d_shape& s) { s.kh = 0; }).what == fault::extent_zero);
    CHECK(found([](conv2d_shape& s) { s.kw = (1 << 24) + 1; }).what == fault::shape_mismatch);
}

TEST_CASE("a shape that is no convolution says why")
{
    const auto found = [](auto change) {
        conv2d_shape s = base;
        change(s);
        return s.check();
    };
    CHECK(base.check().ok());
    CHECK(found([](conv2d_shape& s) { s.n = 0; }).what == fault::extent_zero);
    CHECK(found([](conv2d_shape& s) { s.h = 0; }).what == fault::extent_zero);
    CHECK(found([](conv2d_shape& s) { s.w = -3; }).what == fault::extent_zero);
    CHECK(found([](conv2d_shape& s) { s.w = -3; }).found == -3);
    CHECK(found([](conv2d_shape& s) { s.ic = 0; }).what == fault::extent_zero);
    CHECK(found([](conv2d_shape& s) { s.oc = 0; }).what == fault::extent_zero);
    CHECK(found([](conv2d_shape& s) { s.kh = 0; }).what == fault::extent_zero);
    CHECK(found([](conv2d_shape& s) { s.kw = 0; }).what == fault::extent_zero);
    CHECK(found([](conv2d_shape& s) { s.stride = 0; }).what == fault::extent_zero);
    CHECK(found([](conv2d_shape& s) { s.dilation = 0; }).what == fault::extent_zero);
    CHECK(found([](conv2d_shape& s) { s.groups = 0; }).what == fault::extent_zero);
    CHECK(found([](conv2d_shape& s) { s.groups = 5; }).what == fault::shape_mismatch);
    CHECK(std::string{found([](conv2d_shape& s) { s.groups = 5; }).subject} == "conv2d: ic");
    CHECK(std::string{found([](conv2d_shape& s) {
                          s.groups = 4;
                          s.oc = 6;
                      }).subject} == "conv2d: oc");
    CHECK(found([](conv2d_shape& s) { s.groups = 12; }).ok());
    CHECK(found([](conv2d_shape& s) { s.pad = -1; }).what == fault::shape_mismatch);
    CHECK(found([](conv2d_shape& s) { s.pad_right = -2; }).what == fault::shape_mismatch); // no cropping
    CHECK(found([](conv2d_shape& s) { s.pad_h = -3; }).found == -3);
    CHECK(found([](conv2d_shape& s) { s.pad = 50; }).ok()); // windows that lie in the padding altogether
    CHECK(found([](conv2d_shape& s) { s.stride_w = 0; }).what == fault::extent_zero);
    CHECK(found([](conv2d_shape& s) { s.dilation_h = -2; }).what == fault::extent_zero);
    // Past what an index of 32 bits holds, and what would be 1 there.
    CHECK(found([](conv2d_shape& s) { s.stride = (std::int64_t{1} << 32) + 1; }).what == fault::shape_mismatch);
    CHECK(found([](conv2d_shape& s) { s.pad_left = std::int64_t{1} << 40; }).what == fault::shape_mismatch);
    CHECK(found([](conv2d_shape& s) { s.kh = 11; }).ok()); // exactly the padded image
    CHECK(found([](conv2d_shape& s) { s.kh = 12; }).what == fault::shape_mismatch);
    CHECK(found([](conv2d_shape& s) { s.kw = 11; }).what == fault::shape_mismatch);
    CHECK(found([](conv2d_shape& s) { s.dilation = 5; }).ok());
    CHECK(found([](conv2d_shape& s) { s.dilation = 6; }).what == fault::shape_mismatch);

    constexpr definition none = conv<changed([](conv2d_shape& s) { s.groups = 5; }), bias, relu>::definition();
    CHECK(none.found.what == fault::shape_mismatch);
    CHECK(none.stages.empty());
    static_assert(changed([](conv2d_shape& s) { s.h = 0; }).check().what == fault::extent_zero);
}

TEST_CASE("a signature has the distances that a shape names, and a dense one that is named changes nothing else")
{
    constexpr conv2d_shape s{.h = 4, .w = 5, .ic = 6, .oc = 7};
    conv2d_shape apart = s;
    apart.ldx = 9;
    apart.ldy = leading::at_call();
    CHECK(std::string(hone::signature_of(apart, dtype::f32).c_str()) ==
          "conv2d n1 h4 w5 ic6 oc7 kh1 kw1 s1 p0 d1 g1 nhwc ldx9 ldy f32");
    constexpr conv2d_shape dense{.h = 4, .w = 5, .ic = 6, .oc = 7, .ldx = 6};
    CHECK(std::string(hone::signature_of(dense, dtype::f32).c_str()) ==
          "conv2d n1 h4 w5 ic6 oc7 kh1 kw1 s1 p0 d1 g1 nhwc ldx6 f32");
    const definition named = conv2d<dense, f32>::definition(), plain = conv2d<s, f32>::definition();
    for (int i = 0; i < 5; ++i) CHECK(named.tensors[0].dims[i].stride == plain.tensors[0].dims[i].stride);
    conv2d_shape planes = s;
    planes.layout = layout::nchw;
    planes.batch_stride_x = 121;
    planes.batch_stride_y = leading::at_call();
    CHECK(std::string(hone::signature_of(planes, dtype::f32).c_str()) ==
          "conv2d n1 h4 w5 ic6 oc7 kh1 kw1 s1 p0 d1 g1 nchw bsx121 bsy f32");
}

TEST_CASE("a residual and what is kept lie as y does, and no product of distances leaves the limits")
{
    constexpr conv2d_shape s{.n = 2, .h = 4, .w = 5, .ic = 6, .oc = 7, .ldx = 8, .ldy = 10};
    const definition d = checked(conv2d<s, f32, residual, keep>::definition());
    REQUIRE(d.found.ok());
    CHECK(d.tensors[0].elements() == 39 * 8 + 6);
    for (const tensor& t : d.tensors)
        if (t.role == role::residual || t.role == role::output) CHECK(t.elements() == 39 * 10 + 7);
    constexpr conv2d_shape far{.n = 2, .h = 4, .w = 5, .ic = 6, .oc = 7, .ldx = most_elements};
    CHECK(checked(conv2d<far, f32>::definition()).found.what == fault::extent_too_large);
}
