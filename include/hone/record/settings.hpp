// SPDX-License-Identifier: BSL-1.0
// Configs as records hold them, a template's name with a setting for each knob, and as the text that entries of a
// config set hold (schedule/config.hpp). Both come from the knob tables of the templates.
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

#include <hone/core/isa.hpp>
#include <hone/process/text.hpp>
#include <hone/schedule/knob.hpp>
#include <hone/schedule/schedule_template.hpp>

namespace hone::tune {

// A number, or a word: "14", "copy".
struct setting {
    std::string knob{};
    std::string value{};
    friend bool operator==(const setting&, const setting&) = default;
};
using settings = std::vector<setting>;

template <class Knobs>
settings settings_of(const Knobs& of)
{
    settings r;
    for (const auto& k : knobs_of(of)) {
        const std::int64_t value = k.get(of);
        const auto at = static_cast<std::size_t>(value);
        r.push_back({k.name, k.words.empty() ? std::to_string(value) : std::string(k.words[at])});
    }
    return r;
}
template <class List>
settings settings_of(const config_in<List>& c)
{
    return c.visit([](auto, const auto& knobs) { return settings_of(knobs); });
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
            if (k.words[w] == s.value) {
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
    std::optional<isa> found;
    for_each_isa([&](const isa_row& r) {
        if (name == r.name) found = r.set;
    });
    return found;
}

// The name of the scalar loop nest that everything is compared with; it has no knobs.
inline constexpr std::string_view naive_template = "naive";
// Likewise of another library's kernel.
inline constexpr std::string_view peer_template = "peer";

// Whether hone has a template of this name in a family.
template <class Family>
bool ships(std::string_view name)
{
    return [&]<class... T>(template_list<T...>) { return ((name == T::name) || ...); }(typename Family::shipped());
}

// The config of a family's templates (schedule/template_families.hpp) in `to`; a sentence where they name none.
template <class Family>
std::optional<std::string> read_config(config_in<typename Family::shipped>& to, std::string_view name,
                                       const settings& s)
{
    std::optional<std::string> wrong;
    const bool is_known = to.select([&]<class T>(type_identity<T>) {
        if (name != T::name) return false;
        wrong = apply(to.template knobs<T>(), s);
        return true;
    });
    if (!is_known) return fmt::format("the backend {} has no template {}", excerpt(Family::backend), excerpt(name));
    return wrong;
}

// The config of a record; throws what read_config says.
template <class Family>
config_in<typename Family::shipped> config_of(std::string_view name, const settings& s)
{
    config_in<typename Family::shipped> c;
    if (const auto wrong = read_config<Family>(c, name, s)) throw std::invalid_argument("hone::tune: " + *wrong);
    return c;
}

// Whether a text can stand in a config as text, as names of templates and knobs, and values that are words.
inline bool is_record_word(std::string_view text)
{
    return !text.empty() && std::all_of(text.begin(), text.end(), [](char c) {
        return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' || c == '-';
    });
}

// "direct rows=14 vectors=2": every knob, so that a later default changes nothing.
inline std::string text_of(std::string_view name, const settings& s)
{
    std::string r(name);
    for (const setting& one : s) r += fmt::format(" {}={}", one.knob, one.value);
    return r;
}
// Its settings, as far as they are some: "rows=14" and "vectors=2".
inline settings settings_in(std::string_view text)
{
    settings r;
    for (std::size_t at = text.find(' '); at != std::string_view::npos;) {
        const std::size_t next = text.find(' ', at + 1);
        const std::string_view one = text.substr(at + 1, next == std::string_view::npos ? next : next - at - 1);
        const std::size_t middle = std::min(one.find('='), one.size());
        r.push_back({std::string(one.substr(0, middle)), std::string(one.substr(std::min(middle + 1, one.size())))});
        at = next;
    }
    return r;
}
template <class List>
std::string text_of(const config_in<List>& c)
{
    return text_of(name_of_template(c), settings_of(c));
}

} // namespace hone::tune
