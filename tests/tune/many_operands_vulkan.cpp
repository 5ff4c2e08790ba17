// SPDX-License-Identifier: BSL-1.0
// Operators of many tensors, or few, are tuned on a device, and recorded by a kernel of what was found.
#include <algorithm>
#include <cstdlib>
#include <limits>
#include <string>
#include <vector>

#include <doctest/doctest.h>

#include <hone/tune/vulkan/tuning.hpp>
#include <hone/vulkan/entry.hpp>
#include <hone/vulkan/kernel.hpp>

#include "many_operands.hpp"
#include "tuner_rig.hpp"
#include "vulkan_child.hpp"
#include "vulkan_rig.hpp"

using namespace hone;
using namespace hone::test;

TEST_CASE("measure operators of many operands on a device in a child" * doctest::skip())
{
    static const tune::task tasks[] = {tune::task_of<many::product>("", ""),  tune::task_of<many::layer>("", ""),
                                       tune::task_of<many::mixed>("", ""),    tune::task_of<many::pool>("", ""),
                                       tune::task_of<many::shifted>("", ""),  tune::task_of<many::difference>("", ""),
                                       tune::task_of<many::activated>("", "")};
    measure_on_device(tasks);
}

namespace {

struct unused_entries {
    static constexpr vulkan_entry vulkan_entries[1]{};
};

// What an entry computes of so many outputs: packed weights, and the call that `parts(stored)` makes of its buffers.
template <class Op, class Parts>
std::vector<float> results_of(vulkan::device& device, const vulkan_entry& entry, given_weights weights,
                              std::size_t outputs, Parts parts)
{
    auto k = vulkan::kernel<Op, unused_entries>::create(device.context(), entry);
    INFO(vulkan::failure{k.found}.text());
    REQUIRE(k.ok());
    std::vector<vulkan::device_buffer> memory;
    const auto stored = [&](const std::vector<float>& contents) {
        vulkan::failure why;
        auto& m = memory.emplace_back(device.make_buffer(contents.size() * sizeof(float), why));
        REQUIRE_MESSAGE(why.ok(), why.text());
        std::copy(contents.begin(), contents.end(), m.floats().begin());
        return m.range();
    };
    std::vector<float> packed(k->packed_bytes() / sizeof(float));
    REQUIRE(k->pack(weights, packed.data()).ok());
    vulkan::arguments call = parts(stored);
    if (!packed.empty()) call.weights = stored(packed);
    call.y = stored(std::vector<float>(outputs, std::numeric_limits<float>::quiet_NaN()));
    // Less than there is: refused, by the name of what is missing.
    if (!call.operands.empty()) {
        vulkan::arguments without = call;
        without.operands = call.operands.first(call.operands.size() - 1);
        const auto refused = device.run([&](VkCommandBuffer to) { return k->record(to, without); });
        CHECK(refused.found.what == fault::vulkan_buffer_missing);
        CHECK(std::string(refused.found.subject) == "residual");
    }
    if (entry.packed.size() > 1) {
        vulkan::arguments without = call;
        without.weights.bytes = k->packed_bytes() - sizeof(float);
        const auto refused = device.run([&](VkCommandBuffer to) { return k->record(to, without); });
        CHECK(refused.found.what == fault::vulkan_buffer_missing);
        CHECK(std::string(refused.found.subject) == "delta");
    }
    const auto ran = device.run([&](VkCommandBuffer to) { return k->record(to, call); });
    REQUIRE_MESSAGE(ran.ok(), ran.text());
    const auto y = memory.back().floats();
    return {y.begin(), y.begin() + static_cast<std::ptrdiff_t>(outputs)};
}

} // namespace

TEST_CASE_TEMPLATE("a folded batch norm, two residuals, a gate or activations, three weights and none are tuned on the "
                   "device",
                   Op, many::product, many::layer, many::activated, many::mixed, many::pool, many::shifted,
                   many::difference)
{
    vulkan::device& device = test_device();
    const tune::record chosen = check_tuned_on_device<Op>("measure operators of many operands on a device in a child");

    const vulkan_entry entry = entry_of(chosen);
    using many::operands;
    if constexpr (std::is_same_v<Op, many::product>) {
        const auto x = operands::drawn(many::m * many::k, 6), weights = operands::drawn(many::k * many::n, 7);
        const operands o(many::behind::product, many::m, many::n);
        vulkan::buffer_range others[2];
        const auto y = results_of<Op>(device, entry, weights.data(), o.first.size(), [&](auto stored) {
            others[0] = stored(o.scale);
            others[1] = stored(o.second);
            return vulkan::arguments{
                .x = stored(x), .bias = stored(o.bias), .residual = stored(o.first), .operands = others};
        });
        CHECK(many::error_of(y, many::expected_product(x, weights, o)) < 1e-5);
    }
    if constexpr (std::is_same_v<Op, many::mixed>) {
        const auto x = operands::drawn(many::m * many::k, 1), weights = operands::drawn(many::n * many::k, 2),
                   gain = operands::drawn(many::k, 3), delta = operands::drawn(many::k * many::n, 4),
                   b = operands::drawn(many::n, 5);
        const float* const all[] = {weights.data(), gain.data(), delta.data()};
        const auto y = results_of<Op>(device, entry, all, many::m * many::n, [&](auto stored) {
            return vulkan::arguments{.x = stored(x), .bias = stored(b)};
        });
        CHECK(many::error_of(y, many::expected_mixed(x, weights, gain, delta, b)) < 1e-5);
    }
    if constexpr (std::is_same_v<Op, many::pool>) {
        const auto x = operands::drawn(Op::h * Op::w * Op::c, 1);
        const auto expected = many::expected_pool(x);
        const auto y = results_of<Op>(device, entry, nullptr, expected.size(),
                                      [&](auto stored) { return vulkan::arguments{.x = stored(x)}; });
        CHECK(many::error_of(y, expected) == 0);
    }
    CHECK_MESSAGE(device.validation_messages() == 0, device.first_validation_message());
}
