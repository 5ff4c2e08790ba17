// SPDX-License-Identifier: BSL-1.0
// The backends of tune/record_backends.hpp with all that tunes them; one whose part that tunes is forgotten here does
// not compile. What a build lacks for a backend, as Vulkan's headers, is that backend's to say.
#pragma once

#include <array>
#include <tuple>

#include <hone/tune/backend.hpp>
#include <hone/tune/cpu/backend.hpp>
#include <hone/tune/record_backends.hpp>
#include <hone/tune/vulkan/backend.hpp>

namespace hone::tune {

inline constexpr auto all_that_tune = std::apply(
    [](const auto&... b) { return std::array<const backend*, sizeof...(b)>{&tuned_by(b)...}; }, all_backends::members);

} // namespace hone::tune
