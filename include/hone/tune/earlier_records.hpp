// SPDX-License-Identifier: BSL-1.0
// What files of records hold for the workloads of a tuner: records that count, and what is said of the others, which
// stay in their files. Records of other workloads are not judged.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <unordered_set>
#include <utility>
#include <vector>

#include <fmt/core.h>

#include <hone/ir/hash.hpp>
#include <hone/record/record.hpp>
#include <hone/record/settings.hpp>
#include <hone/search/any_space.hpp>
#include <hone/tune/backend.hpp>
#include <hone/tune/task.hpp>

namespace hone::tune {

struct earlier_records {
    std::vector<record> records{};
    int stale = 0;                       // whose config gives another nest today
    std::vector<std::string> left_out{}; // a sentence for each template or knob that a workload's list has not
    std::vector<std::string> warnings{}; // of the files
};

namespace earlier {

// Whether its config still gives the nest that was measured, as accurate, and its code is one of that nest.
inline bool holds(const any_space& space, const record& r)
{
    const named_config c = space.config_of(r.template_name, r.knobs);
    const nest n = space.lowered(c);
    if (!n.ok() || fmt::format("{:016x}", nest_hash(n)) != r.nest || (r.errors && *r.errors != c.errors)) return false;
    return !r.code || r.code->is_of(n, space.packed(c));
}

} // namespace earlier

// A line counts once, wherever it stands: records are copied from file to file.
inline earlier_records read_earlier(const std::vector<std::string>& paths, const std::vector<task>& tasks,
                                    tuning_backends known)
{
    earlier_records all;
    records_read read;
    std::unordered_set<std::string> seen;
    const auto backends = records_of(known);
    for (const std::string& path : paths)
        each_record(
            path, read,
            [&](record r, const std::string& line) {
                if (seen.insert(line).second) read.records.push_back(std::move(r));
            },
            backends);
    all.warnings = std::move(read.warnings);
    for (const std::string& w : read.rejected) all.warnings.push_back("left out: " + w);
    std::map<std::pair<std::string, std::string>, int> lacking; // by workload, and what is wrong with their configs
    for (record& r : read.records) {
        const task* of = nullptr;
        for (const task& t : tasks)
            if (of == nullptr && t.signature == r.signature) of = &t;
        if (of == nullptr || r.template_name == naive_template || r.template_name == peer_template) {
            all.records.push_back(std::move(r));
            continue;
        }
        const auto space = backend_of(r.backend, known)->space_of(*of, r.isa, error_class::winograd_6);
        if (const auto wrong = space->wrong_config(r.template_name, r.knobs))
            ++lacking[{of->name, *wrong}];
        else if (earlier::holds(*space, r))
            all.records.push_back(std::move(r));
        else
            ++all.stale;
    }
    for (const auto& [which, count] : lacking)
        all.left_out.push_back(fmt::format("{} of {} {}, and {} kept: {}; give its list that template, or tune it anew",
                                           count == 1 ? "1 record" : fmt::format("{} records", count), which.first,
                                           count == 1 ? "does not count" : "do not count", count == 1 ? "is" : "are",
                                           which.second));
    return all;
}

} // namespace hone::tune
