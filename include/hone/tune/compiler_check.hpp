// SPDX-License-Identifier: BSL-1.0
// What is wrong with the compiler, or the machine is no candidate's fault: before any is tried, a default kernel is
// built alone, and its code compared with what is shipped.
#pragma once

#include <algorithm>
#include <chrono>
#include <stdexcept>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include <fmt/core.h>

#include <hone/process/process_control.hpp>
#include <hone/record/verdict.hpp>
#include <hone/tune/candidate_builder.hpp>
#include <hone/tune/task.hpp>

namespace hone::tune {

// The one that is tried first: a workload of which nothing is known, if there is one.
inline const tuning& first_of(const std::vector<tuning*>& open)
{
    return **std::min_element(open.begin(), open.end(), [](const tuning* a, const tuning* b) {
        const auto rank = [](const tuning* t) { return std::pair(t->trials(), -t->task().flops()); };
        return rank(a) < rank(b);
    });
}

// Builds a default kernel alone, and throws a sentence where the machine cannot.
inline void check_compiler(candidate_builder& build, const std::vector<tuning*>& open,
                           process_control::clock::time_point end)
{
    const auto works = [](const tuning* t) { return t->standing().chosen != nullptr; };
    if (open.empty()) return;
    // It is measured then, so that each run leaves something.
    if (first_of(open).trials() > 0 && std::any_of(open.begin(), open.end(), works)) return;
    process_control control;
    control.end_at(end);
    const auto source = first_of(open).standard_source();
    if (!source || control.cancelled()) return;
    std::string why;
    for (int attempt = 0; attempt < 3; ++attempt) { // it may be a moment's want
        const built_variant built = build.build({*source}, control).front();
        if (built.found == verdict::ok || built.found == verdict::interrupted) return;
        why = built.detail;
        if (built.found != verdict::untried) {
            why = build.trouble(control);
            break;
        }
        std::this_thread::sleep_for(std::chrono::milliseconds{200});
    }
    if (!why.empty())
        throw std::runtime_error(fmt::format("kernels cannot be built on this machine, so nothing is recorded of "
                                             "them: {}; make room for '{}', or mend it, and start again",
                                             why, build.name()));
}

// Throws where a default kernel is other code than the user's build would ship.
inline void check_code(candidate_builder& build, const std::vector<tuning*>& open,
                       process_control::clock::time_point end)
{
    if (open.empty()) return;
    process_control control;
    control.end_at(end);
    if (const auto source = first_of(open).standard_source()) build.check_code(*source, control);
}

} // namespace hone::tune
