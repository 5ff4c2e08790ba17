// SPDX-License-Identifier: BSL-1.0
// Files of records as one: every record once, in the order of the inputs and each byte for byte, so that what a later
// version adds to a line is kept. What stands around a line, as carriage returns, is not.
#pragma once

#include <cstddef>
#include <filesystem>
#include <map>
#include <stdexcept>
#include <string>
#include <string_view>
#include <system_error>
#include <unordered_set>
#include <utility>
#include <vector>

#include <fmt/core.h>

#include <hone/process/output_file.hpp>
#include <hone/record/record.hpp>
#include <hone/record/record_backend.hpp>

namespace hone::tune {

struct records_merged {
    std::string text{};
    std::size_t records = 0;
    std::size_t duplicates = 0;          // dropped
    std::vector<std::string> warnings{}; // as of records_read
    std::vector<std::string> rejected{};
    std::size_t rejected_beyond = 0;
    std::map<std::string, int> of_others{};
};

// Throws where a file cannot be read.
template <class All = all_backends>
records_merged merge_records(const std::vector<std::string>& paths, backend_list known = All::list)
{
    records_merged merged;
    std::unordered_set<std::string> seen;
    records_read read;
    for (const std::string& path : paths)
        each_record(
            path, read,
            [&](const record&, const std::string& line) {
                if (!seen.insert(line).second) {
                    ++merged.duplicates;
                    return;
                }
                merged.text += line + "\n";
                ++merged.records;
            },
            known);
    merged.warnings = std::move(read.warnings);
    merged.rejected = std::move(read.rejected);
    merged.rejected_beyond = read.rejected_beyond;
    merged.of_others = std::move(read.of_others);
    return merged;
}

// Throws where they must not take the place of a file, which may be one of those that were merged: where a line of it
// that is no torn one would be lost, a record that was not merged or text that this version does not read.
template <class All = all_backends>
void check_records_to_replace(const std::string& path, const records_merged& merged, backend_list known = All::list)
{
    std::error_code unknown; // what is wrong with the path, the write says
    if (std::filesystem::is_directory(path, unknown))
        throw std::runtime_error(fmt::format("cannot write {}: it is a folder; name a file of records", path));
    if (std::filesystem::is_regular_file(path, unknown)) {
        std::unordered_set<std::string> kept;
        for (std::string_view rest = merged.text; !rest.empty(); rest.remove_prefix(rest.find('\n') + 1))
            kept.emplace(rest.substr(0, rest.find('\n')));
        records_read read;
        std::size_t lost = 0;
        each_record(
            path, read, [&](const record&, const std::string& line) { lost += !kept.contains(line); }, known);
        if (!read.rejected.empty())
            throw std::runtime_error(fmt::format("{} is left as it is: it would lose lines that are no records to "
                                                 "this version: {}; mend the line, or move the file away",
                                                 path, read.rejected.front()));
        if (lost > 0)
            throw std::runtime_error(fmt::format(
                "{} is left as it is: it would lose {} record{} that {} not read; name it among those that are, or move it "
                "away",
                path, lost, lost == 1 ? "" : "s", lost == 1 ? "was" : "were"));
    }
}
// Writes them, or throws that and leaves the file as it is.
template <class All = all_backends>
void replace_records(const std::string& path, const records_merged& merged, backend_list known = All::list)
{
    check_records_to_replace(path, merged, known);
    replace_file(path, merged.text);
}

} // namespace hone::tune
