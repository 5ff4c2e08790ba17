// SPDX-License-Identifier: BSL-1.0
// Laws of lowering for operators whose tensors are parts of larger ones, for drawn shapes, distances and knobs of all
// templates: results are those of dense tensors, and what lies between pixels, images and rows is neither read nor
// written.
#include <hone/ir/access_proof.hpp>
#include <hone/ir/check.hpp>
#include <hone/ir/interpret.hpp>
#include <hone/lower/lower.hpp>
#include <hone/op/elementwise.hpp>
#include <hone/op/norm.hpp>
#include <hone/op/softmax.hpp>
#include <hone/schedule/cpu_templates.hpp>
#include <hone/schedule/vulkan_templates.hpp>

#include <string>
#include <type_traits>
#include <vector>

#include <doctest/doctest.h>

#include "pools.hpp"
#include "row_wise.hpp"
#include "transposed.hpp"
#include "views.hpp"

using namespace hone;
using namespace hone::schedules;
using namespace hone::test;

namespace {

// A call of a definition, its tensors in order; of the last one NaN is expected where it stays as it was.
struct given_call {
    definition d;
    std::vector<floats> tensors;
    doubles expected;
    std::vector<std::int64_t> parameters;
    double tolerance = 0;
};

int kernels = 0; // that were right
int of_winograd = 0, of_copies = 0, open = 0;

template <class T>
typename T::knobs drawn_knobs(random_numbers& random)
{
    typename T::knobs k;
    for (const auto& own : knobs_of(k)) {
        const auto most = static_cast<std::int64_t>(own.values.size()) - 1;
        own.set(k, own.values[static_cast<std::size_t>(random.between(0, most))]);
    }
    return k;
}

template <class T, class Target>
std::string wrong(const given_call& c, const typename T::knobs& k, const typename T::target& machine,
                  const Target& target, bool must_be_legal)
{
    const nest n = lower(T::scheduled(c.d, k, machine));
    if (const status s = check(n, target); !s.ok()) return must_be_legal ? std::string(s.message()) : "";
    if (const status s = ir::prove_accesses(n); !s.ok()) return std::string(s.message()) + ", " + s.subject;
    const packed_tensors packed = T::packed(c.d, k, machine);
    std::vector<floats> all = c.tensors;
    std::vector<argument> arguments;
    for (std::size_t t = 0; t < all.size(); ++t) {
        if (c.d.tensors[t].role == role::weights) {
            const nest packing = lower(T::packing(c.d, k, machine, 0));
            floats to = poisoned(packed[0].elements());
            const argument both[] = {{all[t].data(), static_cast<std::int64_t>(all[t].size())},
                                     {to.data(), static_cast<std::int64_t>(to.size())}};
            if (!interpret(packing, both).ok()) return "packing fails";
            all[t] = to;
        }
        arguments.push_back({all[t].data(), static_cast<std::int64_t>(all[t].size())});
    }
    const std::vector<floats> before = all;
    std::vector<std::int64_t> values = c.parameters;
    if (const status s = interpret(n, arguments, values); !s.ok()) return std::string(s.message()) + ", " + s.subject;
    for (std::size_t t = 0; t + 1 < all.size(); ++t)
        if (all[t] != before[t]) return "writes to an input";
    ++kernels;
    if (!c.parameters.empty()) ++open;
    if (std::is_same_v<T, winograd>) ++of_winograd;
    if constexpr (std::is_same_v<T, direct>)
        if (k.pad == padding::copy && c.d.stages[0].operands[0].may_leave) ++of_copies;
    return difference(all.back(), c.expected, std::is_same_v<T, winograd> ? 1e-2 : c.tolerance);
}

// By default, and by drawn knobs, of each template of both backends.
template <class... T>
std::string wrong_of_cpu(const given_call& c, random_numbers& random, template_list<T...>)
{
    std::string found;
    const auto by = [&]<class Template>(Template) {
        if (!found.empty() || !Template::applies(c.d)) return;
        for (const isa set : {isa::baseline, isa::avx2, isa::avx512}) {
            const auto target = cpu_target(set);
            found = wrong<Template>(c, Template::standard(c.d, set, 0), set, target, false);
            const auto drawn = Template::fitted(c.d, drawn_knobs<Template>(random), set);
            if (found.empty()) found = wrong<Template>(c, drawn, set, target, false);
            if (!found.empty()) found = std::string(Template::name) + ", " + name_of(set) + ": " + found;
            if (!found.empty()) return;
        }
    };
    (by(T()), ...);
    return found;
}
template <class... T>
std::string wrong_of_vulkan(const given_call& c, random_numbers& random, template_list<T...>)
{
    std::string found;
    const vulkan_limits limits{};
    const auto by = [&]<class Template>(Template) {
        if (!found.empty() || !Template::applies(c.d)) return;
        const auto target = vulkan_target(limits);
        found = wrong<Template>(c, Template::standard(c.d, limits, 0), limits, target, false);
        const auto drawn = Template::fitted(c.d, drawn_knobs<Template>(random), limits);
        if (found.empty()) found = wrong<Template>(c, drawn, limits, target, false);
        if (!found.empty()) found = std::string("vulkan ") + Template::name + ": " + found;
    };
    (by(T()), ...);
    return found;
}
void compare(const given_call& c, random_numbers& random, const std::string& what)
{
    CAPTURE(what);
    REQUIRE(std::string(c.d.found.message()) == message_of(fault::none));
    CHECK(wrong_of_cpu(c, random, cpu_templates()) == "");
    CHECK(wrong_of_vulkan(c, random, vulkan_templates()) == "");
}

gaps drawn_gaps(random_numbers& random) { return static_cast<gaps>(random.between(0, 2)); }
// Often a multiple of whole vectors, which wide stores would like to fill.
std::int64_t drawn_gap(random_numbers& random) { return random.one_in(3) ? 16 : random.between(1, 9); }

template <class Shape>
viewed<Shape> drawn_view(random_numbers& random, const Shape& s, std::int64_t channels_of_x, std::int64_t channels_of_y)
{
    return {
        s, channels_of_x, channels_of_y, drawn_gaps(random), drawn_gap(random), drawn_gaps(random), drawn_gap(random)};
}

conv2d_shape drawn_convolution(random_numbers& random)
{
    for (;;) {
        conv2d_shape s{.n = random.between(1, 2),
                       .h = random.between(1, 9),
                       .w = random.between(1, 12),
                       .ic = random.between(1, 9),
                       .oc = random.between(1, 40),
                       .kh = random.between(1, 3),
                       .kw = random.between(1, 3),
                       .stride = random.between(1, 2),
                       .pad = random.between(0, 1)};
        if (random.one_in(2)) s.kh = s.kw = 3, s.stride = 1; // of Winograd, too
        if (random.one_in(4)) s.groups = s.ic = s.oc;
        if (random.one_in(4)) s.groups = 4, s.ic = 8, s.oc = 4 * random.between(1, 9);
        if (random.one_in(3)) s.layout = layout::nchw;
        if (s.check().ok()) return s;
    }
}

} // namespace

TEST_CASE("convolutions from and into parts of larger tensors")
{
    random_numbers random{61};
    for (int i = 0; i < 90; ++i) {
        const conv2d_shape s = drawn_convolution(random);
        const auto v = drawn_view(random, s, s.ic, s.oc);
        const call_data dense = data_of(s, random.next()), given = v.spread(dense);
        compare({checked(conv2d_definition<bias, residual, relu>(v.shape, dtype::f32)),
                 {given.x, given.weights, given.bias, given.residual, given.y},
                 v.spread(reference(s, dense, {step::bias, step::residual, step::relu})),
                 v.parameters},
                random, signature_of(v.shape, dtype::f32).c_str());
    }
    CHECK(of_winograd > 20);
    CHECK(of_copies > 10);
}

TEST_CASE("images of a size that the call gives, known distances apart")
{
    random_numbers random{62};
    for (int i = 0; i < 12; ++i) {
        conv2d_shape s = drawn_convolution(random);
        s.layout = layout::nhwc;
        const viewed<conv2d_shape> v(s, s.ic, s.oc, gaps::known, drawn_gap(random), gaps::known, drawn_gap(random));
        conv2d_shape opened = v.shape;
        std::vector<std::int64_t> parameters;
        if (random.one_in(2)) opened.n = extent::up_to(4), parameters.push_back(s.n);
        opened.h = extent::up_to(10), opened.w = extent::up_to(13);
        parameters.insert(parameters.end(), {s.h, s.w});
        const definition d = checked(conv2d_definition<bias>(opened, dtype::f32));
        parameters.resize(d.parameters.size());
        complete(d.parameters, parameters.data(), parameters.data());
        const call_data dense = data_of(s, random.next()), given = v.spread(dense);
        compare(
            {d, {given.x, given.weights, given.bias, given.y}, v.spread(reference(s, dense, {step::bias})), parameters},
            random, signature_of(opened, dtype::f32).c_str());
    }
}

TEST_CASE("transposed convolutions from and into parts of larger tensors")
{
    random_numbers random{63};
    for (int i = 0; i < 25; ++i) {
        const conv2d_transposed_shape s = drawn_transposed(random);
        const auto v = drawn_view(random, s, s.ic, s.oc);
        const call_data dense = data_of(s, random.next()), given = v.spread(dense);
        compare({checked(conv2d_transposed_definition<bias>(v.shape, dtype::f32)),
                 {given.x, given.weights, given.bias, given.y},
                 v.spread(reference(s, dense, {step::bias})),
                 v.parameters},
                random, signature_of(v.shape, dtype::f32).c_str());
    }
}

TEST_CASE("pools from and into parts of larger tensors")
{
    random_numbers random{64};
    for (int i = 0; i < 50; ++i) {
        const pool_shape s = drawn_pool(random);
        const auto v = drawn_view(random, s, s.c, s.c);
        const call_data dense = data_of(s, random.next()), given = v.spread(dense);
        const pooling how = random.one_in(2) ? pooling::max : pooling::average;
        compare({checked(pool_definition<residual>(v.shape, how, dtype::f32)),
                 {given.x, given.residual, given.y},
                 v.spread(reference(s, how, dense, {step::residual})),
                 v.parameters,
                 how == pooling::max ? 0 : 1e-5},
                random, signature_of(v.shape, how, dtype::f32).c_str());
    }
}

TEST_CASE("element-wise operators from and into parts of larger tensors")
{
    random_numbers random{65};
    for (int i = 0; i < 30; ++i) {
        pool_shape s{.n = random.between(1, 2), .h = random.between(1, 4), .w = random.between(1, 7)};
        s.c = random.between(1, 40); // a window of one pixel has the views of an element-wise operator
        if (random.one_in(2)) s.layout = layout::nchw;
        const auto v = drawn_view(random, s, s.c, s.c);
        image_shape own{.n = s.n, .h = s.h, .w = s.w, .c = s.c, .layout = s.layout};
        own.ldx = v.shape.ldx, own.ldy = v.shape.ldy;
        own.batch_stride_x = v.shape.batch_stride_x, own.batch_stride_y = v.shape.batch_stride_y;
        const call_data dense = data_of(s, random.next()), given = v.spread(dense);
        const std::string text = signature_of(own, dtype::f32, {}).c_str();
        compare({checked(elementwise_definition<bias, residual>(own, dtype::f32)),
                 {given.x, given.bias, given.residual, given.y},
                 v.spread(reference(s, pooling::max, dense, {step::bias, step::residual})),
                 v.parameters},
                random, text);
        compare({checked(elementwise_definition<residual>(own, dtype::f32)),
                 {given.x, given.residual, given.y},
                 v.spread(reference(s, pooling::max, dense, {step::residual})),
                 v.parameters},
                random, text + ", no channels");
    }
}

TEST_CASE("rows that are parts of longer ones")
{
    random_numbers random{66};
    for (int i = 0; i < 30; ++i) {
        const row_shape s{.rows = random.between(1, 9), .n = random.between(1, 60)};
        runs x{s.rows, s.n, s.n}, y = x;
        row_shape apart_rows = s;
        std::vector<std::int64_t> parameters;
        if (random.one_in(3)) apart_rows.rows = extent::up_to(9), parameters.push_back(s.rows);
        const gaps of_x = drawn_gaps(random), of_y = drawn_gaps(random);
        apart_rows.ldx = laid(x, of_x, drawn_gap(random));
        apart_rows.ldy = laid(y, of_y, drawn_gap(random));
        if (of_x == gaps::at_call) parameters.push_back(x.distance);
        if (of_y == gaps::at_call) parameters.push_back(y.distance);
        const rows_data dense = data_of(s, random.next());
        const floats given = x.spread(dense.x, gap_of_x);
        const floats to = poisoned((s.rows - 1) * y.distance + s.n);
        compare({checked(softmax_definition<>(apart_rows, dtype::f32)),
                 {given, to},
                 y.spread(reference(s, dense), untouched),
                 parameters,
                 1e-5},
                random, signature_of(apart_rows, dtype::f32).c_str());
        const norm_shape of{.rows = apart_rows.rows, .n = s.n, .ldx = apart_rows.ldx, .ldy = apart_rows.ldy};
        compare({checked(norm_definition<>(of, norm::layer, dtype::f32)),
                 {given, to},
                 y.spread(reference(norm_shape{.rows = s.rows, .n = s.n}, norm::layer, dense), untouched),
                 parameters,
                 1e-4},
                random, signature_of(of, norm::layer, dtype::f32).c_str());
    }
    CHECK(kernels > 1000);
    CHECK(open > 300);
}
