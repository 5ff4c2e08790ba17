// SPDX-License-Identifier: BSL-1.0
// Configs as text: settings give the config again, and a knob that a table forgets would be lost in records.
#include <cstdint>
#include <iterator>
#include <stdexcept>
#include <string>

#include <doctest/doctest.h>

#include <hone/op/conv2d.hpp>
#include <hone/record/settings.hpp>
#include <hone/schedule/config.hpp>
#include <hone/tune/cpu/space.hpp>
#include <hone/tune/record_backends.hpp>
#include <hone/tune/vulkan/space.hpp>

using namespace hone;
using namespace hone::schedules;

TEST_CASE("settings name every knob, and give the config again")
{
    using conv = conv2d<conv2d_shape{.h = 14, .w = 14, .ic = 32, .oc = 48, .kh = 3, .kw = 3, .pad = 1}, f32, bias>;
    const tune::cpu_space on_cpu(conv::definition(), isa::avx2);
    const tune::vulkan_space on_device(conv::definition(), {});
    tune::xoshiro256 bits(1);
    for (int i = 0; i < 200; ++i) {
        const auto c = on_cpu.config_of(on_cpu.random(bits));
        CHECK(tune::config_of<cpu_family>(name_of_template(c), tune::settings_of(c)) == c);
        const vulkan_config v = on_device.config_of(on_device.random(bits));
        CHECK(tune::config_of<vulkan_family>(name_of_template(v), tune::settings_of(v)) == v);
        // As entries of a config set have it.
        CHECK(config_from<cpu_family::shipped>(tune::text_of(c).c_str()).value == c);
        CHECK(config_from<vulkan_templates>(tune::text_of(v).c_str()).value == v);
    }
}

TEST_CASE("a knob that is added to a template is in its table")
{
    CHECK(tune::text_of(cpu_config(winograd_knobs{})) ==
          "winograd tile=4 block_rows=2 block_columns=7 rows=7 vectors=3");
    CHECK(std::size(direct_knob_table) == 9);
    CHECK(std::size(vulkan_knob_table) == 10);
    CHECK(sizeof(winograd_knobs) == std::size(winograd_knob_table) * sizeof(std::int32_t));
}

TEST_CASE("a setting that is unknown, missing, given twice or out of range is named")
{
    const auto wrong = [](const tune::record_backend& backend, const char* name, const tune::settings& s) {
        return tune::wrong_config(backend, name, s).value_or("");
    };
    const auto with = [](tune::settings s, const char* knob, const char* value) {
        for (tune::setting& one : s)
            if (one.knob == knob) one.value = value;
        return s;
    };
    const auto direct = tune::settings_of(direct_knobs{});
    const auto winograd = tune::settings_of(winograd_knobs{});
    const auto vulkan = tune::settings_of(vulkan_knobs{});
    CHECK(wrong(tune::on_cpu, "direct", direct) == "");
    CHECK(wrong(tune::on_cpu, "winograd", winograd) == "");
    CHECK(wrong(tune::on_vulkan, "direct", vulkan) == "");
    CHECK(wrong(tune::on_cpu, "naive", {}) == "");
    // What no search of today tries, and the template takes.
    CHECK(wrong(tune::on_cpu, "direct", with(direct, "rows", "30")) == "");
    CHECK(wrong(tune::on_cpu, "winograd", with(winograd, "block_rows", "100")) == "");

    CHECK(wrong(tune::on_cpu, "direct", {}) == "the knob 'rows' is missing");
    CHECK(wrong(tune::on_cpu, "naive", direct) == "the template 'naive' has no knob 'rows'");
    CHECK(wrong(tune::on_vulkan, "winograd", winograd) == "the backend 'vulkan' has no template 'winograd'");
    CHECK(wrong(tune::on_cpu, "direct", with(direct, "pad", "melt")) == "the knob 'pad' has no value 'melt'");
    for (const char* tile : {"0", "1", "3", "5", "6", "8", "-2", "4294967298", "2 ", "", "0x2", "2.0"})
        CHECK(wrong(tune::on_cpu, "winograd", with(winograd, "tile", tile)) ==
              "the knob 'tile' has no value '" + std::string(tile) + "'");
    for (const auto& k : direct_knob_table)
        if (k.words.empty())
            for (const char* value : {"-1", "2147483648", "4294967298", "9223372036854775808", "1e300"})
                CHECK(wrong(tune::on_cpu, "direct", with(direct, k.name, value)) != "");
    for (const auto& k : vulkan_knob_table)
        if (k.words.empty())
            for (const char* value : {"-1", "0", "2147483648", "4294967298", "1e300"})
                CHECK(wrong(tune::on_vulkan, "direct", with(vulkan, k.name, value)) != "");
    auto twice = direct;
    twice.push_back({"rows", "6"});
    CHECK(wrong(tune::on_cpu, "direct", twice) == "the knob 'rows' is given twice");
    auto more = direct;
    more.push_back({std::string(1000, 'x'), "6"});
    CHECK(wrong(tune::on_cpu, "direct", more).size() < 200);
    CHECK_THROWS_WITH_AS(tune::config_of<cpu_family>("winograd", with(winograd, "tile", "3")),
                         doctest::Contains("'tile'"), std::invalid_argument);
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
            for (std::int32_t v : k.values) CHECK(k.allows(v));
            CHECK_FALSE(k.allows(k.least - 1));
            CHECK_FALSE(k.allows(k.most + 1));
            CHECK_FALSE(k.words.overflowed());
        }
    };
    ascend(direct_knob_table);
    ascend(winograd_knob_table);
    ascend(vulkan_knob_table);
}
