// SPDX-License-Identifier: BSL-1.0
// Where the Winograd template applies, that its knobs fit the image, and that a search begins at a legal point.
#include <hone/schedule/winograd_knobs.hpp>

#include <cstdint>
#include <string>

#include <doctest/doctest.h>

#include <hone/ir/check.hpp>
#include <hone/ir/hash.hpp>
#include <hone/lower/lower.hpp>
#include <hone/schedule/winograd_stages.hpp>

#include "layers.hpp"

using namespace hone;
using namespace hone::schedules;
using namespace hone::test;

namespace {

constexpr conv2d_shape base = {.h = 12, .w = 12, .ic = 8, .oc = 16, .kh = 3, .kw = 3, .pad = 1};

template <class Change>
constexpr conv2d_shape changed(Change change)
{
    conv2d_shape s = base;
    change(s);
    return s;
}
template <conv2d_shape S>
constexpr bool applies = winograd_applies(conv2d<S, f32, bias, relu>::definition());

static_assert(applies<base>);
static_assert(!winograd_applies(conv2d<base, types<f16>, bias, relu>::definition()));
static_assert(applies<changed([](conv2d_shape& s) { s.pad = 0; })>);
static_assert(applies<changed([](conv2d_shape& s) { s.pad = 2; })>);
static_assert(applies<changed([](conv2d_shape& s) { s.pad_right = 0; })>);
static_assert(!applies<changed([](conv2d_shape& s) { s.stride_w = 2; })>);
static_assert(!applies<changed([](conv2d_shape& s) { s.dilation_h = 2; })>);
static_assert(applies<changed([](conv2d_shape& s) { s.n = 3; })>);
static_assert(!applies<changed([](conv2d_shape& s) { s.n = extent::up_to(3); })>);
static_assert(applies<changed([](conv2d_shape& s) { s.layout = layout::nchw; })>);
static_assert(!applies<changed([](conv2d_shape& s) { s.stride = 2; })>);
static_assert(!applies<changed([](conv2d_shape& s) { s.dilation = 2; })>);
static_assert(!applies<changed([](conv2d_shape& s) { s.groups = 2; })>);
static_assert(!applies<changed([](conv2d_shape& s) { s.kh = 1; })>);
static_assert(!applies<changed([](conv2d_shape& s) { s.kw = 5; })>);
static_assert(!winograd_applies(gemm<gemm_shape{.m = 8, .n = 8, .k = 8}, f32>::definition()));
static_assert(!winograd_applies(definition{}));

static_assert(class_of(winograd_knobs{.tile = 2}) == error_class::winograd_2);
static_assert(class_of(winograd_knobs{.tile = 4}) == error_class::winograd_4);
static_assert(check_knobs(winograd_knobs{}).ok() && !check_knobs(winograd_knobs{.tile = 3}).ok());

template <std::int64_t Size, std::int64_t Channels>
void check_closed_form()
{
    const definition d =
        conv2d<conv2d_shape{.h = Size, .w = Size + 1, .ic = Channels, .oc = Channels + 3, .kh = 3, .kw = 3, .pad = 1},
               f32>::definition();
    for (const isa set : {isa::baseline, isa::avx2, isa::avx512, isa::neon}) {
        CAPTURE(Size);
        CAPTURE(Channels);
        const winograd_knobs k = default_winograd(d, set);
        CHECK(k == fitted(d, k, set));
        const nest n = lower(winograd_schedule(d, k, set));
        REQUIRE_MESSAGE(n.ok(), n.found.message());
        const status found = check(n, cpu_target(set));
        CHECK_MESSAGE(found.ok(), found.message());
    }
}

} // namespace

TEST_CASE("of ResNet-18, the four kinds of 3x3 layers with stride 1")
{
    std::string layers;
    for_each_workload([&](const char* name, std::size_t i, const definition& d) {
        if (winograd_applies(d)) layers += name + std::to_string(i) + " ";
    });
    CHECK(layers == "C2 C6 C9 C12 ");
}

TEST_CASE("fitted knobs are no more than the image has tiles, and give the same nest")
{
    for_each_workload([](const char* name, std::size_t i, const definition& d) {
        if (!winograd_applies(d)) return;
        CAPTURE(name);
        CAPTURE(i);
        const std::int64_t side = d.stages[0].axes[conv_axis::oh].extent;
        for (int tile : {2, 4}) {
            const winograd_knobs k{.tile = tile, .block_rows = 100, .block_columns = 3, .rows = 4, .vectors = 1};
            const winograd_knobs least = fitted(d, k, isa::avx2);
            CHECK(least.block_rows == ceil_div(side, tile));
            CHECK(least.block_columns == (3 < ceil_div(side, tile) ? 3 : ceil_div(side, tile)));
            CHECK(fitted(d, least, isa::avx2) == least);
            CHECK(nest_hash(lower(winograd_schedule(d, least, isa::avx2))) ==
                  nest_hash(lower(winograd_schedule(d, k, isa::avx2))));
            CHECK(fitted(d, {.tile = tile, .block_rows = 1, .block_columns = 1}, isa::avx2).rows == 1);
        }
    });
}

TEST_CASE("the closed form of Winograd's knobs is legal for every convolution that it applies to")
{
    check_closed_form<3, 1>();
    check_closed_form<7, 512>();
    check_closed_form<14, 100>();
    check_closed_form<28, 16>();
    check_closed_form<113, 64>();
    check_closed_form<500, 3>();
}
