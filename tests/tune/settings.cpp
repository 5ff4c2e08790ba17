// SPDX-License-Identifier: BSL-1.0
// Configs as text: settings give the config again, and a knob that a table forgets would be lost in records.
#include <cstdint>
#include <iterator>
#include <string>

#include <doctest/doctest.h>

#include <hone/op/conv2d.hpp>
#include <hone/tune/cpu_space.hpp>
#include <hone/tune/settings.hpp>
#include <hone/tune/vulkan_space.hpp>

using namespace hone;

TEST_CASE("settings name every knob, and give the config again")
{
    using conv = conv2d<conv2d_shape{.h = 14, .w = 14, .ic = 32, .oc = 48, .kh = 3, .kw = 3, .pad = 1}, f32, bias>;
    const tune::cpu_space on_cpu(conv::definition(), isa::avx2);
    const tune::vulkan_space on_device(conv::definition(), {});
    tune::xoshiro256 bits(1);
    for (int i = 0; i < 200; ++i) {
        const cpu_config c = on_cpu.config_of(on_cpu.random(bits));
        CHECK(tune::cpu_config_of(tune::name_of_template(c), tune::settings_of(c)) == c);
        const vulkan_knobs v = on_device.config_of(on_device.random(bits));
        CHECK(tune::vulkan_knobs_of(tune::settings_of(v)) == v);
    }
}

TEST_CASE("a knob that is added to a template is in its table")
{
    CHECK(tune::initializer_of(winograd_knobs{}) ==
          "{.tile = 4, .block_rows = 2, .block_columns = 7, .rows = 7, .vectors = 3}");
    CHECK(std::size(direct_knob_table) == 8);
    CHECK(std::size(vulkan_knob_table) == 10);
    CHECK(sizeof(winograd_knobs) == std::size(winograd_knob_table) * sizeof(std::int32_t));
}

TEST_CASE("values of knobs ascend, so that a search finds the place of one")
{
    const auto ascend = [](const auto& table) {
        for (const auto& k : table) {
            CAPTURE(std::string(k.name));
            for (std::size_t i = 1; i < k.values.size(); ++i) CHECK(k.values[i - 1] < k.values[i]);
            // Words are for all values of an enumeration.
            if (!k.words.empty()) CHECK(k.words.size() == k.values.size());
            CHECK_FALSE(k.values.overflowed());
            CHECK_FALSE(k.words.overflowed());
        }
    };
    ascend(direct_knob_table);
    ascend(winograd_knob_table);
    ascend(vulkan_knob_table);
}
