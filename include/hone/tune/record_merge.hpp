// SPDX-License-Identifier: BSL-1.0
// Files of records as one: every record once, in the order of the inputs and each byte for byte, so that what a later
// version adds to a line is kept. What stands around a line, as carriage returns, is not.
#pragma once

#include <cstddef>
#include <string>
#include <unordered_set>
#include <utility>
#include <vector>

#include <hone/tune/record.hpp>

namespace hone::tune {

struct records_merged {
    std::string text{};
    std::size_t records = 0;
    std::size_t duplicates = 0;          // dropped
    std::vector<std::string> warnings{}; // as of records_read
    std::vector<std::string> rejected{};
};

// Throws where a file cannot be read.
inline records_merged merge_records(const std::vector<std::string>& paths)
{
    records_merged merged;
    std::unordered_set<std::string> seen;
    records_read read;
    for (const std::string& path : paths)
        each_record(path, read, [&](const record&, const std::string& line) {
            if (!seen.insert(line).second) {
                ++merged.duplicates;
                return;
            }
            merged.text += line + "\n";
            ++merged.records;
        });
    merged.warnings = std::move(read.warnings);
    merged.rejected = std::move(read.rejected);
    return merged;
}

} // namespace hone::tune
