// SPDX-License-Identifier: BSL-1.0
// What records say, one row for each workload on each device: trials, failures by kind, the default and the best. For
// people as text, for programs as JSON; both in the order in which the records meet the workloads.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <tuple>
#include <utility>
#include <vector>

#include <fmt/core.h>
#include <fmt/format.h>
#include <fmt/ranges.h>
#include <nlohmann/json.hpp>

#include <hone/record/record.hpp>
#include <hone/record/standing.hpp>
#include <hone/record/verdict.hpp>

namespace hone::tune {

struct table_row {
    const record* key = nullptr; // any record of the row
    tune::standing standing{};
    std::map<verdict, int> failures{}; // how many of the trials, by kind

    // How many times as fast as the default the chosen config is; 0 where that is unknown.
    double gain() const
    {
        const bool both = standing.chosen != nullptr && standing.standard != nullptr && standing.chosen->least() > 0;
        return both ? standing.standard->least() / standing.chosen->least() : 0;
    }
};

// The rows point into `records`.
inline std::vector<table_row> table_of(const std::vector<record>& records, accuracy allowed = accuracy::standard)
{
    const auto row_of = [](const record& r) {
        return std::tie(r.task, r.signature, r.typical, r.backend, r.device, r.isa, r.threads, r.cache);
    };
    using key = decltype(row_of(records[0]));
    std::map<key, std::size_t> places;
    std::vector<std::vector<const record*>> groups;
    for (const record& r : records) {
        const std::size_t at = places.try_emplace(row_of(r), groups.size()).first->second;
        if (at == groups.size()) groups.emplace_back();
        groups[at].push_back(&r);
    }
    std::vector<table_row> rows;
    for (const auto& group : groups) {
        table_row& row =
            rows.emplace_back(table_row{.key = group.front(), .standing = standing_of(group, {.allowed = allowed})});
        for (const record* r : counted(group))
            if (r->phase == "search" && r->found != verdict::ok) ++row.failures[r->found];
    }
    return rows;
}

inline nlohmann::ordered_json json_of(const std::vector<table_row>& rows)
{
    auto list = nlohmann::ordered_json::array();
    const auto ms = [](const record* r) {
        return r == nullptr ? nlohmann::ordered_json() : nlohmann::ordered_json(r->least());
    };
    for (const table_row& row : rows) {
        const standing& s = row.standing;
        nlohmann::ordered_json failures = nlohmann::ordered_json::object(), config;
        for (const auto& [kind, count] : row.failures) failures[name_of(kind)] = count;
        if (s.chosen != nullptr) {
            config["template"] = s.chosen->template_name;
            config.update(json_of(s.chosen->knobs));
        }
        list.push_back({{"task", row.key->task},
                        {"signature", row.key->signature},
                        {"typical", row.key->typical},
                        {"backend", row.key->backend->name()},
                        {"device", row.key->device},
                        {"isa", row.key->isa},
                        {"threads", row.key->threads},
                        {"cache", row.key->cache},
                        {"trials", s.trials},
                        {"failed", s.failed},
                        {"failures", failures},
                        {"default_ms", ms(s.standard)},
                        {"best_ms", ms(s.chosen)},
                        {"gain", row.gain() > 0 ? nlohmann::ordered_json(row.gain()) : nlohmann::ordered_json()},
                        {"naive_ms", ms(s.naive)},
                        {"config", config}});
    }
    return list;
}

enum class text_style : std::uint8_t {
    plain,
    coloured, // for terminals: escape codes mark headings, gains and failures
};

// A heading for each device, with threads and cache; below it a line for each workload.
inline std::string text_of(const std::vector<table_row>& rows, text_style style)
{
    enum column : std::size_t { task, trials, failed, standard, best, gain, naive, config, columns };
    using cells = std::vector<std::string>;
    constexpr const char* bold = "1";
    constexpr const char* green = "32";
    constexpr const char* yellow = "33";
    const auto marked = [&](const std::string& text, const char* code) {
        return style == text_style::plain ? text : fmt::format("\x1b[{}m{}\x1b[0m", code, text);
    };
    const auto ms = [](const record* r) { return r == nullptr ? "-" : fmt::format("{:.4f}", r->least()); };
    const auto heading_of = [](const record& r) {
        return fmt::format("{}: {}{}, {} thread{}, {} cache", r.backend->name(), r.device,
                           r.backend->entries() == entries_by::instruction_set ? ", " + r.isa : "", r.threads,
                           r.threads == 1 ? "" : "s", r.cache);
    };

    const cells titles{"task", "trials", "failed", "default ms", "best ms", "gain", "naive ms", "config"};
    std::vector<std::pair<std::string, std::vector<cells>>> sections;
    std::vector<std::size_t> widths;
    for (const std::string& t : titles) widths.push_back(t.size());
    for (const table_row& row : rows) {
        const standing& s = row.standing;
        std::vector<std::string> kinds;
        for (const auto& [kind, count] : row.failures) kinds.push_back(fmt::format("{} {}", count, name_of(kind)));
        cells line(columns);
        line[task] = row.key->task + (row.key->typical.empty() ? "" : " at " + row.key->typical);
        line[trials] = std::to_string(s.trials);
        line[failed] = kinds.empty() ? "0" : fmt::format("{}", fmt::join(kinds, ", "));
        line[standard] = ms(s.standard);
        line[best] = ms(s.chosen);
        line[gain] = row.gain() > 0 ? fmt::format("{:.2f}x", row.gain()) : "-";
        line[naive] = ms(s.naive);
        line[config] = s.chosen == nullptr ? "-" : text_of(s.chosen->template_name, s.chosen->knobs);
        for (std::size_t c = 0; c < columns; ++c) widths[c] = std::max(widths[c], line[c].size());
        const std::string heading = heading_of(*row.key);
        auto at = std::find_if(sections.begin(), sections.end(),
                               [&](const auto& section) { return section.first == heading; });
        if (at == sections.end()) at = sections.insert(at, {heading, {}});
        at->second.push_back(std::move(line));
    }

    std::string text;
    const auto add_line = [&](const cells& line, auto&& mark) {
        for (std::size_t c = 0; c < columns; ++c) {
            const bool left = c == task || c == failed || c == config;
            const std::string cell = c == config ? line[c]
                                     : left      ? fmt::format("{:<{}}", line[c], widths[c])
                                                 : fmt::format("{:>{}}", line[c], widths[c]);
            text += "  " + mark(c, cell);
        }
        text += "\n";
    };
    for (const auto& [heading, lines] : sections) {
        text += fmt::format("{}{}\n", text.empty() ? "" : "\n", marked(heading, bold));
        add_line(titles, [](std::size_t, const std::string& cell) { return cell; });
        for (const cells& line : lines)
            add_line(line, [&](std::size_t c, const std::string& cell) {
                if (c == failed && line[c] != "0") return marked(cell, yellow);
                const bool gained = c == gain && line[standard] != line[best] && line[c] != "-";
                return gained ? marked(cell, green) : cell;
            });
    }
    return text;
}

} // namespace hone::tune
