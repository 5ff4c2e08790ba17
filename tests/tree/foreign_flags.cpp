// SPDX-License-Identifier: BSL-1.0
// An engine with warning flags of its own, which its -Werror holds against all that it includes by -I: kernels that are
// called on the CPU and on Vulkan, with config sets that a tuner has written.
#include <hone/hone.hpp>
#include <hone/run/thread_pool.hpp>
#include <hone/vulkan/kernel.hpp>

#include "demo_engine/resnet18.hpp"
#include "pregenerated/my_kernels.hpp"
#include "vulkan_engine/engine_kernels.hpp"
#include "vulkan_engine/layers.hpp"

namespace engine {

struct convolution : hone::conv2d<hone::conv2d_shape{.h = 4, .w = 4, .ic = 3, .oc = 8, .kh = 3, .kw = 3, .pad = 1},
                                  hone::f32, hone::bias, hone::relu> {};
using device_kernel = hone::vulkan::kernel<spatial, engine_kernels>;
struct product : hone::gemm<hone::gemm_shape{.m = hone::extent::up_to(4), .n = 8, .k = 8}, hone::f32> {};

hone::status convolve(hone::thread_pool& pool, const hone::arguments& a);
hone::status multiply(const hone::arguments& a);
hone::result<device_kernel> on_device(const hone::vulkan::context& context);

hone::status convolve(hone::thread_pool& pool, const hone::arguments& a)
{
    return hone::kernel<convolution, resnet18_configs>::run(pool, a);
}
hone::status multiply(const hone::arguments& a) { return hone::kernel<product, my_kernels>::run(a); }
hone::result<device_kernel> on_device(const hone::vulkan::context& context) { return device_kernel::create(context); }

} // namespace engine
