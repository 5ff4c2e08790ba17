// SPDX-License-Identifier: BSL-1.0
// A schedule as a user writes one, for y[m][n] = sum over k of x[m][k] * weights[k][n] with 12 rows, and the rules
// asked for it. The sources beside this file break one thing each.
#pragma once

#include <hone/hone.hpp>

struct product : hone::gemm<hone::gemm_shape{.m = 12, .n = 32, .k = 5}, hone::f32> {};

struct choice {
    int rows = 4;
    int columns = 8; // of the tile
    int lanes = 4;
    int block = 8; // of the packed weights
};
constexpr hone::schedule schedule_of(const choice& c)
{
    using axes = product::axes;
    hone::schedule s;
    s.definition = product::definition();
    s.set = hone::isa::baseline;
    s.vector_length = static_cast<std::int16_t>(c.lanes);
    hone::core::inline_vector<std::int8_t, 6> order;
    for (int d : {0, 2, 1}) order.push_back(static_cast<std::int8_t>(d));
    s.definition.tensors[1] = hone::packed_tensor(s.definition.tensors[1], order, 2, c.block);
    hone::stage_plan p;
    p.add(axes::m, c.rows).add(axes::n, c.columns, hone::binding::serial, hone::tail::peel).open_tile();
    p.add(axes::k, 1).add(axes::m, 1, hone::binding::unroll);
    if (c.columns > c.lanes) p.add(axes::n, c.lanes, hone::binding::unroll);
    p.add(axes::n, 1, hone::binding::vectorize);
    s.plans.push_back(p);
    return s;
}

// The tag of a nest, as hone::kernel makes it.
template <choice C>
struct tag {
    static constexpr hone::isa set = hone::isa::baseline;
    static constexpr hone::ir::nest lowered = hone::schedules::lower(schedule_of(C));
    static constexpr auto nest = hone::ir::resized<lowered.sizes()>(lowered);
    static constexpr hone::status found = hone::ir::check(nest, hone::core::cpu_target(set));
};
template <choice C>
constexpr bool is_legal =
    hone::core::assert_no_fault<tag<C>::found.what, tag<C>::found.expected, tag<C>::found.found>();
