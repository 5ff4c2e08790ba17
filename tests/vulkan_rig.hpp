// SPDX-License-Identifier: BSL-1.0
// Runs a nest on the Vulkan device of the test run, under the validation layer with synchronization validation, on
// poisoned outputs, and hands the results back.
#pragma once

#include <limits>
#include <random>
#include <string>
#include <vector>

#include <doctest/doctest.h>

#include <hone/tune/vulkan/spirv.hpp>
#include <hone/vulkan/codegen.hpp>
#include <hone/vulkan/device.hpp>

#include "vulkan_device.hpp"

namespace hone::test {

using namespace ir;
using codegen::glsl_of;
using codegen::launch;
using codegen::launch_of;
using tune::spirv_of;
using tune::spirv_result;

inline std::vector<float> random_floats(std::size_t count, unsigned seed)
{
    std::mt19937 engine(seed);
    std::uniform_real_distribution<float> value(-1.0f, 1.0f);
    std::vector<float> r(count);
    for (float& x : r) x = value(engine);
    return r;
}

// The poison of outputs and workspaces: no kernel computes it from numbers.
constexpr float poison = std::numeric_limits<float>::quiet_NaN();

// The contents of all buffers after one call, arguments first; each is given with its contents before.
inline std::vector<std::vector<float>> run_on(vulkan::device& d, const nest& n, std::vector<std::vector<float>> buffers,
                                              const std::vector<std::int64_t>& parameters = {})
{
    const std::string text = glsl_of(n);
    INFO(text);
    const spirv_result compiled = spirv_of(text);
    INFO(compiled.log);
    REQUIRE(compiled.ok());
    const launch l = launch_of(n);
    auto made = vulkan::pipeline::create(d.context(), compiled.words, l);
    INFO(vulkan::failure{made.found}.text());
    REQUIRE(made.ok());

    // One vector behind the end of each buffer stays as it was.
    std::vector<vulkan::device_buffer> memory;
    std::vector<vulkan::buffer_range> ranges;
    for (const auto& contents : buffers) {
        vulkan::failure why;
        memory.push_back(d.make_buffer((contents.size() + 4) * sizeof(float), why));
        REQUIRE_MESSAGE(why.ok(), why.text());
        const auto held = memory.back().floats();
        std::copy(contents.begin(), contents.end(), held.begin());
        std::fill(held.begin() + static_cast<std::ptrdiff_t>(contents.size()), held.end(), 77.0f);
        ranges.push_back(memory.back().range());
        ranges.back().bytes = contents.size() * sizeof(float);
    }
    const auto ran = d.run([&](VkCommandBuffer to) { return made.value.record(to, ranges, parameters); });
    REQUIRE_MESSAGE(ran.ok(), ran.text());
    for (std::size_t b = 0; b < buffers.size(); ++b) {
        const auto held = memory[b].floats();
        std::copy_n(held.begin(), buffers[b].size(), buffers[b].begin());
        for (std::size_t i = buffers[b].size(); i < held.size(); ++i) CHECK(held[i] == 77.0f);
    }
    CHECK_MESSAGE(d.validation_messages() == 0, d.first_validation_message());
    return buffers;
}

// Largest |a - b|; NaN or another length give infinity.
inline float difference(const std::vector<float>& a, const std::vector<float>& b)
{
    if (a.size() != b.size()) return std::numeric_limits<float>::infinity();
    float r = 0;
    for (std::size_t i = 0; i < a.size(); ++i) {
        const float d = std::fabs(a[i] - b[i]);
        if (!(d <= r)) r = d == d ? d : std::numeric_limits<float>::infinity();
    }
    return r;
}

} // namespace hone::test
