// SPDX-License-Identifier: BSL-1.0
// The kernels of an operator for an instruction set, as a search sees them: the direct template, and Winograd where it
// applies.
#pragma once

#include <boost/hana/type.hpp>

#include <hone/codegen/lower.hpp>
#include <hone/ir/check.hpp>
#include <hone/run/kernel.hpp>
#include <hone/tune/space.hpp>

namespace hone::tune {

struct cpu_backend {
    using config = cpu_config;
    using target = isa;

    struct direct {
        using knobs = direct_knobs;
        static constexpr const char* name = name_of(cpu_template::direct);
        static constexpr const auto& constraints = direct_constraints;
        static bool applies(const definition&) { return true; }
        static direct_knobs fitted(const definition& d, const direct_knobs& k, isa set)
        {
            return hone::fitted(d, k, set);
        }
        static cpu_config config_of(const direct_knobs& k) { return {.direct = k}; }
        static const direct_knobs* knobs_in(const cpu_config& c)
        {
            return c.algorithm == cpu_template::direct ? &c.direct : nullptr;
        }
    };
    struct winograd {
        using knobs = winograd_knobs;
        static constexpr const char* name = name_of(cpu_template::winograd);
        static constexpr const auto& constraints = winograd_constraints;
        static bool applies(const definition& d) { return winograd_applies(d); }
        static winograd_knobs fitted(const definition& d, const winograd_knobs& k, isa set)
        {
            return hone::fitted(d, k, set);
        }
        static cpu_config config_of(const winograd_knobs& k)
        {
            return {.algorithm = cpu_template::winograd, .winograd = k};
        }
        static const winograd_knobs* knobs_in(const cpu_config& c)
        {
            return c.algorithm == cpu_template::winograd ? &c.winograd : nullptr;
        }
    };
    static constexpr auto templates = hana::tuple_t<direct, winograd>;

    static cpu_config standard(const definition& d, isa set) { return {.direct = default_direct(d, set)}; }

    // A config whose weights cannot be packed is illegal too.
    static status lower_into(nest& n, const definition& d, const cpu_config& c, isa set)
    {
        for (const auto step : {&cpu_packing, &cpu_schedule}) {
            lower(step(d, c, set), n);
            const status found = n.ok() ? check(n, cpu_target(set)) : n.found;
            if (!found.ok()) return found;
        }
        return {};
    }
};

using cpu_space = space<cpu_backend>;

} // namespace hone::tune
