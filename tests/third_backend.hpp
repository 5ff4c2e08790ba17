// SPDX-License-Identifier: BSL-1.0
// A third backend, of the tests alone: its records hold a number that its tool has made, and stand in headers by
// device.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <stdexcept>
#include <string>
#include <string_view>

#include <fmt/core.h>
#include <nlohmann/json.hpp>

#include <hone/record/family_backend.hpp>
#include <hone/record/header_text.hpp>
#include <hone/record/record_backend.hpp>
#include <hone/record/standing.hpp>
#include <hone/schedule/direct.hpp>
#include <hone/tune/record_backends.hpp>

#include "tuner_rig.hpp"

namespace hone::test {

using namespace ir;

// The direct template is all that it has.
struct abacus_family {
    static constexpr const char* backend = "abacus";
    using target = isa;
    using shipped = template_list<direct>;
    template <class>
    using of = shipped;
};

struct beads final : tune::kernel_code {
    int count = 0;
    explicit beads(int n) : count(n) {}

    nlohmann::ordered_json to_json() const override { return {{"count", count}}; }
    bool precedes(const kernel_code& other) const override { return count < static_cast<const beads&>(other).count; }
    bool is_of(const nest&, const packed_tensors&) const override { return count != 13; }
};

class abacus_records final : public tune::family_backend<abacus_family> {
public:
    const char* title() const override { return "the abacus"; }
    tune::entries_by entries() const override { return tune::entries_by::device; }
    bool is_set(std::string_view isa) const override { return isa == "wood"; }
    tune::code_field code() const override { return {.name = "beads", .holds = "beads"}; }
    std::shared_ptr<const tune::kernel_code> code_of(const nlohmann::ordered_json& field) const override
    {
        if (!field.contains("count")) throw std::invalid_argument("its beads are not counted");
        return std::make_shared<beads>(field.at("count").get<int>());
    }
    tune::header_part header_of(const std::string& set, std::span<const tune::standing> chosen) const override
    {
        tune::header_part part{.includes = "#include <abacus.hpp>\n", .declarations = "// of " + set + "\n"};
        for (const tune::standing& s : chosen)
            part.members += fmt::format("    // {} {} {}\n", tune::header::quoted(s.chosen->signature),
                                        config_text(*s.chosen), s.chosen->code->to_json().dump());
        return part;
    }
};
inline constexpr abacus_records on_abacus{};

inline constexpr const tune::record_backend* three[] = {&tune::on_cpu, &tune::on_vulkan, &on_abacus};
inline constexpr tune::backend_list with_abacus{three};

inline tune::record of_abacus(double ms, std::int32_t rows, int count)
{
    tune::record r = tiny_record(ms, rows);
    r.backend = on_abacus;
    r.isa = "wood";
    r.device = "a shop";
    r.nest = fmt::format("{:016x}", rows);
    r.code = std::make_shared<beads>(count);
    return r;
}

} // namespace hone::test
