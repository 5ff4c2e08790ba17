// SPDX-License-Identifier: BSL-1.0
// The Vulkan template as a search sees it: random knobs, and a program of them if the device can run it.
#pragma once

#include <cstdint>
#include <optional>
#include <random>
#include <string>
#include <utility>

#include <hone/codegen/launch.hpp>
#include <hone/codegen/lower.hpp>
#include <hone/ir/check.hpp>
#include <hone/ir/hash.hpp>
#include <hone/schedule/vulkan.hpp>
#include <hone/tune/random_search.hpp>

namespace hone::tune {

class vulkan_space {
public:
    using config = vulkan_knobs;

    vulkan_space(const definition& d, const vulkan_limits& limits) : definition_(d), limits_(limits) {}

    vulkan_knobs random(std::mt19937_64& bits) const { return fitted(definition_, random_knobs<vulkan_knobs>(bits)); }
    vulkan_knobs standard() const { return default_vulkan(definition_); }

    // The hash of its nest; nothing where the device cannot run it, and the fault is then in `why`.
    std::optional<std::uint64_t> nest_of(const vulkan_knobs& k, status& why) const
    {
        const nest compute = lower(vulkan_schedule(definition_, k));
        why = compute.found;
        if (why.ok()) why = check(compute, vulkan_target(limits_));
        if (why.ok()) why = fits(launch_of(compute), limits_);
        if (!why.ok()) return std::nullopt;
        return nest_hash(compute);
    }

private:
    definition definition_;
    vulkan_limits limits_;
};

} // namespace hone::tune
