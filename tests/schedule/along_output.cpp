// SPDX-License-Identifier: BSL-1.0
// Vectors along the output: what is fused, what the knobs come to, which operators take them by default, and that the
// default is legal for every width.
#include <hone/schedule/along_output.hpp>

#include <string>

#include <doctest/doctest.h>

#include <hone/core/target.hpp>
#include <hone/ir/check.hpp>
#include <hone/ir/hash.hpp>
#include <hone/lower/lower.hpp>
#include <hone/op/conv2d.hpp>
#include <hone/op/pool.hpp>
#include <hone/schedule/config.hpp>
#include <hone/schedule/direct.hpp>
#include <hone/schedule/reduce.hpp>

using namespace hone;
using namespace hone::schedules;

namespace {

constexpr isa sets[] = {isa::baseline, isa::avx2, isa::avx512, isa::neon};

definition planes(conv2d_shape s)
{
    s.layout = layout::nchw;
    return conv2d_definition<bias, residual, relu>(s, dtype::f32);
}
definition depthwise(std::int64_t size, std::int64_t taps = 3, std::int64_t stride = 1)
{
    return planes({.h = size,
                   .w = size,
                   .ic = 32,
                   .oc = 32,
                   .kh = taps,
                   .kw = taps,
                   .stride = stride,
                   .pad = taps / 2,
                   .groups = 32});
}
std::string verdict(const nest& n, isa set) { return check(n, cpu_target(set)).message(); }

} // namespace

TEST_CASE("planes that no window reads are one row; others are not")
{
    const definition pointwise = with_fused_outputs(planes({.n = 2, .h = 7, .w = 9, .ic = 4, .oc = 8}));
    CHECK(pointwise.stages[0].axes[conv_axis::ow].extent == 63);
    CHECK(pointwise.stages[0].axes[conv_axis::oh].extent == 1);
    CHECK(pointwise.stages[0].axes[conv_axis::n].extent == 2);
    const conv2d_shape others[] = {{.h = 7, .w = 9, .ic = 4, .oc = 8, .stride = 2},
                                   {.h = 7, .w = 9, .ic = 4, .oc = 8, .kh = 3},
                                   {.h = 7, .w = 9, .ic = 4, .oc = 8, .pad = 1}};
    for (const conv2d_shape& s : others)
        CHECK(with_fused_outputs(planes(s)).stages[0].axes[conv_axis::oh].extent == s.oh());
}

TEST_CASE("channels that share nothing and short sums take vectors of the output, long sums of whole vectors do not")
{
    for (isa set : sets) {
        CAPTURE(name_of(set));
        CHECK(prefers_output(depthwise(7), set));
        CHECK(prefers_output(depthwise(112, 3, 2), set));
        CHECK(prefers_output(planes({.h = 224, .w = 224, .ic = 3, .oc = 64, .kh = 3, .kw = 3, .stride = 2}), set));
        CHECK_FALSE(prefers_output(planes({.h = 7, .w = 7, .ic = 512, .oc = 512, .kh = 3, .kw = 3, .pad = 1}), set));
        CHECK_FALSE(
            prefers_output(conv2d_definition<>({.h = 9, .w = 9, .ic = 32, .oc = 32, .groups = 32}, dtype::f32), set));
    }
}

TEST_CASE("the default is legal for rows of every length, without a step down but for rows of one")
{
    nest n;
    for (isa set : sets)
        for (std::int64_t size : {2, 3, 7, 14, 15, 28, 33, 56, 100, 112, 150, 224, 500})
            for (std::int64_t taps : {3, 5, 7})
                for (std::int64_t stride : {1, 2}) {
                    CAPTURE(name_of(set));
                    CAPTURE(size);
                    CAPTURE(taps);
                    CAPTURE(stride);
                    const definition d = depthwise(size, taps, stride);
                    if (d.stages[0].axes[conv_axis::ow].extent == 1) continue;
                    int step = 0;
                    direct_knobs k;
                    do {
                        k = default_direct(d, set, step++);
                        lower(direct_schedule(d, k, set), n);
                    } while (step < 2 && !check(n, cpu_target(set)).ok());
                    CHECK(k.vector == vector_axis::output);
                    CHECK(fitted(d, k, set) == k);
                    CHECK(verdict(n, set) == message_of(fault::none));

                    const definition pool = pool_definition<>({.h = size,
                                                               .w = size,
                                                               .c = 4,
                                                               .kh = taps,
                                                               .kw = taps,
                                                               .stride = stride,
                                                               .pad = taps / 2,
                                                               .layout = layout::nchw},
                                                              pooling::max, dtype::f32);
                    if (size <= taps / 2) continue;
                    const auto legal = [&](int s) {
                        lower(reduce_schedule(pool, default_reduce(pool, set, s), set), n);
                        return check(n, cpu_target(set)).ok();
                    };
                    CHECK((legal(0) || legal(1) || legal(2) || legal(3)));
                }
}

TEST_CASE("knobs past the operator give the nest of fitted ones; the first value is what there was before")
{
    const definition d = depthwise(9);
    const direct_knobs k{.rows = 40,
                         .vectors = 9,
                         .reduce_unroll = 4,
                         .reduce_block = 16,
                         .row_block = 8,
                         .pad = padding::copy,
                         .order = walk::rows_outer,
                         .vector = vector_axis::output};
    const direct_knobs least = fitted(d, k, isa::avx512);
    CHECK(least.rows == 9);
    CHECK(least.vectors == 1);
    CHECK(least.reduce_block == 0);
    CHECK(fitted(d, least, isa::avx512) == least);
    CHECK(nest_hash(lower(direct_schedule(d, least, isa::avx512))) ==
          nest_hash(lower(direct_schedule(d, k, isa::avx512))));

    // Where there is no such axis the knob changes nothing.
    const definition channels = conv2d_definition<>({.h = 9, .w = 9, .ic = 4, .oc = 32, .kh = 3, .kw = 3}, dtype::f32);
    CHECK(fitted(channels, {.rows = 2, .vector = vector_axis::output}, isa::avx2).vector == vector_axis::weights);
    CHECK(nest_hash(lower(direct_schedule(channels, {.rows = 2, .vector = vector_axis::output}, isa::avx2))) ==
          nest_hash(lower(direct_schedule(channels, {.rows = 2}, isa::avx2))));
    CHECK(config_from<cpu_templates>("direct rows=2 vectors=1 unroll_window=true").value ==
          cpu_config(direct_knobs{.rows = 2, .vectors = 1, .unroll_window = true}));
}

// The texts and hashes of before the knob was there.
TEST_CASE("texts of before there was this knob mean the nests that they meant")
{
    const conv2d_shape layer{.h = 56, .w = 56, .ic = 64, .oc = 64, .kh = 3, .kw = 3, .pad = 1};
    const auto hash_of = [](const conv2d_shape& s, const char* text) {
        const auto c = config_from<cpu_templates>(text);
        CHECK(c.ok());
        return nest_hash(lower(schedule_for(conv2d_definition<bias, relu>(s, dtype::f32), c.value, isa::avx512)));
    };
    CHECK(hash_of(layer, "direct rows=14 vectors=2 reduce_unroll=1 reduce_block=0 row_block=0 pad=peel "
                         "order=weights_outer unroll_window=false") == 0x4fa19153e45c17dbu);
    conv2d_shape in_planes = layer;
    in_planes.layout = layout::nchw;
    CHECK(hash_of(in_planes, "direct rows=4 vectors=2 pad=copy") == 0xb66116be410e5178u);
}
