// SPDX-License-Identifier: BSL-1.0
// The knobs of each template, and a table of them by name: how to read and set each, the values that its template can
// take and those that a search tries, and how they are written. Kernels, records, generated headers and search all read
// these tables; check_knobs is what stands between a value from outside and the arithmetic of a schedule.
#pragma once

#include <cstddef>
#include <cstdint>
#include <initializer_list>

#include <hone/core/fault.hpp>
#include <hone/core/inline_vector.hpp>

#ifndef HONE_SHOW_WARNINGS // see core/config.hpp
#pragma GCC system_header
#endif

namespace hone {

// How padding is met: tap by tap at the borders, or by a padded copy of x.
enum class padding : std::uint8_t {
    peel, // dead taps are left out; costs tile bodies. Legal always, gains most on small images.
    copy, // x is copied with its padding into the workspace. One tile body; costs the copy.
};
// What is walked outside of what: the innermost of these stays in the nearest cache.
enum class walk : std::uint8_t {
    weights_outer, // a block of weights stays while all rows pass
    rows_outer,    // a row of x stays while all weights pass
};

struct direct_knobs {
    std::int32_t rows = 6;          // rows of the register tile
    std::int32_t vectors = 2;       // vectors of the register tile
    std::int32_t reduce_unroll = 1; // steps of the innermost reduction written out
    std::int32_t reduce_block = 0;  // steps of it per pass over the output; 0: all
    std::int32_t row_block = 0;     // rows per cache block; 0: all
    hone::padding pad = padding::peel;
    hone::walk order = walk::weights_outer;
    bool unroll_window = false; // the axes next to the innermost reduction are written out
    friend constexpr bool operator==(const direct_knobs&, const direct_knobs&) = default;
};

struct winograd_knobs {
    std::int32_t tile = 4;          // m: outputs of a tile along one side
    std::int32_t block_rows = 2;    // tiles of a block
    std::int32_t block_columns = 7; // V and M of a block should stay in the L2 cache
    std::int32_t rows = 7;          // tiles in the register tile of the products
    std::int32_t vectors = 3;       // vectors of output channels in it
    friend constexpr bool operator==(const winograd_knobs&, const winograd_knobs&) = default;
};

// Where the operands of the inner loop are read from.
enum class staging : std::uint8_t {
    none,    // straight from storage buffers: best where loads are cached well, as on lavapipe and many mobile devices
    shared,  // through shared memory, copied by the whole workgroup: best where lanes share rows of a tile
    x,       // only x is shared, whose loads are scalars; leaves shared memory to longer blocks of it
    weights, // only the weights are shared, as where x stays in the caches
};
constexpr const char* name_of(staging s)
{
    switch (s) {
    case staging::none: return "none";
    case staging::shared: return "shared";
    case staging::x: return "x";
    case staging::weights: return "weights";
    }
    return "?";
}

// How taps that read padding are met, and rows past the end of their axis, where x is not staged.
enum class edge : std::uint8_t {
    guard, // each leaf tests. Costs a branch for each product, behind which the weights are read again.
    clip, // windows that stand still along the rows run over live taps only; what else leaves x reads zeros by a select
          // that is decided outside of the innermost loop. On lavapipe C6 of ResNet-18 takes 1/4.3 and C12 1/4.1 of
          // the time (bench/vulkan_borders.cpp). Costs products with 0, which are NaN where a weight is infinite.
};
constexpr const char* name_of(edge e) { return e == edge::guard ? "guard" : "clip"; }

struct vulkan_knobs {
    std::int32_t rows = 8;          // rows per invocation
    std::int32_t vectors = 2;       // vectors per invocation
    std::int32_t components = 4;    // of a vector
    std::int32_t lane_rows = 2;     // invocations along the rows
    std::int32_t lane_vectors = 8;  // invocations along the vectors
    std::int32_t reduce_block = 16; // steps of the innermost reduction per staged tile; unused without staging
    std::int32_t reduce_unroll = 1; // steps of it written out
    hone::staging stage = hone::staging::none;
    hone::walk order = hone::walk::rows_outer; // of the workgroups
    hone::edge edge = hone::edge::guard;       // what records of before this knob mean
    friend constexpr bool operator==(const vulkan_knobs&, const vulkan_knobs&) = default;
};

// The values that a template can take, beside those that a search tries.
enum class legal : std::uint8_t {
    range, // all from `least` to `most`: closed forms and other grids may choose what no search of today tries
    listed // only those of the list: there is no template for others
};

template <class Knobs>
struct knob {
    const char* name = "";
    std::int64_t (*get)(const Knobs&) = nullptr;
    void (*set)(Knobs&, std::int64_t) = nullptr;
    hone::legal legal = hone::legal::listed;
    std::int64_t least = 0;
    std::int64_t most = 0;
    inline_vector<std::int32_t, 32> values{}; // what a search tries, ascending
    inline_vector<const char*, 4> words{};    // how 0, 1, ... are written in C++; none: as numbers
    bool is_optional = false;                 // came later: records without it have the default value

    constexpr bool allows(std::int64_t value) const
    {
        if (legal == hone::legal::range) return value >= least && value <= most;
        for (std::int32_t v : values)
            if (v == value) return true;
        return false;
    }
    // For a knob that is added to a template. Its default must give the schedules that there were before it.
    constexpr knob added_later() const
    {
        knob k = *this;
        k.is_optional = true;
        return k;
    }
};

template <auto Member>
struct knob_member;
template <class Knobs, class Value, Value Knobs::*Member>
struct knob_member<Member> {
    static constexpr knob<Knobs> listed(const char* name, std::initializer_list<std::int32_t> values,
                                        std::initializer_list<const char*> words = {})
    {
        knob<Knobs> k;
        k.name = name;
        k.get = [](const Knobs& of) { return static_cast<std::int64_t>(of.*Member); };
        k.set = [](Knobs& of, std::int64_t value) { of.*Member = static_cast<Value>(value); };
        for (std::int32_t v : values) k.values.push_back(v);
        for (const char* w : words) k.words.push_back(w);
        k.least = k.values[0];
        k.most = k.values.back();
        return k;
    }
    static constexpr knob<Knobs> range(const char* name, std::int64_t least, std::int64_t most,
                                       std::initializer_list<std::int32_t> values)
    {
        knob<Knobs> k = listed(name, values);
        k.legal = hone::legal::range;
        k.least = least;
        k.most = most;
        return k;
    }
};

// More registers than any machine has, blocks longer than any axis that is worth one: beyond these a value is a
// mistake.
inline constexpr std::int64_t most_rows = 256, most_vectors = 16, most_steps = 256, most_block = std::int64_t{1} << 20;

inline constexpr knob<direct_knobs> direct_knob_table[] = {
    knob_member<&direct_knobs::rows>::range(
        "rows", 1, most_rows,
        {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28}),
    knob_member<&direct_knobs::vectors>::range("vectors", 1, most_vectors, {1, 2, 3, 4}),
    knob_member<&direct_knobs::reduce_unroll>::range("reduce_unroll", 1, most_steps, {1, 2, 4, 8}),
    knob_member<&direct_knobs::reduce_block>::range("reduce_block", 0, most_block, {0, 16, 32, 64, 128, 256, 512}),
    knob_member<&direct_knobs::row_block>::range("row_block", 0, most_block, {0, 7, 8, 14, 16, 28, 32, 56, 64, 112}),
    knob_member<&direct_knobs::pad>::listed("pad", {0, 1}, {"hone::padding::peel", "hone::padding::copy"}),
    knob_member<&direct_knobs::order>::listed("order", {0, 1}, {"hone::walk::weights_outer", "hone::walk::rows_outer"}),
    knob_member<&direct_knobs::unroll_window>::listed("unroll_window", {0, 1}, {"false", "true"}),
};

inline constexpr knob<winograd_knobs> winograd_knob_table[] = {
    knob_member<&winograd_knobs::tile>::listed("tile", {2, 4}),
    knob_member<&winograd_knobs::block_rows>::range("block_rows", 1, most_block,
                                                    {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 16, 28}),
    knob_member<&winograd_knobs::block_columns>::range("block_columns", 1, most_block,
                                                       {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 16, 28}),
    knob_member<&winograd_knobs::rows>::range(
        "rows", 1, most_rows,
        {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28}),
    knob_member<&winograd_knobs::vectors>::range("vectors", 1, most_vectors, {1, 2, 3, 4}),
};

inline constexpr knob<vulkan_knobs> vulkan_knob_table[] = {
    knob_member<&vulkan_knobs::rows>::range("rows", 1, most_rows, {1, 2, 3, 4, 5, 6, 7, 8, 10, 12, 14, 16}),
    knob_member<&vulkan_knobs::vectors>::range("vectors", 1, most_vectors, {1, 2, 3, 4}),
    knob_member<&vulkan_knobs::components>::listed("components", {1, 2, 4}),
    knob_member<&vulkan_knobs::lane_rows>::range("lane_rows", 1, 1024, {1, 2, 4, 8, 16, 32}),
    knob_member<&vulkan_knobs::lane_vectors>::range("lane_vectors", 1, 1024, {1, 2, 4, 8, 16, 32, 64}),
    knob_member<&vulkan_knobs::reduce_block>::range("reduce_block", 1, 4096, {4, 8, 16, 32, 64}),
    knob_member<&vulkan_knobs::reduce_unroll>::range("reduce_unroll", 1, most_steps, {1, 2, 4, 8}),
    knob_member<&vulkan_knobs::stage>::listed(
        "stage", {0, 1, 2, 3},
        {"hone::staging::none", "hone::staging::shared", "hone::staging::x", "hone::staging::weights"}),
    knob_member<&vulkan_knobs::order>::listed("order", {0, 1}, {"hone::walk::weights_outer", "hone::walk::rows_outer"}),
    knob_member<&vulkan_knobs::edge>::listed("edge", {0, 1}, {"hone::edge::guard", "hone::edge::clip"}).added_later(),
};

constexpr const auto& knobs_of(const direct_knobs&) { return direct_knob_table; }
constexpr const auto& knobs_of(const winograd_knobs&) { return winograd_knob_table; }
constexpr const auto& knobs_of(const vulkan_knobs&) { return vulkan_knob_table; }

// knob_value for the first knob that has a value which its template cannot take: what it may be at most or at least,
// what it is, and its name.
template <class Knobs>
constexpr status check_knobs(const Knobs& of)
{
    for (const auto& k : knobs_of(of))
        if (const std::int64_t value = k.get(of); !k.allows(value))
            return {fault::knob_value, value < k.least ? k.least : k.most, value, k.name};
    return {};
}

} // namespace hone
