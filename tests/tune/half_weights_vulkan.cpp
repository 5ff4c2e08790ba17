// SPDX-License-Identifier: BSL-1.0
// A product and a convolution with weights of 16 bits are tuned on a device; their records and headers say of which
// type packed weights are, and a kernel of one packs and runs.
#include <cstddef>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <string>
#include <vector>

#include <doctest/doctest.h>

#include <hone/record/header_writer.hpp>
#include <hone/tune/vulkan/tuning.hpp>
#include <hone/vulkan/entry.hpp>
#include <hone/vulkan/kernel.hpp>

#include "half_weights.hpp"
#include "tuner_rig.hpp"
#include "vulkan_child.hpp"
#include "vulkan_rig.hpp"

using namespace hone;
using namespace hone::codegen;
using namespace hone::test;
using tune::verdict;

TEST_CASE("measure kernels with weights of 16 bits on a device in a child" * doctest::skip())
{
    static const tune::task tasks[] = {tune::task_of<halves::product>("", ""), tune::task_of<halves::layer>("", ""),
                                       tune::task_of<halves::upsampled>("", "")};
    measure_on_device(tasks);
}

namespace {

struct no_entries {
    static constexpr vulkan_entry vulkan_entries[1]{};
};
// The same product with weights of 32 bits.
struct floats_product : gemm<gemm_shape{.m = 5, .n = 43, .k = 24}, f32, bias> {};

} // namespace

TEST_CASE_TEMPLATE("a product and convolutions with weights of 16 bits are tuned on the device", Op, halves::product,
                   halves::layer, halves::upsampled)
{
    vulkan::device& device = test_device();
    REQUIRE(device.limits().storage_16bit);
    const folder at;
    const tune::tuning_environment environment =
        environment_of(at, "measure kernels with weights of 16 bits on a device in a child");
    std::string why;
    const auto found = tune::find_vulkan(environment.self, why);
    REQUIRE_MESSAGE(found.has_value(), why);
    CHECK(found->limits.storage_16bit);
    tune::vulkan_tuning tuning(tune::task_of<Op>("op", "halves::op"), environment, *found);
    tuning.measure(tuning.propose(4), {});
    tuning.compare();
    for (const tune::record& r : tuning.records()) {
        INFO(tune::line_of(r));
        CHECK(r.found == verdict::ok);
        CHECK(r.max_rel_error < 1e-5);
        if (!r.code) continue; // the naive kernel is in no header
        const tune::shader& made = *tune::shader_of(r);
        CHECK(made.packed[0].type == dtype::f16);
        const tune::shader again = tune::shader_from(made.to_json());
        CHECK(again.packed[0].type == dtype::f16);
        CHECK(layout_id(again.packed) == layout_id(made.packed));
    }
    const tune::standing s = tuning.standing();
    REQUIRE(s.chosen != nullptr);
    REQUIRE(s.chosen->code);
    CHECK(tuning.verify_on_twin(*s.chosen).found == verdict::ok);
    const std::string header = tune::header_text("tuned", tuning.records());
    CHECK(header.find("all[0].type = hone::dtype::f16;") != std::string::npos);

    auto wrong = s.chosen->code->to_json();
    wrong["types"] = {"f64"};
    CHECK_THROWS_WITH(tune::shader_from(wrong), doctest::Contains("which hone does not have"));
    wrong["types"] = nlohmann::ordered_json::array();
    CHECK_THROWS_WITH(tune::shader_from(wrong), doctest::Contains("not a list of 1"));

    const vulkan_entry entry = entry_of(*s.chosen);
    vulkan_limits without = device.limits();
    without.storage_16bit = false;
    CHECK(fits(entry, device.limits()).ok());
    CHECK(fits(entry, without).what == fault::vulkan_feature_missing);
    CHECK(std::string(fits(entry, without).subject) == "storageBuffer16BitAccess");

    if constexpr (std::is_same_v<Op, halves::product>) {
        auto k = vulkan::kernel<Op, no_entries>::create(device.context(), entry);
        INFO(vulkan::failure{k.found}.text());
        REQUIRE(k.ok());
        CHECK(k->packed_bytes() == 2 * static_cast<std::size_t>(entry.packed[0].elements()));
        const auto x = random_floats(5 * 24, 1), weights = random_floats(24 * 43, 2), b = random_floats(43, 3);
        std::vector<half> rounded;
        for (float w : weights) rounded.push_back(half(w));
        const auto stored = [&](const void* from, std::size_t bytes) {
            vulkan::failure failure;
            auto memory = device.make_buffer(bytes, failure);
            REQUIRE_MESSAGE(failure.ok(), failure.text());
            std::memcpy(memory.floats().data(), from, bytes);
            return memory;
        };
        std::vector<std::byte> packed(k->packed_bytes()), same(k->packed_bytes());
        REQUIRE(k->pack(weights.data(), packed.data()).ok());
        REQUIRE(k->pack(rounded.data(), same.data()).ok());
        CHECK(packed == same);
        const auto on_x = stored(x.data(), x.size() * sizeof(float)), on_b = stored(b.data(), b.size() * sizeof(float)),
                   on_weights = stored(packed.data(), packed.size());
        const std::vector<float> poisoned(5 * 43, poison);
        const auto on_y = stored(poisoned.data(), poisoned.size() * sizeof(float));
        const auto ran = device.run([&](VkCommandBuffer to) {
            return k->record(
                to, {.x = on_x.range(), .weights = on_weights.range(), .bias = on_b.range(), .y = on_y.range()});
        });
        REQUIRE_MESSAGE(ran.ok(), ran.text());
        for (int m = 0; m < 5; ++m)
            for (int n = 0; n < 43; ++n) {
                double sum = b[n];
                for (int i = 0; i < 24; ++i)
                    sum += static_cast<double>(x[m * 24 + i]) *
                           static_cast<double>(static_cast<float>(rounded[i * 43 + n]));
                CHECK(std::fabs(on_y.floats()[m * 43 + n] - sum) < 1e-5);
            }
        // Of another type than the operator's.
        vulkan_entry other = entry;
        constexpr auto signature = floats_product::signature();
        other.signature = signature.c_str();
        CHECK(vulkan::kernel<floats_product, no_entries>::create(device.context(), other).found.what ==
              fault::vulkan_entry_mismatch);
    }
    CHECK_MESSAGE(device.validation_messages() == 0, device.first_validation_message());
}
