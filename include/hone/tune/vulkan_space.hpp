// SPDX-License-Identifier: BSL-1.0
// The kernels of an operator for a Vulkan device, as a search sees them: programs that its limits let it run.
#pragma once

#include <memory>

#include <hone/codegen/launch.hpp>
#include <hone/codegen/lower.hpp>
#include <hone/ir/check.hpp>
#include <hone/schedule/vulkan_templates.hpp>
#include <hone/tune/space.hpp>

namespace hone::tune {

struct vulkan_backend {
    using templates = vulkan_templates;
    using target = vulkan_limits;

    status lower_into(nest& n, const definition& d, const vulkan_config& c, const vulkan_limits& limits) const
    {
        lower(schedule_for(d, c, limits), n);
        status found = n.found;
        if (found.ok()) found = check(n, vulkan_target(limits));
        if (found.ok()) found = fits(launch_of(n), limits);
        if (found.ok()) found = buffers_fit(n, limits);
        return found;
    }
};

// The tensor that keeps an operator from a device whatever the knobs; ok: there is none.
inline status reason_against(const definition& d, const vulkan_limits& limits)
{
    const auto n = std::make_unique<nest>();
    lower(vulkan_schedule(d, fitted(d, naive_vulkan())), *n);
    return buffers_fit(*n, limits);
}

using vulkan_space = space<vulkan_backend>;

} // namespace hone::tune
