// SPDX-License-Identifier: BSL-1.0
// The direct template for CPUs: what it chooses when nothing is tuned is legal for every layer and instruction set, and
// its knobs fit the operator.
#include <hone/cpu/kernel.hpp>
#include <hone/ir/check.hpp>
#include <hone/ir/hash.hpp>
#include <hone/lower/lower.hpp>
#include <hone/model/random.hpp>
#include <hone/schedule/direct.hpp>
#include <hone/tune/cpu/space.hpp>

#include <initializer_list>
#include <string>
#include <utility>

#include <doctest/doctest.h>

#include "layers.hpp"

using namespace hone;
using namespace hone::schedules;
using namespace hone::test;

namespace {

constexpr isa sets[] = {isa::baseline, isa::avx2, isa::avx512, isa::neon};

} // namespace

TEST_CASE("the defaults fit the registers, lower and keep every rule, on each instruction set")
{
    for_each_workload([](const char* name, std::size_t i, const definition& d) {
        for (isa set : sets) {
            CAPTURE(name);
            CAPTURE(i);
            CAPTURE(name_of(set));
            const direct_knobs k = default_direct(d, set);
            CAPTURE(k.rows);
            CAPTURE(k.vectors);
            CHECK(check_registers({k.rows, k.vectors, k.reduce_unroll}, set).ok());
            const schedule s = direct_schedule(d, k, set);
            const nest n = lower(s);
            CHECK(n.found.what == fault::none);
            const status c = check(n, cpu_target(set));
            CAPTURE(c.found);
            CHECK(std::string{c.message()} == message_of(fault::none));
            CHECK(live_registers(n) <= vector_registers(set));

            const schedule p =
                packing_schedule(d.tensors[d.tensor_of(role::weights)], packed_weights(d, k, set)[0], set);
            const nest packing = lower(p);
            CHECK(packing.found.what == fault::none);
            CHECK(std::string{check(packing, cpu_target(set)).message()} == message_of(fault::none));
        }
    });
}

// Borders, taps and rows that are written out: the closed form steps down where they outgrow what a nest may be.
TEST_CASE("the default of any convolution is legal")
{
    tune::xoshiro256 bits(7);
    const auto pick = [&](std::initializer_list<int> of) { return *(of.begin() + bits.below(of.size())); };
    nest scratch;
    const auto is_legal = [&](const conv2d_shape& shape, isa set) {
        const definition d = conv2d_definition<bias, residual, relu>(shape, dtype::f32);
        lower(schedule_for(d, tune::cpu_space(d, set).standard(), set), scratch);
        CAPTURE(signature_of(shape, dtype::f32).c_str());
        CAPTURE(name_of(set));
        CHECK(std::string{check(scratch, cpu_target(set)).message()} == message_of(fault::none));
        return check(lower(direct_schedule(d, default_direct(d, set), set)), cpu_target(set)).ok();
    };
    int stepped_down = 0;
    for (int i = 0; i < 200; ++i) {
        conv2d_shape s{.n = pick({1, 8}), .h = pick({1, 7, 16, 28, 128}), .w = pick({7, 13, 32, 100, 750})};
        s.groups = pick({1, 1, 2, 24});
        s.ic = s.groups * pick({1, 1, 3, 48, 256});
        s.oc = s.groups * pick({1, 1, 21, 48, 255});
        s.kh = pick({1, 3, 5, 9});
        s.kw = pick({1, 3, 5, 15, 31, 128});
        s.stride = pick({1, 1, 2, 3});
        s.dilation = pick({1, 1, 2, 6, 12});
        s.pad_h = pick({0, 1}) * s.dilation * (s.kh - 1) / 2;
        s.pad_w = pick({0, 1, 2}) * s.dilation * (s.kw - 1) / 2;
        s.layout = pick({0, 1}) == 0 ? layout::nhwc : layout::nchw;
        if (!s.check().ok()) continue;
        for (isa set : sets) stepped_down += is_legal(s, set) ? 0 : 1;
    }
    CHECK(stepped_down > 10);
    // The atrous layers of DeepLab, and the positional one of wav2vec2.
    for (int dilation : {6, 12, 18})
        is_legal({.h = 32, .w = 32, .ic = 2048, .oc = 256, .kh = 3, .kw = 3, .pad = dilation, .dilation = dilation},
                 isa::avx2);
    for (isa set : sets)
        is_legal({.w = 750, .ic = 768, .oc = 768, .kw = 128, .pad_left = 64, .pad_right = 64, .groups = 16}, set);
}

// Rows that each call gives are halved down to one, a body for each: they must not outgrow the tile bodies of a nest.
TEST_CASE("the default of rows known at the call is legal for every width")
{
    const auto legal = []<std::int64_t... N>(std::integer_sequence<std::int64_t, N...>) {
        const auto one = [](std::int64_t columns, const definition& d) {
            for (const isa set : sets) {
                const nest n = lower(direct_schedule(d, default_direct(d, set), set));
                CAPTURE(columns);
                CAPTURE(name_of(set));
                CHECK(n.ok());
                CHECK(std::string{check(n, cpu_target(set)).message()} == message_of(fault::none));
            }
        };
        (one(N, gemm<gemm_shape{.m = extent::up_to(8 + N), .n = N, .k = 5}, f32, bias>::definition()), ...);
    };
    legal(std::integer_sequence<std::int64_t, 1, 17, 20, 60>{});
}

// Tiles that touch padding, those between them, and both again where columns remain.
TEST_CASE("the default of images known at the call is legal, with tiles of their own inside")
{
    constexpr extent side = extent::up_to(64);
    const conv2d_shape layers[] = {
        {.n = side, .h = side, .w = side, .ic = 64, .oc = 64, .kh = 3, .kw = 3, .pad = 1},
        {.h = side, .w = side, .ic = 3, .oc = 70, .kh = 7, .kw = 7, .stride = 2, .pad = 3},
        {.h = side, .w = side, .ic = 20, .oc = 50},
        {.h = side, .w = side, .ic = 96, .oc = 96, .kh = 5, .kw = 5, .pad = 2, .groups = 96},
        {.h = side, .w = side, .ic = 64, .oc = 64, .kh = 3, .kw = 3, .pad = 1, .groups = 16},
        {.h = side, .w = 9, .ic = 4, .oc = 40, .kh = 3, .kw = 3, .pad = 1},
        {.h = 9, .w = side, .ic = 4, .oc = 40, .kh = 3, .kw = 31, .pad_left = 15, .pad_right = 15},
    };
    for (const conv2d_shape& s : layers)
        for (const isa set : sets) {
            CAPTURE(std::string{signature_of(s, dtype::f32).c_str()});
            CAPTURE(name_of(set));
            const definition d = conv2d_definition<bias>(s, dtype::f32);
            const direct_knobs k = default_direct(d, set);
            const nest n = lower(direct_schedule(d, k, set));
            CHECK(std::string{check(n, cpu_target(set)).message()} == message_of(fault::none));
            CHECK(fitted(d, direct_knobs{.pad = padding::copy}, set).pad == padding::peel);
            if (s.w.at_call == 0 || s.pad + s.pad_left <= 0) continue;
            const std::int16_t columns = d.tensors[0].dims[2].extent_parameter;
            // Tiles whose taps are not tested for the last column.
            const auto tests_columns = [&](auto&& self, int at) -> bool {
                for (; at >= 0; at = n.nodes[at].next) {
                    const node& x = n.nodes[at];
                    bool does = false;
                    if (x.kind == node_kind::guard && has_reduction(n, at))
                        for (int i = x.conditions.first; i < x.conditions.first + x.conditions.count; ++i)
                            for (int t = 0; t < n.conditions[i].count; ++t)
                                does = does || n.terms[n.conditions[i].first + t].parameter == columns;
                    if (does || (x.kind != node_kind::leaf && self(self, x.child))) return true;
                }
                return false;
            };
            int free = 0, tested = 0;
            for (std::size_t i = 0; i < n.nodes.size(); ++i)
                if (n.nodes[i].kind == node_kind::tile)
                    ++(tests_columns(tests_columns, n.nodes[i].child) ? tested : free);
            CHECK(free >= 1);
            CHECK(tested == 2 * free);
        }
}

TEST_CASE("other knobs of the same layers: padding by copy, and the other walk")
{
    for_each_workload([](const char* name, std::size_t i, const definition& d) {
        for (padding pad : {padding::peel, padding::copy})
            for (walk order : {walk::weights_outer, walk::rows_outer}) {
                CAPTURE(name);
                CAPTURE(i);
                direct_knobs k = default_direct(d, isa::avx512);
                k.pad = pad;
                k.order = order;
                const nest n = lower(direct_schedule(d, k, isa::avx512));
                CHECK(n.found.what == fault::none);
                CHECK(std::string{check(n, cpu_target(isa::avx512)).message()} == message_of(fault::none));
            }
    });
}

TEST_CASE("fitted knobs are no more than the operator can use; defaults are fitted, and fitting twice changes nothing")
{
    for (isa set : sets)
        for_each_workload([&](const char* name, std::size_t i, const definition& d) {
            CAPTURE(name);
            CAPTURE(i);
            const direct_knobs standard = default_direct(d, set);
            CHECK(fitted(d, standard, set) == standard);
            const direct_roles r = roles_of(d);
            const stage& s = d.stages[0];
            const std::int64_t rows = r.row < 0 ? 1 : s.axes[r.row].extent;
            const std::int64_t steps = s.axes[r.reduce].extent;
            for (std::int32_t most : {1, 7, 28, 1000})
                for (bool unroll_window : {false, true}) {
                    const direct_knobs k = fitted(d,
                                                  {.rows = most,
                                                   .vectors = most,
                                                   .reduce_unroll = most,
                                                   .reduce_block = most,
                                                   .row_block = most,
                                                   .unroll_window = unroll_window},
                                                  set);
                    CHECK(fitted(d, k, set) == k);
                    CHECK(k.rows == (most < rows ? most : rows));
                    CHECK((k.vectors - 1) * lanes_of(set, d) < s.axes[r.vector].extent);
                    CHECK(k.reduce_unroll <= steps);
                    CHECK(k.reduce_block == (most < steps ? most : 0));
                    CHECK(k.row_block == (most < rows ? most : 0));
                }
        });
}

// What fitting drops changes nothing: the kernel reads and writes the same in the same order.
TEST_CASE("knobs past the operator give the nest of fitted ones")
{
    const definition d = gemm<gemm_shape{.m = 12, .n = 64, .k = 24}, f32>::definition();
    const direct_knobs k{
        .rows = 4, .vectors = 2, .reduce_unroll = 32, .reduce_block = 128, .row_block = 14, .pad = padding::copy};
    const direct_knobs least = fitted(d, k, isa::avx512);
    CHECK_FALSE(least == k);
    CHECK(nest_hash(lower(direct_schedule(d, least, isa::avx512))) ==
          nest_hash(lower(direct_schedule(d, k, isa::avx512))));
}

TEST_CASE("sums of blocks are kept in no workspace that is as large as the largest padding makes y")
{
    const direct_knobs whole{.rows = 3, .vectors = 2}, blocked{.rows = 3, .vectors = 2, .reduce_block = 16};
    const auto workspaces = [](const nest& n) {
        REQUIRE(n.ok());
        int count = 0;
        for (const buffer& b : n.buffers) count += b.memory == memory::workspace ? 1 : 0;
        return count;
    };
    const auto lowered = [](const definition& d, const direct_knobs& k) {
        return lower(direct_schedule(d, k, isa::avx2));
    };
    conv2d_shape s{.h = extent::up_to(56), .w = extent::up_to(56), .ic = 64, .oc = 64, .kh = 3, .kw = 3};
    const definition named = conv2d_definition<residual>(s, dtype::f32);
    CHECK(workspaces(lowered(named, blocked)) == 1);
    CHECK(fitted(named, blocked, isa::avx2) == blocked);
    s.window_at_call = true;
    const definition open = conv2d_definition<residual>(s, dtype::f32);
    CHECK(workspaces(lowered(open, blocked)) == 0);
    CHECK(fitted(open, blocked, isa::avx2) == whole);
    CHECK(nest_hash(lowered(open, blocked)) == nest_hash(lowered(open, whole)));
    // Where nothing is read that y may stand in the place of, they are kept in y.
    const definition alone = conv2d_definition<relu>(s, dtype::f32);
    CHECK(workspaces(lowered(alone, blocked)) == 0);
    CHECK(fitted(alone, blocked, isa::avx2) == blocked);
    CHECK(nest_hash(lowered(alone, blocked)) != nest_hash(lowered(alone, whole)));
}

TEST_CASE("where products take lanes, the default writes out as many steps as a vector has, if x has them side by side")
{
    const auto steps = [](const definition& d, isa set) { return default_direct(d, set).reduce_unroll; };
    const definition product = gemm<gemm_shape{.m = 64, .n = 64, .k = 6}, f32>::definition();
    CHECK(steps(product, isa::neon) == 4);
    for (isa set : {isa::baseline, isa::avx2, isa::avx512}) CHECK(steps(product, set) == 1);
    CHECK(steps(gemm<gemm_shape{.m = 64, .n = 64, .k = 3}, f32>::definition(), isa::neon) == 1);
    CHECK(steps(gemm<gemm_shape{.m = 64, .n = 64, .k = 6, .x = transposed::yes}, f32>::definition(), isa::neon) == 1);
    constexpr conv2d_shape image{.h = 9, .w = 9, .ic = 8, .oc = 8, .kh = 3, .kw = 3, .pad = 1};
    CHECK(steps(conv2d<image, f32>::definition(), isa::neon) == 4);
    constexpr conv2d_shape planes{.h = 9, .w = 9, .ic = 8, .oc = 8, .kh = 3, .kw = 3, .pad = 1, .layout = layout::nchw};
    CHECK(steps(conv2d<planes, f32>::definition(), isa::neon) == 1);
    // The taps of one channel stand side by side, too; but the border leaves some out.
    constexpr conv2d_shape gray{.h = 9, .w = 9, .ic = 1, .oc = 8, .kh = 5, .kw = 5, .pad = 2};
    CHECK(steps(conv2d<gray, f32>::definition(), isa::neon) == 1);
}

// Rows of x that stand in one set of the nearest cache push each other out.
TEST_CASE("default tiles heed where rows meet in the cache")
{
    constexpr auto of = [](const conv2d_shape& shape, isa set) {
        return default_direct(conv2d_definition<bias, relu>(shape, dtype::f32), set);
    };
    const conv2d_shape pointwise{.h = 14, .w = 14, .ic = 1024, .oc = 256};
    CHECK(of(pointwise, isa::avx512).rows <= cache_ways);
    conv2d_shape other = pointwise;
    other.ic = 1000; // 4000 bytes apart
    CHECK(of(other, isa::avx512).rows > cache_ways);

    const auto depthwise = [](std::int64_t channels) {
        return conv2d_shape{
            .h = 14, .w = 14, .ic = channels, .oc = channels, .kh = 3, .kw = 3, .pad = 1, .groups = channels};
    };
    for (const isa set : {isa::avx2, isa::avx512}) {
        CAPTURE(name_of(set));
        const direct_knobs few = of(depthwise(512), set);
        CHECK(few.order == walk::rows_outer);
        CHECK(few.vectors == (set == isa::avx512 ? 4 : 2));
        CHECK(check_registers({few.rows, few.vectors}, set).ok());
        const direct_knobs all = of(depthwise(480), set);
        CHECK(all.order == walk::rows_outer); // 9 taps stay at hand
        CHECK(all.vectors == 1);
        conv2d_shape large = depthwise(480);
        large.kh = large.kw = 5;
        CHECK(of(large, set).order == walk::weights_outer);
    }
}

TEST_CASE("kernels for images and channels of the call have tiles that images of networks fill")
{
    constexpr extent side = extent::up_to(512), channels = extent::up_to(1024);
    constexpr conv2d_shape any{.h = side, .w = side, .ic = channels, .oc = channels, .kh = 3, .kw = 3};
    const auto tile = [](conv2d_shape s, bool is_depthwise, isa set) {
        if (is_depthwise) s.groups = s.ic;
        return default_direct(checked(conv2d_definition<>(s, types_of<f32>())), set);
    };
    for (const bool has_open_window : {false, true}) {
        conv2d_shape s = any;
        s.window_at_call = has_open_window;
        if (!has_open_window) s.pad = 1;
        CHECK(tile(s, false, isa::avx512) == direct_knobs{.rows = 7, .vectors = 2});
        CHECK(tile(s, true, isa::avx512) ==
              direct_knobs{.rows = 7, .vectors = 3, .order = walk::rows_outer, .unroll_window = !has_open_window});
        CHECK(7 % tile(s, true, isa::avx2).rows == 3);
    }
}
