// SPDX-License-Identifier: BSL-1.0
// A schedule template that is none of hone's: rows of one vector, one after the other, the reduction innermost.
#pragma once

#include <hone/schedule/register_tile.hpp>
#include <hone/schedule/roles.hpp>
#include <hone/schedule/schedule_template.hpp>

namespace hone::test {

using namespace schedules;

struct narrow_knobs {
    std::int32_t rows = 2;
    friend constexpr bool operator==(const narrow_knobs&, const narrow_knobs&) = default;
};
inline constexpr knob<narrow_knobs> narrow_knob_table[] = {
    knob_member<&narrow_knobs::rows>::range("rows", 1, most_rows, {1, 2, 3, 4, 6, 8})};
constexpr const auto& knobs_of(const narrow_knobs&) { return narrow_knob_table; }
constexpr error_class class_of(const narrow_knobs&) { return error_class::exact_order; }
inline constexpr constraint<narrow_knobs, isa> narrow_constraints[] = {
    {"registers", [](const narrow_knobs& k, const isa& set) {
         return check_registers({k.rows, 1}, set);
     }}};

struct narrow {
    using knobs = narrow_knobs;
    using target = isa;
    static constexpr const char* name = "narrow";
    static constexpr error_class strictest = error_class::exact_order;
    static constexpr const auto& constraints = narrow_constraints;
    static constexpr int default_steps = 1;
    static constexpr bool transforms_weights = false;

    static constexpr bool applies(const definition& d) { return has_direct_roles(d) && roles_of(d).row >= 0; }
    static constexpr knobs fitted(const definition& d, knobs k, isa)
    {
        const std::int64_t rows = d.stages[0].axes[roles_of(d).row].extent;
        if (k.rows > rows) k.rows = static_cast<std::int32_t>(rows);
        return k;
    }
    static constexpr knobs standard(const definition& d, isa set, int) { return fitted(d, {}, set); }
    static constexpr packed_tensors packed(const definition& d, const knobs& k, isa set)
    {
        return check_knobs(k).ok() ? packed_along(d, lanes_of(set, d)) : packed_tensors();
    }
    static constexpr schedule packing(const definition& d, const knobs& k, isa set, std::size_t which)
    {
        return packing_schedule(weights_of(d)[which], packed(d, k, set)[which], set);
    }
    static constexpr schedule scheduled(const definition& d, const knobs& k, isa set)
    {
        const direct_roles r = roles_of(d);
        const std::int64_t lanes = lanes_of(set, d);
        schedule s;
        s.definition = d;
        s.set = set;
        s.vector_length = static_cast<std::int16_t>(lanes);
        replace_weights(s.definition, packed(d, k, set));
        stage_plan p;
        for (std::int8_t a : r.batch) p.add(a, 1, binding::parallel);
        p.add(r.vector, lanes, binding::parallel, tail::peel).add(r.row, k.rows, binding::serial, tail::peel);
        p.open_tile();
        for (std::int8_t a : r.windows) p.add(a, 1);
        if (r.reduce >= 0) p.add(r.reduce, 1);
        p.add(r.row, 1, binding::unroll).add(r.vector, 1, binding::vectorize);
        s.plans.push_back(p);
        return s;
    }
};

} // namespace hone::test
