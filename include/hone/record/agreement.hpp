// SPDX-License-Identifier: BSL-1.0
// Whether the files of a tuning run agree: the header is what the records give, byte for byte, and the summary holds
// their figures. Nothing is measured again.
#pragma once

#include <algorithm>
#include <cstddef>
#include <optional>
#include <sstream>
#include <string>
#include <string_view>
#include <vector>

#include <fmt/core.h>
#include <nlohmann/json.hpp>

#include <hone/process/text.hpp>
#include <hone/record/header_writer.hpp>
#include <hone/record/json_text.hpp>
#include <hone/record/record_backend.hpp>
#include <hone/record/record_data.hpp>
#include <hone/record/standing.hpp>

namespace hone::tune {

// What its engine asked for.
inline accuracy accuracy_of_header(std::string_view header)
{
    for (const accuracy a : {accuracy::exact, accuracy::fast})
        if (header.find(fmt::format("hone::accuracy accuracy = hone::accuracy::{};", name_of(a))) !=
            std::string_view::npos)
            return a;
    return accuracy::standard;
}

// Where a header is not what the records give; nothing where it is.
template <class All = all_backends>
std::optional<std::string> wrong_header(const std::string& header, const std::vector<record>& records,
                                        preference prefer = {}, backend_list known = All::list)
{
    const auto name = config_set_of(header);
    if (!name) return "it was not written by hone's tuner";
    if (const std::string wrong = wrong_name(*name, "the name of its config set"); !wrong.empty()) return wrong;
    prefer.allowed = accuracy_of_header(header);
    const std::string expected = header_text(*name, records, prefer, known);
    if (header == expected) return std::nullopt;
    std::istringstream found_lines(header), expected_lines(expected);
    std::string found, other;
    for (int number = 1;; ++number) {
        const bool more = static_cast<bool>(std::getline(found_lines, found));
        const bool more_expected = static_cast<bool>(std::getline(expected_lines, other));
        if (!more && !more_expected) return "its last line break differs";
        if (!more) found = "the end";
        if (!more_expected) other = "the end";
        if (found == other) continue;
        // From a little before the first byte that differs.
        const auto at = std::mismatch(found.begin(), found.end(), other.begin(), other.end()).first - found.begin();
        const auto from = static_cast<std::size_t>(std::max<std::ptrdiff_t>(at - 24, 0));
        return fmt::format("line {} is {} where the records give {}", number, excerpt(found.substr(from)),
                           excerpt(other.substr(from)));
    }
}

// The figures of a summary that are not those of the records.
inline std::vector<std::string> wrong_figures(const nlohmann::ordered_json& summary, const std::vector<record>& records,
                                              const preference& prefer = {})
{
    std::vector<std::string> wrong;
    if (!summary.is_array()) return {fmt::format("it is {}, not a list of rows", found_text(summary))};
    // Of some workloads only, where only those were tuned.
    if (summary.empty() && !records.empty())
        return {fmt::format("it has no row, where there are {} records", records.size())};
    const auto groups = by_workload(records);
    const auto ms = [](const record* r) {
        return r == nullptr ? nlohmann::ordered_json() : nlohmann::ordered_json(r->least());
    };
    for (const auto& row : summary) {
        if (!row.is_object()) {
            wrong.push_back(fmt::format("a row is {}, not an object", found_text(row)));
            continue;
        }
        const auto is = [&](const char* field, const auto& value) {
            return row.contains(field) && row.at(field) == nlohmann::ordered_json(value);
        };
        const bool is_named = row.contains("task") && row["task"].is_string();
        const std::string task = is_named ? excerpt(row["task"].get_ref<const std::string&>()) : found_text(row);
        const auto group = std::find_if(groups.begin(), groups.end(), [&](const auto& g) {
            const record& r = *counted(g.second, prefer).front();
            return is("signature", r.signature) && is("backend", r.backend->name()) && is("device", r.device) &&
                   is("isa", r.isa) && is("threads", r.threads);
        });
        if (group == groups.end()) {
            wrong.push_back(fmt::format("{}: there are no records of it", task));
            continue;
        }
        const standing s = standing_of(group->second, prefer);
        const auto compare = [&](const char* field, const nlohmann::ordered_json& expected) {
            if (!row.contains(field)) {
                wrong.push_back(fmt::format("{}: '{}' is missing", task, field));
                return;
            }
            const auto& found = row.at(field);
            if (found != expected)
                wrong.push_back(fmt::format("{}: {} is {} where the records give {}", task, field, found_text(found),
                                            found_text(expected)));
        };
        compare("trials", s.trials);
        compare("failed", s.failed);
        compare("default_ms", ms(s.standard));
        compare("tuned_ms", ms(s.chosen));
        compare("naive_ms", ms(s.naive));
    }
    return wrong;
}

} // namespace hone::tune
