// SPDX-License-Identifier: BSL-1.0
// Two layers on the engine's Vulkan device: kernels from a checked-in header, recorded once into the engine's command
// buffer with a barrier between them, submitted together, and compared with the same layers on the CPU.
#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdio>
#include <cstdlib>
#include <random>
#include <utility>
#include <vector>

#include <hone/cpu/kernel.hpp>
#include <hone/vulkan/kernel.hpp>

#include "engine_kernels.hpp"
#include "gpu.hpp"
#include "layers.hpp"

namespace {

using floats = std::vector<float>;

struct parameters {
    floats weights, bias;
};

floats random_floats(std::size_t count, unsigned seed)
{
    std::mt19937 bits(seed);
    std::uniform_real_distribution<float> value(-1.0f, 1.0f);
    floats r(count);
    for (float& f : r) f = value(bits);
    return r;
}

template <class Layer>
constexpr std::size_t elements(hone::role r)
{
    constexpr hone::definition d = Layer::definition();
    return static_cast<std::size_t>(d.tensors[static_cast<std::size_t>(d.tensor_of(r))].elements());
}

template <class Layer>
parameters random_parameters(unsigned seed)
{
    return {random_floats(elements<Layer>(hone::role::weights), seed),
            random_floats(elements<Layer>(hone::role::bias), seed + 1)};
}

void must(const hone::status& s)
{
    if (s.ok()) return;
    std::printf("%s [%s]\n", s.message(), s.subject);
    std::exit(1);
}

// A layer on the device: its kernel, and its parameters in a part of the engine's buffer.
template <class Layer>
class device_layer {
public:
    device_layer(engine::gpu& gpu, const hone::vulkan::context& context, const parameters& p)
    {
        auto made = hone::vulkan::kernel<Layer, engine_kernels>::create(context);
        must(made.found);
        kernel_ = std::move(made.value);
        weights_ = take(gpu, kernel_.packed_bytes());
        kernel_.pack(p.weights.data(), gpu.host(weights_.offset)); // straight into memory that the device reads
        bias_ = take(gpu, p.bias.size() * sizeof(float));
        std::copy(p.bias.begin(), p.bias.end(), gpu.host(bias_.offset));
        y_ = take(gpu, elements<Layer>(hone::role::output) * sizeof(float));
    }
    static hone::vulkan::buffer_range take(engine::gpu& gpu, VkDeviceSize bytes)
    {
        return {gpu.buffer(), gpu.take(bytes), bytes};
    }
    const hone::vulkan::buffer_range& y() const { return y_; }
    void record(VkCommandBuffer to, const hone::vulkan::buffer_range& x)
    {
        must(kernel_.record(to, {.x = x, .weights = weights_, .bias = bias_, .y = y_}));
    }
    void barrier(VkCommandBuffer to) const { kernel_.barrier(to); }

private:
    hone::vulkan::kernel<Layer, engine_kernels> kernel_;
    hone::vulkan::buffer_range weights_, bias_, y_;
};

template <class Layer>
floats on_cpu(const floats& x, const parameters& p)
{
    using k = hone::kernel<Layer>;
    floats packed(k::packed_bytes / sizeof(float)), workspace(k::workspace_bytes(1) / sizeof(float));
    floats y(elements<Layer>(hone::role::output));
    k::pack(p.weights.data(), packed.data());
    must(k::run({.x = x.data(),
                 .weights = packed.data(),
                 .bias = p.bias.data(),
                 .y = y.data(),
                 .workspace = workspace.data()}));
    return y;
}

} // namespace

int main()
{
    using engine::pointwise, engine::spatial;
    engine::gpu gpu(4 << 20);
    if (!gpu.is_there()) {
        std::printf("skipped: no Vulkan device; mesa-vulkan-drivers has a software one\n");
        return 77;
    }
    // What the engine lends to hone. Push descriptors would spare the descriptor sets, where the device has them.
    const hone::vulkan::context context{.instance = gpu.instance(),
                                        .physical_device = gpu.physical_device(),
                                        .device = gpu.device(),
                                        .queue_family = gpu.queue_family(),
                                        .get_instance_proc_addr = vkGetInstanceProcAddr};

    // When the model is loaded: pipelines, packed weights, and the commands of one image.
    const auto first_parameters = random_parameters<spatial>(1);
    const auto second_parameters = random_parameters<pointwise>(3);
    device_layer<spatial> first(gpu, context, first_parameters);
    device_layer<pointwise> second(gpu, context, second_parameters);
    const std::size_t inputs = elements<spatial>(hone::role::input);
    const auto x = device_layer<spatial>::take(gpu, inputs * sizeof(float));
    const VkCommandBuffer commands = gpu.begin();
    gpu.mark(0);
    first.record(commands, x);
    first.barrier(commands); // the second layer reads what the first one wrote
    gpu.mark(1);
    second.record(commands, first.y());
    gpu.mark(2);
    gpu.end();

    // For each image: its pixels, one submission, the result.
    std::printf("%s\n%-6s %12s %12s %12s %12s\n", gpu.name(), "image", "spatial ms", "pointwise ms", "submit ms",
                "difference");
    bool is_right = true;
    for (unsigned image = 0; image < 4; ++image) {
        const floats pixels = random_floats(inputs, 10 + image);
        std::copy(pixels.begin(), pixels.end(), gpu.host(x.offset));
        const auto whole = gpu.submit(); // the first one includes what drivers compile late

        const floats expected = on_cpu<pointwise>(on_cpu<spatial>(pixels, first_parameters), second_parameters);
        const float* y = gpu.host(second.y().offset);
        float worst = 0, largest = 0;
        for (std::size_t i = 0; i < expected.size(); ++i) {
            const float d = std::fabs(y[i] - expected[i]);
            worst = d <= worst ? worst : d; // NaN stays
            largest = std::fmax(largest, std::fabs(expected[i]));
        }
        is_right = is_right && worst <= 1e-5f * largest;
        std::printf("%-6u %12.3f %12.3f %12.3f %12.1e\n", image, gpu.between(0, 1).count(), gpu.between(1, 2).count(),
                    whole.count(), static_cast<double>(worst / largest));
    }
    return is_right ? 0 : 1;
}
