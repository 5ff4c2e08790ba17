// SPDX-License-Identifier: BSL-1.0
// The kernels of an operator for an instruction set, as a search sees them: the direct template, and Winograd where it
// applies.
#pragma once

#include <cstdint>
#include <unordered_map>

#include <boost/hana/tuple.hpp>
#include <vector>

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
        static constexpr error_class strictest = error_class::exact_order;
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
        static constexpr error_class strictest = error_class::winograd_2;
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

    static error_class class_of(const cpu_config& c) { return hone::class_of(c); }
    static cpu_config standard(nest& n, const definition& d, isa set) { return legal_default(d, set, n); }
    static std::vector<cpu_config> others(const definition& d, isa set)
    {
        if (!winograd_applies(d)) return {};
        return {{.algorithm = cpu_template::winograd, .winograd = default_winograd(d, set)}};
    }

    // A config whose weights cannot be packed is illegal too.
    status lower_into(nest& n, const definition& d, const cpu_config& c, isa set)
    {
        const status packs = packing_of(n, d, c, set);
        if (!packs.ok()) return packs;
        lower(cpu_schedule(d, c, set), n);
        return n.ok() ? check(n, cpu_target(set)) : n.found;
    }

private:
    // Many configs read weights in one layout: it is lowered once.
    status packing_of(nest& n, const definition& d, const cpu_config& c, isa set)
    {
        if (!d.found.ok()) return d.found;
        const std::uint64_t layout =
            layout_id(c.algorithm == cpu_template::winograd ? winograd_weights(d, c.winograd, set)
                                                            : packed_weights(d, c.direct, set));
        const auto [at, is_new] = packings_.try_emplace(layout);
        if (is_new) {
            lower(cpu_packing(d, c, set), n);
            at->second = n.ok() ? check(n, cpu_target(set)) : n.found;
        }
        return at->second;
    }

    std::unordered_map<std::uint64_t, status> packings_{}; // by layout
};

using cpu_space = space<cpu_backend>;

} // namespace hone::tune
