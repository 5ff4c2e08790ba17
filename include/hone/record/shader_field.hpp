// SPDX-License-Identifier: BSL-1.0
// The shader of a record in its line of JSON: the device that it was built for, its launch, the layouts of its packed
// weights and its SPIR-V. What is no shader, or one of another launch, is rejected with a sentence.
#pragma once

#include <algorithm>
#include <charconv>
#include <cstdint>
#include <iterator>
#include <string>
#include <system_error>
#include <utility>

#include <fmt/core.h>
#include <nlohmann/json.hpp>

#include <hone/record/field.hpp>
#include <hone/record/json_text.hpp>
#include <hone/record/record_data.hpp>
#include <hone/record/spirv_check.hpp>

namespace hone::tune::fields {

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

} // namespace hone::tune::fields
