// SPDX-License-Identifier: BSL-1.0
// What timed calls find in the caches, and how weights are kept out of them: in a network, other layers have run since
// a layer's weights were read last, so a loop over one call flatters kernels whose weights are large.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <new>
#include <string>

#include <fmt/core.h>

#include <hone/measure/machine.hpp>

namespace hone::tune {

// Part of the key of a record.
enum class cache_mode : std::uint8_t {
    cold_weights, // activations, but no weights: as in a network
    hot,          // all that fits: as in a loop over one call
};
constexpr const char* name_of(cache_mode c) { return c == cache_mode::hot ? "hot" : "cold"; }

// Taken where nothing says how large the last level is.
inline constexpr std::uint64_t assumed_cache_bytes = std::uint64_t{32} << 20;

// The mode in the key of a record. Where the system's files do not give the size of the last level, what was taken for
// it is part of it: weights that are cold for one size are hot for a larger one. Elsewhere the processor tells.
inline std::string cache_key(cache_mode c, const std::filesystem::path& root = "/", cpuid_reader cpuid = cpuid_here)
{
    if (c == cache_mode::hot || cache_bytes_by_files(0, root) != 0) return name_of(c);
    const std::uint64_t known = last_level_cache_bytes(0, root, cpuid);
    return fmt::format("{} for {} MiB", name_of(c), (known != 0 ? known : assumed_cache_bytes) >> 20);
}

namespace measuring {

struct release_aligned {
    void operator()(float* p) const { ::operator delete(p, std::align_val_t{64}); }
};
using aligned_floats = std::unique_ptr<float, release_aligned>;

// Not initialized; at a cache line's begin.
inline aligned_floats allocate_floats(std::size_t count)
{
    return aligned_floats{static_cast<float*>(::operator new(count * sizeof(float), std::align_val_t{64}))};
}

// sysconf is not asked: of an EPYC with twelve caches of 32 MiB it says 384.
inline std::size_t last_level_cache()
{
    const std::uint64_t known = last_level_cache_bytes(0);
    return static_cast<std::size_t>(known > 0 ? known : assumed_cache_bytes);
}

// Packed weights that no cache holds: each call takes the next of so many copies that they exceed twice the last level.
// Bounded by a gigabyte; nothing is copied where there are no weights, or where they alone exceed it.
class weight_rotation {
public:
    // Forgets the weights that it had, and keeps their memory: the page faults of 64 MiB take longer than the copying.
    void fill(const float* packed, std::size_t floats, cache_mode cache)
    {
        constexpr std::size_t most_bytes = std::size_t{1} << 30, line = 64 / sizeof(float);
        step_ = (floats + line - 1) / line * line;
        count_ = 1;
        at_ = 0;
        first_ = packed;
        const std::size_t bytes = step_ * sizeof(float), enough = 2 * last_level_cache();
        if (cache == cache_mode::hot || bytes == 0 || bytes > enough) return;
        count_ = std::max<std::size_t>(std::min(enough / bytes + 1, most_bytes / bytes), 1);
        if (count_ * step_ > capacity_) {
            copies_.reset();
            capacity_ = count_ * step_;
            copies_ = allocate_floats(capacity_);
        }
        for (std::size_t i = 0; i < count_; ++i) std::copy_n(packed, floats, copies_.get() + i * step_);
        first_ = copies_.get();
    }
    std::size_t count() const { return count_; }
    const float* next()
    {
        const float* const taken = first_ + at_ * step_;
        at_ = at_ + 1 == count_ ? 0 : at_ + 1;
        return taken;
    }

private:
    const float* first_ = nullptr;
    std::size_t step_ = 0, count_ = 1, at_ = 0, capacity_ = 0;
    aligned_floats copies_{};
};

} // namespace measuring
} // namespace hone::tune
