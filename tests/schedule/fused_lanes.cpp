// SPDX-License-Identifier: BSL-1.0
// Groups of few channels: which axes vectors walk as one, what is packed for them, and that their nests keep every
// rule.
#include <hone/ir/access_proof.hpp>
#include <hone/ir/check.hpp>
#include <hone/ir/hash.hpp>
#include <hone/ir/print.hpp>
#include <hone/lower/lower.hpp>
#include <hone/op/conv2d.hpp>
#include <hone/op/gemm.hpp>
#include <hone/schedule/direct.hpp>
#include <hone/schedule/fused_lanes.hpp>

#include <cstdint>
#include <set>
#include <string>

#include <doctest/doctest.h>

using namespace hone;
using namespace hone::schedules;

namespace {

constexpr conv2d_shape shape_of(std::int64_t groups, std::int64_t ic, std::int64_t oc)
{
    return {.h = 6, .w = 7, .ic = groups * ic, .oc = groups * oc, .kh = 3, .kw = 3, .pad = 1, .groups = groups};
}
definition groups_of(std::int64_t groups, std::int64_t ic, std::int64_t oc)
{
    return conv2d_definition<bias, residual, relu>(shape_of(groups, ic, oc), dtype::f32);
}

} // namespace

TEST_CASE("axes are one where the channels of a group fill half a vector at most")
{
    const auto steps = [](std::int64_t groups, std::int64_t oc, isa set) {
        const lane_fusion f = lane_fusion_of(groups_of(groups, 2, oc), set);
        return f.applies() ? f.steps : 0;
    };
    // All groups where vectors hold them evenly, else as many as divide all and fit one.
    CHECK(steps(32, 4, isa::avx512) == 32);
    CHECK(steps(37, 2, isa::avx512) == 37);
    CHECK(steps(30, 3, isa::avx512) == 5);
    CHECK(steps(32, 3, isa::avx512) == 4);
    CHECK(steps(32, 5, isa::avx512) == 2);
    CHECK(steps(32, 2, isa::avx2) == 32);
    CHECK(steps(32, 3, isa::avx2) == 2);
    CHECK(steps(32, 8, isa::avx512) == 32);
    // A number of groups that nothing divides; more than half a vector; one channel, where vectors walk the groups
    // anyway.
    CHECK(steps(31, 3, isa::avx512) == 0);
    CHECK(steps(32, 9, isa::avx512) == 0);
    CHECK(steps(32, 5, isa::avx2) == 0);
    CHECK(steps(32, 3, isa::baseline) == 0);
    CHECK(steps(32, 1, isa::avx512) == 0);
    CHECK(steps(1, 4, isa::avx512) == 0);

    conv2d_shape nchw = shape_of(32, 4, 4);
    nchw.layout = layout::nchw; // channels are far apart there
    CHECK_FALSE(lane_fusion_of(conv2d_definition<>(nchw, dtype::f32), isa::avx512).applies());
    // Of a batch of products each has columns of its own, but rows stand between them.
    CHECK_FALSE(
        lane_fusion_of(gemm<gemm_shape{.batch = 6, .m = 5, .n = 4, .k = 3}, f32>::definition(), isa::avx512).applies());
}

TEST_CASE("nests of groups of few channels keep every rule, and stay in their buffers")
{
    for (const std::int64_t groups : {2, 5, 9, 16, 30})
        for (const std::int64_t ic : {1, 3, 4, 9})
            for (const std::int64_t oc : {2, 3, 4, 7})
                for (const isa set : {isa::avx512, isa::avx2, isa::neon})
                    for (const padding pad : {padding::peel, padding::copy}) {
                        const definition d = groups_of(groups, ic, oc);
                        direct_knobs k = default_direct(d, set);
                        k.pad = pad;
                        const nest n = lower(direct_schedule(d, k, set));
                        CAPTURE(groups);
                        CAPTURE(ic);
                        CAPTURE(oc);
                        CAPTURE(name_of(set));
                        CHECK(std::string{check(n, cpu_target(set)).message()} == message_of(fault::none));
                        CHECK(std::string{prove_accesses(n).message()} == message_of(fault::none));
                    }
}

TEST_CASE(
    "each weight has a place of its own among packed ones, and a channel stands beside the last of the group before")
{
    for (const std::int64_t groups : {5, 8, 30})
        for (const std::int64_t oc : {2, 3, 4}) {
            const definition d = groups_of(groups, 2, oc);
            const tensor t = packed_weights(d, {.rows = 2, .vectors = 1}, isa::avx512)[0];
            const auto at = [](const dimension& dim, std::int64_t i) {
                return dim.block > 0 ? i / dim.block * dim.outer_stride + i % dim.block * dim.stride : i * dim.stride;
            };
            std::set<std::int64_t> places;
            for (std::int64_t g = 0; g < groups; ++g)
                for (std::int64_t o = 0; o < oc; ++o)
                    for (std::int64_t tap = 0; tap < 18; ++tap)
                        places.insert(at(t.dims[0], g) + at(t.dims[1], o) + at(t.dims[2], tap / 6) +
                                      at(t.dims[3], tap / 2 % 3) + at(t.dims[4], tap % 2));
            CHECK(places.size() == static_cast<std::size_t>(groups * oc * 18));
            CHECK(*places.rbegin() < t.elements());
            CHECK(at(t.dims[0], 1) == at(t.dims[1], oc - 1) + 1);
        }
}

TEST_CASE("lanes alone are divided")
{
    const definition d = groups_of(32, 4, 4);
    nest n = lower(direct_schedule(d, default_direct(d, isa::avx512), isa::avx512));
    CHECK(print(n).find("/4)*4") != std::string::npos);

    nest other = n;
    for (affine_term& t : other.terms)
        if (t.divisor == 4) t.divisor = 2;
    CHECK(nest_hash(other) != nest_hash(n));

    nest shader = n;
    shader.set = isa::none;
    CHECK(check(shader, cpu_target(isa::avx512)).what == fault::blocked_axis_not_affine);
    for (node& x : n.nodes)
        if (x.kind == node_kind::loop && x.bind == binding::vectorize) x.bind = binding::unroll;
    CHECK(check(n, cpu_target(isa::avx512)).what == fault::blocked_axis_not_affine);
}
