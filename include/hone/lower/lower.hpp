// SPDX-License-Identifier: BSL-1.0
// x = g(e, s): turns a definition and a schedule into a nest. One function for compile time, where kernels come from
// it, and for run time, where thousands of candidates a second are priced.
//
// Each level of a stage owns one variable; an axis is the sum of step * variable over its levels. What stands in the
// tree are bounds and guards: tails and borders become siblings, bounds or conditions as the level asks, and whatever
// interval arithmetic proves is left out.
//
// The operator of all examples here: y[i] = sum over t of x[i + t - 1] * w[t], for i below 10 and t below 3, with zeros
// outside x. With a plan of these levels, as tests/lower holds each example to the printer,
//
//     p.add(i, 4, binding::parallel, tail::peel).open_tile();
//     p.add(t, 1).add(i, 1, binding::unroll);
//
// two tiles of 4 outputs and one of 2 come of it. The first tap of y[0] is tested in the former, the last of y[9] in
// the latter; of the ends of i, which whole steps and their sibling meet, nothing is tested:
//
//     parallel i.0 in [0, 2)
//       tile 4 registers
//         unroll i.1 in [0, 4)
//           acc[i.1] = 0
//         serial t.0 in [0, 3)
//           unroll i.1 in [0, 4)
//             if i.0*4 + i.1 + t.0 >= 1
//               acc[i.1] += x[i.0*4 + i.1 + t.0 - 1] * w[t.0]
//         unroll i.1 in [0, 4)
//           y[i.0*4 + i.1] = acc[i.1]
//     parallel i.0 in [2, 3)
//       tile 4 registers
//         unroll i.1 in [0, 2)
//           acc[i.1] = 0
//         serial t.0 in [0, 3)
//           unroll i.1 in [0, 2)
//             if i.0*4 + i.1 + t.0 < 11
//               acc[i.1] += x[i.0*4 + i.1 + t.0 - 1] * w[t.0]
//         unroll i.1 in [0, 2)
//           y[i.0*4 + i.1] = acc[i.1]
#pragma once

#include <cstdint>

#include <hone/ir/nest.hpp>
#include <hone/lower/loops.hpp>
#include <hone/op/definition_check.hpp>
#include <hone/schedule/schedule.hpp>

#ifndef HONE_SHOW_WARNINGS // see core/config.hpp
#pragma GCC system_header
#endif

namespace hone::schedules {

class lowering : lowering_loops {
public:
    // `out` is empty.
    constexpr lowering(const schedule& s, nest& out) : lowering_loops(s, out) {}

    constexpr void run()
    {
        n_.set = s_.set;
        n_.vector_length = s_.vector_length;
        fail(d_.found);
        fail(s_.found);
        fail(outgrown_table(d_));
        if (outgrows_tables()) fail(fault::capacity, 0, 0, "schedule");
        if (d_.stages.size() != s_.plans.size()) fail(fault::attach_unknown, 0, 0, "plans");
        if (!n_.ok()) return;
        for (const parameter& p : d_.parameters) n_.parameters.push_back(p);
        for (float v : d_.table_values) n_.table_values.push_back(v);
        for (int t = 0; t < tensors(); ++t) add_buffer(t);
        for (int st = 0; st < stages() && n_.ok(); ++st) add_variables(st);
        for (int st = 0; st < stages() && n_.ok(); ++st) prepare(st);
        if (!n_.ok()) return;
        for (int st = 0; st < stages() && n_.ok(); ++st)
            if (plan(st).attach.stage < 0) emit_stage(st, -1);
        for (buffer& b : n_.buffers) {
            if (b.memory != memory::registers) continue;
            b.first_register = n_.registers;
            n_.registers += b.vectors;
        }
        if (n_.overflowed()) fail(fault::capacity, 0, 0, "nest");
    }
};

constexpr nest lower(const schedule& s)
{
    nest n;
    lowering(s, n).run();
    return n;
}

// The same into a nest that is there: a search that lowers one candidate after another saves a microsecond each.
constexpr void lower(const schedule& s, nest& out)
{
    out.clear();
    lowering(s, out).run();
}

} // namespace hone::schedules
