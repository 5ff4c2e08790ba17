// SPDX-License-Identifier: BSL-1.0
// A schedule template that hone does not ship: it cuts the channels of a row into equal parts, and a register tile
// holds some rows of one. hone's own, `direct`, takes one to four vectors at a time, and what remains: of 72 channels,
// which are five vectors of AVX-512, four and one. Here all five may be one tile, which reads each value of x once.
#pragma once

#include <cstddef>
#include <cstdint>

#include <hone/hone.hpp>

namespace audio {

struct equal_parts_knobs {
    std::int32_t parts = 1;
    std::int32_t rows = 1;
    std::int32_t steps = 1; // of the innermost reduction that are written out
    friend constexpr bool operator==(const equal_parts_knobs&, const equal_parts_knobs&) = default;
};

// By name: the values that the template takes, and those that a search tries.
inline constexpr hone::knob<equal_parts_knobs> equal_parts_table[] = {
    hone::knob_member<&equal_parts_knobs::parts>::range("parts", 1, 1024, {1, 2, 3, 4, 5, 6, 7, 8, 9, 12, 16, 18}),
    hone::knob_member<&equal_parts_knobs::rows>::range("rows", 1, 64, {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 12, 14}),
    hone::knob_member<&equal_parts_knobs::steps>::range("steps", 1, 16, {1, 2, 4, 8}),
};
constexpr const auto& knobs_of(const equal_parts_knobs&) { return equal_parts_table; }

// The terms of each output are added in the order of the definition, whatever the knobs.
constexpr hone::error_class class_of(const equal_parts_knobs&) { return hone::error_class::exact_order; }

struct equal_parts {
    using knobs = equal_parts_knobs;
    using target = hone::isa;
    static constexpr const char* name = "equal_parts";
    static constexpr hone::error_class strictest = hone::error_class::exact_order;
    static constexpr int default_steps = 1;
    static constexpr bool transforms_weights = false;

    // What lowering would say too, in nanoseconds instead of microseconds: no tile of fewer vectors has as many rows.
    static constexpr hone::constraint<knobs, target> constraints[] = {
        {"registers", [](const knobs& k, const hone::isa& set) {
             return hone::check_registers({.rows = k.rows, .vectors = 1}, set);
         }}};

    // One stage with rows, weights, and channels along the vectors; shapes that only a call knows are left to others.
    static constexpr bool applies(const hone::definition& d)
    {
        if (!hone::has_direct_roles(d) || !d.parameters.empty()) return false;
        const hone::direct_roles r = hone::roles_of(d);
        return r.row >= 0 && r.weights >= 0;
    }
    // Several numbers of parts may come to the same vectors: the least of them stands for all.
    static constexpr knobs fitted(const hone::definition& d, knobs k, hone::isa set)
    {
        const hone::direct_roles r = hone::roles_of(d);
        const auto& axes = d.stages[0].axes;
        k.parts = at_most(k.parts, vectors_of(d, set));
        k.parts = at_most(k.parts, hone::ceil_div(vectors_of(d, set), vectors_of_part(d, k, set)));
        k.rows = at_most(k.rows, axes[r.row].extent);
        k.steps = at_most(k.steps, r.reduce < 0 ? 1 : axes[r.reduce].extent);
        return k;
    }
    // The tile with most multiply-adds for each load; of equals that of fewest parts.
    static constexpr knobs standard(const hone::definition& d, hone::isa set, int)
    {
        knobs best;
        std::int64_t most = 0, loads_of_best = 1;
        for (std::int32_t parts = 1; parts <= vectors_of(d, set); ++parts) {
            knobs k{.parts = parts};
            const auto vectors = static_cast<std::int32_t>(vectors_of_part(d, k, set));
            while (hone::check_registers({.rows = k.rows + 1, .vectors = vectors}, set).ok()) ++k.rows;
            if (!hone::check_registers({.rows = k.rows, .vectors = vectors}, set).ok()) continue;
            const std::int64_t tile = std::int64_t{k.rows} * vectors, loads = k.rows + vectors;
            if (tile * loads_of_best <= most * loads) continue;
            most = tile;
            loads_of_best = loads;
            best = k;
        }
        return fitted(d, best, set);
    }

    static constexpr hone::packed_tensors packed(const hone::definition& d, const knobs& k, hone::isa set)
    {
        if (!hone::check_knobs(k).ok()) return hone::packed_tensors();
        return hone::packed_along(d, vectors_of_part(d, k, set) * hone::lanes_of(set, d));
    }
    static constexpr hone::schedule packing(const hone::definition& d, const knobs& k, hone::isa set, std::size_t which)
    {
        return hone::packing_schedule(hone::weights_of(d)[which], packed(d, k, set)[which], set);
    }
    static constexpr hone::schedule scheduled(const hone::definition& d, const knobs& k, hone::isa set)
    {
        using namespace hone;
        const direct_roles r = roles_of(d);
        const stage& g = d.stages[0];
        const bool pads = g.operands[r.x].may_leave;
        const std::int64_t vectors = vectors_of_part(d, k, set), lanes = lanes_of(set, d);
        schedule s;
        s.definition = d;
        s.set = set;
        s.vector_length = static_cast<std::int16_t>(lanes);
        replace_weights(s.definition, packed(d, k, set));

        // From the outermost loop to the innermost; from open_tile() on the registers are held.
        stage_plan p;
        p.add(r.vector, vectors * lanes, binding::parallel, tail::peel);
        for (const std::int8_t a : r.batch) p.add(a, 1, binding::parallel);
        p.add(r.row, k.rows, binding::serial, tail::peel, pads ? border::peel : border::none);
        p.open_tile();
        for (const std::int8_t a : r.windows) {
            const bool along_rows = shares_dimension(g.operands[r.x], a, r.row);
            p.add(a, 1, pads && along_rows ? binding::unroll : binding::serial, tail::exact,
                  !pads        ? border::none
                  : along_rows ? border::share
                               : border::clip);
        }
        if (r.reduce >= 0) {
            p.add(r.reduce, k.steps, binding::serial, tail::peel);
            if (k.steps > 1) p.add(r.reduce, 1, binding::unroll);
        }
        if (k.rows > 1) p.add(r.row, 1, binding::unroll);
        if (vectors > 1) p.add(r.vector, lanes, binding::unroll, tail::guard);
        p.add(r.vector, 1, binding::vectorize);
        s.plans.push_back(p);
        return s;
    }

private:
    static constexpr std::int32_t at_most(std::int32_t value, std::int64_t most)
    {
        return value < most ? value : static_cast<std::int32_t>(most);
    }
    // Of a row of channels, and of a part of it.
    static constexpr std::int64_t vectors_of(const hone::definition& d, hone::isa set)
    {
        return hone::ceil_div(d.stages[0].axes[hone::roles_of(d).vector].extent, hone::lanes_of(set, d));
    }
    static constexpr std::int64_t vectors_of_part(const hone::definition& d, const knobs& k, hone::isa set)
    {
        return hone::ceil_div(vectors_of(d, set), std::int64_t{k.parts});
    }
};
static_assert(hone::schedule_template<equal_parts>);

} // namespace audio
