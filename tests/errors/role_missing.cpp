// SPDX-License-Identifier: BSL-1.0
// clang-format off
// expect: hone: an operator needs a tensor of role::input and one of role::output; add the missing one
// clang-format on
// expect: role_missing
// forbid: the schedule is not legal
// forbid: codegen
// forbid: no matching function
// forbid: constant expression
// forbid: outside the bounds
// A maximum over windows of what has no role that a call gives as x. That there are no weights is fine.
#include <hone/hone.hpp>

struct pool {
    static constexpr hone::definition definition()
    {
        hone::definition d;
#ifdef FORBIDDEN
        d.tensors.push_back({.name = "x", .role = hone::role::operand});
#else
        d.tensors.push_back({.name = "x", .role = hone::role::input});
#endif
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
        d.stages.push_back(s);
        return d;
    }
    static constexpr hone::signature_text signature() { return hone::signature_text{}.word("pool"); }
};
void pack(const float* weights, float* packed) { hone::kernel<pool>::pack(weights, packed); }
hone::status call(const hone::arguments& a) { return hone::kernel<pool>::run(a); }
