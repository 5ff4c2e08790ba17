// SPDX-License-Identifier: BSL-1.0
// A config: which template, and its knobs. A config set is a type with a constexpr array `entries`; generated headers
// define one per library, and `defaults` is the empty one.
#pragma once

#include <cstddef>
#include <cstdint>

#include <hone/core/target.hpp>
#include <hone/op/operator.hpp>
#include <hone/schedule/cpu.hpp>
#include <hone/schedule/winograd.hpp>

namespace hone {

enum class cpu_template : std::uint8_t { direct, winograd };
constexpr const char* name_of(cpu_template t) { return t == cpu_template::direct ? "direct" : "winograd"; }

struct cpu_config {
    cpu_template algorithm = cpu_template::direct;
    direct_knobs direct{};
    winograd_knobs winograd{};
    friend constexpr bool operator==(const cpu_config&, const cpu_config&) = default;
};

// One tuned kernel of a set: for this signature, on this instruction set, this config.
struct cpu_entry {
    const char* signature = "";
    isa set = isa::baseline;
    cpu_config config{};
};

// The empty set: every kernel takes its closed-form default.
struct defaults {
    static constexpr cpu_entry entries[1]{};
};

// The config of operator Op in set Configs, for exactly this instruction set; else the template's closed-form default.
template <tensor_operator Op, class Configs>
constexpr cpu_config config_of(isa set)
{
    constexpr signature_text signature = Op::signature();
    for (const cpu_entry& e : Configs::entries)
        if (e.set == set && same_text(e.signature, signature.c_str())) return e.config;
    return {.direct = default_direct(Op::definition(), set)};
}

} // namespace hone
