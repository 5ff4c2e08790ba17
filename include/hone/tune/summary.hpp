// SPDX-License-Identifier: BSL-1.0
// The end of a tuning run: for each workload on each target the default, the tuned and the naive kernel, as a table for
// people and as JSON for programs. Where another library was measured too, it has a column.
#pragma once

#include <algorithm>
#include <cmath>
#include <set>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include <fmt/core.h>
#include <nlohmann/json.hpp>

#include <hone/record/json_text.hpp>
#include <hone/record/record.hpp>
#include <hone/record/standing.hpp>
#include <hone/tune/task.hpp>

namespace hone::tune {

struct summary_row {
    const tune::task* task = nullptr;
    const record* any = nullptr; // of the row
    tune::standing standing{};
};

// Backends by their names, and each in the order of the tasks. Rows point into both.
inline std::vector<summary_row> summary_of(const std::vector<task>& tasks, const std::vector<record>& records,
                                           const preference& prefer = {})
{
    std::vector<summary_row> rows;
    const auto groups = by_workload(records);
    std::set<backend_ref> backends;
    for (const auto& [key, group] : groups) backends.insert(key.backend);
    for (const backend_ref& backend : backends)
        for (const task& t : tasks)
            for (const auto& [key, group] : groups)
                if (key.backend == backend && key.signature == t.signature)
                    rows.push_back({&t, counted(group, prefer).front(), standing_of(group, prefer)});
    return rows;
}

inline nlohmann::ordered_json json_of(const std::vector<summary_row>& rows)
{
    auto list = nlohmann::ordered_json::array();
    const auto ms = [](const record* r) {
        return r == nullptr ? nlohmann::ordered_json() : nlohmann::ordered_json(r->least());
    };
    for (const summary_row& row : rows) {
        const standing& s = row.standing;
        nlohmann::ordered_json config = nlohmann::ordered_json::object();
        if (s.chosen != nullptr) {
            config["template"] = s.chosen->template_name;
            config.update(json_of(s.chosen->knobs));
        }
        list.push_back({{"task", row.task->name},
                        {"backend", row.any->backend->name()},
                        {"device", row.any->device},
                        {"isa", row.any->isa},
                        {"threads", row.any->threads},
                        {"cache", row.any->cache},
                        {"signature", row.task->signature},
                        {"trials", s.trials},
                        {"failed", s.failed},
                        {"default_ms", ms(s.standard)},
                        {"tuned_ms", ms(s.chosen)},
                        {"naive_ms", ms(s.naive)},
                        {"gflops", s.chosen == nullptr ? 0.0 : row.task->flops() / s.chosen->least() * 1e-6},
                        {"max_rel_error", s.chosen == nullptr ? 0.0 : s.chosen->max_rel_error},
                        {"peer_ms", ms(s.peer)},
                        {"config", config}});
    }
    return list;
}

// Whether a text is such a list, of any records, or empty: what else stands in a file is another's.
inline bool may_be_summary(const std::string& text)
{
    if (text.empty()) return true;
    try {
        const auto list = parse_json(text);
        return list.is_array() && std::all_of(list.begin(), list.end(), [](const auto& row) {
                   return row.is_object() && row.contains("task") && row.contains("signature") &&
                          row.contains("backend") && row.contains("tuned_ms");
               });
    } catch (const std::invalid_argument&) {
        return false;
    }
}

// `peer`: the name of the other library.
inline std::string text_of(const std::vector<summary_row>& rows, const std::string& peer)
{
    if (rows.empty()) return "";
    const bool has_peer =
        std::any_of(rows.begin(), rows.end(), [](const auto& r) { return r.standing.peer != nullptr; });
    std::string text = fmt::format("{:12} {:9} {:>10} {:>10} {:>9} {:>6} {:>8} {:>7}", "workload", "target",
                                   "default ms", "tuned ms", "naive ms", "gain", "GFLOP/s", "trials");
    if (has_peer) text += fmt::format(" {:>10} {:>7}", peer + " ms", "ratio");
    text += "  config\n";
    double logarithms = 0;
    int compared = 0;
    for (const summary_row& row : rows) {
        const standing& s = row.standing;
        // What was not measured is no 0.
        const auto ms = [](const record* r, int digits) {
            return r == nullptr ? "-" : fmt::format("{:.{}f}", r->least(), digits);
        };
        const double tuned = s.chosen == nullptr ? 0 : s.chosen->least();
        const bool has_gain = tuned > 0 && s.standard != nullptr;
        text += fmt::format("{:12} {:9} {:>10} {:>10} {:>9} {:>6} {:>8} {:7}", row.task->name,
                            target_name(*row.any->backend, row.any->isa), ms(s.standard, 4), ms(s.chosen, 4),
                            ms(s.naive, 3), has_gain ? fmt::format("{:.2f}x", s.standard->least() / tuned) : "-",
                            tuned > 0 ? fmt::format("{:.1f}", row.task->flops() / tuned * 1e-6) : "-", s.trials);
        if (has_peer) {
            if (s.peer != nullptr && tuned > 0) {
                const double ratio = s.peer->least() / tuned;
                text += fmt::format(" {:10.4f} {:7.2f}", s.peer->least(), ratio);
                logarithms += std::log(ratio);
                ++compared;
            } else {
                text += fmt::format(" {:>10} {:>7}", "-", "-");
            }
        }
        text += s.chosen == nullptr ? "  -\n" : "  " + text_of(s.chosen->template_name, s.chosen->knobs) + "\n";
    }
    if (compared > 0)
        text += fmt::format("{} ms / tuned ms: geometric mean {:.2f} over {} workloads\n", peer,
                            std::exp(logarithms / compared), compared);
    return text;
}

} // namespace hone::tune
