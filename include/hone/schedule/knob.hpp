// SPDX-License-Identifier: BSL-1.0
// The knobs of each template by name: how to read and set them, the values that a search tries, and how they are
// written. Declared once here; records, generated headers and search all read these tables.
#pragma once

#include <cstddef>
#include <cstdint>
#include <initializer_list>

#include <hone/core/inline_vector.hpp>
#include <hone/schedule/config.hpp>
#include <hone/schedule/cpu.hpp>
#include <hone/schedule/vulkan.hpp>
#include <hone/schedule/winograd.hpp>

#ifndef HONE_SHOW_WARNINGS // see core/config.hpp
#pragma GCC system_header
#endif

namespace hone {

template <class Knobs>
struct knob {
    const char* name = "";
    std::int64_t (*get)(const Knobs&) = nullptr;
    void (*set)(Knobs&, std::int64_t) = nullptr;
    inline_vector<std::int32_t, 32> values{}; // what a search tries, ascending
    inline_vector<const char*, 4> words{};    // how 0, 1, ... are written in C++; none: as numbers
};

template <auto Member>
struct knob_member;
template <class Knobs, class Value, Value Knobs::*Member>
struct knob_member<Member> {
    static constexpr knob<Knobs> named(const char* name, std::initializer_list<std::int32_t> values,
                                       std::initializer_list<const char*> words = {})
    {
        knob<Knobs> k;
        k.name = name;
        k.get = [](const Knobs& of) { return static_cast<std::int64_t>(of.*Member); };
        k.set = [](Knobs& of, std::int64_t value) { of.*Member = static_cast<Value>(value); };
        for (std::int32_t v : values) k.values.push_back(v);
        for (const char* w : words) k.words.push_back(w);
        return k;
    }
};

inline constexpr knob<direct_knobs> direct_knob_table[] = {
    knob_member<&direct_knobs::rows>::named("rows", {1,  2,  3,  4,  5,  6,  7,  8,  9,  10, 11, 12, 13, 14,
                                                     15, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28}),
    knob_member<&direct_knobs::vectors>::named("vectors", {1, 2, 3, 4}),
    knob_member<&direct_knobs::reduce_unroll>::named("reduce_unroll", {1, 2, 4, 8}),
    knob_member<&direct_knobs::reduce_block>::named("reduce_block", {0, 16, 32, 64, 128, 256, 512}),
    knob_member<&direct_knobs::row_block>::named("row_block", {0, 7, 8, 14, 16, 28, 32, 56, 64, 112}),
    knob_member<&direct_knobs::pad>::named("pad", {0, 1}, {"hone::padding::peel", "hone::padding::copy"}),
    knob_member<&direct_knobs::order>::named("order", {0, 1}, {"hone::walk::weights_outer", "hone::walk::rows_outer"}),
    knob_member<&direct_knobs::unroll_window>::named("unroll_window", {0, 1}, {"false", "true"}),
};

inline constexpr knob<winograd_knobs> winograd_knob_table[] = {
    knob_member<&winograd_knobs::tile>::named("tile", {2, 4}),
    knob_member<&winograd_knobs::block_rows>::named("block_rows",
                                                    {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 16, 28}),
    knob_member<&winograd_knobs::block_columns>::named("block_columns",
                                                       {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 16, 28}),
    knob_member<&winograd_knobs::rows>::named("rows", {1,  2,  3,  4,  5,  6,  7,  8,  9,  10, 11, 12, 13, 14,
                                                       15, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28}),
    knob_member<&winograd_knobs::vectors>::named("vectors", {1, 2, 3, 4}),
};

inline constexpr knob<vulkan_knobs> vulkan_knob_table[] = {
    knob_member<&vulkan_knobs::rows>::named("rows", {1, 2, 3, 4, 5, 6, 7, 8, 10, 12, 14, 16}),
    knob_member<&vulkan_knobs::vectors>::named("vectors", {1, 2, 3, 4}),
    knob_member<&vulkan_knobs::components>::named("components", {1, 2, 4}),
    knob_member<&vulkan_knobs::lane_rows>::named("lane_rows", {1, 2, 4, 8, 16, 32}),
    knob_member<&vulkan_knobs::lane_vectors>::named("lane_vectors", {1, 2, 4, 8, 16, 32, 64}),
    knob_member<&vulkan_knobs::reduce_block>::named("reduce_block", {4, 8, 16, 32, 64}),
    knob_member<&vulkan_knobs::reduce_unroll>::named("reduce_unroll", {1, 2, 4, 8}),
    knob_member<&vulkan_knobs::stage>::named(
        "stage", {0, 1, 2, 3},
        {"hone::staging::none", "hone::staging::shared", "hone::staging::x", "hone::staging::weights"}),
    knob_member<&vulkan_knobs::order>::named("order", {0, 1}, {"hone::walk::weights_outer", "hone::walk::rows_outer"}),
    // Records of before this knob lack it: missing, it is `guard`, and their nests stay what they were.
    knob_member<&vulkan_knobs::edge>::named("edge", {0, 1}, {"hone::edge::guard", "hone::edge::clip"}),
};

constexpr const auto& knobs_of(const direct_knobs&) { return direct_knob_table; }
constexpr const auto& knobs_of(const winograd_knobs&) { return winograd_knob_table; }
constexpr const auto& knobs_of(const vulkan_knobs&) { return vulkan_knob_table; }

// f(knobs of the config's template); the config may be constant.
template <class Config, class F>
constexpr decltype(auto) with_knobs(Config& c, F&& f)
{
    return c.algorithm == cpu_template::winograd ? f(c.winograd) : f(c.direct);
}

} // namespace hone
