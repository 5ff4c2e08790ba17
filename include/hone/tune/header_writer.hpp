// SPDX-License-Identifier: BSL-1.0
// The generated header: a config set with one entry for each tuned workload. Same records, same bytes; no time, path or
// host. It needs hone's headers alone, and is valid also where nothing was measured.
#pragma once

#include <algorithm>
#include <cstdint>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <map>
#include <stdexcept>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

#include <fmt/core.h>

#include <hone/run/vulkan_entry.hpp>
#include <hone/tune/record.hpp>
#include <hone/tune/settings.hpp>

namespace hone::tune {

// A faster kernel must win by this factor; ties keep the default.
inline constexpr double winning_margin = 1.01;

// What the records say of one workload on one device.
struct standing {
    const record* chosen = nullptr;   // the winner, or the default
    const record* standard = nullptr; // the default
    const record* naive = nullptr;
    int trials = 0; // of the search
    int failed = 0;
};

// Records of one signature, backend, isa and device. Those of the last comparison decide where there are any.
inline standing standing_of(const std::vector<const record*>& records)
{
    standing s;
    bool compared = false;
    for (const record* r : records) {
        if (r->phase == "search") {
            ++s.trials;
            if (r->found != verdict::ok) ++s.failed;
        }
        compared = compared || (r->phase == "final" && r->found == verdict::ok);
    }
    const auto faster = [](const record* a, const record* b) { return b == nullptr || a->least() < b->least(); };
    const record* best = nullptr;
    for (const record* r : records) {
        if (r->found != verdict::ok || (r->phase == "final") != compared) continue;
        if (r->origin == "naive") {
            if (faster(r, s.naive)) s.naive = r;
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

// By backend, signature, isa and device: the order of entries in the header.
using record_key = std::pair<std::string, std::string>;
inline std::map<record_key, std::vector<const record*>> by_workload(const std::vector<record>& records)
{
    std::map<record_key, std::vector<const record*>> groups;
    for (const record& r : records) groups[{r.backend, r.signature + "|" + r.isa + "|" + r.device}].push_back(&r);
    return groups;
}

// A Vulkan winner with what an engine needs to run it.
struct vulkan_winner {
    record chosen{};
    double default_ms = 0;
    std::uint32_t vendor = 0;
    std::uint32_t device = 0;
    std::vector<std::uint32_t> words{};
    hone::launch launch{};
    tensor packed{};
    std::uint64_t layout_id = 0;
};

namespace header {

inline std::string quoted(const std::string& text)
{
    std::string r = "\"";
    for (char c : text) {
        if (c == '"' || c == '\\') r += '\\';
        r += c;
    }
    return r + "\"";
}

inline std::string figures(double ms, double default_ms)
{
    return default_ms > 0 ? fmt::format("{:.4f} ms; default {:.4f} ms", ms, default_ms) : fmt::format("{:.4f} ms", ms);
}

inline std::string initializer_of(const hone::launch& l)
{
    return fmt::format("{{.groups_x = {}, .lanes = {}, .buffers = {}, .push_constant_bytes = {}, .shared_bytes = {}, "
                       ".loop_iterations = {}, .group_stride = {}, .group_parameter = {}, .group_constant = {}, "
                       ".group_coefficient = {}, .group_divisor = {}}}",
                       l.groups_x, l.lanes, l.buffers, l.push_constant_bytes, l.shared_bytes, l.loop_iterations,
                       l.group_stride, l.group_parameter, l.group_constant, l.group_coefficient, l.group_divisor);
}

// An expression, since a tensor's dimensions are pushed.
inline std::string initializer_of(const tensor& t)
{
    std::string r = "[] {\n             hone::tensor t;\n";
    for (const dimension& d : t.dims)
        r += fmt::format(
            "             t.dims.push_back({{.extent = {}, .stride = {}, .block = {}, .outer_stride = {}}});\n",
            d.extent, d.stride, d.block, d.outer_stride);
    return r + "             return t;\n         }()";
}

inline std::string words_of(const std::string& name, const std::vector<std::uint32_t>& words)
{
    std::string r = fmt::format("inline constexpr std::uint32_t {}[] = {{", name);
    for (std::size_t i = 0; i < words.size(); ++i)
        r += fmt::format("{}0x{:08x},", i % 8 == 0 ? "\n    " : " ", words[i]);
    return r + "\n};\n";
}

} // namespace header

// The text of the header that defines the config set `name`.
inline std::string header_text(const std::string& name, const std::vector<record>& records,
                               std::vector<vulkan_winner> vulkan = {})
{
    std::string entries;
    int count = 0;
    for (const auto& [key, group] : by_workload(records)) {
        if (key.first != "cpu") continue;
        const standing s = standing_of(group);
        if (s.chosen == nullptr) continue;
        const record& r = *s.chosen;
        entries +=
            fmt::format("        // {}: {}\n        {{.signature = {},\n         .set = hone::isa::{},\n"
                        "         .config = {}}},\n",
                        r.task, header::figures(r.least(), s.standard == nullptr ? 0 : s.standard->least()),
                        header::quoted(r.signature), r.isa, initializer_of(cpu_config_of(r.template_name, r.knobs)));
        ++count;
    }
    std::sort(vulkan.begin(), vulkan.end(), [](const vulkan_winner& a, const vulkan_winner& b) {
        return std::tuple(a.chosen.signature, a.vendor, a.device) < std::tuple(b.chosen.signature, b.vendor, b.device);
    });
    std::string words, vulkan_entries;
    for (std::size_t i = 0; i < vulkan.size(); ++i) {
        const vulkan_winner& w = vulkan[i];
        const std::string symbol = fmt::format("{}_spirv_{}", name, i);
        words += fmt::format("// {}: {}\n{}\n", w.chosen.task, text_of(w.chosen.template_name, w.chosen.knobs),
                             header::words_of(symbol, w.words));
        vulkan_entries += fmt::format(
            "        // {}, {}: {}\n        {{.signature = {},\n         .vendor = 0x{:x},\n         .device = 0x{:x},\n"
            "         .words = {},\n         .word_count = {},\n         .launch = {},\n         .packed = {},\n"
            "         .layout_id = 0x{:x}}},\n",
            w.chosen.task, w.chosen.device, header::figures(w.chosen.least(), w.default_ms),
            header::quoted(w.chosen.signature), w.vendor, w.device, symbol, w.words.size(),
            header::initializer_of(w.launch), header::initializer_of(w.packed), w.layout_id);
    }
    std::string text = fmt::format(
        "// SPDX-License-Identifier: BSL-1.0\n"
        "// The config set `{0}`, written by hone's tuner from measurements: hone::kernel<workload, {0}> takes\n"
        "// its config from here. Other instruction sets take hone's closed-form defaults.\n"
        "// clang-format off\n"
        "#pragma once\n\n#include <cstdint>\n\n#include <hone/schedule/config.hpp>\n",
        name);
    if (!vulkan.empty()) text += "#include <hone/run/vulkan_entry.hpp>\n";
    text += "\n" + words + fmt::format("struct {} {{\n", name);
    if (count == 0)
        text += "    // No measurement yet: every kernel takes its closed-form default.\n"
                "    static constexpr hone::cpu_entry entries[1]{};\n";
    else
        text += "    static constexpr hone::cpu_entry entries[] = {\n" + entries + "    };\n";
    if (!vulkan.empty())
        text += "    static constexpr hone::vulkan_entry vulkan_entries[] = {\n" + vulkan_entries + "    };\n";
    return text + "};\n";
}

// Writes beside the file and renames, so that a reader sees the old text or the new one, never a part.
inline void replace_file(const std::filesystem::path& path, const std::string& text)
{
    std::filesystem::path temporary = path;
    temporary += ".new";
    std::ofstream file(temporary, std::ios::binary);
    file << text;
    file.close();
    if (!file) throw std::runtime_error(fmt::format("cannot write {}", temporary.string()));
    std::filesystem::rename(temporary, path);
}

} // namespace hone::tune
