// SPDX-License-Identifier: BSL-1.0
// Calls of kernels without weights among pages that nothing may touch, their tensors before them or behind them, with a
// poisoned y, on one thread and on two, and with y in the place of x.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <memory>
#include <string>
#include <vector>

#include <hone/process/guarded_memory.hpp>

#include "kernel_trial.hpp"

namespace hone::test {

// Empty where each result passes `wrong_of`, which says what is wrong with one.
template <class WrongOf>
std::string wrong_among_pages(const entry& kernel, const floats& x, const std::vector<floats>& operands,
                              const std::int64_t* parameters, WrongOf&& wrong_of)
{
    using tune::measuring::flush, tune::measuring::guarded_memory;
    for (const flush side : {flush::to_begin, flush::to_end}) {
        const auto copied = [&](const char* name, const floats& from) {
            auto m = std::make_unique<guarded_memory>(name, from.size() * sizeof(float), side);
            std::memcpy(m->floats(), from.data(), from.size() * sizeof(float));
            return m;
        };
        std::vector<std::unique_ptr<guarded_memory>> given;
        std::vector<const float*> lists;
        for (const floats& o : operands) {
            given.push_back(copied("an operand", o));
            given.back()->make_read_only();
            lists.push_back(given.back()->floats());
        }
        const auto source = copied("x", x);
        source->make_read_only();
        const auto run = [&](auto&& executor) -> std::string {
            for (const bool in_place : {false, true}) {
                const auto y = copied("y", in_place ? x : poisoned(static_cast<std::int64_t>(x.size())));
                guarded workspace(kernel.workspace_bytes(executor.slots()));
                const status found = kernel.run(reference_to(executor), {.x = in_place ? y->floats() : source->floats(),
                                                                         .operands = lists.data(),
                                                                         .y = y->floats(),
                                                                         .workspace = workspace.data(),
                                                                         .parameters = parameters});
                if (!found.ok()) return std::string{found.message()} + ", " + found.subject;
                if (!y->slack_holds()) return "writes beside y";
                if (!workspace.is_intact()) return "writes beside the workspace";
                const std::string wrong = wrong_of(floats(y->floats(), y->floats() + x.size()));
                if (!wrong.empty()) return (in_place ? "in place: " : "") + wrong;
            }
            return {};
        };
        std::string wrong = run(serial_executor());
        if (wrong.empty()) wrong = run(eager_pool(2));
        if (!wrong.empty()) return wrong;
    }
    return {};
}

} // namespace hone::test
