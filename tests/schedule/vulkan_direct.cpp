// SPDX-License-Identifier: BSL-1.0
// The direct template for Vulkan, without a device: its knobs fit the operator, and what it chooses when nothing is
// tuned keeps the limits that every Vulkan 1.1 device meets, and lavapipe's on loop iterations.
#include <hone/ir/check.hpp>
#include <hone/lower/lower.hpp>
#include <hone/schedule/vulkan_direct.hpp>

#include <string>
#include <utility>

#include <doctest/doctest.h>

#include "layers.hpp"

using namespace hone;
using namespace hone::schedules;
using namespace hone::test;

namespace {

// A bias makes four buffers with x, weights and y: all that the smallest device binds.
status verdict(const definition& d, const vulkan_knobs& k)
{
    const nest n = lower(vulkan_schedule(d, k));
    return n.found.ok() ? check(n, vulkan_target()) : n.found;
}

} // namespace

TEST_CASE("the default keeps the limits of any device, for each layer")
{
    for_each_workload([](const char* name, std::size_t i, const definition& d) {
        CAPTURE(name);
        CAPTURE(i);
        const vulkan_knobs k = default_vulkan(d);
        const status s = verdict(d, k);
        CAPTURE(s.expected);
        CAPTURE(s.found);
        CHECK(std::string{s.message()} == message_of(fault::none));

        const nest packing = lower(vulkan_packing(d, k));
        CHECK(packing.found.what == fault::none);
        CHECK(std::string{check(packing, cpu_target(isa::baseline)).message()} == message_of(fault::none));
    });
}

TEST_CASE("the naive schedule and shared memory keep them too")
{
    for_each_workload([](const char* name, std::size_t i, const definition& d) {
        CAPTURE(name);
        CAPTURE(i);
        CHECK(std::string{verdict(d, fitted(d, naive_vulkan())).message()} == message_of(fault::none));
        for (staging where : {staging::shared, staging::x, staging::weights}) {
            vulkan_knobs staged = default_vulkan(d);
            staged.stage = where;
            CHECK(std::string{verdict(d, fitted(d, staged)).message()} == message_of(fault::none));
        }
    });
}

TEST_CASE("fitted knobs are no more than the operator can use, and fitting twice changes nothing")
{
    for_each_workload([](const char* name, std::size_t i, const definition& d) {
        CAPTURE(name);
        CAPTURE(i);
        const direct_roles r = roles_of(d);
        const stage& s = d.stages[0];
        const auto extent_of_axis = [&](int a) { return a < 0 ? 1 : s.axes[a].extent; };
        for (int rows : {1, 7, 16})
            for (int vectors : {1, 4})
                for (int components : {1, 2, 4})
                    for (int lanes : {1, 16})
                        for (auto [where, at_edge] :
                             {std::pair(staging::none, edge::guard), std::pair(staging::none, edge::clip),
                              std::pair(staging::shared, edge::clip), std::pair(staging::weights, edge::clip)}) {
                            const vulkan_knobs wanted{.rows = rows,
                                                      .vectors = vectors,
                                                      .components = components,
                                                      .lane_rows = lanes,
                                                      .lane_vectors = 8,
                                                      .reduce_block = 16,
                                                      .reduce_unroll = 4,
                                                      .stage = where,
                                                      .edge = at_edge};
                            const vulkan_knobs k = fitted(d, wanted);
                            CHECK(fitted(d, k) == k);
                            CHECK(k.rows >= 1);
                            CHECK(k.rows <= extent_of_axis(r.row));
                            CHECK(k.components <= extent_of_axis(r.vector));
                            CHECK(k.vectors >= 1);
                            CHECK((k.vectors - 1) * k.components < extent_of_axis(r.vector));
                            CHECK(k.reduce_unroll >= 1);
                            CHECK(k.reduce_unroll <= extent_of_axis(r.reduce));
                            if (k.stage != staging::none) CHECK(k.reduce_block % k.reduce_unroll == 0);
                            const bool has_edge = s.operands[r.x].may_leave ||
                                                  (r.row >= 0 && s.axes[r.row].parameter >= 0) ||
                                                  extent_of_axis(r.row) % (k.rows * k.lane_rows) != 0;
                            CHECK((k.edge == edge::clip) ==
                                  (at_edge == edge::clip && has_edge && k.stage != staging::shared));
                        }
    });
}

namespace {

// Guards above the leaves that reduce, and conditions of the loads in those: what the innermost loops test.
int guards_of_reduction(const nest& n)
{
    int guards = 0;
    for (const node& x : n.nodes) {
        if (x.kind != node_kind::leaf || n.statements[x.statement].reduce == reduction::none) continue;
        for (int at = x.parent; at >= 0; at = n.nodes[at].parent)
            if (n.nodes[at].kind == node_kind::guard) ++guards;
    }
    return guards;
}

} // namespace

TEST_CASE("at clipped edges no guard stands inside the loops of the reduction, whatever the tile")
{
    for_each_workload([](const char* name, std::size_t i, const definition& d) {
        CAPTURE(name);
        CAPTURE(i);
        CHECK(guards_of_reduction(lower(vulkan_schedule(d, default_vulkan(d)))) == 0);
        // Tiles that divide nothing.
        const vulkan_knobs odd{.rows = 5, .vectors = 1, .lane_rows = 3, .lane_vectors = 3, .edge = edge::clip};
        CHECK(guards_of_reduction(lower(vulkan_schedule(d, odd))) == 0);
        CHECK(std::string{verdict(d, fitted(d, odd)).message()} == message_of(fault::none));
    });
}

TEST_CASE("windows off the rows run over live taps, so that no load tests them")
{
    const definition d = conv2d<resnet18[5], f32>::definition();
    vulkan_knobs k = default_vulkan(d);
    REQUIRE(k.edge == edge::clip);
    const nest clipped = lower(vulkan_schedule(d, k));
    int conditions = 0;
    for (const access& a : clipped.accesses) conditions += a.conditions.count;
    CHECK(conditions == 2); // the first and the last column of the image
    k.edge = edge::guard;
    CHECK(guards_of_reduction(lower(vulkan_schedule(d, k))) == 1);
}
