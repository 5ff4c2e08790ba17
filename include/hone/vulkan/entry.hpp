// SPDX-License-Identifier: BSL-1.0
// One tuned Vulkan kernel of a config set, as plain data: SPIR-V words, launch geometry, and how the weights are
// packed. Generated headers hold a table of these; an engine needs no shader compiler.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include <hone/core/fault.hpp>
#include <hone/core/result.hpp>
#include <hone/core/target.hpp>
#include <hone/op/definition.hpp>
#include <hone/op/operator.hpp>
#include <hone/run/pack.hpp>
#include <hone/schedule/packed.hpp>
#include <hone/vulkan/launch.hpp>

#ifndef HONE_SHOW_WARNINGS // see core/config.hpp
#pragma GCC system_header
#endif

namespace hone::calls {

struct vulkan_entry {
    const char* signature = "";
    std::uint32_t vendor = 0; // ids of the device that it was tuned on; vendor 0: the default, which any device runs
    std::uint32_t device = 0;
    const std::uint32_t* words = nullptr;
    std::size_t word_count = 0;
    codegen::launch launch{};
    packed_tensors packed{}; // layouts of the weights in their buffer, see pack_into
    std::uint64_t layout_id = 0;

    constexpr std::span<const std::uint32_t> spirv() const { return {words, word_count}; }
};

// The entries of a config set. A header that was written where there was no Vulkan device has none.
template <class Configs>
constexpr bool has_vulkan_entries = requires { Configs::vulkan_entries; };
template <class Configs>
constexpr std::span<const vulkan_entry> vulkan_entries_of()
{
    if constexpr (has_vulkan_entries<Configs>)
        return Configs::vulkan_entries;
    else
        return {};
}

// How near the device that an entry was tuned on is to this one: 3 the same, 2 of its vendor, 1 the default for any
// device, 0 where it is another vendor's.
constexpr int nearness(const vulkan_entry& e, std::uint32_t vendor, std::uint32_t device)
{
    return e.vendor == 0 ? 1 : e.vendor != vendor ? 0 : e.device == device ? 3 : 2;
}

// The entry for this signature that was tuned on this device, else on another of its vendor, else the default; null
// where there is none.
constexpr const vulkan_entry* find_entry(std::span<const vulkan_entry> entries, const char* signature,
                                         std::uint32_t vendor, std::uint32_t device)
{
    const vulkan_entry* best = nullptr;
    int best_rank = 0;
    for (const vulkan_entry& e : entries) {
        if (!same_text(e.signature, signature)) continue;
        const int rank = nearness(e, vendor, device);
        if (rank > best_rank) {
            best = &e;
            best_rank = rank;
        }
    }
    return best;
}

// The first limit of the device that the entry exceeds, by its launch or by its packed weights.
constexpr status fits(const vulkan_entry& e, const vulkan_limits& limits)
{
    if (const status s = fits(e.launch, limits); !s.ok()) return s;
    for (const tensor& t : e.packed) {
        const auto bytes = static_cast<std::int64_t>(packed_bytes(t));
        if (t.type == dtype::f16 && !limits.storage_16bit)
            return {fault::vulkan_feature_missing, 1, 0, "storageBuffer16BitAccess"};
        if (bytes > limits.max_buffer_bytes)
            return {fault::buffer_too_large, limits.max_buffer_bytes, bytes, "weights"};
    }
    return {};
}

// The same among the entries that the limits of the device let run. Faults: vulkan_entry_missing, or the limit that the
// last resort exceeds (fits), which is the default where there is one.
constexpr result<const vulkan_entry*> find_entry(std::span<const vulkan_entry> entries, const char* signature,
                                                 std::uint32_t vendor, std::uint32_t device,
                                                 const vulkan_limits& limits)
{
    result<const vulkan_entry*> best{.found = {.what = fault::vulkan_entry_missing, .subject = signature}};
    int best_rank = 0, last_resort = 4;
    for (const vulkan_entry& e : entries) {
        const int rank = same_text(e.signature, signature) ? nearness(e, vendor, device) : 0;
        if (rank == 0) continue;
        const status fitting = fits(e, limits);
        if (fitting.ok() && rank > best_rank) {
            best = {.value = &e};
            best_rank = rank;
        } else if (best_rank == 0 && rank < last_resort) {
            best.found = fitting;
            last_resort = rank;
        }
    }
    return best;
}

} // namespace hone::calls

namespace hone { // API
using calls::find_entry, calls::has_vulkan_entries, calls::vulkan_entries_of, calls::vulkan_entry;
} // namespace hone
