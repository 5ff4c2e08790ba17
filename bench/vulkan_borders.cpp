// SPDX-License-Identifier: BSL-1.0
// What the edges of an image cost on a Vulkan device: padded convolutions of ResNet-18 and MobileNet with the tile of
// their default, where each leaf tests for padding (edge::guard) and where windows are clipped and loads select
// (edge::clip). Both run in turns in one process, the order rotating.
//
//   vulkan_borders --layers C6,C12 --rounds 11 --threads 1
//
// HONE_VULKAN_DEVICE chooses a device; --threads is for a software device, which is timed by its processor time. Every
// result is compared with a double reference, on poisoned outputs, before it is timed.
#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <limits>
#include <memory>
#include <random>
#include <string>
#include <utility>
#include <vector>

#include <hone/lower/lower.hpp>
#include <hone/op/conv2d.hpp>
#include <hone/run/pack.hpp>
#include <hone/schedule/vulkan_direct.hpp>
#include <hone/tune/vulkan/spirv.hpp>
#include <hone/vulkan/codegen.hpp>
#include <hone/vulkan/device.hpp>

#include "rounds.hpp"

namespace {

using namespace hone;
using namespace hone::tune;

constexpr conv2d_shape layer(std::int64_t side, std::int64_t ic, std::int64_t oc, std::int64_t stride,
                             std::int64_t groups = 1)
{
    return {.h = side, .w = side, .ic = ic, .oc = oc, .kh = 3, .kw = 3, .stride = stride, .pad = 1, .groups = groups};
}

// A software device computes in this process: its processor time is no neighbour's, unlike that of the wall.
double milliseconds_now(bool of_processor)
{
    timespec t{};
    clock_gettime(of_processor ? CLOCK_PROCESS_CPUTIME_ID : CLOCK_MONOTONIC, &t);
    return static_cast<double>(t.tv_sec) * 1e3 + static_cast<double>(t.tv_nsec) * 1e-6;
}

[[noreturn]] void stop(const std::string& why)
{
    std::fprintf(stderr, "vulkan_borders: %s\n", why.c_str());
    std::exit(1);
}

vulkan::device_buffer upload(vulkan::device& d, const float* from, std::int64_t count)
{
    vulkan::failure why;
    auto b = d.make_buffer(static_cast<std::size_t>(count) * sizeof(float), why);
    if (!why.ok()) stop(why.text());
    std::copy_n(from, count, b.floats().begin());
    return b;
}

// Some outputs, in double: the corners, and others by chance.
bench::reference reference_of(const conv2d_shape& s, const bench::floats& x, const bench::floats& w)
{
    bench::reference r;
    const std::int64_t icg = s.ic / s.groups, ocg = s.oc / s.groups;
    const auto add = [&](std::int64_t oy, std::int64_t ox, std::int64_t o) {
        double sum = 0;
        for (std::int64_t ky = 0; ky < s.kh; ++ky)
            for (std::int64_t kx = 0; kx < s.kw; ++kx) {
                const std::int64_t iy = oy * s.stride + ky - s.pad, ix = ox * s.stride + kx - s.pad;
                if (iy < 0 || iy >= s.h || ix < 0 || ix >= s.w) continue;
                for (std::int64_t i = 0; i < icg; ++i)
                    sum += static_cast<double>(x[(iy * s.w + ix) * s.ic + o / ocg * icg + i]) *
                           static_cast<double>(w[((o * s.kh + ky) * s.kw + kx) * icg + i]);
            }
        r.add((oy * s.ow() + ox) * s.oc + o, sum);
    };
    for (std::int64_t oy : {std::int64_t{0}, s.oh() - 1})
        for (std::int64_t ox : {std::int64_t{0}, s.ow() - 1})
            for (std::int64_t o : {std::int64_t{0}, s.oc - 1}) add(oy, ox, o);
    std::mt19937 bits(4);
    for (int i = 0; i < 500; ++i) add(bits() % s.oh(), bits() % s.ow(), bits() % s.oc);
    return r;
}

template <conv2d_shape S>
void report(vulkan::device& device, const char* name, int rounds)
{
    const definition d = conv2d<S, f32>::definition();
    const std::int64_t weight_count = S.oc * 9 * (S.ic / S.groups);
    const auto x = bench::floats::random(S.h * S.w * S.ic, 1, 1);
    const auto w = bench::floats::random(weight_count, 1, 2);
    const bench::floats y(static_cast<std::size_t>(S.oh() * S.ow() * S.oc));
    const bench::reference expected = reference_of(S, x, w);
    const auto x_there = upload(device, x.data(), static_cast<std::int64_t>(x.size()));
    const auto y_there = upload(device, y.data(), static_cast<std::int64_t>(y.size()));

    struct entrant {
        vulkan::pipeline pipeline;
        vulkan::device_buffer weights;
        std::vector<vulkan::buffer_range> buffers;
    };
    std::vector<entrant> entrants;
    std::vector<bench::contender> contenders;
    for (const edge at_edge : {edge::guard, edge::clip}) {
        vulkan_knobs k = default_vulkan(d);
        k.edge = at_edge;
        const nest n = lower(vulkan_schedule(d, k));
        const spirv_result compiled = spirv_of(glsl_of(n));
        if (!n.ok() || !compiled.ok()) stop(n.ok() ? compiled.log : n.found.message());
        auto made = vulkan::pipeline::create(device.context(), compiled.words, launch_of(n));
        if (!made.ok()) stop(made.found.message());
        const tensor packed_layout = vulkan_weights(d, k)[0];
        bench::floats packed(static_cast<std::size_t>(packed_layout.elements()));
        pack_into(d.tensors[d.tensor_of(role::weights)], packed_layout, w.data(), packed.data());
        entrant e{std::move(made.value), upload(device, packed.data(), packed_layout.elements()), {}};
        e.buffers = {x_there.range(), e.weights.range(), y_there.range()};

        const auto there = y_there.floats();
        std::fill(there.begin(), there.end(), std::numeric_limits<float>::quiet_NaN());
        const auto ran = device.run([&](VkCommandBuffer to) { return e.pipeline.record(to, e.buffers); });
        if (!ran.ok()) stop(ran.text());
        std::copy(there.begin(), there.end(), y.data());
        bench::contender c{.name = name_of(at_edge), .call = {}};
        c.error = expected.error(y);
        if (!(c.error < 1e-5)) stop(std::string(name) + ": a kernel is wrong");
        entrants.push_back(std::move(e));
        contenders.push_back(std::move(c));
    }
    // One submission a sample, of as many dispatches as take a few milliseconds.
    const auto sample = [&](std::size_t at, int dispatches) {
        const double begin = milliseconds_now(device.is_software());
        const auto ran = device.run(
            [&](VkCommandBuffer to) {
                status s;
                for (int i = 0; i < dispatches && s.ok(); ++i) {
                    s = entrants[at].pipeline.record(to, entrants[at].buffers);
                    entrants[at].pipeline.barrier(to);
                }
                return s;
            },
            std::chrono::seconds{120});
        if (!ran.ok()) stop(ran.text());
        return (milliseconds_now(device.is_software()) - begin) / dispatches;
    };
    std::vector<int> dispatches;
    for (std::size_t at = 0; at < entrants.size(); ++at)
        dispatches.push_back(std::clamp(static_cast<int>(5 / sample(at, 1)), 1, 1000));
    for (int round = 0; round < rounds; ++round)
        for (std::size_t i = 0; i < entrants.size(); ++i) {
            const std::size_t at = (i + static_cast<std::size_t>(round)) % entrants.size();
            contenders[at].ms.push_back(sample(at, dispatches[at]));
        }
    bench::print(name, 2e-9 * static_cast<double>(S.oh() * S.ow() * weight_count), contenders, {"guard"});
}

} // namespace

int main(int argc, char** argv)
{
    const bench::options options(argc, argv, {{"--layers", "all"}, {"--rounds", "11"}, {"--threads", "1"}});
    // The software device reads it when it starts.
    setenv("LP_NUM_THREADS", options["--threads"].c_str(), 1);
    vulkan::failure why;
    const auto device = vulkan::device::open({}, why);
    if (device == nullptr) stop(why.text());
    std::printf("%s, %d rounds\n", device->properties().deviceName, options.number("--rounds"));
    const auto run = [&]<conv2d_shape S>(const char* name) {
        if (options.selects("--layers", name)) report<S>(*device, name, options.number("--rounds"));
    };
    run.operator()<layer(56, 64, 64, 1)>("C2");
    run.operator()<layer(56, 64, 128, 2)>("C4");
    run.operator()<layer(28, 128, 128, 1)>("C6");
    run.operator()<layer(28, 128, 256, 2)>("C7");
    run.operator()<layer(14, 256, 256, 1)>("C9");
    run.operator()<layer(14, 256, 512, 2)>("C10");
    run.operator()<layer(7, 512, 512, 1)>("C12");
    run.operator()<layer(28, 256, 256, 1, 256)>("D5");
    run.operator()<layer(7, 1024, 1024, 1, 1024)>("D9");
}
