// SPDX-License-Identifier: BSL-1.0
// The kernels of an operator for a Vulkan device, as a search sees them: programs that its limits let it run.
#pragma once

#include <memory>

#include <hone/ir/check.hpp>
#include <hone/lower/lower.hpp>
#include <hone/schedule/vulkan_templates.hpp>
#include <hone/search/any_space.hpp>
#include <hone/search/own_templates.hpp>
#include <hone/search/space.hpp>
#include <hone/vulkan/launch.hpp>

namespace hone::tune {

template <class Templates>
struct vulkan_lowering {
    using templates = Templates;
    using target = vulkan_limits;

    template <class Config>
    status lower_into(nest& n, const definition& d, const Config& c, const vulkan_limits& limits) const
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
    if (d.stages.size() == 1)
        lower(vulkan_schedule(d, fitted(d, naive_vulkan())), *n);
    else
        lower(schedule_for(d, default_config<vulkan_templates>(d, limits), limits), *n);
    return buffers_fit(*n, limits);
}

using vulkan_space = space<vulkan_lowering<vulkan_templates>>;

// Of a workload with templates of its own, or with none.
inline std::shared_ptr<const any_space> vulkan_space_of(const definition& d, const vulkan_limits& limits,
                                                        error_class worst, const own_templates<vulkan_family>& own)
{
    if (own == nullptr) return any_space_of(vulkan_space(d, limits, worst));
    using space_of_rows = space<vulkan_lowering<listed_templates<vulkan_limits>>>;
    return any_space_of(space_of_rows(d, limits, worst, listed_templates<vulkan_limits>{own->data(), own->size()}));
}

} // namespace hone::tune
