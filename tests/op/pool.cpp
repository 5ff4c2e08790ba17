// SPDX-License-Identifier: BSL-1.0
// Pools: what they say about themselves, why a shape is none, and that their nests compute what plain loops do, windows
// that are cut and taps that do not count among them.
#include <hone/op/pool.hpp>

#include <set>
#include <string>
#include <vector>

#include <doctest/doctest.h>

#include <hone/ir/access_proof.hpp>
#include <hone/ir/check.hpp>
#include <hone/ir/interpret.hpp>
#include <hone/lower/lower.hpp>
#include <hone/measure/exact_stage.hpp>
#include <hone/measure/problem.hpp>
#include <hone/run/call.hpp>
#include <hone/schedule/direct.hpp>
#include <hone/schedule/reduce.hpp>

#include "definition_laws.hpp"
#include "open_pools.hpp"
#include "pools.hpp"

using namespace hone;
using namespace hone::schedules;
using namespace hone::test;

namespace {

constexpr pool_shape base = {.n = 2, .h = 9, .w = 8, .c = 12, .kh = 3, .kw = 2, .stride = 2, .pad = 1};

template <class Change>
constexpr pool_shape changed(Change change)
{
    pool_shape s = base;
    change(s);
    return s;
}
template <class Op>
std::string signature()
{
    return Op::signature().c_str();
}

// Empty where the nest computes the reference and touches nothing else.
std::string wrong(const nest& n, const definition& d, const call_data& given, const doubles& expected,
                  const std::vector<std::int64_t>& parameters = {})
{
    call_data c = given;
    std::vector<argument> arguments;
    for (const tensor& t : d.tensors) {
        floats& of = t.role == role::input      ? c.x
                     : t.role == role::bias     ? c.bias
                     : t.role == role::residual ? c.residual
                                                : c.y;
        arguments.push_back({of.data(), static_cast<std::int64_t>(of.size())});
    }
    const status found = interpret(n, arguments, parameters);
    if (!found.ok()) return std::string(found.message()) + ", " + found.subject;
    return difference(c.y, expected);
}
void compare(const pool_shape& s, pooling how, const definition& d, const steps& epilogue, std::uint64_t seed)
{
    CAPTURE(text_of(s, how));
    REQUIRE(checked(d).found.ok());
    check_laws(d);
    const call_data given = data_of(s, seed);
    const doubles expected = reference(s, how, given, epilogue);
    REQUIRE(given.y.size() == static_cast<std::size_t>(d.tensors.back().elements()));
    for (const isa set : {isa::baseline, isa::avx512}) {
        const nest reduced = lower(reduce_schedule(d, default_reduce(d, set), set));
        if (check(reduced, cpu_target(set)).ok()) {
            CHECK(std::string(prove_accesses(reduced).message()) == message_of(fault::none));
            CHECK(wrong(reduced, d, given, expected) == "");
        }
        direct_knobs copied = default_direct(d, set, 4);
        copied.rows = 2;
        const nest direct = lower(direct_schedule(d, fitted(d, copied, set), set));
        if (check(direct, cpu_target(set)).ok()) CHECK(wrong(direct, d, given, expected) == "");
    }
}

} // namespace

TEST_CASE("signatures of pools name all that changes the result, and nothing else")
{
    using stem = max_pool<pool_shape{.h = 112, .w = 112, .c = 64, .kh = 3, .kw = 3, .stride = 2, .pad = 1}, f32, relu>;
    CHECK(signature<stem>() == "max_pool n1 h112 w112 c64 kh3 kw3 s2 p1 d1 nhwc f32 relu");
    CHECK(signature<average_pool<base, f32>>() == "average_pool n2 h9 w8 c12 kh3 kw2 s2 p1 d1 nhwc f32");
    CHECK(signature<global_average_pool<image_shape{.h = 7, .w = 7, .c = 512}, f32>>() ==
          "average_pool n1 h7 w7 c512 kh7 kw7 s1 p0 d1 nhwc f32");
    CHECK(signature<global_max_pool<image_shape{.h = 2, .w = 3, .c = 4, .layout = layout::nchw}, f32>>() ==
          "max_pool n1 h2 w3 c4 kh2 kw3 s1 p0 d1 nchw f32");
    constexpr pool_shape all = changed([](pool_shape& s) {
        s.stride_w = 3;
        s.pad_top = 0;
        s.dilation_h = 2;
        s.last = last_window::cut;
        s.count_padding = count_padding::yes;
        s.layout = layout::nchw;
    });
    CHECK(signature<average_pool<all, f32>>() ==
          "average_pool n2 h9 w8 c12 kh3 kw2 sh2 sw3 pt0 pl1 pb1 pr1 dh2 dw1 cut padding nchw f32");
    // Padding is never the largest, counted or not.
    CHECK(signature<max_pool<all, f32>>() ==
          "max_pool n2 h9 w8 c12 kh3 kw2 sh2 sw3 pt0 pl1 pb1 pr1 dh2 dw1 cut nchw f32");
    // Nothing is left over to cut, and no padding to count.
    constexpr pool_shape even{.h = 8,
                              .w = 8,
                              .c = 3,
                              .kh = 2,
                              .kw = 2,
                              .stride = 2,
                              .last = last_window::cut,
                              .count_padding = count_padding::yes};
    CHECK(signature<average_pool<even, f32>>() == "average_pool n1 h8 w8 c3 kh2 kw2 s2 p0 d1 nhwc f32");

    std::set<std::string> texts;
    const auto add = [&](const pool_shape& s, pooling how) {
        CHECK(texts.insert(signature_of(s, how, dtype::f32).c_str()).second);
    };
    add(base, pooling::max);
    add(base, pooling::average);
    add(changed([](pool_shape& s) { s.count_padding = count_padding::yes; }), pooling::average);
    add(changed([](pool_shape& s) { s.h = 10; }), pooling::max);
    add(changed([](pool_shape& s) {
            s.h = 10;
            s.last = last_window::cut;
        }),
        pooling::max);
    add(changed([](pool_shape& s) { s.kw = 3; }), pooling::max);
    add(changed([](pool_shape& s) { s.c = 13; }), pooling::max);
    add(changed([](pool_shape& s) { s.dilation = 2; }), pooling::max);
    CHECK(signature_of(base, pooling::max, dtype::f32, {"bias", "relu"}) ==
          max_pool<base, f32, bias, relu>::signature());
    CHECK(signature_of(base, pooling::average, dtype::f32, std::vector<const char*>{"relu"}) ==
          average_pool<base, f32, relu>::signature());
}

TEST_CASE("a window that is cut begins in the image or before it")
{
    constexpr auto outputs = [](std::int64_t h, std::int64_t k, std::int64_t stride, std::int64_t pad,
                                last_window last) {
        return pool_shape{.h = h, .kh = k, .stride = stride, .pad_h = pad, .last = last}.oh();
    };
    CHECK(outputs(112, 3, 2, 0, last_window::whole) == 55);
    CHECK(outputs(112, 3, 2, 0, last_window::cut) == 56);
    CHECK(outputs(8, 2, 2, 0, last_window::cut) == 4); // nothing is left
    // ceil((5 + 2 - 2) / 3) + 1 = 3 windows, of which the third begins at 5: behind the image.
    CHECK(outputs(5, 2, 3, 1, last_window::cut) == 2);
    CHECK(outputs(6, 2, 3, 1, last_window::cut) == 3);
}

TEST_CASE("why a shape is no pool")
{
    const auto found = [](auto change, pooling how = pooling::max) {
        pool_shape s = base;
        change(s);
        return checked(pool_definition<>(s, how, dtype::f32)).found;
    };
    CHECK(found([](pool_shape&) {}).ok());
    for (auto field :
         {&pool_shape::n, &pool_shape::h, &pool_shape::w, &pool_shape::c, &pool_shape::kh, &pool_shape::kw})
        CHECK(found([&](pool_shape& s) { s.*field = 0; }).what == fault::extent_zero);
    for (auto field : {&pool_shape::stride, &pool_shape::dilation})
        CHECK(found([&](pool_shape& s) { s.*field = 0; }).what == fault::extent_zero);
    for (auto field : {&pool_shape::pad, &pool_shape::pad_top, &pool_shape::pad_right}) {
        const status negative = found([&](pool_shape& s) { s.*field = -2; });
        CHECK(negative.what == fault::shape_mismatch);
        CHECK(std::string(negative.subject) == "pool: pad");
    }
    const status too_high = found([](pool_shape& s) { s.kh = 12; });
    CHECK(too_high.what == fault::shape_mismatch);
    CHECK(std::string(too_high.subject) == "pool: h");
    CHECK(found([](pool_shape& s) { s.n = std::int64_t{1} << 41; }).what == fault::extent_too_large);
    CHECK(found([](pool_shape& s) { s.h = s.w = s.c = std::int64_t{1} << 20; }).what == fault::extent_too_large);
    CHECK(found([](pool_shape& s) { s.kh = std::int64_t{1} << 25; }).what == fault::shape_mismatch);

    // Windows of padding only, before the image, behind it, and on both sides of it.
    const auto misses = [&](auto change) {
        for (const pooling how : {pooling::max, pooling::average}) {
            const status none = found(change, how);
            CHECK(none.what == fault::shape_mismatch);
            CHECK(std::string(none.subject) == "pool: pad");
        }
    };
    misses([](pool_shape& s) { s.pad_top = 3; });
    misses([](pool_shape& s) { s.pad_right = 4; });
    misses([](pool_shape& s) {
        s.h = 1;
        s.kh = 2;
        s.dilation_h = 2;
    });
    CHECK(found([](pool_shape& s) { s.pad_top = 2; }).ok());
    CHECK(found([](pool_shape& s) { // stands on the image with its middle tap
              s.h = 1;
              s.kh = 3;
              s.dilation_h = 2;
              s.pad_h = 2;
          })
              .ok());

    // Taps are counted in floats.
    const auto large = [](pool_shape& s) {
        s.h = std::int64_t{1} << 21;
        s.n = s.c = s.w = s.kw = 1;
        s.pad_w = 0;
    };
    CHECK(found(large).ok());
    CHECK(found(large, pooling::average).what == fault::extent_too_large);
    CHECK(found([&](pool_shape& s) { large(s), s.pad = 0; }, pooling::average).ok());
    CHECK(pool_definition<>(base, pooling::max, operand_types{dtype::f16, dtype::f16}).tensors[0].type == dtype::f16);
}

TEST_CASE("what a call may give of a pool")
{
    constexpr extent side = extent::up_to(20);
    const auto found = [](const pool_shape& s) {
        return checked(pool_definition<>(s, pooling::max, dtype::f32)).found;
    };
    const pool_shape open{.h = side, .w = side, .kh = 3, .kw = 3, .pad = 1};
    CHECK(found(open).ok());
    const auto is_wrong = [&](pool_shape s, auto change, fault what, const char* subject) {
        change(s);
        CHECK(found(s).what == what);
        CHECK(std::string(found(s).subject) == subject);
    };
    for (auto field : {&pool_shape::h, &pool_shape::w, &pool_shape::c})
        is_wrong(
            {.h = 9, .w = 9, .layout = layout::nchw}, [&](pool_shape& s) { s.*field = side; }, fault::extents_at_call,
            "pool: layout");
    CHECK(found({.n = extent::up_to(3), .h = 9, .w = 9, .kh = 3, .kw = 3, .layout = layout::nchw}).ok());
    is_wrong(
        open, [](pool_shape& s) { s.last = last_window::cut; }, fault::extents_at_call, "pool: last");
    // Padding of which a window may be made, of the last rows of some image or on both sides of a short one.
    is_wrong(
        open, [](pool_shape& s) { s.pad_bottom = 3; }, fault::shape_mismatch, "pool: pad");
    is_wrong(
        open,
        [](pool_shape& s) {
            s.kh = 2;
            s.dilation_h = 2;
        },
        fault::shape_mismatch, "pool: pad");
    // The window is the image, altogether.
    pool_shape all = whole({.h = side, .w = 7, .c = side});
    CHECK(found(all).ok());
    CHECK(definition(pool_definition<>(all, pooling::max, dtype::f32)).parameters.size() == 3); // h, c, and h * c
    is_wrong(
        all, [](pool_shape& s) { s.kw = 3; }, fault::extents_at_call, "pool: kh, kw");
    is_wrong(
        all, [](pool_shape& s) { s.kh = extent::up_to(3); }, fault::extents_at_call, "pool: kh, kw");
    is_wrong(
        all, [](pool_shape& s) { s.pad = 1; }, fault::extents_at_call, "pool: kh, kw");
    is_wrong(
        open, [](pool_shape& s) { s.window_at_call = true; }, fault::window_at_call, "pool: stride, pad, dilation");
}

TEST_CASE("pools of drawn shapes compute what plain loops do")
{
    random_numbers random{11};
    int cut = 0, counted = 0, dilated = 0;
    for (int i = 0; i < 300; ++i) {
        const pool_shape s = drawn_pool(random);
        const auto seed = static_cast<std::uint64_t>(i);
        compare(s, pooling::max, pool_definition<bias, relu>(s, pooling::max, dtype::f32), {step::bias, step::relu},
                seed);
        const definition mean = pool_definition<relu>(s, pooling::average, dtype::f32);
        compare(s, pooling::average, mean, {step::relu}, seed);
        cut += s.oh() > s.window().outputs_down(s.h, s.kh);
        counted += !mean.stages[0].tables.empty();
        dilated += !mean.stages[0].tables.empty() && s.dilation_h > 1;
    }
    CHECK(cut > 30);
    CHECK(counted > 100);
    CHECK(dilated > 20);
}

// Default nests of a pool that leaves something to the call and of other knobs, at several calls each.
TEST_CASE("pools of what calls give compute what plain loops do, and stay in their tensors")
{
    random_numbers random{13};
    const isa sets[] = {isa::baseline, isa::avx2, isa::avx512};
    int ran = 0, counted = 0, missed = 0;
    for (int i = 0; i < 150; ++i) {
        const auto part = static_cast<open_part>(i % 3);
        const pool_shape s = drawn_open_pool(random, part);
        for (const pooling how : {pooling::max, pooling::average}) {
            CAPTURE(text_of(s, how));
            // A mean is rounded before a bias is.
            const bool is_max = how == pooling::max;
            const definition d = checked(is_max ? pool_definition<bias, relu>(s, how, dtype::f32)
                                                : pool_definition<relu>(s, how, dtype::f32));
            const steps epilogue = is_max ? steps{step::bias, step::relu} : steps{step::relu};
            REQUIRE(d.found.ok());
            check_laws(d);
            counted += !d.stages[0].tables.empty();
            for (int k = 0; k < 5; ++k) {
                const isa set = sets[k % 3];
                reduce_knobs knobs = default_reduce(d, set);
                for (int step = 1; step < reduce::default_steps && part == open_part::image; ++step)
                    if (!check(lower(reduce_schedule(d, knobs, set)), cpu_target(set)).ok())
                        knobs = default_reduce(d, set, step);
                if (k >= 3)
                    knobs = fitted_reduce(d,
                                          {.rows = static_cast<std::int32_t>(random.between(1, 5)),
                                           .vectors = static_cast<std::int32_t>(random.between(1, 3)),
                                           .reduce_unroll = static_cast<std::int32_t>(random.between(1, 3)),
                                           .pad = random.one_in(2) ? padding::peel : padding::copy,
                                           .unroll_window = random.one_in(2)},
                                          set);
                const nest n = lower(reduce_schedule(d, knobs, set));
                const status legal = check(n, cpu_target(set));
                if (k < 3) CHECK_MESSAGE(legal.ok(), std::string(legal.message()), std::string(legal.subject));
                if (!legal.ok()) continue;
                // Proofs are sound, and miss a nest now and then: none that a default makes.
                const status proved = prove_accesses(n);
                if (k < 3)
                    CHECK_MESSAGE(proved.ok(), std::string(proved.message()), std::string(proved.subject),
                                  std::string(name_of(set)));
                missed += !proved.ok();
                for (int call = 0; call < 3; ++call) {
                    const pool_shape own = drawn_call(s, how, random);
                    std::vector<std::int64_t> parameters = values_of_call(s, own);
                    REQUIRE(parameters.size() == given_parameters(d.parameters));
                    CHECK(calls::check_parameters(d.parameters, 0, parameters.data()).found.ok());
                    parameters.resize(d.parameters.size());
                    complete(d.parameters, parameters.data(), parameters.data());
                    const call_data given = data_of(own, random.next());
                    const std::string found = wrong(n, d, given, reference(own, how, given, epilogue), parameters);
                    CHECK_MESSAGE(found.empty(), found, "\n  of ", text_of(own, how), " ", std::string(name_of(set)));
                    ++ran;
                }
            }
        }
    }
    CHECK(ran > 3000);
    CHECK(counted > 60);
    CHECK(missed < ran / 1000);
}

TEST_CASE("the tuner's exact results are those of plain loops")
{
    random_numbers random{12};
    for (int i = 0; i < 40; ++i) {
        const pool_shape s = drawn_pool(random);
        for (const pooling how : {pooling::max, pooling::average}) {
            CAPTURE(text_of(s, how));
            const definition d = checked(pool_definition<residual>(s, how, dtype::f32));
            const tune::problem p = tune::problem_of(d, 3, {tune::arithmetic::direct});
            call_data given = data_of(s, 0);
            for (const tune::problem_operand& o : p.signs().operands)
                (o.role == role::input ? given.x : given.residual) = o.values;
            const doubles expected = reference(s, how, given, {step::residual});
            for (std::size_t e = 0; e < p.signs().places.size(); ++e)
                CHECK(p.signs().expected[e] == doctest::Approx(expected[p.signs().places[e]]).epsilon(1e-6));
        }
    }
}
