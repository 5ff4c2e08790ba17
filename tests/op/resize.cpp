// SPDX-License-Identifier: BSL-1.0
// Resized images: what they say about themselves, why a shape is none, that their nests compute what plain loops do,
// and laws: a size that stays is a copy, a constant stays one, whole factors repeat, and a ramp stays a ramp.
#include <hone/op/resize.hpp>

#include <cmath>
#include <set>
#include <string>
#include <vector>

#include <doctest/doctest.h>

#include <hone/ir/access_proof.hpp>
#include <hone/ir/check.hpp>
#include <hone/ir/interpret.hpp>
#include <hone/ir/print.hpp>
#include <hone/lower/lower.hpp>
#include <hone/measure/call_values.hpp>
#include <hone/measure/odd_twin.hpp>
#include <hone/measure/problem.hpp>
#include <hone/schedule/cpu_templates.hpp>

#include "definition_laws.hpp"
#include "open_resizes.hpp"
#include "resizes.hpp"

using namespace hone;
using namespace hone::schedules;
using namespace hone::test;

namespace {

constexpr resize_shape base = {.n = 2, .h = 5, .w = 7, .c = 12, .oh = 13, .ow = 14};

template <class Change>
constexpr resize_shape changed(Change change)
{
    resize_shape s = base;
    change(s);
    return s;
}

// What a nest makes of the call; what it says where that is a fault.
std::string run(const nest& n, const definition& d, call_data& c, std::vector<std::int64_t> parameters = {})
{
    parameters.resize(n.parameters.size());
    complete(n.parameters, parameters.data(), parameters.data());
    std::vector<argument> arguments;
    for (const tensor& t : d.tensors) {
        floats& of = t.role == role::input      ? c.x
                     : t.role == role::bias     ? c.bias
                     : t.role == role::residual ? c.residual
                                                : c.y;
        arguments.push_back({of.data(), static_cast<std::int64_t>(of.size())});
    }
    const status found = interpret(n, arguments, parameters);
    return found.ok() ? "" : std::string(found.message()) + ", " + found.subject;
}
std::string wrong(const resize_shape& s, const nest& n, const definition& d, const call_data& given,
                  const doubles& expected, const std::vector<std::int64_t>& parameters = {})
{
    if (const status found = check(n, cpu_target(n.set)); !found.ok()) return found.message();
    if (const status found = prove_accesses(n); !found.ok()) return found.message();
    call_data c = given;
    const std::string fault = run(n, d, c, parameters);
    return fault.empty() ? difference_of(s, c.y, expected) : fault;
}
floats resized(const resize_shape& s, const floats& x)
{
    const definition d = checked(resize_definition<>(s, dtype::f32));
    call_data c = data_of(s, 1);
    if (!x.empty()) c.x = x;
    const isa set = isa::avx2;
    CHECK(run(lower(schedule_for(d, default_config<cpu_templates>(d, set), set)), d, c) == "");
    return c.y;
}

} // namespace

TEST_CASE("signatures of resized images name all that changes the result")
{
    CHECK(std::string(resize<base, f32, relu>::signature().c_str()) ==
          "resize bilinear half_pixel n2 h5 w7 c12 oh13 ow14 nhwc f32 relu");
    constexpr resize_shape nearest = changed([](resize_shape& s) {
        s.mode = resize_mode::nearest;
        s.coordinates = coordinates::asymmetric;
        s.layout = layout::nchw;
    });
    CHECK(std::string(resize<nearest, f32>::signature().c_str()) ==
          "resize nearest floor asymmetric n2 h5 w7 c12 oh13 ow14 nchw f32");
    CHECK(signature_of(base, dtype::f32, {"bias", "relu"}) == resize<base, f32, bias, relu>::signature());
    // The usual rounding has the signature of the one that it is.
    resize_shape floor = nearest;
    floor.nearest = nearest_pixel::floor;
    CHECK(signature_of(floor, dtype::f32) == signature_of(nearest, dtype::f32));
    std::set<std::string> texts;
    for (const resize_shape& s :
         {base, nearest, changed([](resize_shape& t) { t.coordinates = coordinates::align_corners; }),
          changed([](resize_shape& t) { t.oh = 12; }), changed([](resize_shape& t) { t.ow = 13; }),
          changed([](resize_shape& t) { t.mode = resize_mode::nearest; }), changed([](resize_shape& t) {
              t.mode = resize_mode::nearest;
              t.nearest = nearest_pixel::half_down;
          })})
        CHECK(texts.insert(signature_of(s, dtype::f32).c_str()).second);
}

TEST_CASE("why a shape is no resized image")
{
    const auto found = [](auto change) { return checked(resize_definition<>(changed(change), dtype::f32)).found; };
    CHECK(found([](resize_shape&) {}).ok());
    for (auto field :
         {&resize_shape::n, &resize_shape::h, &resize_shape::w, &resize_shape::c, &resize_shape::oh, &resize_shape::ow})
        for (const std::int64_t none : {std::int64_t{0}, std::int64_t{-3}}) {
            const status s = found([&](resize_shape& r) { r.*field = none; });
            CHECK(s.what == fault::extent_zero);
            CHECK(std::string(s.subject) == "resize");
        }
    CHECK(found([](resize_shape& s) { s.n = std::int64_t{1} << 41; }).what == fault::extent_too_large);
    CHECK(found([](resize_shape& s) { s.n = INT64_MAX; }).what == fault::extent_too_large);
    CHECK(found([](resize_shape& s) { s.oh = std::int64_t{1} << 32; }).what == fault::extent_too_large);
    // Pixels that only a copy behind the edge would be.
    const auto rounded = [&](coordinates c, nearest_pixel n) {
        return found([&](resize_shape& s) {
            s.mode = resize_mode::nearest;
            s.coordinates = c;
            s.nearest = n;
        });
    };
    CHECK(rounded(coordinates::half_pixel, nearest_pixel::half_down).ok());
    CHECK(rounded(coordinates::half_pixel, nearest_pixel::floor).what == fault::shape_mismatch);
    CHECK(std::string(rounded(coordinates::half_pixel, nearest_pixel::floor).subject) == "resize: nearest");
    CHECK(rounded(coordinates::asymmetric, nearest_pixel::floor).ok());
    CHECK(rounded(coordinates::asymmetric, nearest_pixel::half_up).what == fault::shape_mismatch);
    // Sizes with no common factor whose weights floats cannot count; with one they can.
    const auto rows = [&](std::int64_t h, std::int64_t oh) {
        return found([&](resize_shape& s) {
            s.h = h;
            s.oh = oh;
        });
    };
    CHECK(rows(7001, 7003).what == fault::extent_too_large);
    CHECK(rows(7001, 14002).ok());
    CHECK(rows(1080, 1999).ok());
    // Of sizes that calls give, all of which have to do.
    const auto open = [&](std::int64_t h, std::int64_t oh, auto change) {
        return found([&](resize_shape& s) {
            s.h = extent::up_to(h);
            s.oh = extent::up_to(oh);
            change(s);
        });
    };
    CHECK(open(2048, 2048, [](resize_shape&) {}).ok());
    CHECK(open(7001, 14002, [](resize_shape&) {}).what == fault::extent_too_large);
    CHECK(open(7001, 2500, [](resize_shape&) {}).what == fault::extent_too_large);
    CHECK(std::string(open(7001, 2500, [](resize_shape&) {}).subject) == "resize: bilinear");
    CHECK(open(7001, 2500, [](resize_shape& s) { s.mode = resize_mode::nearest; }).ok());
    const status planes = open(9, 9, [](resize_shape& s) { s.layout = layout::nchw; });
    CHECK(planes.what == fault::extents_at_call);
    CHECK(std::string(planes.subject) == "resize: layout");
    const auto nearest = [&](coordinates where, nearest_pixel how) {
        return open(9, 9, [&](resize_shape& s) {
            s.mode = resize_mode::nearest;
            s.coordinates = where;
            s.nearest = how;
        });
    };
    CHECK(nearest(coordinates::half_pixel, nearest_pixel::half_down).ok());
    CHECK(nearest(coordinates::half_pixel, nearest_pixel::floor).what == fault::extents_at_call);
    CHECK(nearest(coordinates::asymmetric, nearest_pixel::half_up).what == fault::extents_at_call);
    CHECK(found([](resize_shape& s) { s.c = extent::up_to(9); }).ok());
}

TEST_CASE("images of drawn sizes are what plain loops make of them")
{
    random_numbers random{31};
    int sampled = 0, whole = 0;
    for (int i = 0; i < 120; ++i) {
        const resize_shape s = drawn_resize(random);
        const definition d = resize_definition<bias, residual>(s, dtype::f32);
        CAPTURE(signature_of(s, dtype::f32).c_str());
        REQUIRE(checked(d).found.ok());
        check_laws(d);
        const call_data given = data_of(s, static_cast<std::uint64_t>(i));
        const doubles expected = reference(s, given, {step::bias, step::residual});
        for (const isa set : {isa::baseline, isa::avx512}) {
            const nest n = lower(schedule_for(d, default_config<cpu_templates>(d, set), set));
            INFO(print(n));
            CHECK(wrong(s, n, d, given, expected) == "");
        }
        sampled += is_sampled(d);
        whole += !is_sampled(d);
    }
    CHECK(sampled > 40);
    CHECK(whole > 10);
}

TEST_CASE("images of sizes that calls give are what plain loops make of them")
{
    random_numbers random{34};
    int sampled = 0, between = 0, stays = 0;
    for (int i = 0; i < 120; ++i) {
        const resize_shape open = drawn_open_resize(random);
        const definition d = checked(resize_definition<bias, residual>(open, dtype::f32));
        CAPTURE(signature_of(open, dtype::f32).c_str());
        CAPTURE(d.found.subject);
        REQUIRE(d.found.ok());
        CHECK(given_parameters(d.parameters) == values_of_call(open, open).size());
        for (const isa set : {isa::baseline, isa::avx512}) {
            const nest n = lower(schedule_for(d, default_config<cpu_templates>(d, set), set));
            INFO(print(n));
            for (int j = 0; j < 4; ++j) {
                const resize_shape s = drawn_call(open, random);
                CAPTURE(signature_of(s, dtype::f32).c_str());
                const call_data given = data_of(s, static_cast<std::uint64_t>(4 * i + j));
                const doubles expected = reference(s, given, {step::bias, step::residual});
                CHECK(wrong(s, n, d, given, expected, values_of_call(open, s)) == "");
                stays += open.oh.at_call && s.h == s.oh;
            }
        }
        sampled += is_sampled(d);
        between += d.stages[0].reduce != reduction::none;
    }
    CHECK(sampled > 60);
    CHECK(between > 30);
    CHECK(stays > 30);
}

TEST_CASE("laws of resized images")
{
    random_numbers random{32};
    for (int i = 0; i < 30; ++i) {
        resize_shape s = drawn_resize(random);
        CAPTURE(signature_of(s, dtype::f32).c_str());
        const auto elements = static_cast<std::size_t>(s.n * s.h * s.w * s.c);
        for (const float y : resized(s, floats(elements, 0.3f))) CHECK(y == doctest::Approx(0.3f).epsilon(1e-6));
        s.oh = s.h;
        s.ow = s.w;
        floats x = small_integers(static_cast<std::int64_t>(elements), 5);
        x[0] = INFINITY;
        x[elements / 2] = -0.0f;
        const floats y = resized(s, x);
        CHECK(y == x);
        CHECK(std::signbit(y[elements / 2]));
    }
    // Twice as many pixels, each of them twice.
    constexpr resize_shape row{.w = 5,
                               .ow = 10,
                               .mode = resize_mode::nearest,
                               .coordinates = coordinates::asymmetric,
                               .nearest = nearest_pixel::floor};
    CHECK(resized(row, {1, 2, 3, 4, 5}) == floats{1, 1, 2, 2, 3, 3, 4, 4, 5, 5});
    // A ramp, and its ends beyond the middles of the first and the last pixel.
    constexpr resize_shape ramp{.h = 3, .oh = 12};
    const floats y = resized(ramp, {0, 4, 8});
    CHECK(y == floats{0, 0, 0.5f, 1.5f, 2.5f, 3.5f, 4.5f, 5.5f, 6.5f, 7.5f, 8, 8});
    constexpr resize_shape corners{.h = 3, .oh = 9, .coordinates = coordinates::align_corners};
    CHECK(resized(corners, {0, 4, 8}) == floats{0, 1, 2, 3, 4, 5, 6, 7, 8});
}

TEST_CASE("the tuner's exact results are those of plain loops, and there is an odd twin")
{
    random_numbers random{33};
    for (int i = 0; i < 80; ++i) {
        const resize_shape open = i < 40 ? drawn_resize(random) : drawn_open_resize(random);
        const resize_shape s = i < 40 ? open : drawn_call(open, random);
        CAPTURE(signature_of(open, dtype::f32).c_str());
        CAPTURE(signature_of(s, dtype::f32).c_str());
        const definition d =
            checked(tune::of_call(resize_definition<residual>(open, dtype::f32), values_of_call(open, s)));
        REQUIRE(d.found.ok());
        const tune::problem p = tune::problem_of(d, 3, {tune::arithmetic::direct});
        call_data given = data_of(s, 0);
        for (const tune::problem_operand& o : p.signs().operands)
            (o.role == role::input ? given.x : given.residual) = o.values;
        const doubles expected = reference(s, given, {step::residual});
        for (std::size_t e = 0; e < p.signs().places.size(); ++e)
            CHECK(p.signs().expected[e] == doctest::Approx(expected[p.signs().places[e]]).epsilon(1e-6));
        CHECK(checked(tune::with_odd_extents(d)).found.ok());
    }
}
