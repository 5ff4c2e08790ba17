// expect: hone::vulkan::kernel: the config set has no entry for this workload and device; tune it with BACKENDS vulkan
// forbid: is not a member
// forbid: no member named
// forbid: no matching function
// SPDX-License-Identifier: BSL-1.0
// A config set that was tuned for the CPU alone.
#include <hone/op/gemm.hpp>
#include <hone/schedule/config.hpp>
#include <hone/vulkan/kernel.hpp>

struct product : hone::gemm<hone::gemm_shape{.m = 8, .n = 16, .k = 4}, hone::f32> {};

#ifdef FORBIDDEN
using configs = hone::defaults;
#else
struct configs {
    static constexpr hone::vulkan_entry vulkan_entries[1]{};
};
#endif

using k = hone::vulkan::kernel<product, configs>;
hone::status call(const hone::vulkan::context& c, VkCommandBuffer to) { return k::create(c)->record(to, {}); }
