// SPDX-License-Identifier: BSL-1.0
// What the records say of one workload: the kernel that is chosen, the default and the naive one, and how many
// candidates were tried. What the records hold decides, never the order in which they stand; where a workload has some
// of several machines, those of this one come first.
#pragma once

#include <algorithm>
#include <compare>
#include <map>
#include <set>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

#include <fmt/core.h>

#include <hone/op/accuracy.hpp>
#include <hone/process/text.hpp>
#include <hone/record/record_backend.hpp>
#include <hone/record/record_data.hpp>
#include <hone/record/settings.hpp>
#include <hone/record/verdict.hpp>

namespace hone::tune {

// A faster kernel must win by this factor; ties keep the default.
inline constexpr double winning_margin = 1.01;

// What must be equal for two times to be compared, beside the workload.
inline auto key_of(const record& r)
{
    return std::tie(r.backend, r.device, r.isa, r.threads, r.cache, r.compiler, r.flags, r.typical);
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

// The class of error of what was measured. A loop as the formula stands is as exact as can be; knobs that no kernel can
// have are for others to name.
inline error_class class_of(const record& r)
{
    if (r.errors) return *r.errors;
    if (r.template_name == naive_template || r.template_name == peer_template) return error_class::exact_order;
    return r.backend->class_of(r.template_name, r.knobs);
}

// By the words of command lines.
inline std::map<std::string, accuracy> accuracies()
{
    std::map<std::string, accuracy> all;
    for (const accuracy a : {accuracy::exact, accuracy::standard, accuracy::fast}) all.emplace(name_of(a), a);
    return all;
}

// Whose records count where one workload has some of several processors, compilers or flags, and which may be chosen.
struct preference {
    std::string processor{};                      // this machine's, as its records name it
    std::vector<record> keys{};                   // what a tuner measures under: its own come before all others
    accuracy allowed = accuracy::standard;        // where a workload says nothing
    std::map<std::string, std::string> typical{}; // of signatures that leave something open, as records say it

    // Whether a record was measured at what is typical of its workload; of one that is not known, any was.
    bool is_typical(const record& r) const
    {
        const auto at = typical.find(r.signature);
        return at == typical.end() || at->second == r.typical;
    }
    int rank_of(const record& r) const
    {
        const auto is_own = [&](const record& k) { return key_of(k) == key_of(r); };
        if (std::any_of(keys.begin(), keys.end(), is_own)) return 2;
        return r.backend->entries() == entries_by::instruction_set && r.device == processor ? 1 : 0;
    }
};

// An order of records by what they hold: those that it does not tell apart give the same header.
inline bool precedes(const record& a, const record& b)
{
    const auto held = [](const record& r) {
        return std::tie(r.nest, r.origin, r.phase, r.run, r.trial, r.seed, r.ms, r.task, r.score, r.detail);
    };
    if (held(a) != held(b)) return held(a) < held(b);
    const std::string config_a = text_of(a.template_name, a.knobs), config_b = text_of(b.template_name, b.knobs);
    if (config_a != config_b || !a.code || !b.code || a.backend != b.backend) return config_a < config_b;
    return a.code->precedes(*b.code);
}

// Of the records of one workload those that count: of one key, of its last run. The key is the one that is preferred,
// else that of the largest run, else the last by name; one with a success comes before all without.
inline std::vector<const record*> counted(const std::vector<const record*>& records, const preference& prefer = {})
{
    const auto weight = [&](const record& r) {
        return std::tuple(r.found == verdict::ok, prefer.rank_of(r), prefer.is_typical(r), r.run, key_of(r));
    };
    const record* newest = nullptr;
    for (const record* r : records)
        if (newest == nullptr || weight(*newest) < weight(*r)) newest = r;
    std::vector<const record*> those;
    for (const record* r : records)
        if (key_of(*r) == key_of(*newest) && r->run == newest->run) those.push_back(r);
    return those;
}

// Of the records of one workload; the last comparison decides where there is one. Those of a worse class of error than
// the workload allows are passed over.
inline standing standing_of(const std::vector<const record*>& records, const preference& prefer = {})
{
    const error_class worst = records.empty()
                                  ? error_class::exact_order
                                  : worst_of(accuracy_in(records.front()->signature.c_str(), prefer.allowed));
    const std::vector<const record*> those = counted(records, prefer);
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
    const auto is_better = [](const record* a, const record* b) {
        if (b == nullptr || a->least() != b->least()) return b == nullptr || a->least() < b->least();
        return precedes(*a, *b);
    };
    // What was found wrong in a comparison is no choice, however often it was right before.
    std::set<std::pair<std::string, std::string>> wrong;
    for (const record* r : those)
        if (r->phase == "final" && (r->found == verdict::wrong_result || r->found == verdict::crash))
            wrong.emplace(r->template_name, r->nest);
    const record* best = nullptr;
    for (const record* r : those) {
        if (r->found != verdict::ok || wrong.contains({r->template_name, r->nest})) continue;
        if (comparison < 0 ? r->phase != "search" : r->phase != "final" || r->trial != comparison) continue;
        if (r->origin == "naive" || r->origin == "peer") {
            const record*& kept = r->origin == "naive" ? s.naive : s.peer;
            if (is_better(r, kept)) kept = r;
            continue;
        }
        if (class_of(*r) > worst) continue;
        if (r->origin == "default" && is_better(r, s.standard)) s.standard = r;
        if (is_better(r, best)) best = r;
    }
    s.chosen = best;
    if (s.standard != nullptr && best != nullptr && best->least() * winning_margin > s.standard->least())
        s.chosen = s.standard;
    return s;
}

// A workload as the entries of a header are told apart, and the records of each.
struct workload_key {
    backend_ref backend{};
    std::string signature{};
    std::string target{}; // the instruction set or the device, see entries_by
    int threads = 1;
    friend auto operator<=>(const workload_key&, const workload_key&) = default;
};
using records_by_workload = std::map<workload_key, std::vector<const record*>>;
inline records_by_workload by_workload(const std::vector<record>& records)
{
    records_by_workload groups;
    for (const record& r : records) {
        const bool by_set = r.backend->entries() == entries_by::instruction_set;
        groups[{r.backend, r.signature, by_set ? r.isa : r.device, r.threads}].push_back(&r);
    }
    return groups;
}

// For people: processors whose records count for no kernel of a header, as the workloads have some of another one too.
inline std::vector<std::string> processors_left_out(const std::vector<record>& records, const preference& prefer)
{
    std::map<std::tuple<std::string, std::string, std::string>, int> workloads; // by left out, kept, instruction set
    for (const auto& [key, group] : by_workload(records)) {
        if (key.backend->entries() != entries_by::instruction_set) continue;
        const std::vector<const record*> those = counted(group, prefer);
        std::set<std::string> others;
        for (const record* r : group)
            if (r->found == verdict::ok && r->device != those.front()->device) others.insert(r->device);
        for (const std::string& other : others) ++workloads[{other, those.front()->device, key.target}];
    }
    std::vector<std::string> sentences;
    for (const auto& [which, count] : workloads) {
        const auto& [left_out, kept, set] = which;
        sentences.push_back(
            fmt::format("{} workload{} of {} {} records of {} and of {}: the latter are left out{}", count,
                        count == 1 ? "" : "s", set, count == 1 ? "has" : "have", excerpt(kept), excerpt(left_out),
                        kept == prefer.processor ? "" : ", though neither is this machine's processor"));
    }
    return sentences;
}

} // namespace hone::tune
