// SPDX-License-Identifier: BSL-1.0
// Element-wise operators on a device, by default and by drawn knobs, under validation, against plain
// loops, also where y is x itself.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include <doctest/doctest.h>

#include <hone/ir/check.hpp>
#include <hone/ir/print.hpp>
#include <hone/lower/lower.hpp>
#include <hone/schedule/vulkan_direct.hpp>

#include "elementwise.hpp"
#include "vulkan_rig.hpp"

using namespace hone;
using namespace hone::codegen;
using namespace hone::test;

namespace {

// What x becomes where it is y, too.
floats run_in_place(const nest& n, const std::vector<floats>& buffers)
{
    vulkan::device& device = test_device();
    const spirv_result compiled = spirv_of(glsl_of(n));
    REQUIRE(compiled.ok());
    auto made = vulkan::pipeline::create(device.context(), compiled.words, launch_of(n));
    REQUIRE(made.ok());
    std::vector<vulkan::device_buffer> memory;
    std::vector<vulkan::buffer_range> ranges;
    for (std::size_t b = 0; b + 1 < buffers.size(); ++b) {
        vulkan::failure why;
        memory.push_back(device.make_buffer(buffers[b].size() * sizeof(float), why));
        REQUIRE_MESSAGE(why.ok(), why.text());
        std::copy(buffers[b].begin(), buffers[b].end(), memory.back().floats().begin());
        ranges.push_back(memory.back().range());
    }
    ranges.push_back(ranges.front());
    const auto ran = device.run([&](VkCommandBuffer to) { return made.value.record(to, ranges, {}); });
    REQUIRE_MESSAGE(ran.ok(), ran.text());
    CHECK_MESSAGE(device.validation_messages() == 0, device.first_validation_message());
    const auto held = memory.front().floats();
    return {held.begin(), held.begin() + static_cast<std::ptrdiff_t>(buffers.front().size())};
}

void compare(const image_shape& s, const definition& d, const chain& words, random_numbers& random)
{
    CAPTURE(signature_of(s, dtype::f32, {}).c_str());
    const elementwise_data given = data_of(s, words, random.next());
    const doubles expected = reference(s, words, given);
    vulkan_knobs drawn;
    for (const auto& own : knobs_of(drawn))
        own.set(
            drawn,
            own.values[static_cast<std::size_t>(random.between(0, static_cast<std::int64_t>(own.values.size()) - 1))]);
    for (const vulkan_knobs& k : {default_vulkan(d), fitted(d, drawn)}) {
        const nest n = lower(vulkan_schedule(d, k));
        INFO(print(n));
        if (!check(n, vulkan_target(test_device().limits())).ok()) {
            CHECK_FALSE(k == default_vulkan(d));
            continue;
        }
        std::vector<floats> buffers{given.x};
        for (const floats& o : given.operands) buffers.push_back(o);
        buffers.push_back(poisoned(static_cast<std::int64_t>(expected.size())));
        const auto after = run_on(test_device(), n, buffers);
        for (std::size_t i = 0; i + 1 < buffers.size(); ++i) CHECK(after[i] == buffers[i]);
        CHECK(difference_of(after.back(), expected, 1e-6) == "");
        CHECK(difference_of(run_in_place(n, buffers), expected, 1e-6) == "");
    }
}

} // namespace

TEST_CASE("drawn element-wise operators on the device")
{
    random_numbers random{41};
    for (int i = 0; i < 16; ++i) {
        image_shape s{.n = random.between(1, 2),
                      .h = random.between(1, 5),
                      .w = random.between(1, 9),
                      .c = random.one_in(2) ? random.between(1, 4) : random.between(1, 40)};
        if (random.one_in(2)) s.layout = layout::nchw;
        compare(s,
                checked(elementwise_definition<multiply<per::channel>, add<per::element>, maximum<per::tensor>, relu>(
                    s, dtype::f32)),
                scaled_sum_words(), random);
        compare(s,
                checked(elementwise_definition<subtract<per::element>, divide<per::tensor>, minimum<per::element>>(
                    s, dtype::f32)),
                quotient_words(), random);
    }
}
