// SPDX-License-Identifier: BSL-1.0
// The generated header: a config set with one entry for each tuned workload, made of records alone. Same records, same
// bytes on one machine, in whatever order they stand; no time, path or host. It needs hone's headers, and is valid also
// where nothing was measured.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <system_error>
#include <vector>

#include <fmt/core.h>

#include <hone/op/operator.hpp>
#include <hone/process/input_file.hpp>
#include <hone/process/output_file.hpp>
#include <hone/process/text.hpp>
#include <hone/record/record.hpp>
#include <hone/record/settings.hpp>
#include <hone/record/standing.hpp>

namespace hone::tune {

namespace header {

// A literal of these bytes; printable ASCII only, and no trigraph.
inline std::string quoted(const std::string& text)
{
    std::string r = "\"";
    for (const char c : text) {
        if (c < ' ' || c > '~') {
            r += fmt::format("\\{:03o}", static_cast<unsigned>(static_cast<unsigned char>(c)));
            continue;
        }
        if (c == '"' || c == '\\' || (c == '?' && r.back() == '?')) r += '\\';
        r += c;
    }
    return r + "\"";
}

// Of a kernel of the CPU, with all knobs that its template has today; of a template that is none of hone's, as it
// stands. Throws where it has a knob with a value that its template cannot take.
inline std::string config_text(const record& r)
{
    return r.errors ? text_of(r.template_name, r.knobs) : text_of(cpu_config_of(r.template_name, r.knobs));
}

inline std::string figures(double ms, double default_ms)
{
    return default_ms > 0 ? fmt::format("{:.4f} ms; default {:.4f} ms", ms, default_ms) : fmt::format("{:.4f} ms", ms);
}

inline std::string initializer_of(const hone::launch& l)
{
    std::string r;
    for (const fields::launch_field& f : fields::launch_fields)
        r += fmt::format("{}.{} = {}", r.empty() ? "" : ", ", f.name, f.get(l));
    return "{" + r + "}";
}

// An expression, since layouts and their dimensions are pushed.
inline std::string initializer_of(const packed_tensors& all)
{
    std::string r = "[] {\n             hone::packed_tensors all;\n";
    for (std::size_t i = 0; i < all.size(); ++i) {
        r += "             all.push_back({});\n";
        if (all[i].type != dtype::f32)
            r += fmt::format("             all[{}].type = hone::dtype::{};\n", i, name_of(all[i].type));
        for (const dimension& d : all[i].dims)
            r += fmt::format("             all[{}].dims.push_back({{.extent = {}, .stride = {}, .block = {}, "
                             ".outer_stride = {}}});\n",
                             i, d.extent, d.stride, d.block, d.outer_stride);
    }
    return r + "             return all;\n         }()";
}

inline std::string words_of(const std::string& name, const std::vector<std::uint32_t>& words)
{
    std::string r = fmt::format("inline constexpr std::uint32_t {}[] = {{", name);
    for (std::size_t i = 0; i < words.size(); ++i)
        r += fmt::format("{}0x{:08x},", i % 8 == 0 ? "\n    " : " ", words[i]);
    return r + "\n};\n";
}

} // namespace header

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

// Of the kernels of a CPU and of Vulkan, in the text of such a header.
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
inline std::string header_text(const std::string& name, const std::vector<record>& records,
                               const preference& prefer = {})
{
    if (const std::string wrong = wrong_name(name, "the name of the config set"); !wrong.empty())
        throw std::invalid_argument(wrong);
    std::string cpu, words, vulkan;
    std::string defaults; // of Vulkan, the signatures that have their default
    int shaders = 0;
    const auto add_shader = [&](const record& r, double default_ms, bool any_device) {
        const std::string symbol = fmt::format("{}_spirv_{}", name, shaders++);
        if (const auto wrong = wrong_config(r.backend, r.template_name, r.knobs); wrong && !r.errors)
            throw std::invalid_argument(fmt::format("hone::tune: {}: {}", excerpt(r.task), *wrong));
        words += fmt::format("// {}: {}\n{}\n", commented(r.task), text_of(r.template_name, r.knobs),
                             header::words_of(symbol, r.shader->words));
        vulkan += fmt::format(
            "        // {}, {}: {}\n        {{.signature = {},\n         .vendor = 0x{:x},\n         .device = 0x{:x},\n"
            "         .words = {},\n         .word_count = {},\n         .launch = {},\n         .packed = {},\n"
            "         .layout_id = 0x{:x}}},\n",
            commented(r.task), commented(r.device), header::figures(r.least(), default_ms), header::quoted(r.signature),
            any_device ? 0 : r.shader->vendor, any_device ? 0 : r.shader->device, symbol, r.shader->words.size(),
            header::initializer_of(r.shader->launch), header::initializer_of(r.shader->packed),
            layout_id(r.shader->packed));
    };
    for (const auto& [key, group] : by_workload(records)) {
        const standing s = standing_of(group, prefer);
        if (s.chosen == nullptr) continue;
        const record& r = *s.chosen;
        const double default_ms = s.standard == nullptr ? 0 : s.standard->least();
        if (r.backend == "cpu") {
            cpu += fmt::format("        // {}, {}: {}\n        {{.signature = {},\n         .set = hone::isa::{},\n"
                               "{}         .config = {}}},\n",
                               commented(r.task), commented(r.device), header::figures(r.least(), default_ms),
                               header::quoted(r.signature), r.isa,
                               r.threads == 1 ? "" : fmt::format("         .threads = {},\n", r.threads),
                               header::quoted(header::config_text(r)));
            continue;
        }
        // The default serves any device, so one of them is enough.
        const std::string mark = "|" + r.signature + "|";
        if (s.standard != nullptr && s.standard->shader && defaults.find(mark) == std::string::npos) {
            defaults += mark;
            add_shader(*s.standard, 0, true);
        }
        if (s.chosen != s.standard && r.shader) add_shader(r, default_ms, false);
    }
    std::string text = fmt::format(
        "// SPDX-License-Identifier: BSL-1.0\n"
        "// clang-format off\n"
        "// The config set `{0}`, written by hone's tuner from measurements: hone::kernel<workload, {0}> takes\n"
        "// its config from here. Other instruction sets take hone's closed-form defaults.\n"
        "#pragma once\n\n#include <cstdint>\n\n#include <hone/schedule/config.hpp>\n",
        name);
    if (!vulkan.empty()) text += "#include <hone/vulkan/entry.hpp>\n";
    text += "\nnamespace hone {\nstruct entry_table;\n}\n\n" + words + fmt::format("struct {} {{\n", name);
    if (prefer.allowed != accuracy::standard)
        text += fmt::format("    static constexpr hone::accuracy accuracy = hone::accuracy::{};\n",
                            name_of(prefer.allowed));
    if (cpu.empty())
        text += "    // No measurement yet: every kernel takes its closed-form default.\n"
                "    static constexpr hone::cpu_entry entries[1]{};\n";
    else
        text += "    static constexpr hone::cpu_entry entries[] = {\n" + cpu + "    };\n";
    if (!vulkan.empty()) text += "    static constexpr hone::vulkan_entry vulkan_entries[] = {\n" + vulkan + "    };\n";
    text += "    // Compiled kernels, for hone::find; defined in the library that hone_add_tuned_library makes.\n"
            "    static const hone::entry_table& table();\n";
    return text + "};\n";
}

} // namespace hone::tune
