// SPDX-License-Identifier: BSL-1.0
// A record as one line of JSON. One table says of each field its type, range and whether it must be there; it writes
// lines, reads them, and rejects what is no record with a sentence that names the field.
//
// Fields that the table does not know are kept where lines are copied, and ignored. "check" is the hash of all others:
// a line that lost a bit is told from one that was measured. Lines of earlier versions have none, which is said.
#pragma once

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <cstdint>
#include <iterator>
#include <optional>
#include <span>
#include <stdexcept>
#include <string>
#include <string_view>
#include <system_error>

#include <fmt/core.h>
#include <nlohmann/json.hpp>

#include <hone/record/json_text.hpp>
#include <hone/record/record_data.hpp>
#include <hone/record/spirv_check.hpp>

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

using json = nlohmann::ordered_json;

enum class type : std::uint8_t {
    text,    // of at most `most` bytes, without control characters
    prose,   // as text, with line breaks
    word,    // one of `words`
    whole,   // a whole number from `least` to `most`
    number,  // from `least` to `most`
    score,   // likewise; null: JSON has no infinity and no NaN
    numbers, // a list of them
    object,
};
enum class presence : std::uint8_t {
    required,
    optional, // where it says something, and in lines of earlier versions
    derived,  // written for people, never read
};

struct field {
    const char* name = "";
    fields::type type = type::text;
    presence needed = presence::required;
    double least = 0;
    double most = 0;
    std::span<const char* const> words{};
    json (*get)(const record&) = nullptr;        // null: it is left out
    void (*set)(record&, const json&) = nullptr; // a value of its type and range
};

inline constexpr double past_int = 18446744073709551616.0; // 2^64: no double is the largest unsigned number

[[noreturn]] inline void fail(const std::string& why) { throw std::invalid_argument(why); }

// Throws a sentence where the value has another type, or is out of range.
inline void check(const field& f, const json& value)
{
    const auto wrong = [&](const std::string& expected) {
        fail(fmt::format("'{}' is {}, not {}", f.name, found_text(value), expected));
    };
    const auto in_range = [&](const json& v) {
        return v.is_number() && v.get<double>() >= f.least && v.get<double>() <= f.most;
    };
    switch (f.type) {
    case type::text:
    case type::prose: {
        if (!value.is_string()) wrong("a text");
        const auto& text = value.get_ref<const std::string&>();
        if (static_cast<double>(text.size()) > f.most) wrong(fmt::format("a text of at most {} bytes", f.most));
        const auto is_control = [](char c) { return static_cast<unsigned char>(c) < ' ' || c == '\x7f'; };
        if (f.type == type::text && std::any_of(text.begin(), text.end(), is_control))
            fail(fmt::format("the text of '{}' holds a control character", f.name));
        return;
    }
    case type::word: {
        const auto is_value = [&](const char* w) { return value == w; };
        if (value.is_string() && std::any_of(f.words.begin(), f.words.end(), is_value)) return;
        std::string known;
        for (const char* w : f.words) known += fmt::format("{}{}", known.empty() ? "" : ", ", w);
        wrong("one of " + known);
        return;
    }
    case type::whole:
        if (!value.is_number_integer() || (!value.is_number_unsigned() && value.get<std::int64_t>() < 0) ||
            !in_range(value))
            wrong(f.least == f.most    ? fmt::format("the whole number {:.0f}", f.most)
                  : f.most >= past_int ? fmt::format("a whole number from {:.0f} to {}", f.least, UINT64_MAX)
                                       : fmt::format("a whole number from {:.0f} to {:.0f}", f.least, f.most));
        return;
    case type::score:
        if (value.is_null()) return;
        [[fallthrough]];
    case type::number:
        if (!in_range(value)) wrong(fmt::format("a number from {:g} to {:g}", f.least, f.most));
        return;
    case type::numbers:
        if (!value.is_array()) wrong("a list of numbers");
        for (const json& v : value)
            if (!in_range(v))
                fail(fmt::format("'{}' holds {}, not numbers from {:g} to {:g} only", f.name, found_text(v), f.least,
                                 f.most));
        return;
    case type::object:
        if (!value.is_object()) wrong("an object");
        return;
    }
}

template <auto Member>
json get(const record& r)
{
    return r.*Member;
}
template <auto Member>
void set(record& r, const json& value)
{
    value.get_to(r.*Member);
}
template <auto Member>
constexpr field text(const char* name, double most = 4096, presence needed = presence::required)
{
    return {.name = name, .type = type::text, .needed = needed, .most = most, .get = get<Member>, .set = set<Member>};
}
template <auto Member>
constexpr field word(const char* name, std::span<const char* const> words)
{
    return {.name = name, .type = type::word, .words = words, .get = get<Member>, .set = set<Member>};
}
template <auto Member>
constexpr field whole(const char* name, double least, double most)
{
    return {.name = name, .type = type::whole, .least = least, .most = most, .get = get<Member>, .set = set<Member>};
}

inline constexpr const char* backends[] = {"cpu", "vulkan"};
inline constexpr const char* error_classes[] = {name_of(error_class::exact_order), name_of(error_class::reassociated),
                                                name_of(error_class::winograd_2), name_of(error_class::winograd_4),
                                                name_of(error_class::winograd_6)};
inline constexpr const char* phases[] = {"search", "final"};
inline constexpr const char* origins[] = {"default", "naive", "guess", "model", "chance", "peer"};

// A nanosecond, in which no call was ever done, and twelve days.
inline constexpr double least_ms = 1e-6, most_ms = 1e9;

json shader_json(const record& r);
void set_shader(record& r, const json& value);

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
    word<&record::backend>("backend", backends),
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
    {.name = "shader", .type = type::object, .needed = presence::optional, .get = shader_json, .set = set_shader},
};

// The numbers of a launch, in the order in which a record lists them.
struct launch_field {
    const char* name = "";
    std::int64_t least = 0;
    std::int64_t most = 0;
    std::int64_t (*get)(const launch&) = nullptr;
    void (*set)(launch&, std::int64_t) = nullptr;
};
template <auto Member>
struct of_launch;
template <class Value, Value launch::*Member>
struct of_launch<Member> {
    static constexpr launch_field named(const char* name, std::int64_t least, std::int64_t most)
    {
        return {name, least, most, [](const launch& l) { return static_cast<std::int64_t>(l.*Member); },
                [](launch& l, std::int64_t value) { l.*Member = static_cast<Value>(value); }};
    }
};
// More of anything than a device has, and small enough that groups_of cannot overflow.
inline constexpr launch_field launch_fields[] = {
    of_launch<&launch::groups_x>::named("groups_x", 1, 0xffffffff),
    of_launch<&launch::lanes>::named("lanes", 1, 1 << 16),
    of_launch<&launch::buffers>::named("buffers", 1, 64),
    of_launch<&launch::push_constant_bytes>::named("push_constant_bytes", 0, 256),
    of_launch<&launch::shared_bytes>::named("shared_bytes", 0, 1 << 24),
    of_launch<&launch::loop_iterations>::named("loop_iterations", 0, std::int64_t{1} << 40),
    of_launch<&launch::group_stride>::named("group_stride", 1, 0x7fffffff),
    of_launch<&launch::group_parameter>::named("group_parameter", -1, 7),
    of_launch<&launch::group_constant>::named("group_constant", -(std::int64_t{1} << 31), std::int64_t{1} << 31),
    of_launch<&launch::group_coefficient>::named("group_coefficient", -(1 << 24), 1 << 24),
    of_launch<&launch::group_divisor>::named("group_divisor", 1, std::int64_t{1} << 31),
};

// A whole number from least to most, as one of a list.
inline std::int64_t whole_of(const json& value, const char* name, std::int64_t least, std::int64_t most)
{
    const bool fits = value.is_number_integer() &&
                      (!value.is_number_unsigned() || value.get<std::uint64_t>() <= std::uint64_t{INT64_MAX});
    const std::int64_t number = fits ? value.get<std::int64_t>() : 0;
    if (!fits || number < least || number > most)
        fail(fmt::format("'{}' of its shader is {}, not a whole number from {} to {}", name, found_text(value), least,
                         most));
    return number;
}
inline const json& part_of(const json& shader, const char* name)
{
    const auto at = shader.find(name);
    if (at == shader.end()) fail(fmt::format("'{}' of its shader is missing", name));
    return *at;
}

inline json shader_json(const record& r)
{
    if (!r.shader) return {};
    const shader& s = *r.shader;
    std::string words;
    for (std::uint32_t w : s.words) words += fmt::format("{:08x}", w);
    auto launch = json::array();
    for (const launch_field& f : launch_fields) launch.push_back(f.get(s.launch));
    // The dimensions of one layout, or a list of such lists.
    json packed = json::array();
    for (const tensor& t : s.packed) {
        json dims = json::array();
        for (const dimension& d : t.dims) dims.push_back({d.extent, d.stride, d.block, d.outer_stride});
        packed.push_back(std::move(dims));
    }
    if (s.packed.size() == 1) packed = json(packed[0]);
    json all{{"vendor", s.vendor}, {"device", s.device}, {"launch", launch}, {"packed", packed}, {"spirv", words}};
    // Of floats nothing is said.
    const auto is_float = [](const tensor& t) { return t.type == dtype::f32; };
    if (!std::all_of(s.packed.begin(), s.packed.end(), is_float))
        for (const tensor& t : s.packed) all["types"].push_back(name_of(t.type));
    return all;
}

// The layout of one tensor of packed weights.
inline tensor packed_of(const json& dims)
{
    tensor t;
    if (!dims.is_array() || dims.empty() || dims.size() > decltype(t.dims)::capacity)
        fail(fmt::format("'packed' of its shader is {}, not a list of 1 to {} dimensions", found_text(dims),
                         decltype(t.dims)::capacity));
    constexpr std::int64_t most = std::int64_t{1} << 40;
    double elements = 1;
    for (const json& d : dims) {
        if (!d.is_array() || d.size() != 4)
            fail(fmt::format("a dimension of 'packed' is {}, not a list of 4", found_text(d)));
        dimension to{.extent = whole_of(d[0], "extent", 1, most),
                     .stride = whole_of(d[1], "stride", 0, most),
                     .block = whole_of(d[2], "block", 0, most),
                     .outer_stride = whole_of(d[3], "outer stride", 0, most)};
        const auto real = [](std::int64_t i) { return static_cast<double>(i); };
        if (to.block == 0)
            elements += real(to.extent) * real(to.stride);
        else
            elements += real(to.extent) / real(to.block) * real(to.outer_stride) + real(to.block) * real(to.stride);
        t.dims.push_back(to);
    }
    if (elements > static_cast<double>(most))
        fail("the packed weights of its shader would have more than 2^40 elements");
    return t;
}

inline void set_shader(record& r, const json& from)
{
    shader s;
    s.vendor = static_cast<std::uint32_t>(whole_of(part_of(from, "vendor"), "vendor", 0, UINT32_MAX));
    s.device = static_cast<std::uint32_t>(whole_of(part_of(from, "device"), "device", 0, UINT32_MAX));
    const json& launch = part_of(from, "launch");
    if (!launch.is_array() || launch.size() != std::size(launch_fields))
        fail(fmt::format("'launch' of its shader is {}, not a list of {}", found_text(launch),
                         std::size(launch_fields)));
    for (std::size_t i = 0; i < std::size(launch_fields); ++i) {
        const launch_field& f = launch_fields[i];
        f.set(s.launch, whole_of(launch[i], f.name, f.least, f.most));
    }
    const json& packed = part_of(from, "packed");
    // One layout, or a list of several or none.
    const bool is_list = packed.is_array() &&
                         (packed.empty() || (packed[0].is_array() && !packed[0].empty() && packed[0][0].is_array()));
    if (is_list && packed.size() > decltype(s.packed)::capacity)
        fail(fmt::format("'packed' of its shader has {} layouts, not at most {}", packed.size(),
                         decltype(s.packed)::capacity));
    if (is_list)
        for (const json& dims : packed) s.packed.push_back(packed_of(dims));
    else
        s.packed.push_back(packed_of(packed));
    if (const auto types = from.find("types"); types != from.end()) {
        if (!types->is_array() || types->size() != s.packed.size())
            fail(fmt::format("'types' of its shader is {}, not a list of {}", found_text(*types), s.packed.size()));
        for (std::size_t i = 0; i < s.packed.size(); ++i) {
            const json& name = (*types)[i];
            const auto* const known =
                std::find_if(std::begin(all_dtypes), std::end(all_dtypes), [&](dtype d) { return name == name_of(d); });
            if (known == std::end(all_dtypes))
                fail(fmt::format("a type of its weights is {}, which hone does not have", found_text(name)));
            s.packed[i].type = *known;
        }
    }
    const json& words = part_of(from, "spirv");
    if (!words.is_string()) fail(fmt::format("'spirv' of its shader is {}, not a text", found_text(words)));
    const auto& digits = words.get_ref<const std::string&>();
    if (digits.empty() || digits.size() % 8 != 0) fail("its SPIR-V is cut short");
    for (std::size_t i = 0; i < digits.size(); i += 8) {
        std::uint32_t word = 0;
        const char* const begin = digits.data() + i;
        const auto [end, error] = std::from_chars(begin, begin + 8, word, 16);
        if (error != std::errc{} || end != begin + 8) fail("its SPIR-V is not written in hexadecimal");
        s.words.push_back(word);
    }
    if (const auto wrong = wrong_spirv(s.words, s.launch)) fail("its SPIR-V is none: " + *wrong);
    r.shader = std::move(s);
}

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
    if (r.backend == "cpu" ? !isa_of(r.isa) : r.isa != "none")
        fail(fmt::format("there is no instruction set {} of the backend '{}'", excerpt(r.isa), r.backend));
    if (r.errors) {
        if (is_known_template(r.backend, r.template_name))
            fail(fmt::format("it has an 'error_class', but the template '{}' is hone's, which says it itself",
                             r.template_name));
        check_words(r);
    } else if (const auto wrong = wrong_config(r.backend, r.template_name, r.knobs)) {
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
    if (r.shader && r.backend != "vulkan") fail("it has a shader, but is not of Vulkan");
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
    // Compilers quote sources in any encoding, and JSON has no NaN: as it will be read.
    const auto text = [&] { return line.dump(-1, ' ', false, json::error_handler_t::replace); };
    line = json::parse(text());
    line[check_name] = check_of(line);
    return text();
}

// The record of a line's JSON; throws a sentence where it is none.
inline record record_of(const nlohmann::ordered_json& line)
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
        check(f, *at);
        f.set(r, *at);
    }
    check_together(r);
    if (const auto at = line.find(check_name); at != line.end() && *at != check_of(line))
        fail("it was changed since it was written: 'check' does not match the rest; measure again, or take 'check' out "
             "of the line if the change is yours");
    return r;
}
inline record record_of(const std::string& line) { return record_of(parse_json(line)); }

} // namespace hone::tune
