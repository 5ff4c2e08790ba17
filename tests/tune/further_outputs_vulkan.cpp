// SPDX-License-Identifier: BSL-1.0
// Operators that write several tensors are tuned on a device, and recorded by a kernel of what was found.
#include <algorithm>
#include <cstdlib>
#include <string>
#include <type_traits>
#include <vector>

#include <doctest/doctest.h>

#include <hone/tune/vulkan/tuning.hpp>
#include <hone/vulkan/entry.hpp>
#include <hone/vulkan/kernel.hpp>

#include "further_outputs.hpp"
#include "many_operands.hpp"
#include "tuner_rig.hpp"
#include "vulkan_child.hpp"
#include "vulkan_rig.hpp"

using namespace hone;
using namespace hone::operators;
using namespace hone::test;

TEST_CASE("measure operators of several outputs on a device in a child" * doctest::skip())
{
    static const tune::task tasks[] = {tune::task_of<further::kept>("", ""), tune::task_of<further::planes>("", "")};
    measure_on_device(tasks);
}

namespace {

struct no_entries_yet {
    static constexpr vulkan_entry vulkan_entries[1]{};
};

} // namespace

TEST_CASE_TEMPLATE("what an epilogue keeps, and two layouts of no weights are tuned on the device", Op, further::kept,
                   further::planes)
{
    vulkan::device& device = test_device();
    const tune::record chosen =
        check_tuned_on_device<Op>("measure operators of several outputs on a device in a child");

    const vulkan_entry entry = entry_of(chosen);
    auto k = vulkan::kernel<Op, no_entries_yet>::create(device.context(), entry);
    INFO(vulkan::failure{k.found}.text());
    REQUIRE(k.ok());
    std::vector<vulkan::device_buffer> memory;
    const auto stored = [&](const std::vector<float>& contents) {
        vulkan::failure failed;
        auto& m = memory.emplace_back(device.make_buffer(contents.size() * sizeof(float), failed));
        REQUIRE_MESSAGE(failed.ok(), failed.text());
        std::copy(contents.begin(), contents.end(), m.floats().begin());
        return m.range();
    };
    constexpr bool is_product = std::is_same_v<Op, further::kept>;
    const std::int64_t m = further::shape.m.value, n = further::shape.n, inner = further::shape.k;
    const auto drawn = &many::operands::drawn;
    const auto x = drawn(is_product ? m * inner : further::planes::h * further::planes::w * further::planes::c, 1),
               weights = drawn(inner * n, 2), b = drawn(n, 3), none = drawn(m * n, 4);
    const further::results expected =
        is_product ? further::expected_product(true, x, weights, b, none) : further::expected_planes(x);
    std::vector<float> packed(k->packed_bytes() / sizeof(float));
    REQUIRE(k->pack(weights.data(), packed.data()).ok());
    vulkan::arguments call{.x = stored(x)};
    if (is_product) call.weights = stored(packed);
    if (is_product) call.bias = stored(b);
    const std::vector<float> unwritten(expected.y.size(), poison);
    call.y = stored(unwritten);
    const std::size_t at_y = memory.size() - 1;
    // Without the second output it is refused, and with less of it than there is.
    const auto refused = [&] {
        const auto f = device.run([&](VkCommandBuffer to) { return k->record(to, call); });
        CHECK(f.found.what == fault::vulkan_buffer_missing);
        CHECK(std::string(f.found.subject) == (is_product ? "keep" : "planes"));
    };
    refused();
    const vulkan::buffer_range whole = stored(unwritten);
    vulkan::buffer_range further[] = {whole};
    call.outputs = further;
    further[0].bytes = (unwritten.size() - 1) * sizeof(float);
    refused();
    further[0] = whole;
    const auto ran = device.run([&](VkCommandBuffer to) { return k->record(to, call); });
    REQUIRE_MESSAGE(ran.ok(), ran.text());
    const auto values_of = [&](std::size_t of) {
        const auto held = memory[of].floats();
        return std::vector<float>(held.begin(), held.begin() + static_cast<std::ptrdiff_t>(expected.y.size()));
    };
    CHECK(many::error_of(values_of(at_y), expected.y) < 1e-5);
    CHECK(many::error_of(values_of(at_y + 1), expected.first) < 1e-5);
    CHECK_MESSAGE(device.validation_messages() == 0, device.first_validation_message());
}
