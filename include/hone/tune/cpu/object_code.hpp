// SPDX-License-Identifier: BSL-1.0
// The machine code of an object file, one piece for each section: whether two compilations gave the same kernels.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <fstream>
#include <iterator>
#include <map>
#include <string>
#include <string_view>

#include <elf.h>

namespace hone::tune {

// By the name of the section; with -ffunction-sections, or for templates and inline functions, that of the function.
// Nothing where it is no object of ELF with 64 bits.
inline std::map<std::string, std::string> code_sections_of(const std::string& object)
{
    std::ifstream file(object, std::ios::binary);
    const std::string bytes((std::istreambuf_iterator<char>(file)), std::istreambuf_iterator<char>());
    std::map<std::string, std::string> sections;
    // False where it is not all there.
    const auto read = [&](auto& to, std::uint64_t at) {
        if (at > bytes.size() || sizeof to > bytes.size() - at) return false;
        std::memcpy(&to, bytes.data() + at, sizeof to);
        return true;
    };
    Elf64_Ehdr header{};
    if (!read(header, 0) || std::memcmp(header.e_ident, ELFMAG, SELFMAG) != 0 || header.e_ident[EI_CLASS] != ELFCLASS64)
        return sections;
    Elf64_Shdr first{}, names{};
    if (!read(first, header.e_shoff)) return sections;
    // With more sections than fit the header, the first one says how many.
    const std::uint64_t count = header.e_shnum != 0 ? header.e_shnum : first.sh_size;
    const std::uint64_t of_names = header.e_shstrndx != SHN_XINDEX ? header.e_shstrndx : first.sh_link;
    if (!read(names, header.e_shoff + of_names * sizeof names)) return sections;
    for (std::uint64_t i = 0; i < count; ++i) {
        Elf64_Shdr s{};
        if (!read(s, header.e_shoff + i * sizeof s)) break;
        const std::uint64_t name = names.sh_offset + s.sh_name;
        if (s.sh_type != SHT_PROGBITS || (s.sh_flags & SHF_EXECINSTR) == 0 || name >= bytes.size() ||
            s.sh_offset > bytes.size() || s.sh_size > bytes.size() - s.sh_offset)
            continue;
        sections[bytes.c_str() + name] += bytes.substr(s.sh_offset, s.sh_size);
    }
    return sections;
}

struct code_comparison {
    std::size_t sections = 0; // of kernels, in both
    std::string first_difference{};
    bool same() const { return sections > 0 && first_difference.empty(); }
};

// Of the sections that are kernels. What packs and calls them may differ: it is not what is timed.
inline code_comparison compare_kernels(const std::string& object, const std::string& other)
{
    const auto code = code_sections_of(object), other_code = code_sections_of(other);
    code_comparison r;
    for (const auto& [name, bytes] : code) {
        if (name.find("4hone7codegen3cpu") == std::string::npos) continue;
        const auto at = other_code.find(name);
        ++r.sections;
        if ((at == other_code.end() || at->second != bytes) && r.first_difference.empty()) r.first_difference = name;
    }
    return r;
}

} // namespace hone::tune
