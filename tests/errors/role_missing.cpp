// SPDX-License-Identifier: BSL-1.0
// clang-format off
// expect: hone: an operator needs one tensor of role::input, one of role::weights and one of role::output; add the missing one
// clang-format on
// expect: role_missing
// forbid: the schedule is not legal
// forbid: codegen
// forbid: no matching function
// forbid: constant expression
// forbid: outside the bounds
// A maximum over windows, which has no weights.
#include <hone/hone.hpp>

struct pool {
    static constexpr hone::definition definition()
    {
        hone::definition d;
        d.tensors.push_back({.name = "x", .role = hone::role::input});
        for (int extent : {8, 2, 4}) d.tensors[0].dims.push_back({.extent = extent});
        hone::set_dense(d.tensors[0]);
        d.tensors.push_back({.name = "y", .role = hone::role::output});
        for (int extent : {8, 4}) d.tensors[1].dims.push_back({.extent = extent});
        hone::set_dense(d.tensors[1]);
        hone::stage s;
        s.axes.push_back({"at", 8});
        s.axes.push_back({"channel", 4});
        s.axes.push_back({"tap", 2, true});
        hone::operand x{.tensor = 0};
        for (int axis : {0, 2, 1}) x.index.push_back(hone::along(axis));
        s.operands.push_back(x);
        s.body = hone::ex::load(0);
        s.reduce = hone::reduction::max;
        s.output.tensor = 1;
        for (int axis : {0, 1}) s.output.index.push_back(hone::along(axis));
#ifndef FORBIDDEN
        d.tensors.push_back({.name = "weights", .role = hone::role::weights});
        d.tensors[2].dims.push_back({.extent = 4});
        hone::operand weights{.tensor = 2};
        weights.index.push_back(hone::along(1));
        s.operands.push_back(weights);
        s.body = hone::ex::load(0) * hone::ex::load(1);
#endif
        d.stages.push_back(s);
        return d;
    }
    static constexpr hone::signature_text signature() { return hone::signature_text{}.word("pool"); }
};
void pack(const float* weights, float* packed) { hone::kernel<pool>::pack(weights, packed); }
hone::status call(const hone::arguments& a) { return hone::kernel<pool>::run(a); }
