// SPDX-License-Identifier: BSL-1.0
// A kernel of Vulkan as an engine needs it, and as its record's line of JSON has it: the device that it was built for,
// its launch, the layouts of its packed weights and its SPIR-V. What is no shader, or one of another launch, is
// rejected with a sentence.
#pragma once

#include <algorithm>
#include <charconv>
#include <cstdint>
#include <iterator>
#include <string>
#include <system_error>
#include <tuple>
#include <utility>
#include <vector>

#include <fmt/core.h>
#include <nlohmann/json.hpp>

#include <hone/core/inline_vector.hpp>
#include <hone/ir/nest.hpp>
#include <hone/op/definition.hpp>
#include <hone/record/field.hpp>
#include <hone/record/json_text.hpp>
#include <hone/record/record_backend.hpp>
#include <hone/record/record_data.hpp>
#include <hone/schedule/packed.hpp>
#include <hone/tune/vulkan/spirv_check.hpp>
#include <hone/vulkan/launch.hpp>

namespace hone::tune {

struct shader final : kernel_code {
    std::vector<std::uint32_t> words{}; // SPIR-V
    codegen::launch launch{};
    packed_tensors packed{};  // layouts of the weights
    std::uint32_t vendor = 0; // of the device, by its ids
    std::uint32_t device = 0;

    nlohmann::ordered_json to_json() const override;
    bool precedes(const kernel_code& other) const override
    {
        const auto& b = static_cast<const shader&>(other);
        return std::tie(vendor, device, words) < std::tie(b.vendor, b.device, b.words);
    }
    bool is_of(const nest& n, const packed_tensors& weights) const override
    {
        return launch == launch_of(n) && layout_id(packed) == layout_id(weights);
    }
};

// That of a record of Vulkan; null where it has none.
inline const shader* shader_of(const record& r) { return static_cast<const shader*>(r.code.get()); }

namespace fields {

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

// The layout of one tensor of packed weights. Where a call gives extents of it, a dimension says in three more numbers
// which of so many parameters do; -1: none.
inline tensor packed_of(const json& dims, std::int64_t parameters)
{
    tensor t;
    if (!dims.is_array() || dims.empty() || dims.size() > decltype(t.dims)::capacity)
        fail(fmt::format("'packed' of its shader is {}, not a list of 1 to {} dimensions", found_text(dims),
                         decltype(t.dims)::capacity));
    constexpr std::int64_t most = std::int64_t{1} << 40;
    double elements = 1;
    for (const json& d : dims) {
        if (!d.is_array() || (d.size() != 4 && d.size() != 7))
            fail(fmt::format("a dimension of 'packed' is {}, not a list of 4 or 7", found_text(d)));
        dimension to{.extent = whole_of(d[0], "extent", 1, most),
                     .stride = whole_of(d[1], "stride", 0, most),
                     .block = whole_of(d[2], "block", 0, most),
                     .outer_stride = whole_of(d[3], "outer stride", 0, most)};
        if (d.size() == 7) {
            const auto parameter = [&](std::size_t at, const char* name) {
                return static_cast<std::int16_t>(whole_of(d[at], name, -1, parameters - 1));
            };
            to.extent_parameter = parameter(4, "extent's parameter");
            to.stride_parameter = parameter(5, "stride's parameter");
            to.outer_parameter = parameter(6, "outer stride's parameter");
        }
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

} // namespace fields

inline nlohmann::ordered_json shader::to_json() const
{
    using fields::json;
    std::string digits;
    for (std::uint32_t w : words) digits += fmt::format("{:08x}", w);
    auto numbers = json::array();
    for (const fields::launch_field& f : fields::launch_fields) numbers.push_back(f.get(launch));
    // The dimensions of one layout, or a list of such lists.
    json layouts = json::array();
    for (const tensor& t : packed) {
        json dims = json::array();
        for (const dimension& d : t.dims) {
            json& own = dims.emplace_back(json{d.extent, d.stride, d.block, d.outer_stride});
            if (d.extent_parameter < 0 && d.stride_parameter < 0 && d.outer_parameter < 0) continue;
            for (const std::int16_t p : {d.extent_parameter, d.stride_parameter, d.outer_parameter}) own.push_back(p);
        }
        layouts.push_back(std::move(dims));
    }
    if (packed.size() == 1) layouts = json(layouts[0]);
    json all{{"vendor", vendor}, {"device", device}, {"launch", numbers}, {"packed", layouts}, {"spirv", digits}};
    // Of floats nothing is said.
    const auto is_float = [](const tensor& t) { return t.type == dtype::f32; };
    if (!std::all_of(packed.begin(), packed.end(), is_float))
        for (const tensor& t : packed) all["types"].push_back(name_of(t.type));
    return all;
}

inline shader shader_from(const nlohmann::ordered_json& from)
{
    using namespace fields;
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
    const auto parameters = static_cast<std::int64_t>(s.launch.push_constant_bytes / sizeof(std::int32_t));
    if (is_list)
        for (const json& dims : packed) s.packed.push_back(packed_of(dims, parameters));
    else
        s.packed.push_back(packed_of(packed, parameters));
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
    return s;
}

} // namespace hone::tune
