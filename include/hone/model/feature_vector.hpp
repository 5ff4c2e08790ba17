// SPDX-License-Identifier: BSL-1.0
// What the cost model sees of a nest: one vector of fixed length for every operator and backend, in named groups
// (Chen et al., "Learning to Optimize Tensor Programs", 2018, Table 2 and section 3, and a group of our own).
//
//   loop context      for each loop from the innermost out: length, binding, products, and what it touches
//   context relation  the same loops as a bag of points, sampled at fixed thresholds: the number, order and names of
//                     loops do not matter, so that it holds across operators
//   whole nest        what a loop alone does not show: registers, tails, caches, memory, concurrency
//
// Counts are encoded as log2(x + 1), and as -log2(1 - x) below zero; shares stay in [0, 1].
#pragma once

#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <string>

#include <hone/ir/nest.hpp>

namespace hone::tune {

// The part of a buffer in the main statement. What was only copied or transformed from one argument (a padded or
// packed copy, a tile in shared memory, a Winograd transform) keeps the part of that argument.
enum class operand_part : std::uint8_t { x, weights, output, registers, scratch, other };
inline constexpr int operand_parts = 6;
constexpr const char* name_of(operand_part p)
{
    constexpr const char* names[] = {"x", "weights", "y", "registers", "scratch", "other"};
    return names[static_cast<int>(p)];
}

// Values of a loop for itself, and for the operand of each part below it.
enum class loop_feature : std::uint8_t { length, top_down, bottom_up };
enum class touch_feature : std::uint8_t { touch, reuse, stride };
enum class relation : std::uint8_t {
    reuse_by_touch, // most reuse of the loops that touch fewer than 2^(t + 1) elements: what caches of that size give
    touch_by_top_down, // most elements touched by loops that run less than 2^(1.5 t + 1) times: what is fetched how
                       // often
};

// Features of the nest as a whole.
enum class nest_feature : std::uint8_t {
    is_vulkan,
    vector_length,
    loops,             // of the longest chain
    tile_bodies,       // copies of the main tile
    leaves,            // statements in the tree
    written_out,       // statements once unrolled loops are written out: code size
    multiply_adds,     // executions of statements that accumulate
    main_share,        // of the main statement in all operations
    operations,        // vector instructions of all statements, roughly
    peeled_share,      // of the main statement, outside its heaviest tile
    guarded_share,     // of the main statement, under a test
    skipped_share,     // of the main statement, left out by tests
    idle_output_share, // of the stores to the output, left out by tests: lanes and rows past the end
    registers,         // of all tiles
    live_registers,    // of the main tile
    band_macs,         // vector multiply-adds that stand side by side
    band_vector_loads, // vector loads beside them
    band_scalar_loads, // scalar loads beside them, each broadcast
    loads_per_mac,     // plain quotient
    chunks,            // iterations of the parallel loops
    regions,           // how often they are entered
    chunk_work,        // executions of the main statement in a chunk
    x_bytes,
    weights_bytes, // as packed
    output_bytes,
    other_bytes,
    workspace_bytes,
    slot_bytes,
    band_footprint, // bytes that are touched by the written-out loops,
    tile_footprint, // by one tile,
    step_footprint, // by the loop around the tile,
    full_footprint, // by all loops
    l1_loops,       // inner loops that touch at most 32 KiB,
    l1_bytes,       // what they touch,
    l1_iterations,  // how often they run the main statement,
    l1_traffic,     // bytes that pass in all if each of their runs fetches what it touches once
    l2_loops,       // 1 MiB
    l2_bytes,
    l2_iterations,
    l2_traffic,
    l3_loops, // 32 MiB
    l3_bytes,
    l3_iterations,
    l3_traffic,
    lanes,
    groups,
    shared_bytes,
    barriers,        // that one invocation passes
    lane_registers,  // floats of one invocation
    lane_iterations, // executions of the main statement by one invocation
    count
};
constexpr const char* name_of(nest_feature f)
{
    constexpr const char* names[] = {"is_vulkan",
                                     "vector_length",
                                     "loops",
                                     "tile_bodies",
                                     "leaves",
                                     "written_out",
                                     "multiply_adds",
                                     "main_share",
                                     "operations",
                                     "peeled_share",
                                     "guarded_share",
                                     "skipped_share",
                                     "idle_output_share",
                                     "registers",
                                     "live_registers",
                                     "band_macs",
                                     "band_vector_loads",
                                     "band_scalar_loads",
                                     "loads_per_mac",
                                     "chunks",
                                     "regions",
                                     "chunk_work",
                                     "x_bytes",
                                     "weights_bytes",
                                     "output_bytes",
                                     "other_bytes",
                                     "workspace_bytes",
                                     "slot_bytes",
                                     "band_footprint",
                                     "tile_footprint",
                                     "step_footprint",
                                     "full_footprint",
                                     "l1_loops",
                                     "l1_bytes",
                                     "l1_iterations",
                                     "l1_traffic",
                                     "l2_loops",
                                     "l2_bytes",
                                     "l2_iterations",
                                     "l2_traffic",
                                     "l3_loops",
                                     "l3_bytes",
                                     "l3_iterations",
                                     "l3_traffic",
                                     "lanes",
                                     "groups",
                                     "shared_bytes",
                                     "barriers",
                                     "lane_registers",
                                     "lane_iterations"};
    static_assert(sizeof names / sizeof *names == static_cast<std::size_t>(nest_feature::count));
    return names[static_cast<int>(f)];
}

enum class feature_group : std::uint8_t { loop_context, context_relation, whole_nest };

struct feature_vector {
    // Loop 0 is the innermost; loops further out than these are left out of the context.
    static constexpr int loops = 24;
    static constexpr int loop_values = 3;
    static constexpr int bindings = 6;
    static constexpr int touch_values = 3;
    static constexpr int per_loop = loop_values + bindings + operand_parts * touch_values;
    static constexpr int relations = 2;
    static constexpr int samples = 20;

    static constexpr int first_relation = loops * per_loop;
    static constexpr int first_nest = first_relation + operand_parts * relations * samples;
    static constexpr int size = first_nest + static_cast<int>(nest_feature::count);

    std::array<float, size> values{};

    static constexpr int index(int loop, loop_feature f) { return loop * per_loop + static_cast<int>(f); }
    static constexpr int index(int loop, binding b) { return loop * per_loop + loop_values + static_cast<int>(b); }
    static constexpr int index(int loop, operand_part p, touch_feature f)
    {
        return loop * per_loop + loop_values + bindings + static_cast<int>(p) * touch_values + static_cast<int>(f);
    }
    static constexpr int index(operand_part p, relation r, int sample)
    {
        return first_relation + (static_cast<int>(p) * relations + static_cast<int>(r)) * samples + sample;
    }
    static constexpr int index(nest_feature f) { return first_nest + static_cast<int>(f); }

    // The value at the index that the same arguments give.
    template <class... At>
    constexpr float operator()(At... at) const
    {
        return values[static_cast<std::size_t>(index(at...))];
    }
    template <class... At>
    constexpr float& operator()(At... at)
    {
        return values[static_cast<std::size_t>(index(at...))];
    }

    friend constexpr bool operator==(const feature_vector&, const feature_vector&) = default;
};

constexpr feature_group group_of(int index)
{
    return index < feature_vector::first_relation ? feature_group::loop_context
           : index < feature_vector::first_nest   ? feature_group::context_relation
                                                  : feature_group::whole_nest;
}

// The name of feature `index`, such as "loop 3 weights reuse", "x reuse, touch < 2^12" or "l2_traffic".
inline std::string feature_name(int index)
{
    using v = feature_vector;
    if (group_of(index) == feature_group::whole_nest) return name_of(static_cast<nest_feature>(index - v::first_nest));
    if (group_of(index) == feature_group::context_relation) {
        const int i = index - v::first_relation;
        const int sample = i % v::samples;
        const std::string part = name_of(static_cast<operand_part>(i / (v::relations * v::samples)));
        if (static_cast<relation>(i / v::samples % v::relations) == relation::reuse_by_touch)
            return part + " reuse, touch < 2^" + std::to_string(sample + 1);
        return part + " touch, top_down < 2^" + std::to_string(sample * 3 / 2 + 1) + (sample % 2 != 0 ? ".5" : "");
    }
    const std::string loop = "loop " + std::to_string(index / v::per_loop) + ' ';
    int i = index % v::per_loop;
    constexpr const char* values[] = {"length", "top_down", "bottom_up"};
    if (i < v::loop_values) return loop + values[i];
    i -= v::loop_values;
    if (i < v::bindings) return loop + name_of(static_cast<binding>(i));
    i -= v::bindings;
    constexpr const char* touches[] = {" touch", " reuse", " stride"};
    return loop + name_of(static_cast<operand_part>(i / v::touch_values)) + touches[i % v::touch_values];
}

// The encoding of counts: log2(x + 1), odd around zero. By the exponent's bits and a series that is right to 1e-6,
// since std::log2 alone would take a quarter of the time of a vector.
inline float feature_log2(double x)
{
    const double y = (x < 0 ? -x : x) + 1;
    const auto bits = std::bit_cast<std::uint64_t>(y);
    // Mantissa in [sqrt(1/2), sqrt(2)), where s = (m - 1) / (m + 1) stays below 0.172.
    const std::uint64_t offset = bits - 0x3fe6a09e667f3bcdu;
    const auto exponent = static_cast<std::int64_t>(offset) >> 52;
    const auto m = std::bit_cast<double>(bits - (static_cast<std::uint64_t>(exponent) << 52));
    const double s = (m - 1) / (m + 1);
    const double q = s * s;
    const double log = static_cast<double>(exponent) +
                       s * (2.8853900817779268 + q * (0.9617966939259756 + q * (0.5770780163555854 + q * 0.412198583)));
    return static_cast<float>(x < 0 ? -log : log);
}

} // namespace hone::tune
