// SPDX-License-Identifier: BSL-1.0
// The words of the expression language on a Vulkan device.
#include <doctest/doctest.h>

#include <hone/codegen/lower.hpp>
#include <hone/schedule/vulkan_direct.hpp>

#include "vulkan_rig.hpp"
#include "words.hpp"

using namespace hone;
using namespace hone::test;

TEST_CASE("each word of the language is that of IEEE 754 in shaders, but for what Vulkan leaves open")
{
    const word_data d;
    for_each_word([&](auto op) {
        const definition of = word_product<op()>::definition();
        const nest n = lower(vulkan_schedule(of, default_vulkan(of)));
        REQUIRE(n.ok());
        std::vector<std::vector<float>> buffers{d.x, d.weights, d.bias, d.residual,
                                                std::vector<float>(d.residual.size(), 77.0f)};
        // Workspaces, and weights in blocks: all are 1.
        REQUIRE(launch_of(n).buffers == 5);
        for (const buffer& b : n.buffers)
            if (b.memory == memory::argument && b.role == role::weights)
                buffers[1].assign(static_cast<std::size_t>(b.elements.constant), 1.0f);
        const auto y = run_on(test_device(), n, buffers)[4];
        const std::string wrong =
            wrong_word(op(), y, test_device().is_software() ? reader::software_device : reader::device);
        CHECK_MESSAGE(wrong.empty(), wrong);
    });
}
