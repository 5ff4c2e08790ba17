// SPDX-License-Identifier: BSL-1.0
// The generated header: a config set with one entry for each tuned workload, made of records alone. Same records, same
// bytes on one machine, in whatever order they stand; no time, path or host. It needs hone's headers, and is valid also
// where nothing was measured.
#pragma once

#include <cstddef>
#include <filesystem>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <system_error>
#include <vector>

#include <fmt/core.h>

#include <hone/op/accuracy.hpp>
#include <hone/process/input_file.hpp>
#include <hone/process/output_file.hpp>
#include <hone/process/text.hpp>
#include <hone/record/record_backend.hpp>
#include <hone/record/record_data.hpp>
#include <hone/record/standing.hpp>

namespace hone::tune {

// The name of the config set of a header that a tuner wrote, which says so near its beginning; nothing where it is
// another header.
inline std::optional<std::string> config_set_of(std::string_view header)
{
    constexpr std::string_view before = "\n// The config set `", after = "`, written by hone's tuner";
    constexpr std::size_t furthest = 4096; // behind the words of a licence
    const auto at = header.substr(0, furthest).find(before);
    if (at == std::string_view::npos) return std::nullopt;
    const auto name = header.substr(at + before.size());
    const auto end = name.find('`');
    if (end == std::string_view::npos || !name.substr(end).starts_with(after)) return std::nullopt;
    return std::string(name.substr(0, end));
}

// Of all backends, in the text of such a header.
inline std::size_t entries_in(std::string_view header)
{
    std::size_t count = 0;
    for (auto at = header.find("{.signature = "); at != std::string_view::npos;
         at = header.find("{.signature = ", at + 1))
        ++count;
    return count;
}

// Throws where a header would take the place of a file that is none of hone's.
inline void check_header_to_replace(const std::string& path)
{
    std::error_code unknown; // what is wrong with the path, the write says
    if (std::filesystem::is_directory(path, unknown))
        throw std::runtime_error(fmt::format("cannot write {}: it is a folder; name a file for the header", path));
    if (!std::filesystem::is_regular_file(path, unknown)) return;
    const std::string text = text_of_input(path);
    if (!text.empty() && !config_set_of(text))
        throw std::runtime_error(
            fmt::format("{} is no header of hone's, and is left as it is; choose another file for the header", path));
}

// The text of the header that defines the config set `name`. A workload without a success has no entry.
// The set says what its engine asked for, or kernels would pass over entries.
// Throws where that is no name, or a record that is chosen has a knob with a value that its template cannot take.
template <class All = all_backends>
std::string header_text(const std::string& name, const std::vector<record>& records, const preference& prefer = {},
                        backend_list known = All::list)
{
    if (const std::string wrong = wrong_name(name, "the name of the config set"); !wrong.empty())
        throw std::invalid_argument(wrong);
    header_part all;
    const auto groups = by_workload(records);
    for (const record_backend* of : known) {
        std::vector<standing> chosen;
        for (const auto& [key, group] : groups)
            if (key.backend == *of)
                if (const standing s = standing_of(group, prefer); s.chosen != nullptr) chosen.push_back(s);
        const header_part part = of->header_of(name, chosen);
        all.includes += part.includes;
        all.declarations += part.declarations;
        all.members += part.members;
    }
    std::string text = fmt::format(
        "// SPDX-License-Identifier: BSL-1.0\n"
        "// clang-format off\n"
        "// The config set `{0}`, written by hone's tuner from measurements: hone::kernel<workload, {0}> takes\n"
        "// its config from here. Other instruction sets take hone's closed-form defaults.\n"
        "#pragma once\n\n#include <cstdint>\n\n#include <hone/schedule/config.hpp>\n{1}"
        "\nnamespace hone {{\nstruct entry_table;\n}}\n\n{2}struct {0} {{\n",
        name, all.includes, all.declarations);
    if (prefer.allowed != accuracy::standard)
        text += fmt::format("    static constexpr hone::accuracy accuracy = hone::accuracy::{};\n",
                            name_of(prefer.allowed));
    return text + all.members +
           "    // Compiled kernels, for hone::find; defined in the library that hone_add_tuned_library makes.\n"
           "    static const hone::entry_table& table();\n};\n";
}

} // namespace hone::tune
