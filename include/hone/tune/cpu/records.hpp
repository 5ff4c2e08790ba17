// SPDX-License-Identifier: BSL-1.0
// Records of kernels on the CPU: their instruction sets are hone's table, and their entries in a header are configs, of
// which an engine's compiler makes the kernels.
#pragma once

#include <span>
#include <string>
#include <string_view>

#include <fmt/core.h>

#include <hone/process/text.hpp>
#include <hone/record/family_backend.hpp>
#include <hone/record/header_text.hpp>
#include <hone/record/settings.hpp>
#include <hone/record/standing.hpp>
#include <hone/schedule/template_families.hpp>

namespace hone::tune {

class cpu_records final : public family_backend<cpu_family> {
public:
    const char* title() const override { return "the CPU"; }
    entries_by entries() const override { return entries_by::instruction_set; }
    bool is_set(std::string_view isa) const override { return isa_of(isa).has_value(); }

    header_part header_of(const std::string&, std::span<const standing> chosen) const override
    {
        std::string entries;
        for (const standing& s : chosen) {
            const record& r = *s.chosen;
            const double default_ms = s.standard == nullptr ? 0 : s.standard->least();
            entries += fmt::format("        // {}, {}: {}\n        {{.signature = {},\n         .set = hone::isa::{},\n"
                                   "{}         .config = {}}},\n",
                                   header::measured(r), commented(r.device), header::figures(r.least(), default_ms),
                                   header::quoted(r.signature), r.isa,
                                   r.threads == 1 ? "" : fmt::format("         .threads = {},\n", r.threads),
                                   header::quoted(config_text(r)));
        }
        if (entries.empty())
            return {.members = "    // No measurement yet: every kernel takes its closed-form default.\n"
                               "    static constexpr hone::cpu_entry entries[1]{};\n"};
        return {.members = "    static constexpr hone::cpu_entry entries[] = {\n" + entries + "    };\n"};
    }
};
inline constexpr cpu_records on_cpu{};

} // namespace hone::tune
