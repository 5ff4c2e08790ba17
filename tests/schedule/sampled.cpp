// SPDX-License-Identifier: BSL-1.0
// Outputs whose pixels are quotients: along what their vectors lie, and that every tile computes what plain loops do.
#include <hone/schedule/sampled.hpp>

#include <string>
#include <vector>

#include <doctest/doctest.h>

#include <hone/ir/access_proof.hpp>
#include <hone/ir/check.hpp>
#include <hone/ir/interpret.hpp>
#include <hone/ir/print.hpp>
#include <hone/lower/lower.hpp>
#include <hone/model/loop_chain.hpp>
#include <hone/schedule/direct.hpp>

#include "open_resizes.hpp"
#include "resizes.hpp"

using namespace hone;
using namespace hone::schedules;
using namespace hone::test;

namespace {

definition of(const resize_shape& s) { return checked(resize_definition<>(s, dtype::f32)); }

} // namespace

TEST_CASE("vectors lie along channels, also a plane apart, and along rows that stay")
{
    constexpr resize_shape channels{.h = 4, .w = 4, .c = 6, .oh = 7, .ow = 7};
    resize_shape planes = channels, tall = channels, one = channels;
    planes.layout = tall.layout = layout::nchw;
    tall.ow = 4;
    one.c = 1;
    const auto axis = [](const resize_shape& s) {
        const definition d = of(s);
        const int a = axis_of_samples(d);
        return std::string(a < 0 ? "none" : d.stages[0].axes[a].name);
    };
    CHECK(axis(channels) == "c");
    CHECK(axis(planes) == "c");
    CHECK(axis(tall) == "ow");
    CHECK(axis(one) == "none");
}

TEST_CASE("pixels that are repeated along a row are shared by lanes, where vectors are whole numbers of them")
{
    resize_shape s{.h = 3, .w = 19, .c = 2, .oh = 6, .ow = 38, .mode = resize_mode::nearest, .layout = layout::nchw};
    const auto shares = [](const resize_shape& of_shape, isa set) {
        const definition d = with_shared_pixels(of(of_shape), set);
        return d.tensors[0].dims[3].block > 0;
    };
    CHECK(shares(s, isa::baseline));
    CHECK(shares(s, isa::avx512));
    s.ow = 8 * 19;
    CHECK_FALSE(shares(s, isa::baseline));
    CHECK(shares(s, isa::avx512));
    s.ow = 3 * 19;
    CHECK_FALSE(shares(s, isa::avx512));
    for (int i = 0; i < 18; ++i) {
        s.ow = (std::int64_t{2} << i % 3) * 19;
        s.mode = i < 9 ? resize_mode::nearest : resize_mode::bilinear;
        s.coordinates = i < 12 ? coordinates::half_pixel : coordinates::asymmetric;
        for (const isa set : {isa::baseline, isa::avx2, isa::avx512}) {
            const definition d = of(s);
            const nest n = lower(direct_schedule(d, default_direct(d, set), set));
            INFO(print(n));
            REQUIRE(check(n, cpu_target(set)).ok());
            CHECK(prove_accesses(n).ok());
            call_data c = data_of(s, 7);
            const doubles expected = reference(s, c, {});
            const argument call[] = {{c.x.data(), 2 * 3 * 19}, {c.y.data(), static_cast<std::int64_t>(c.y.size())}};
            REQUIRE(interpret(n, call, {}).ok());
            CHECK(difference_of(s, c.y, expected) == "");
        }
    }
}

TEST_CASE("pixels that lie apart in x are not shared, however often each is repeated")
{
    constexpr resize_shape s{.h = 1, .w = 19, .c = 2, .ow = 38, .mode = resize_mode::nearest, .layout = layout::nchw};
    definition d = of(s);
    index_term& source = d.stages[0].operands[0].index[3].terms[0];
    REQUIRE(d.stages[0].axes[source.axis].is_quotient());
    const auto shares = [&] { return with_shared_pixels(d, isa::avx2).tensors[0].dims[3].block > 0; };
    CHECK(shares());
    source.coefficient = 2; // of a user's operator: every second pixel, twice
    CHECK_FALSE(shares());
    source.coefficient = 1;
    d.tensors[0].dims[3].stride = 2;
    CHECK_FALSE(shares());
}

TEST_CASE("where shared pixels begin before a row, all that moves along the row begins there")
{
    constexpr int places = 21, sources = places / 2 + 1;
    definition d; // y[i] = x[i][(i + 1) / 2]
    d.tensors.push_back({.name = "x", .role = role::input});
    d.tensors[0].dims.push_back({.extent = places, .stride = sources});
    d.tensors[0].dims.push_back({.extent = sources, .stride = 1});
    d.tensors.push_back({.name = "y", .role = role::output});
    d.tensors[1].dims.push_back({.extent = places, .stride = 1});
    stage s;
    s.name = "diagonal";
    s.axes.push_back({"place", places});
    s.axes.push_back({.name = "source", .extent = sources, .quotient = {0, 1, 1, 2}});
    operand x{.tensor = 0};
    x.index.push_back(along(0));
    x.index.push_back(along(1));
    s.operands.push_back(x);
    s.output.tensor = 1;
    s.output.index.push_back(along(0));
    s.body = ex::load(0);
    d.stages.push_back(s);
    d = checked(d);
    REQUIRE(d.found.ok());
    CHECK(with_shared_pixels(d, isa::avx2).tensors[0].dims[1].block == 2);
    floats pixels(places * sources), y(places);
    for (std::size_t i = 0; i < pixels.size(); ++i) pixels[i] = static_cast<float>(i);
    const nest n = lower(direct_schedule(d, default_direct(d, isa::avx2), isa::avx2));
    INFO(print(n));
    const argument call[] = {{pixels.data(), places * sources}, {y.data(), places}};
    REQUIRE(interpret(n, call, {}).ok());
    for (int i = 0; i < places; ++i)
        CHECK(y[static_cast<std::size_t>(i)] == static_cast<float>(i * sources + (i + 1) / 2));
}

TEST_CASE("a quotient is a loop of one step, which costs that of one")
{
    constexpr resize_shape s{.h = 5, .w = 8, .c = 16, .oh = 9, .ow = 8, .mode = resize_mode::nearest};
    const nest n = lower(schedule_of_samples(of(s), 1, false, isa::avx512));
    CHECK(print(n).find("ih.0 in [floor((oh.0*10 + 5) / 18), floor((oh.0*10 + 23) / 18))") != std::string::npos);
    int quotients = 0;
    for (const node& x : n.nodes)
        if (x.kind == node_kind::loop && runs_for_quotient(n, x)) ++quotients;
    CHECK(quotients == 1);
    const tune::loop_chain chain(n);
    CHECK(chain.statement(chain.main).runs == 9 * 8 * 16);
    // Sums of sizes that calls give are of four pixels.
    constexpr resize_shape open{.h = extent::up_to(99).typically(5),
                                .w = extent::up_to(99).typically(8),
                                .c = 16,
                                .oh = extent::up_to(99).typically(9),
                                .ow = extent::up_to(99).typically(18)};
    const nest sums = lower(schedule_of_samples(of(open), 1, false, isa::avx512));
    const tune::loop_chain of_sums(sums);
    CHECK(of_sums.statement(of_sums.main).runs == 9 * 18 * 16 * 4);
}

TEST_CASE("tiles of drawn images, taps as loops or written out")
{
    random_numbers random{41};
    for (int i = 0; i < 200; ++i) {
        const resize_shape open = i < 100 ? drawn_resize(random) : drawn_open_resize(random);
        const resize_shape s = i < 100 ? open : drawn_call(open, random);
        const definition d = of(open);
        if (!is_sampled(d)) continue;
        const isa set = random.one_in(2) ? isa::baseline : isa::avx512;
        direct_knobs k;
        k.rows = static_cast<std::int32_t>(random.between(1, 8));
        k.vectors = static_cast<std::int32_t>(random.between(1, 5));
        k.unroll_window = random.one_in(2);
        k = fitted(d, k, set);
        CHECK(k.rows == 1);
        CHECK(fitted(d, k, set) == k);
        const nest n = lower(direct_schedule(d, k, set));
        INFO(print(n));
        REQUIRE(check(n, cpu_target(set)).ok());
        CHECK(prove_accesses(n).ok());
        call_data c = data_of(s, static_cast<std::uint64_t>(i));
        const doubles expected = reference(s, c, {});
        const argument call[] = {{c.x.data(), static_cast<std::int64_t>(c.x.size())},
                                 {c.y.data(), static_cast<std::int64_t>(c.y.size())}};
        std::vector<std::int64_t> parameters = values_of_call(open, s);
        parameters.resize(n.parameters.size());
        complete(n.parameters, parameters.data(), parameters.data());
        REQUIRE(interpret(n, call, parameters).ok());
        CHECK(difference_of(s, c.y, expected) == "");
    }
}

TEST_CASE("a quotient stands inside of what it is a quotient of")
{
    const definition d = of({.h = 5, .c = 4, .oh = 9, .mode = resize_mode::nearest});
    schedule s = schedule_of_samples(d, 1, false, isa::avx2);
    CHECK(lower(s).ok());
    stage_plan& p = s.plans[0];
    int outer = 0;
    while (!d.stages[0].axes[p.levels[outer].axis].is_quotient()) ++outer;
    REQUIRE(outer > 0);
    std::swap(p.levels[outer], p.levels[outer - 1]);
    CHECK(lower(s).found.what == fault::axis_not_covered);
}
