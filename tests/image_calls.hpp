// SPDX-License-Identifier: BSL-1.0
// Calls of convolutions that leave extents of their images open: each size beside the least and the largest, in tensors
// of exactly that size, and among pages that nothing may touch.
#pragma once

#include <algorithm>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include <doctest/doctest.h>

#include <hone/process/guarded_memory.hpp>

#include "kernel_trial.hpp"

namespace hone::test {

inline std::int64_t least_of(const conv_axis_shape& a)
{
    const std::int64_t least = a.dilation * (a.kernel - 1) + 1 - a.before - a.after;
    return least < 1 ? 1 : least;
}
// The least, some beside it, the largest; one where the shape has it.
inline std::vector<std::int64_t> extents_of(const extent& e, std::int64_t least, const std::vector<std::int64_t>& some)
{
    if (!e.at_call) return {e.value};
    std::vector<std::int64_t> all{least};
    for (const std::int64_t s : some)
        if (s > least && s < e.value) all.push_back(s);
    if (e.value > least) all.push_back(e.value);
    return all;
}

struct call_of_images {
    conv2d_shape shape; // of the call
    std::vector<std::int64_t> parameters;
};
// Extents that are tried of those that a shape leaves open; channels that groups do not divide are left out.
struct tried_extents {
    std::vector<std::int64_t> h{}, w{}, ic{}, oc{}, groups{};
};
inline std::vector<call_of_images> calls_of(const conv2d_shape& s, const tried_extents& some)
{
    std::vector<call_of_images> all;
    const auto add = [&](const std::vector<std::int64_t>& given) {
        call_of_images c{s, {}};
        extent* const extents[] = {&c.shape.n, &c.shape.h, &c.shape.w, &c.shape.ic, &c.shape.oc, &c.shape.groups};
        for (std::size_t i = 0; i < given.size(); ++i) {
            const bool is_given = extents[i]->at_call != 0 && !(s.is_each() && i > 3);
            *extents[i] = given[i];
            if (is_given) c.parameters.push_back(given[i]);
        }
        if (c.shape.ic % c.shape.groups == 0 && c.shape.oc % c.shape.groups == 0) all.push_back(c);
    };
    for (const std::int64_t n : extents_of(s.n, 1, {}))
        for (const std::int64_t h : extents_of(s.h, least_of(rows_of(s)), some.h))
            for (const std::int64_t w : extents_of(s.w, least_of(columns_of(s)), some.w))
                for (const std::int64_t ic : extents_of(s.ic, 1, some.ic))
                    for (const std::int64_t oc : s.is_each() ? std::vector{ic} : extents_of(s.oc, 1, some.oc))
                        for (const std::int64_t groups :
                             s.is_each() ? std::vector{ic} : extents_of(s.groups, 1, some.groups))
                            add({n, h, w, ic, oc, groups});
    return all;
}

// The call among pages that end it, its tensors before them or behind them.
inline std::string wrong_among_pages(const entry& kernel, const std::vector<std::int64_t>& given, const call_data& d,
                                     const doubles& expected, double tolerance = 0)
{
    using tune::measuring::flush, tune::measuring::guarded_memory;
    for (const flush side : {flush::to_begin, flush::to_end}) {
        const auto copied = [&](const char* name, const floats& from) {
            auto m = std::make_unique<guarded_memory>(name, from.size() * sizeof(float), side);
            std::copy(from.begin(), from.end(), m->floats());
            return m;
        };
        const auto x = copied("x", d.x), residual = copied("residual", d.residual), bias = copied("bias", d.bias),
                   weights = copied("weights", d.weights), y = copied("y", d.y);
        const std::int64_t* const parameters = given.data();
        guarded_memory packed("packed", kernel.packed_bytes_of(parameters), side);
        floats workspace(kernel.workspace_bytes(1) / sizeof(float) + 1);
        kernel.pack_for(weights->floats(), packed.floats(), parameters);
        for (const auto& m : {&x, &residual, &bias}) (*m)->make_read_only();
        packed.make_read_only();
        serial_executor serial;
        const status found = kernel.run(reference_to(serial), {.x = x->floats(),
                                                               .weights = packed.floats(),
                                                               .bias = bias->floats(),
                                                               .residual = residual->floats(),
                                                               .y = y->floats(),
                                                               .workspace = workspace.data(),
                                                               .parameters = parameters});
        if (!found.ok()) return std::string{found.message()} + ", " + found.subject;
        if (!y->slack_holds()) return "run() writes beside y";
        const floats result(y->floats(), y->floats() + d.y.size());
        if (std::string wrong = difference(result, expected, tolerance); !wrong.empty()) return wrong;
    }
    return "";
}

// How many calls of these kernels there were, each of which is checked.
inline int check_calls(const std::vector<trial<conv2d_shape>>& trials, const tried_extents& some)
{
    std::uint64_t seed = 0;
    int calls = 0;
    for (const trial<conv2d_shape>& t : trials)
        for (const call_of_images& c : calls_of(t.shape, some)) {
            const call_data d = data_of(c.shape, ++seed);
            const doubles expected = reference(c.shape, d, t.epilogue);
            std::string wrong = wrong_kernel(t.kernel, d, expected, c.parameters.data());
            if (wrong.empty()) wrong = wrong_among_pages(t.kernel, c.parameters, d, expected);
            CHECK_MESSAGE(wrong.empty(), wrong, "\n  n = ", c.shape.n.value, ", h = ", c.shape.h.value,
                          ", w = ", c.shape.w.value, ", ic = ", c.shape.ic.value, ", oc = ", c.shape.oc.value, ": ",
                          t.kernel.signature);
            ++calls;
        }
    return calls;
}

} // namespace hone::test
