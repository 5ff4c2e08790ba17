// SPDX-License-Identifier: BSL-1.0
// The Winograd template as one: that its nests keep every rule, on each instruction set, and what it says of itself.
#include <hone/schedule/winograd.hpp>

#include <string>

#include <doctest/doctest.h>

#include <hone/ir/check.hpp>
#include <hone/lower/lower.hpp>
#include <hone/schedule/schedule_template.hpp>

#include "layers.hpp"

using namespace hone;
using namespace hone::schedules;
using namespace hone::test;

static_assert(schedule_template<winograd>);
// No knobs give a better class than is said.
static_assert(class_of(winograd_knobs{.tile = 2}) == winograd::strictest);
static_assert(class_of(winograd_knobs{.tile = 4}) > winograd::strictest);

TEST_CASE("default Winograd nests keep every rule, on each instruction set")
{
    for_each_workload([](const char* name, std::size_t i, const definition& d) {
        if (!winograd_applies(d)) return;
        for (isa set : {isa::baseline, isa::avx2, isa::avx512, isa::neon})
            for (int tile : {2, 4}) {
                CAPTURE(name);
                CAPTURE(i);
                CAPTURE(name_of(set));
                CAPTURE(tile);
                winograd_knobs k{.tile = tile};
                if (set != isa::avx512) {
                    k.rows = 4;
                    k.vectors = 2;
                }
                const nest n = lower(winograd_schedule(d, k, set));
                CHECK(std::string{n.found.message()} == message_of(fault::none));
                CHECK(std::string{check(n, cpu_target(set)).message()} == message_of(fault::none));
                const nest p = lower(winograd_packing(d, k, set));
                CHECK(std::string{p.found.message()} == message_of(fault::none));
                CHECK(std::string{check(p, cpu_target(set)).message()} == message_of(fault::none));
            }
    });
}

TEST_CASE("a fault of the knobs leaves no layout")
{
    const definition d =
        conv2d<conv2d_shape{.h = 8, .w = 8, .ic = 4, .oc = 8, .kh = 3, .kw = 3, .pad = 1}, f32>::definition();
    CHECK(winograd::packed(d, {.tile = 4}, isa::avx2).size() == 1);
    CHECK(winograd::packed(d, {.tile = 5}, isa::avx2).empty());
    CHECK(winograd::standard(d, isa::avx2, 0) == default_winograd(d, isa::avx2));
}
