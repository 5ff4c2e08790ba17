// SPDX-License-Identifier: BSL-1.0
// The kernels of an operator for a Vulkan device, as a search sees them: programs that its limits let it run.
#pragma once

#include <memory>
#include <vector>

#include <boost/hana/tuple.hpp>
#include <boost/hana/type.hpp>

#include <hone/codegen/launch.hpp>
#include <hone/codegen/lower.hpp>
#include <hone/ir/check.hpp>
#include <hone/schedule/vulkan.hpp>
#include <hone/tune/space.hpp>

namespace hone::tune {

struct vulkan_backend {
    using config = vulkan_knobs;
    using target = vulkan_limits;

    struct direct {
        using knobs = vulkan_knobs;
        static constexpr const char* name = "direct";
        static constexpr error_class strictest = error_class::exact_order;
        static constexpr const auto& constraints = vulkan_constraints;
        static bool applies(const definition&) { return true; }
        static vulkan_knobs fitted(const definition& d, const vulkan_knobs& k, const vulkan_limits&)
        {
            return hone::fitted(d, k);
        }
        static vulkan_knobs config_of(const vulkan_knobs& k) { return k; }
        static const vulkan_knobs* knobs_in(const vulkan_knobs& k) { return &k; }
    };
    static constexpr auto templates = hana::tuple_t<direct>;

    static error_class class_of(const vulkan_knobs& k) { return hone::class_of(k); }
    vulkan_knobs standard(nest& n, const definition& d, const vulkan_limits& limits) const
    {
        for (int step = 0; step < default_vulkan_steps; ++step)
            if (const vulkan_knobs k = default_vulkan(d, step); lower_into(n, d, k, limits).ok()) return k;
        return default_vulkan(d);
    }
    static std::vector<vulkan_knobs> others(const definition&, const vulkan_limits&) { return {}; }

    status lower_into(nest& n, const definition& d, const vulkan_knobs& k, const vulkan_limits& limits) const
    {
        lower(vulkan_schedule(d, k), n);
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
