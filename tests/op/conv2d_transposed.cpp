// SPDX-License-Identifier: BSL-1.0
// Transposed convolutions: what they say about themselves, why a shape is none, and that their nests compute what plain
// loops do that spread each pixel, with no product more where the stride divides the window.
#include <hone/op/conv2d_transposed.hpp>

#include <cstdint>
#include <iterator>
#include <limits>
#include <set>
#include <string>
#include <vector>

#include <doctest/doctest.h>

#include <hone/ir/access_proof.hpp>
#include <hone/ir/check.hpp>
#include <hone/ir/interpret.hpp>
#include <hone/lower/lower.hpp>
#include <hone/measure/odd_twin.hpp>
#include <hone/measure/problem.hpp>
#include <hone/op/flops.hpp>
#include <hone/schedule/direct.hpp>
#include <hone/schedule/vulkan_direct.hpp>

#include "definition_laws.hpp"
#include "open_transposed.hpp"
#include "transposed.hpp"

using namespace hone;
using namespace hone::schedules;
using namespace hone::test;

namespace {

constexpr conv2d_transposed_shape base = {
    .n = 2, .h = 5, .w = 6, .ic = 4, .oc = 6, .kh = 4, .kw = 3, .stride = 2, .pad = 1, .groups = 2};

template <class Change>
constexpr conv2d_transposed_shape changed(Change change)
{
    conv2d_transposed_shape s = base;
    change(s);
    return s;
}

// Empty where the nest computes the reference and touches nothing else.
std::string wrong(const nest& n, const definition& d, const call_data& given, const floats& packed,
                  const doubles& expected, const std::vector<std::int64_t>& parameters = {})
{
    call_data c = given;
    floats weights = packed;
    std::vector<argument> arguments;
    for (const tensor& t : d.tensors) {
        floats& of = t.role == role::input      ? c.x
                     : t.role == role::weights  ? weights
                     : t.role == role::bias     ? c.bias
                     : t.role == role::residual ? c.residual
                                                : c.y;
        arguments.push_back({of.data(), static_cast<std::int64_t>(of.size())});
    }
    const status found = interpret(n, arguments, parameters);
    if (!found.ok()) return std::string(found.message()) + ", " + found.subject;
    return difference(c.y, expected);
}
floats packed_by(const schedule& s, const floats& weights)
{
    floats given = weights;
    floats packed = poisoned(s.definition.tensors[1].elements());
    const std::vector<argument> arguments{{given.data(), static_cast<std::int64_t>(given.size())},
                                          {packed.data(), static_cast<std::int64_t>(packed.size())}};
    REQUIRE(interpret(lower(s), arguments, {}).ok());
    return packed;
}
template <class T>
bool computes(const definition& d, const typename T::knobs& k, const typename T::target& on, const target& checked_for,
              const call_data& given, const doubles& expected)
{
    const nest n = lower(T::scheduled(d, k, on));
    if (!check(n, checked_for).ok()) return false;
    CHECK(std::string(prove_accesses(n).message()) == message_of(fault::none));
    CHECK(wrong(n, d, given, packed_by(T::packing(d, k, on, 0), given.weights), expected) == "");
    return true;
}

} // namespace

TEST_CASE("signatures of transposed convolutions name all that changes the result, and nothing else")
{
    const auto text = [](const conv2d_transposed_shape& s) { return std::string(signature_of(s, dtype::f32).c_str()); };
    CHECK(text(base) == "conv2d_transposed n2 h5 w6 ic4 oc6 kh4 kw3 s2 p1 d1 op0 g2 nhwc f32");
    CHECK(conv2d_transposed<base, f32, bias, relu>::signature() == signature_of(base, dtype::f32, {"bias", "relu"}));
    constexpr conv2d_transposed_shape all = changed([](conv2d_transposed_shape& s) {
        s.n = extent::up_to(8);
        s.stride_w = 3;
        s.pad_top = 0;
        s.dilation_h = 2;
        s.output_padding_w = 1;
        s.layout = layout::nchw;
    });
    CHECK(text(all) ==
          "conv2d_transposed n<=8 h5 w6 ic4 oc6 kh4 kw3 sh2 sw3 pt0 pl1 pb1 pr1 dh2 dw1 oph0 opw1 g2 nchw f32");
    CHECK(text(changed([](conv2d_transposed_shape& s) {
              s.output_padding = 7;
              s.output_padding_h = s.output_padding_w = 1;
              s.pad = 3;
              s.pad_h = s.pad_w = 1;
          })) == "conv2d_transposed n2 h5 w6 ic4 oc6 kh4 kw3 s2 p1 d1 op1 g2 nhwc f32");
    std::set<std::string> texts{text(base), text(all)};
    for (auto field : {&conv2d_transposed_shape::h, &conv2d_transposed_shape::w})
        CHECK(texts.insert(text(changed([&](conv2d_transposed_shape& s) { ++(s.*field).value; }))).second);
    for (auto field :
         {&conv2d_transposed_shape::kh, &conv2d_transposed_shape::kw, &conv2d_transposed_shape::stride,
          &conv2d_transposed_shape::pad, &conv2d_transposed_shape::dilation, &conv2d_transposed_shape::output_padding})
        CHECK(texts.insert(text(changed([&](conv2d_transposed_shape& s) { ++(s.*field); }))).second);
}

TEST_CASE("outputs of transposed convolutions are as many as ONNX counts")
{
    constexpr auto outputs = [](std::int64_t h, std::int64_t k, std::int64_t stride, std::int64_t pad,
                                std::int64_t more, std::int64_t dilation) {
        return conv2d_transposed_shape{
            .h = h, .kh = k, .stride = stride, .pad_h = pad, .dilation = dilation, .output_padding_h = more}
            .oh();
    };
    CHECK(outputs(14, 2, 2, 0, 0, 1) == 28);
    CHECK(outputs(14, 4, 2, 1, 0, 1) == 28);
    CHECK(outputs(14, 3, 2, 1, 1, 1) == 28);
    CHECK(outputs(14, 3, 2, 1, 0, 1) == 27);
    CHECK(outputs(14, 3, 1, 1, 0, 1) == 14);
    CHECK(outputs(3, 3, 4, 2, 0, 2) == 9);
    CHECK(outputs(1, 5, 1, 2, 0, 1) == 1);
}

TEST_CASE("why a shape is no transposed convolution")
{
    const auto found = [](auto change) {
        conv2d_transposed_shape s = base;
        change(s);
        return checked(conv2d_transposed_definition<bias>(s, dtype::f32)).found;
    };
    const auto refused = [&](auto change, fault what, const char* subject) {
        CHECK(found(change).what == what);
        CHECK(std::string(found(change).subject) == subject);
    };
    using shape = conv2d_transposed_shape;
    constexpr const char* name = "conv2d_transposed";
    CHECK(found([](shape&) {}).ok());
    refused([](shape& s) { s.n = 0; }, fault::extent_zero, name);
    for (auto field : {&shape::h, &shape::w, &shape::ic, &shape::oc})
        refused([&](shape& s) { s.*field = 0; }, fault::extent_zero, name);
    for (auto field : {&shape::kh, &shape::kw, &shape::stride, &shape::dilation, &shape::groups})
        refused([&](shape& s) { s.*field = 0; }, fault::extent_zero, name);
    refused([](shape& s) { s.ic = 5; }, fault::shape_mismatch, "conv2d_transposed: ic");
    refused([](shape& s) { s.oc = 7; }, fault::shape_mismatch, "conv2d_transposed: oc");
    refused([](shape& s) { s.pad_left = -2; }, fault::shape_mismatch, "conv2d_transposed: pad");

    // Fewer than the stride or the dilation, whichever is more.
    constexpr const char* more = "conv2d_transposed: output_padding";
    refused([](shape& s) { s.output_padding = 2; }, fault::shape_mismatch, more);
    refused([](shape& s) { s.output_padding_w = 2; }, fault::shape_mismatch, more);
    refused([](shape& s) { s.output_padding_h = -2; }, fault::shape_mismatch, more);
    CHECK(found([](shape& s) { s.output_padding = 1; }).ok());
    CHECK(found([](shape& s) { s.output_padding_w = s.dilation_w = 3, s.dilation_w = 4; }).ok());
    CHECK(found([](shape& s) { s.output_padding = s.stride = 1; }).what == fault::shape_mismatch);

    // Padding that cuts all off: of 5 rows with 4 taps there are 12.
    refused([](shape& s) { s.pad_h = 6; }, fault::shape_mismatch, "conv2d_transposed: h");
    CHECK(found([](shape& s) { s.pad_top = 6, s.pad_bottom = 5; }).ok());
    refused([](shape& s) { s.pad_right = 20; }, fault::shape_mismatch, "conv2d_transposed: w");

    constexpr std::int64_t huge = std::int64_t{1} << 41, most = std::numeric_limits<std::int64_t>::max();
    for (auto field : {&shape::h, &shape::w, &shape::ic, &shape::oc}) {
        CHECK(found([&](shape& s) { s.*field = huge; }).what == fault::extent_too_large);
        CHECK(found([&](shape& s) { s.*field = most - 1; }).what == fault::extent_too_large);
    }
    for (auto field : {&shape::kh, &shape::kw, &shape::stride, &shape::dilation, &shape::pad, &shape::pad_top}) {
        refused([&](shape& s) { s.*field = huge; }, fault::shape_mismatch, "conv2d_transposed: window");
        CHECK(!found([&](shape& s) { s.*field = most; }).ok());
    }
    refused([](shape& s) { s.stride = 1 << 23; }, fault::shape_mismatch, "conv2d_transposed: window");
    refused([](shape& s) { s.kw = s.dilation_w = 1 << 13; }, fault::shape_mismatch, "conv2d_transposed: window");
    CHECK(found([](shape& s) { s.stride = 1000; }).ok());
    refused([](shape& s) { s.h = s.w = 1 << 17, s.stride = 16; }, fault::extent_too_large, "conv2d_transposed: y");
    refused([](shape& s) { s.kh = s.kw = 1 << 11, s.oc = 1 << 18, s.pad = 1020; }, fault::extent_too_large,
            "conv2d_transposed: weights");

    // What the epilogue reads stands where y does, borders included.
    definition d = conv2d_transposed_definition<residual, keep>(base, dtype::f32);
    REQUIRE(d.stages[0].output.may_leave);
    CHECK(checked(d).found.ok());
    ++d.stages[0].operands[2].index[1].offset;
    CHECK(checked(d).found.what == fault::definition_outside);
}

namespace {

constexpr extent many = extent::up_to(64);
constexpr conv2d_transposed_shape of_any_window{.n = extent::up_to(4),
                                                .h = extent::up_to(30),
                                                .w = extent::up_to(20),
                                                .ic = many,
                                                .oc = extent::up_to(96),
                                                .kh = 5,
                                                .kw = 7,
                                                .window_at_call = true,
                                                .most_outputs = 300};

} // namespace

TEST_CASE("what each call gives, in its order, and what a shape says that leaves it open")
{
    const definition d = checked(conv2d_transposed<of_any_window, f32, bias, residual>::definition());
    REQUIRE(d.found.ok());
    CHECK(text_of(of_any_window) ==
          "conv2d_transposed n<=4 h<=30 w<=20 ic<=64 oc<=96 kh<=5 kw<=7 s p d1 o<=300 g1 nhwc f32");
    const struct {
        const char* name;
        std::int64_t least, most;
    } given[] = {{"n", 1, 4},          {"h", 1, 30},   {"w", 1, 20},        {"ic", 1, 64},       {"oc", 1, 96},
                 {"kh", 1, 5},         {"kw", 1, 7},   {"stride_h", 1, 64}, {"stride_w", 1, 64}, {"pad_top", 0, 256},
                 {"pad_left", 0, 256}, {"oh", 1, 300}, {"ow", 1, 300}};
    CHECK(given_parameters(d.parameters) == std::size(given));
    for (std::size_t p = 0; p < std::size(given); ++p) {
        CAPTURE(given[p].name);
        CHECK(std::string{d.parameters[p].name} == given[p].name);
        CHECK(d.parameters[p].least == given[p].least);
        CHECK(d.parameters[p].most == given[p].most);
    }
    CHECK(emptying_parameters(d) % (1u << std::size(given)) == 0b10001); // n and oc
    CHECK(of_any_window.oh() == 300);

    // Of a window that is known, images and channels.
    conv2d_transposed_shape smooth = of_any_window;
    smooth.window_at_call = false;
    smooth.kh = smooth.kw = 4;
    smooth.stride = 2;
    smooth.pad = 1;
    CHECK(text_of(smooth) == "conv2d_transposed n<=4 h<=30 w<=20 ic<=64 oc<=96 kh4 kw4 s2 p1 d1 op0 g1 nhwc f32");
    definition known = checked(conv2d_transposed_definition<bias>(smooth, dtype::f32));
    REQUIRE(known.found.ok());
    CHECK(given_parameters(known.parameters) == 5);
    CHECK(emptying_parameters(known) % 32 == 0b10001);
    const std::int64_t call[] = {2, 7, 9, 5, 11};
    std::int64_t values[32]{};
    complete(known.parameters, call, values);
    smooth.n = 2, smooth.h = 7, smooth.w = 9, smooth.ic = 5, smooth.oc = 11;
    const definition exact = conv2d_transposed_definition<bias>(smooth, dtype::f32);
    for (std::size_t t = 0; t < known.tensors.size(); ++t) {
        const tensor own = at_call(known.tensors[t], values);
        for (std::size_t i = 0; i < own.dims.size(); ++i) {
            CHECK(own.dims[i].extent == exact.tensors[t].dims[i].extent);
            if (own.dims[i].extent > 1) CHECK(own.dims[i].stride == exact.tensors[t].dims[i].stride);
        }
    }
    for (std::size_t a = 0; a < known.stages[0].axes.size(); ++a)
        if (const std::int16_t p = known.stages[0].axes[a].parameter; p >= 0)
            CHECK(values[p] == exact.stages[0].axes[a].extent);
    // The least image that has an output: of 2 rows with 4 taps, of which 4 are cut at either side, there are none.
    smooth.h = many;
    smooth.pad_h = 4;
    CHECK(conv2d_transposed_definition<>(smooth, dtype::f32).parameters[0].least == 4);
    smooth.h = 3;
    CHECK_FALSE(smooth.check().ok());
    smooth.h = 4;
    CHECK(smooth.check().ok());
}

TEST_CASE("what a call cannot give of a transposed convolution")
{
    using shape = conv2d_transposed_shape;
    const auto refused = [](const shape& from, auto change, fault what, const char* subject) {
        shape s = from;
        change(s);
        CHECK(s.check().what == what);
        CHECK(std::string(s.check().subject) == subject);
        CHECK(conv2d_transposed_definition<bias>(s, dtype::f32).found.what == what);
    };
    CHECK(of_any_window.check().ok());
    shape of_channels = of_any_window;
    of_channels.ic = of_channels.oc = 6;
    CHECK(of_channels.check().ok());
    refused(
        of_channels, [](shape& s) { s.layout = layout::nchw; }, fault::extents_at_call, "conv2d_transposed: layout");
    refused(
        of_channels, [](shape& s) { s.groups = 2; }, fault::window_at_call, "conv2d_transposed: groups");
    refused(
        of_any_window, [](shape& s) { s.groups = 2; }, fault::channels_at_call, "conv2d_transposed: groups");
    for (auto field : {&shape::h, &shape::w})
        refused(
            of_any_window, [&](shape& s) { s.*field = 20; }, fault::window_at_call, "conv2d_transposed: h, w");
    for (auto field : {&shape::stride, &shape::stride_h, &shape::pad, &shape::pad_top, &shape::pad_right,
                       &shape::dilation, &shape::dilation_w})
        refused(
            of_any_window, [&](shape& s) { s.*field = 2; }, fault::window_at_call,
            "conv2d_transposed: stride, pad, dilation");
    for (auto field : {&shape::output_padding, &shape::output_padding_w})
        refused(
            of_any_window, [&](shape& s) { s.*field = 1; }, fault::window_at_call, "conv2d_transposed: output_padding");
    refused(
        of_any_window, [](shape& s) { s.most_outputs = 0; }, fault::extent_zero, "conv2d_transposed");
    refused(
        of_any_window, [](shape& s) { s.most_outputs = 1 << 19; }, fault::extent_too_large, "conv2d_transposed: y");
    refused(
        of_any_window, [](shape& s) { s.kh = 0; }, fault::extent_zero, "conv2d_transposed");
    const auto of_image = [](auto change) {
        shape s = base;
        s.h = many;
        change(s);
        return s.check().what;
    };
    CHECK(of_image([](shape&) {}) == fault::none);
    CHECK(of_image([](shape& s) { s.layout = layout::nchw; }) == fault::extents_at_call);
    CHECK(of_image([](shape& s) { s.ic = many; }) == fault::channels_at_call);
    CHECK(of_image([](shape& s) { s.groups = 1, s.ic = many; }) == fault::none);
    // Pixels that a call sets apart have channels that it does not give.
    CHECK(of_image([](shape& s) { s.ldx = 9; }) == fault::none);
    shape apart = base;
    apart.h = apart.w = many;
    apart.ldy = leading::at_call();
    CHECK(conv2d_transposed_definition<>(apart, dtype::f32).found.what == fault::view_mismatch);
}

TEST_CASE("windows that the stride divides take no product with zeros")
{
    // Outputs, and the taps that meet each of them.
    const auto check_products = [](const conv2d_transposed_shape& s, std::int64_t taps) {
        const definition d = checked(conv2d_transposed_definition<bias>(s, dtype::f32));
        CHECK(flops_of(d) == static_cast<double>(2 * s.n * s.oh() * s.ow() * s.oc * taps * s.ic));
        CHECK_FALSE(d.stages[0].output.may_leave);
        CHECK_FALSE(d.stages[0].operands[1].may_leave);
    };
    const conv2d_transposed_shape s{.n = 2, .h = 7, .w = 9, .ic = 8, .oc = 16, .stride = 2};
    const auto with = [&](std::int64_t taps, std::int64_t pad) {
        conv2d_transposed_shape one = s;
        one.kh = one.kw = taps;
        one.pad = pad;
        return one;
    };
    check_products(with(2, 0), 1);
    check_products(with(4, 1), 4);
    CHECK_FALSE(conv2d_transposed_definition<>(with(2, 0), dtype::f32).stages[0].operands[0].may_leave);
    CHECK(conv2d_transposed_definition<>(with(4, 1), dtype::f32).stages[0].operands[0].may_leave);
    conv2d_transposed_shape one = with(3, 1);
    one.stride = 1;
    check_products(one, 9);
    one.stride = 3;
    one.pad = 0;
    check_products(one, 1);
}

TEST_CASE("nests of drawn transposed convolutions compute what plain loops do")
{
    random_numbers random{11};
    int by_default = 0, copied = 0, on_device = 0;
    for (int i = 0; i < 120; ++i) {
        const conv2d_transposed_shape s = drawn_transposed(random);
        CAPTURE(text_of(s));
        const definition d = checked(conv2d_transposed_definition<bias, residual, relu>(s, dtype::f32));
        CHECK(std::string(d.found.message()) == message_of(fault::none));
        REQUIRE(d.found.ok());
        check_laws(d);
        const call_data given = data_of(s, static_cast<std::uint64_t>(i));
        const doubles expected = reference(s, given, {step::bias, step::residual, step::relu});
        REQUIRE(given.y.size() == static_cast<std::size_t>(d.tensors.back().elements()));
        for (const isa set : {isa::baseline, isa::avx512})
            for (const int step : {0, 4})
                (step == 0 ? by_default : copied) += computes<direct>(
                    d, direct::fitted(d, direct::standard(d, set, step), set), set, cpu_target(set), given, expected);
        const vulkan_limits limits{.max_storage_buffers = 8};
        on_device += computes<vulkan_direct>(d, vulkan_direct::standard(d, limits, 0), limits, vulkan_target(limits),
                                             given, expected);
    }
    // Nearly all; some write out more tiles than a nest may have.
    CHECK(by_default > 200);
    CHECK(copied > 200);
    CHECK(on_device == 120);
}

TEST_CASE("nests of drawn calls compute what plain loops do, and stay in the tensors of each")
{
    random_numbers random{13};
    int lowered = 0;
    for (int i = 0; i < 90; ++i) {
        const conv2d_transposed_shape s = drawn_open_transposed(random, i % 2 ? open_part::window : open_part::image);
        CAPTURE(text_of(s));
        const definition d = checked(conv2d_transposed_definition<bias, residual, relu>(s, dtype::f32));
        CHECK(std::string(d.found.message()) == message_of(fault::none));
        REQUIRE(d.found.ok());
        check_laws(d);
        for (const isa set : {isa::baseline, isa::avx512}) {
            const direct_knobs k = direct::fitted(
                d,
                random.one_in(2) ? direct::standard(d, set, 0)
                                 : direct_knobs{.rows = static_cast<std::int32_t>(random.between(1, 4)),
                                                .vectors = static_cast<std::int32_t>(random.between(1, 2)),
                                                .reduce_unroll = static_cast<std::int32_t>(random.between(1, 2)),
                                                .reduce_block = random.one_in(3) ? 2 : 0,
                                                .order = random.one_in(2) ? walk::rows_outer : walk::weights_outer,
                                                .unroll_window = random.one_in(2)},
                set);
            CAPTURE(k.rows);
            CAPTURE(k.vectors);
            const schedule scheduled = direct::scheduled(d, k, set);
            const nest n = lower(scheduled);
            if (!check(n, cpu_target(set)).ok()) continue;
            ++lowered;
            CHECK(std::string(prove_accesses(n).message()) == message_of(fault::none));
            for (int call = 0; call < 4; ++call) {
                const conv2d_transposed_shape called = drawn_call(s, random);
                CAPTURE(text_of(called));
                std::vector<std::int64_t> values = values_of_call(s, called);
                REQUIRE(values.size() == given_parameters(d.parameters));
                values.resize(d.parameters.size());
                complete(d.parameters, values.data(), values.data());
                const call_data given = data_of(called, random.next());
                const floats packed =
                    packed_by(packing_schedule(at_call(d.tensors[1], values.data()),
                                               at_call(direct::packed(d, k, set)[0], values.data()), set),
                              given.weights);
                CHECK(wrong(n, d, given, packed, reference(called, given, {step::bias, step::residual, step::relu}),
                            values) == "");
            }
        }
    }
    CHECK(lowered > 150);
}

TEST_CASE("weights of NCHW are those of ONNX: input channels outermost")
{
    constexpr conv2d_transposed_shape s = changed([](conv2d_transposed_shape& own) { own.layout = layout::nchw; });
    const tensor weights = conv2d_transposed_definition<>(s, dtype::f32).tensors[1]; // g, oc, kh, kw, ic
    const std::int64_t strides[] = {2 * 3 * 12, 12, 3, 1, 3 * 12};
    for (std::size_t i = 0; i < 5; ++i) CHECK(weights.dims[i].stride == strides[i]);
    CHECK(weights.elements() == 4 * 3 * 12);
}

TEST_CASE("the tuner's exact results are those of plain loops, of twins as well")
{
    random_numbers random{12};
    for (int i = 0; i < 40; ++i) {
        const conv2d_transposed_shape s = drawn_transposed(random);
        CAPTURE(text_of(s));
        const definition d = checked(conv2d_transposed_definition<residual>(s, dtype::f32));
        const tune::problem p = tune::problem_of(d, 3, {tune::arithmetic::direct});
        call_data given = data_of(s, 0);
        for (const tune::problem_operand& o : p.signs().operands)
            (o.role == role::input ? given.x : o.role == role::weights ? given.weights : given.residual) = o.values;
        const doubles expected = reference(s, given, {step::residual});
        for (std::size_t e = 0; e < p.signs().places.size(); ++e)
            CHECK(p.signs().expected[e] == doctest::Approx(expected[p.signs().places[e]]).epsilon(1e-6));
        CHECK(checked(tune::with_odd_extents(d)).found.ok());
    }
}
