// SPDX-License-Identifier: BSL-1.0
// What the records say of one workload: the kernel that is chosen, the default and the naive one, and how many
// candidates were tried. A file of records decides alone: same records, same choice.
#pragma once

#include <algorithm>
#include <map>
#include <string>
#include <tuple>
#include <vector>

#include <hone/tune/record.hpp>
#include <hone/tune/verdict.hpp>

namespace hone::tune {

// A faster kernel must win by this factor; ties keep the default.
inline constexpr double winning_margin = 1.01;

// What must be equal for two times to be compared, beside the workload.
inline auto key_of(const record& r)
{
    return std::tie(r.backend, r.device, r.isa, r.threads, r.cache, r.compiler, r.flags);
}

struct standing {
    const record* chosen = nullptr;   // the winner, or the default
    const record* standard = nullptr; // the default
    const record* naive = nullptr;
    const record* peer = nullptr; // of another library, which cannot be chosen
    int trials = 0;               // of the last run
    int failed = 0;
    bool compared = false; // the finalists were measured in turns, and no candidate since
};

// Of the records of one workload, in the order of the file, those that count: with the key of the newest success, of
// its run.
inline std::vector<const record*> counted(const std::vector<const record*>& records)
{
    const record* newest = nullptr;
    for (const record* r : records)
        if (r->found == verdict::ok && (newest == nullptr || r->run >= newest->run)) newest = r;
    if (newest == nullptr && !records.empty()) newest = records.back();
    std::vector<const record*> those;
    for (const record* r : records)
        if (key_of(*r) == key_of(*newest) && r->run == newest->run) those.push_back(r);
    return those;
}

// Of the records of one workload, in the order of the file; the last comparison decides where there is one.
inline standing standing_of(const std::vector<const record*>& records)
{
    const std::vector<const record*> those = counted(records);
    standing s;
    int comparison = -1; // by the trials before it
    for (const record* r : those) {
        if (r->phase == "search") {
            ++s.trials;
            if (r->found != verdict::ok) ++s.failed;
        } else if (r->found == verdict::ok) {
            comparison = std::max(comparison, r->trial);
        }
    }
    s.compared = comparison >= s.trials;
    const auto faster = [](const record* a, const record* b) { return b == nullptr || a->least() < b->least(); };
    const record* best = nullptr;
    for (const record* r : those) {
        if (r->found != verdict::ok) continue;
        if (comparison < 0 ? r->phase != "search" : r->phase != "final" || r->trial != comparison) continue;
        if (r->origin == "naive" || r->origin == "peer") {
            const record*& kept = r->origin == "naive" ? s.naive : s.peer;
            if (faster(r, kept)) kept = r;
            continue;
        }
        if (r->origin == "default" && faster(r, s.standard)) s.standard = r;
        if (faster(r, best)) best = r;
    }
    s.chosen = best;
    if (s.standard != nullptr && best != nullptr && best->least() * winning_margin > s.standard->least())
        s.chosen = s.standard;
    return s;
}

// The records of each workload, as entries of a header are told apart: by signature, instruction set and threads on the
// CPU, by signature and device on Vulkan.
inline std::map<std::tuple<std::string, std::string, std::string, int>, std::vector<const record*>>
by_workload(const std::vector<record>& records)
{
    std::map<std::tuple<std::string, std::string, std::string, int>, std::vector<const record*>> groups;
    for (const record& r : records)
        groups[{r.backend, r.signature, r.backend == "cpu" ? r.isa : r.device, r.threads}].push_back(&r);
    return groups;
}

} // namespace hone::tune
