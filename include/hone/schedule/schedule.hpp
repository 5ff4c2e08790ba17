// SPDX-License-Identifier: BSL-1.0
// The schedule s of the paper, as data: for each stage its levels from the outermost loop to the innermost, the level
// at which its registers open, and where it is attached. Lowering turns (definition, schedule) into a nest.
#pragma once

#include <cstdint>

#include <hone/core/inline_vector.hpp>
#include <hone/op/definition.hpp>

#ifndef HONE_SHOW_WARNINGS // see core/config.hpp
#pragma GCC system_header
#endif

namespace hone::schedules {

// What happens where a step does not divide what is left of its axis.
enum class tail : std::uint8_t {
    exact, // a fault. Legal when the step divides.
    peel,  // whole steps, then a sibling for the rest. Costs code; at the register tile only.
    bound, // rounded up; the loop's inner levels stop at the end of the axis. Costs nothing; for cache levels.
    guard, // rounded up; leaves past the end of the axis are skipped. Costs a test; for vectors and Vulkan.
};

// What happens to the taps of a convolution that read padding.
enum class border : std::uint8_t {
    none,  // tested at each leaf where they cannot be excluded
    clip,  // on a reduction axis: the loop runs over live taps only. Needs the spatial axis outside.
    peel,  // on a spatial axis: tiles that touch padding become siblings, whose dead taps vanish. Costs code.
    share, // on an unrolled reduction axis: what would be siblings, but reads no padding, stays a loop. Costs nothing.
    test,  // on a reduction axis: each of its steps asks whether all rows of the tile are inside, or some are, and only
          // then do leaves test. For steps and paddings that the call gives. Costs two more bodies of the loops inside.
};

// Steps of a level that border::peel makes siblings of. More would be code, not speed: then the leaves test.
inline constexpr std::int64_t most_peeled = 4;

// A loop over what is left of an axis in steps of `step` iterations.
struct level {
    std::int8_t axis = -1;
    std::int32_t step = 1;
    binding bind = binding::serial;
    schedules::tail tail = schedules::tail::exact;
    schedules::border border = schedules::border::none;
    // More than 1: the loop walks the first of so many equal parts of what is left of its axis, and the next level of
    // that axis steps from part to part, by their length. So the same places of all parts are met side by side; what
    // is left behind the last part comes after them. Legal where the length is known, and a multiple of the step.
    // Gains: memory is read as that many streams, each in order. Costs code, and a reduction takes its terms in another
    // order.
    std::int32_t parts = 1;
};

// Where a stage is computed: just before level `level` of stage `stage`, inside its earlier levels. -1: at the root.
struct attach_point {
    std::int8_t stage = -1, level = 0;
};

struct stage_plan {
    inline_vector<schedules::level, 24> levels{};
    // Index of the first level inside the register tile. A stage that writes registers opens none of its own.
    std::int8_t tile_at = 0;
    attach_point attach{};
    // Bit o: loads of operand o test for themselves whether they leave its tensor, and read 0 there, so that leaves of
    // a sum of products run unguarded. Legal for a factor of the products that the epilogue does not read. Gains: no
    // branch, and what the leaves share is read once. Costs: products with 0, which are NaN where a weight is infinite.
    std::uint8_t masked = 0;
    // Reduction levels from this one on accumulate apart: each of their iterations has a register of its own, and
    // behind the reduction these are folded into one, the vectors first, then the lanes. -1: none do. Legal inside the
    // tile, for unrolled levels and the vector level. Gains: independent chains, and vectors along the reduction.
    // Costs: registers, and a sum takes its terms in another order.
    std::int8_t apart_at = -1;
    // Whether what this stage computes for others ends with its axes: these then test for that end, too.
    bool is_cut = false;
    // Attached stages: where each own axis starts, in axes of the stage it is attached to.
    inline_vector<dim_index, most_axes> base{};

    constexpr stage_plan& add(int axis, std::int64_t step, binding bind = binding::serial,
                              schedules::tail tail = schedules::tail::exact,
                              schedules::border border = schedules::border::none)
    {
        levels.push_back({.axis = static_cast<std::int8_t>(axis),
                          .step = static_cast<std::int32_t>(step),
                          .bind = bind,
                          .tail = tail,
                          .border = border});
        return *this;
    }
    constexpr stage_plan& mask(int operand)
    {
        masked = static_cast<std::uint8_t>(masked | 1u << operand);
        return *this;
    }
    constexpr stage_plan& accumulate_apart()
    {
        apart_at = static_cast<std::int8_t>(levels.size());
        return *this;
    }
    constexpr stage_plan& open_tile()
    {
        tile_at = static_cast<std::int8_t>(levels.size());
        return *this;
    }
};

// A definition whose tensors have their layouts, with the plan of each stage.
struct schedule {
    hone::definition definition{};
    inline_vector<stage_plan, 8> plans{};
    std::int16_t vector_length = 1;
    isa set = isa::baseline;
    status found{};
};

} // namespace hone::schedules

namespace hone { // API
using schedules::attach_point, schedules::border, schedules::level, schedules::schedule, schedules::stage_plan,
    schedules::tail;
} // namespace hone
