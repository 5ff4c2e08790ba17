// SPDX-License-Identifier: BSL-1.0
// What became of a candidate. A candidate that fails costs itself only, and is never tried again.
#pragma once

#include <cstdint>
#include <iterator>
#include <optional>
#include <string_view>

namespace hone::tune {

enum class verdict : std::uint8_t {
    ok,
    illegal,        // rejected before it was compiled
    compile_error,  // the compiler or linker rejected it
    compiler_crash, // the compiler ended by a signal
    build_timeout,  // the compiler missed its deadline
    run_timeout,    // the kernel missed its deadline
    crash,          // the kernel ended its process, or left others behind
    wrong_result,   // the kernel's results are wrong, or it wrote where it must not
    device_lost,    // the device stopped answering
    interrupted,    // the user or the budget stopped the search; says nothing of the candidate
    untried,        // the machine had no process, memory or space for it; says nothing of the candidate either
};

inline constexpr const char* verdict_names[] = {
    "ok",    "illegal",      "compile_error", "compiler_crash", "build_timeout", "run_timeout",
    "crash", "wrong_result", "device_lost",   "interrupted",    "untried"};

constexpr const char* name_of(verdict v) { return verdict_names[static_cast<int>(v)]; }

inline std::optional<verdict> verdict_of(std::string_view name)
{
    for (std::size_t i = 0; i < std::size(verdict_names); ++i)
        if (name == verdict_names[i]) return static_cast<verdict>(i);
    return std::nullopt;
}

// Whether such a result is kept, so that the candidate is never tried again.
constexpr bool is_recorded(verdict v) { return v != verdict::interrupted && v != verdict::untried; }

// Whether a program's message says that the machine lacked something: what it was given has no part in that.
inline bool says_lack_of_resources(std::string_view message)
{
    for (const char* const words :
         {"Resource temporarily unavailable", "No space left on device", "Disk quota exceeded", "Too many open files",
          "File too large", "File size limit exceeded", "Input/output error", "Read-only file system", "Text file busy",
          "Stale file handle"})
        if (message.find(words) != std::string_view::npos) return true;
    return false;
}
// Or that memory was short, which the given may have used up.
inline bool says_lack_of_memory(std::string_view message)
{
    for (const char* const words : {"out of memory", "Cannot allocate memory", "memory exhausted", "bad_alloc",
                                    "Killed signal terminated", "signal terminated program"})
        if (message.find(words) != std::string_view::npos) return true;
    return false;
}

} // namespace hone::tune
