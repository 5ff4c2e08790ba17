// SPDX-License-Identifier: BSL-1.0
// Configs as text: a template's name with a setting for each knob, as records hold them, and designated initializers,
// as generated code holds them. Both come from the knob tables of schedule/knob.hpp.
#pragma once

#include <algorithm>
#include <charconv>
#include <cstdint>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

#include <fmt/core.h>

#include <hone/schedule/config.hpp>
#include <hone/schedule/knob.hpp>
#include <hone/schedule/vulkan.hpp>
#include <hone/tune/text.hpp>

namespace hone::tune {

// A number, or the last word of an enumerator: "14", "copy".
struct setting {
    std::string knob{};
    std::string value{};
    friend bool operator==(const setting&, const setting&) = default;
};
using settings = std::vector<setting>;

inline std::string_view last_word(std::string_view qualified)
{
    const auto colon = qualified.rfind(':');
    return colon == std::string_view::npos ? qualified : qualified.substr(colon + 1);
}

template <class Knobs>
settings settings_of(const Knobs& of)
{
    settings r;
    for (const auto& k : knobs_of(of)) {
        const std::int64_t value = k.get(of);
        const auto at = static_cast<std::size_t>(value);
        r.push_back({k.name, k.words.empty() ? std::to_string(value) : std::string(last_word(k.words[at]))});
    }
    return r;
}

// "{.rows = 14, .pad = hone::padding::copy}": every knob, so that a later default changes nothing.
template <class Knobs>
std::string initializer_of(const Knobs& of)
{
    std::string r;
    for (const auto& k : knobs_of(of)) {
        const std::int64_t value = k.get(of);
        const auto at = static_cast<std::size_t>(value);
        r += fmt::format("{}.{} = {}", r.empty() ? "" : ", ", k.name,
                         k.words.empty() ? std::to_string(value) : std::string(k.words[at]));
    }
    return "{" + r + "}";
}

// "{.algorithm = hone::cpu_template::direct, .direct = {...}}"
inline std::string initializer_of(const cpu_config& c)
{
    return fmt::format("{{.algorithm = hone::cpu_template::{0}, .{0} = {1}}}", name_of(c.algorithm),
                       with_knobs(c, [](const auto& knobs) { return initializer_of(knobs); }));
}

// Sets one knob; a sentence where there is no such knob or value.
template <class Knobs>
std::optional<std::string> apply(Knobs& to, const setting& s)
{
    for (const auto& k : knobs_of(to)) {
        if (s.knob != k.name) continue;
        std::int64_t value = 0;
        bool is_value = false;
        if (k.words.empty()) {
            const char* const last = s.value.data() + s.value.size();
            const auto [end, error] = std::from_chars(s.value.data(), last, value);
            is_value = error == std::errc{} && end == last && k.allows(value);
        }
        for (std::size_t w = 0; w < k.words.size(); ++w)
            if (last_word(k.words[w]) == s.value) {
                value = static_cast<std::int64_t>(w);
                is_value = true;
            }
        if (!is_value) return fmt::format("the knob '{}' has no value {}", s.knob, excerpt(s.value));
        k.set(to, value);
        return std::nullopt;
    }
    return fmt::format("there is no knob {}", excerpt(s.knob));
}
// Sets all knobs; a sentence where one has no such value, is given twice, is not known, or is missing.
template <class Knobs>
std::optional<std::string> apply(Knobs& to, const settings& all)
{
    const auto times = [&](std::string_view name) {
        return std::count_if(all.begin(), all.end(), [&](const setting& s) { return s.knob == name; });
    };
    for (const setting& s : all) {
        if (times(s.knob) > 1) return fmt::format("the knob {} is given twice", excerpt(s.knob));
        if (auto wrong = apply(to, s)) return wrong;
    }
    for (const auto& k : knobs_of(to))
        if (!k.is_optional && times(k.name) == 0) return fmt::format("the knob '{}' is missing", k.name);
    return std::nullopt;
}

inline std::optional<isa> isa_of(std::string_view name)
{
    for (const isa set : {isa::baseline, isa::avx2, isa::avx512})
        if (name == name_of(set)) return set;
    return std::nullopt;
}

// The name of the scalar loop nest that everything is compared with; it has no knobs.
inline constexpr std::string_view naive_template = "naive";
// Likewise of another library's kernel.
inline constexpr std::string_view peer_template = "peer";

// What is wrong with a template's name and settings; nothing where they name a config.
inline std::optional<std::string> wrong_config(std::string_view backend, std::string_view name, const settings& s)
{
    if (name == naive_template || name == peer_template) {
        if (s.empty()) return std::nullopt;
        return fmt::format("the template '{}' has no knob {}", name, excerpt(s.front().knob));
    }
    direct_knobs direct;
    winograd_knobs winograd;
    vulkan_knobs vulkan;
    if (backend == "cpu" && name == "direct") return apply(direct, s);
    if (backend == "cpu" && name == "winograd") return apply(winograd, s);
    if (backend == "vulkan" && name == "direct") return apply(vulkan, s);
    return fmt::format("the backend {} has no template {}", excerpt(backend), excerpt(name));
}

// The config of a record of the CPU; throws what wrong_config says.
inline cpu_config cpu_config_of(std::string_view name, const settings& s)
{
    if (const auto wrong = wrong_config("cpu", name, s)) throw std::invalid_argument("hone::tune: " + *wrong);
    cpu_config c;
    c.algorithm = name == name_of(cpu_template::winograd) ? cpu_template::winograd : cpu_template::direct;
    with_knobs(c, [&](auto& knobs) { apply(knobs, s); });
    return c;
}
inline vulkan_knobs vulkan_knobs_of(const settings& s)
{
    vulkan_knobs k;
    if (const auto wrong = apply(k, s)) throw std::invalid_argument("hone::tune: " + *wrong);
    return k;
}

inline std::string name_of_template(const cpu_config& c) { return name_of(c.algorithm); }
inline settings settings_of(const cpu_config& c)
{
    return with_knobs(c, [](const auto& knobs) { return settings_of(knobs); });
}

// "direct rows=14 vectors=2": for people.
inline std::string text_of(std::string_view name, const settings& s)
{
    std::string r(name);
    for (const setting& one : s) r += fmt::format(" {}={}", one.knob, one.value);
    return r;
}

} // namespace hone::tune
