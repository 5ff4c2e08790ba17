// SPDX-License-Identifier: BSL-1.0
// A record as one line of JSON. One table says of each field its type, range and whether it must be there; it writes
// lines, reads them, and rejects what is no record with a sentence that names the field.
//
// Fields that the table does not know are kept where lines are copied, and ignored. "check" is the hash of all others:
// a line that lost a bit is told from one that was measured. Lines of earlier versions have none, which is said.
#pragma once

#include <algorithm>
#include <charconv>
#include <cmath>
#include <cstdint>
#include <iterator>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <system_error>

#include <fmt/core.h>
#include <nlohmann/json.hpp>

#include <hone/record/field.hpp>
#include <hone/record/json_text.hpp>
#include <hone/record/record_backend.hpp>
#include <hone/record/record_data.hpp>

namespace hone::tune {

// An object with a number, a word or a boolean for each knob.
inline nlohmann::ordered_json json_of(const settings& all)
{
    nlohmann::ordered_json knobs = nlohmann::ordered_json::object();
    for (const setting& s : all) {
        std::int64_t number = 0;
        const char* const last = s.value.data() + s.value.size();
        if (const auto [end, error] = std::from_chars(s.value.data(), last, number);
            error == std::errc{} && end == last)
            knobs[s.knob] = number;
        else if (s.value == "true" || s.value == "false")
            knobs[s.knob] = s.value == "true";
        else
            knobs[s.knob] = s.value;
    }
    return knobs;
}

namespace fields {

inline constexpr const char* error_classes[] = {name_of(error_class::exact_order), name_of(error_class::reassociated),
                                                name_of(error_class::winograd_2), name_of(error_class::winograd_4),
                                                name_of(error_class::winograd_6)};
inline constexpr const char* phases[] = {"search", "final"};
inline constexpr const char* origins[] = {"default", "naive", "guess", "model", "chance", "peer"};

// A nanosecond, in which no call was ever done, and twelve days.
inline constexpr double least_ms = 1e-6, most_ms = 1e9;

inline void set_knobs(record& r, const json& value)
{
    for (const auto& [knob, v] : value.items()) {
        if (v.is_string())
            r.knobs.push_back({knob, v.get<std::string>()});
        else if (v.is_boolean() || v.is_number_integer())
            r.knobs.push_back({knob, v.dump()});
        else
            fail(fmt::format("the knob {} is {}, not a number, a word or a boolean", excerpt(knob), found_text(v)));
    }
}

// In the order in which they stand in a line.
inline constexpr field record_fields[] = {
    {.name = "schema",
     .type = type::whole,
     .least = record_schema,
     .most = record_schema,
     .get = [](const record&) { return json(record_schema); },
     .set = [](record&, const json&) {}},
    text<&record::task>("task"),
    text<&record::signature>("signature", 191),
    {.name = "typical",
     .type = type::text,
     .needed = presence::optional,
     .most = 191,
     .get = [](const record& r) { return r.typical.empty() ? json() : json(r.typical); },
     .set = set<&record::typical>},
    {.name = "backend",
     .type = type::backend,
     .get = [](const record& r) { return json(r.backend->name()); },
     .set = [](record&, const json&) {}}, // by record_of, which has the list
    text<&record::device>("device"),
    text<&record::isa>("isa"),
    whole<&record::threads>("threads", 1, 1024),
    text<&record::cache>("cache"),
    text<&record::compiler>("compiler"),
    text<&record::flags>("flags", 1 << 16),
    text<&record::template_name>("template"),
    {.name = "knobs", .type = type::object, .get = [](const record& r) { return json_of(r.knobs); }, .set = set_knobs},
    {.name = "error_class",
     .type = type::word,
     .needed = presence::optional,
     .words = error_classes,
     .get = [](const record& r) { return r.errors ? json(name_of(*r.errors)) : json(); },
     .set =
         [](record& r, const json& value) {
             const auto* const at = std::find(std::begin(error_classes), std::end(error_classes), value);
             r.errors = static_cast<error_class>(at - std::begin(error_classes));
         }},
    text<&record::nest>("nest", 16),
    word<&record::origin>("origin", origins),
    {.name = "score",
     .type = type::score,
     .least = -1e30,
     .most = 1e30,
     .get = get<&record::score>,
     .set = [](record& r, const json& value) { r.score = value.is_null() ? 0 : value.get<float>(); }},
    word<&record::phase>("phase", phases),
    {.name = "verdict",
     .type = type::word,
     .words = verdict_names,
     .get = [](const record& r) { return json(name_of(r.found)); },
     .set = [](record& r, const json& value) { r.found = *verdict_of(value.get<std::string>()); }},
    {.name = "max_rel_error",
     .type = type::score,
     .most = 1e300,
     .get = get<&record::max_rel_error>,
     .set = [](record& r, const json& v) { r.max_rel_error = v.is_null() ? std::nan("") : v.get<double>(); }},
    {.name = "min_ms", .needed = presence::derived, .get = [](const record& r) { return json(r.least()); }},
    {.name = "median_ms", .needed = presence::derived, .get = [](const record& r) { return json(r.median()); }},
    {.name = "ms",
     .type = type::numbers,
     .least = least_ms,
     .most = most_ms,
     .get = get<&record::ms>,
     .set = set<&record::ms>},
    whole<&record::seed>("seed", 0, past_int),
    whole<&record::run>("run", 1, 1'000'000'000),
    whole<&record::trial>("trial", 0, 1'000'000'000),
    {.name = "detail",
     .type = type::prose,
     .needed = presence::optional,
     .most = 1 << 20,
     .get = [](const record& r) { return r.detail.empty() ? json() : json(r.detail); },
     .set = set<&record::detail>},
};

// A config of a template that is none of hone's, as far as its text goes: it may become one in a generated header.
inline void check_words(const record& r)
{
    if (!is_record_word(r.template_name))
        fail(fmt::format("the template {} is no name of letters, digits and underscores", excerpt(r.template_name)));
    for (const setting& s : r.knobs)
        if (!is_record_word(s.knob) || !is_record_word(s.value))
            fail(fmt::format("the knob {} or its value {} is no word of letters, digits and underscores",
                             excerpt(s.knob), excerpt(s.value)));
    for (std::size_t i = 0; i < r.knobs.size(); ++i)
        for (std::size_t j = 0; j < i; ++j)
            if (r.knobs[i].knob == r.knobs[j].knob)
                fail(fmt::format("the knob {} is given twice", excerpt(r.knobs[i].knob)));
}

// What fields say of each other.
inline void check_together(const record& r)
{
    if (!r.backend->is_set(r.isa))
        fail(fmt::format("there is no instruction set {} of the backend '{}'", excerpt(r.isa), r.backend->name()));
    if (r.errors) {
        if (is_known_template(*r.backend, r.template_name))
            fail(fmt::format("it has an 'error_class', but the template '{}' is hone's, which says it itself",
                             r.template_name));
        check_words(r);
    } else if (const auto wrong = wrong_config(*r.backend, r.template_name, r.knobs)) {
        fail(*wrong);
    }
    for (const std::string_view name : {naive_template, peer_template})
        if (r.template_name == name && r.origin != name)
            fail(fmt::format("the template is '{}', but the origin is '{}'", name, r.origin));
    if (r.origin == peer_template && r.template_name != peer_template)
        fail(fmt::format("the origin is 'peer', but the template is '{}'", r.template_name));
    if (r.nest.find_first_not_of("0123456789abcdef") != std::string::npos)
        fail(fmt::format("the nest {} is no hash of at most 16 hexadecimal digits", excerpt(r.nest)));
    if (r.nest.empty() && r.template_name != naive_template && r.template_name != peer_template)
        fail("there is no hash of the nest");
    if (!is_recorded(r.found))
        fail(fmt::format("the verdict {} says nothing of the kernel; measure it again", name_of(r.found)));
    if (r.found == verdict::ok && r.ms.empty()) fail("the verdict is ok, but there are no times");
    if (r.found == verdict::ok && !(r.max_rel_error >= 0)) fail("the verdict is ok, but 'max_rel_error' is null");
}

// The backend that a record names.
inline const record_backend& backend_of(const json& name, backend_list known)
{
    if (name.is_string())
        if (const record_backend* const b = backend_named(name.get_ref<const std::string&>(), known)) return *b;
    std::string names;
    for (const record_backend* b : known) names += fmt::format("{}{}", names.empty() ? "" : ", ", b->name());
    fail(fmt::format("'backend' is {}, not one of {}", found_text(name), names));
}

// Takes the field that a backend adds to its records. Another backend whose field the line has; null: there is none.
inline const record_backend* set_code(record& r, const json& line, backend_list known)
{
    const record_backend* other = nullptr;
    for (const record_backend* b : known) {
        const std::string name(b->code().name);
        const auto at = name.empty() ? line.end() : line.find(name);
        if (at == line.end()) continue;
        check({.name = name.c_str(), .type = type::object}, *at);
        r.code = b->code_of(*at);
        if (r.backend != *b) other = b;
    }
    return other;
}

inline constexpr const char* check_name = "check";

// The hash of what a line says, whatever its spaces: FNV-1a over it as this program would write it.
inline std::string check_of(const json& line)
{
    json rest = line;
    rest.erase(check_name);
    std::uint64_t h = 0xcbf29ce484222325u;
    for (const char c : rest.dump(-1, ' ', false, json::error_handler_t::replace))
        h = (h ^ static_cast<unsigned char>(c)) * 0x100000001b3u;
    return fmt::format("{:016x}", h);
}

} // namespace fields

inline std::string line_of(const record& r)
{
    using namespace fields;
    json line;
    for (const field& f : record_fields) {
        json value = f.get(r);
        if (f.needed != presence::optional || !value.is_null()) line[f.name] = std::move(value);
    }
    if (r.code) line[std::string(r.backend->code().name)] = r.code->to_json();
    // Compilers quote sources in any encoding, and JSON has no NaN: as it will be read.
    const auto text = [&] { return line.dump(-1, ' ', false, json::error_handler_t::replace); };
    line = json::parse(text());
    line[check_name] = check_of(line);
    return text();
}

// The record of a line's JSON; throws a sentence where it is none.
template <class All = all_backends>
record record_of(const nlohmann::ordered_json& line, backend_list known = All::list)
{
    using namespace fields;
    if (!line.is_object()) fail(fmt::format("it is {}, not an object", found_text(line)));
    record r;
    for (const field& f : record_fields) {
        const auto at = line.find(f.name);
        if (at == line.end()) {
            if (f.needed == presence::required) fail(fmt::format("'{}' is missing", f.name));
            continue;
        }
        if (f.needed == presence::derived) continue;
        if (f.type == type::backend)
            r.backend = backend_of(*at, known);
        else
            check(f, *at);
        f.set(r, *at);
    }
    const record_backend* const other = set_code(r, line, known);
    check_together(r);
    if (other != nullptr) fail(fmt::format("it has a {}, but is not of {}", other->code().name, other->title()));
    if (const auto at = line.find(check_name); at != line.end() && *at != check_of(line))
        fail("it was changed since it was written: 'check' does not match the rest; measure again, or take 'check' out "
             "of the line if the change is yours");
    return r;
}
template <class All = all_backends>
record record_of(const std::string& line, backend_list known = All::list)
{
    return record_of(parse_json(line), known);
}

} // namespace hone::tune
