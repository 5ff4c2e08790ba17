// SPDX-License-Identifier: BSL-1.0
// Whether words are the SPIR-V of a compute shader that fits a launch, as far as a walk over its instructions tells:
// header, lengths, one entry point, the size of the workgroup, bindings. It is what stands between a record and a
// driver.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include <fmt/core.h>

#ifdef HONE_WITH_VULKAN
#include <spirv-tools/libspirv.hpp>
#endif

#include <hone/process/text.hpp>
#include <hone/vulkan/launch.hpp>

namespace hone::tune {

// What is wrong, as a part of a sentence; nothing where all that is looked at is right.
inline std::optional<std::string> wrong_spirv(std::span<const std::uint32_t> words, const launch& l)
{
    // SPIR-V 1.6, sections 2.3, 2.17 and 3.
    constexpr std::uint32_t magic = 0x07230203, oldest = 0x00010000, newest = 0x00010600, most_ids = 0x003fffff;
    enum opcode : std::uint32_t {
        entry_point = 15,
        execution_mode = 16,
        function = 54,
        function_end = 56,
        decorate = 71,
    };
    constexpr std::uint32_t gl_compute = 5, local_size = 17, decoration_binding = 33, decoration_descriptor_set = 34;
    constexpr std::size_t header = 5;
    if (words.size() < header || words[0] != magic) return "it does not begin with SPIR-V's number";
    if (words[1] < oldest || words[1] > newest || (words[1] & 0xff) != 0)
        return fmt::format("0x{:08x} is no version of it", words[1]);
    const std::uint32_t ids = words[3];
    if (ids == 0 || ids > most_ids || words[4] != 0) return "the bound of its names is out of range";
    std::size_t entries = 0, functions = 0, ends = 0;
    bool has_size = false;
    for (std::size_t at = header; at < words.size();) {
        const std::size_t count = words[at] >> 16;
        const std::uint32_t op = words[at] & 0xffff;
        if (count == 0 || count > words.size() - at)
            return fmt::format("the instruction at word {} is {} words long, of {} that are left", at, count,
                               words.size() - at);
        const auto operand = [&](std::size_t i) { return i < count ? words[at + i] : 0; };
        switch (op) {
        case entry_point:
            ++entries;
            if (operand(1) != gl_compute) return "its entry point is not of a compute shader";
            if (operand(2) == 0 || operand(2) >= ids) return "its entry point has no name";
            break;
        case execution_mode:
            if (operand(2) != local_size) break;
            has_size = true;
            if (count != 6 || operand(3) != l.lanes || operand(4) != 1 || operand(5) != 1)
                return fmt::format("its workgroup has {} x {} x {} lanes, where the launch has {}", operand(3),
                                   operand(4), operand(5), l.lanes);
            break;
        case function: ++functions; break;
        case function_end: ++ends; break;
        case decorate:
            if (operand(2) == decoration_binding && operand(3) >= l.buffers)
                return fmt::format("it has a binding {}, where the launch has {} buffers", operand(3), l.buffers);
            if (operand(2) == decoration_descriptor_set && operand(3) != 0)
                return fmt::format("it reads descriptor set {}, not 0", operand(3));
            break;
        default: break;
        }
        at += count;
    }
    if (entries != 1) return fmt::format("it has {} entry points, not one", entries);
    if (functions == 0 || functions != ends) return "its functions do not end";
    if (!has_size) return "it does not say the size of its workgroup";
#ifdef HONE_WITH_VULKAN
    std::string first;
    spvtools::SpirvTools tools(SPV_ENV_VULKAN_1_1);
    tools.SetMessageConsumer([&](spv_message_level_t, const char*, const spv_position_t&, const char* message) {
        if (first.empty()) first = message;
    });
    if (!tools.Validate(words.data(), words.size()))
        return "its validator says " + excerpt(std::string_view(first).substr(0, first.find('\n')));
#endif
    return std::nullopt;
}

} // namespace hone::tune
