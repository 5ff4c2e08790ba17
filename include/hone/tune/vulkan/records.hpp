// SPDX-License-Identifier: BSL-1.0
// Records of kernels on Vulkan devices, and their entries in a header: SPIR-V with its launch, one for the device that
// was tuned and one, the default, for any. Neither needs Vulkan's headers.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <set>
#include <span>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

#include <fmt/core.h>
#include <nlohmann/json.hpp>

#include <hone/process/text.hpp>
#include <hone/record/family_backend.hpp>
#include <hone/record/header_text.hpp>
#include <hone/record/settings.hpp>
#include <hone/record/standing.hpp>
#include <hone/schedule/packed.hpp>
#include <hone/schedule/vulkan_templates.hpp>
#include <hone/tune/vulkan/shader.hpp>
#include <hone/vulkan/launch.hpp>

namespace hone::tune {

namespace header {

inline std::string initializer_of(const codegen::launch& l)
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
        for (const dimension& d : all[i].dims) {
            std::string parameters;
            const auto add = [&](const char* name, std::int16_t p) {
                if (p >= 0) parameters += fmt::format(", .{} = {}", name, p);
            };
            add("extent_parameter", d.extent_parameter);
            add("stride_parameter", d.stride_parameter);
            add("outer_parameter", d.outer_parameter);
            r += fmt::format("             all[{}].dims.push_back({{.extent = {}, .stride = {}, .block = {}, "
                             ".outer_stride = {}{}}});\n",
                             i, d.extent, d.stride, d.block, d.outer_stride, parameters);
        }
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

class vulkan_records final : public family_backend<vulkan_family> {
public:
    const char* title() const override { return "Vulkan"; }
    entries_by entries() const override { return entries_by::device; }
    bool is_set(std::string_view isa) const override { return isa == "none"; }

    code_field code() const override { return {.name = "shader", .holds = "SPIR-V"}; }
    std::shared_ptr<const kernel_code> code_of(const nlohmann::ordered_json& field) const override
    {
        return std::make_shared<const shader>(shader_from(field));
    }

    header_part header_of(const std::string& config_set, std::span<const standing> chosen) const override
    {
        std::string words, entries;
        std::set<std::string> has_default; // signatures
        int shaders = 0;
        const auto add = [&](const record& r, double default_ms, bool any_device) {
            const shader& s = *shader_of(r);
            const std::string symbol = fmt::format("{}_spirv_{}", config_set, shaders++);
            if (const auto wrong = wrong_config(r.template_name, r.knobs); wrong && !r.errors)
                throw std::invalid_argument(fmt::format("hone::tune: {}: {}", excerpt(r.task), *wrong));
            words += fmt::format("// {}: {}\n{}\n", commented(r.task), text_of(r.template_name, r.knobs),
                                 header::words_of(symbol, s.words));
            entries += fmt::format("        // {}, {}: {}\n        {{.signature = {},\n         .vendor = 0x{:x},\n"
                                   "         .device = 0x{:x},\n         .words = {},\n         .word_count = {},\n"
                                   "         .launch = {},\n         .packed = {},\n         .layout_id = 0x{:x}}},\n",
                                   header::measured(r), commented(r.device), header::figures(r.least(), default_ms),
                                   header::quoted(r.signature), any_device ? 0 : s.vendor, any_device ? 0 : s.device,
                                   symbol, s.words.size(), header::initializer_of(s.launch),
                                   header::initializer_of(s.packed), layout_id(s.packed));
        };
        for (const standing& s : chosen) {
            // The default serves any device, so one of them is enough.
            if (s.standard != nullptr && s.standard->code && has_default.insert(s.standard->signature).second)
                add(*s.standard, 0, true);
            if (s.chosen != s.standard && s.chosen->code)
                add(*s.chosen, s.standard == nullptr ? 0 : s.standard->least(), false);
        }
        if (entries.empty()) return {};
        return {.includes = "#include <hone/vulkan/entry.hpp>\n",
                .declarations = words,
                .members = "    static constexpr hone::vulkan_entry vulkan_entries[] = {\n" + entries + "    };\n"};
    }
};
inline constexpr vulkan_records on_vulkan{};

} // namespace hone::tune
