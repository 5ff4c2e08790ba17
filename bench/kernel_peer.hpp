// SPDX-License-Identifier: BSL-1.0
// A hone kernel as contender. Its type is left behind, so that each kernel adds little code of its own.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <memory>
#include <string>

#include <hone/cpu/kernel.hpp>

#include "rounds.hpp"

namespace bench {

struct kernel_functions {
    const char* name;
    std::size_t (*packed_bytes)(const std::int64_t* parameters) noexcept;
    std::size_t workspace_bytes;
    hone::status (*pack)(hone::given_weights weights, void* packed, const std::int64_t* parameters) noexcept;
    hone::status (*run)(const hone::arguments&);
};
template <class Kernel>
kernel_functions functions_of(const char* name)
{
    return {name, &Kernel::packed_bytes_of, Kernel::workspace_bytes(1), &Kernel::pack,
            [](const hone::arguments& a) { return Kernel::run(a); }};
}

// `call` names x, bias and the parameters; weights are packed here, and y is the contender's own.
inline void add_kernel(std::vector<contender>& to, const kernel_functions& kernel, const floats& weights,
                       hone::arguments call, std::int64_t outputs, const reference& expected)
{
    struct state {
        floats packed, workspace, y;
        hone::arguments call;
    };
    const std::size_t packed_bytes = kernel.packed_bytes(call.parameters);
    const auto st = std::make_shared<state>(state{floats((packed_bytes + sizeof(float) - 1) / sizeof(float)),
                                                  floats(kernel.workspace_bytes / sizeof(float)),
                                                  floats(static_cast<std::size_t>(outputs)), call});
    kernel.pack(weights.data(), st->packed.data(), call.parameters);
    st->call.weights = st->packed.data();
    st->call.y = st->y.data();
    st->call.workspace = st->workspace.data();
    st->y.poison();
    st->workspace.poison();
    contender c{.name = kernel.name,
                .call = [st, run = kernel.run] { benchmark::DoNotOptimize(run(st->call)); },
                .weights = st->packed.data(),
                .weight_count = st->packed.size(),
                .take_weights = [st](const float* copy) { st->call.weights = copy; }};
    c.call();
    c.error = expected.error(st->y);
    to.push_back(std::move(c));
}

} // namespace bench
