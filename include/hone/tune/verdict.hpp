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
    interrupted,    // the user stopped the search; says nothing of the candidate
};

inline constexpr const char* verdict_names[] = {
    "ok",          "illegal", "compile_error", "compiler_crash", "build_timeout",
    "run_timeout", "crash",   "wrong_result",  "device_lost",    "interrupted"};

constexpr const char* name_of(verdict v) { return verdict_names[static_cast<int>(v)]; }

inline std::optional<verdict> verdict_of(std::string_view name)
{
    for (std::size_t i = 0; i < std::size(verdict_names); ++i)
        if (name == verdict_names[i]) return static_cast<verdict>(i);
    return std::nullopt;
}

} // namespace hone::tune
