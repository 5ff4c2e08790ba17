// SPDX-License-Identifier: BSL-1.0
// clang-format off
// expect: hone: an axis or a tensor of the workload has more than 2^40 elements, or may have 2^62 with strides of a call; choose smaller extents and strides, or split the workload
// clang-format on
// expect: extent_too_large
// forbid: the schedule is not legal
// forbid: overflow
// forbid: codegen
// forbid: basic_nest
// forbid: no matching function
// forbid: constant expression
// A product, a convolution and a user's operator whose elements 64 bits cannot count.
#include <hone/hone.hpp>

#ifdef FORBIDDEN
inline constexpr std::int64_t extent = std::int64_t{1} << 62;
#else
inline constexpr std::int64_t extent = std::int64_t{1} << 12;
#endif

struct product : hone::gemm<hone::gemm_shape{.m = extent, .n = extent, .k = 4}, hone::f32, hone::bias> {};
struct layer : hone::conv2d<hone::conv2d_shape{.h = extent, .w = 8, .ic = 4, .oc = 4}, hone::f32, hone::bias> {};

// y[at][channel] = sum over tap of x[at][tap][channel] * weights[tap][channel]
struct weighted {
    static constexpr hone::definition definition()
    {
        enum : int { at, channel, tap };
        hone::definition d;
        const auto tensor = [&](const char* name, hone::role role, std::initializer_list<std::int64_t> extents) {
            hone::tensor t{.name = name, .role = role};
            for (const std::int64_t e : extents) t.dims.push_back({.extent = e});
            hone::set_dense(t);
            d.tensors.push_back(t);
        };
        tensor("x", hone::role::input, {extent, 3, extent});
        tensor("weights", hone::role::weights, {3, extent});
        tensor("y", hone::role::output, {extent, extent});
        const auto operand = [](std::int8_t tensor, std::initializer_list<int> axes) {
            hone::operand o{.tensor = tensor};
            for (const int axis : axes) o.index.push_back(hone::along(axis));
            return o;
        };
        hone::stage s;
        s.axes.push_back({"at", extent});
        s.axes.push_back({"channel", extent});
        s.axes.push_back({"tap", 3, true});
        s.operands.push_back(operand(0, {at, tap, channel}));
        s.operands.push_back(operand(1, {tap, channel}));
        s.output = operand(2, {at, channel});
        s.reduce = hone::reduction::add;
        s.body = hone::ex::load(0) * hone::ex::load(1);
        d.stages.push_back(s);
        return d;
    }
    static constexpr hone::signature_text signature() { return hone::signature_text{}.word("weighted"); }
};

hone::status call(const hone::arguments& a)
{
    hone::kernel<product>::pack(nullptr, nullptr);
    hone::kernel<layer>::pack(nullptr, nullptr);
    hone::kernel<weighted>::pack(nullptr, nullptr);
    if (const hone::status s = hone::kernel<product>::run(a); !s.ok()) return s;
    if (const hone::status s = hone::kernel<layer>::run(a); !s.ok()) return s;
    return hone::kernel<weighted>::run(a);
}
