// SPDX-License-Identifier: BSL-1.0
// What a family of templates says of records: which names are hone's, which settings are configs, and how exact they
// are.
#include <string>

#include <doctest/doctest.h>

#include <hone/record/family_backend.hpp>
#include <hone/record/settings.hpp>
#include <hone/schedule/cpu_templates.hpp>
#include <hone/tune/record_backends.hpp>

using namespace hone;
using namespace hone::schedules;

TEST_CASE("a backend knows the templates of its family, and no others")
{
    CHECK(tune::on_cpu.is_shipped("winograd"));
    CHECK_FALSE(tune::on_vulkan.is_shipped("winograd"));
    CHECK(tune::on_vulkan.is_shipped("direct"));
    CHECK_FALSE(tune::on_cpu.is_shipped("naive"));
    CHECK(tune::is_known_template(tune::on_cpu, "naive"));
    CHECK(tune::is_known_template(tune::on_vulkan, "peer"));
    CHECK_FALSE(tune::is_known_template(tune::on_vulkan, "winograd"));
}

TEST_CASE("the class of error is that of the knobs, and exact where there is no config")
{
    CHECK(tune::on_cpu.class_of("winograd", tune::settings_of(winograd_knobs{.tile = 4})) == error_class::winograd_4);
    CHECK(tune::on_cpu.class_of("direct", tune::settings_of(direct_knobs{})) == class_of(direct_knobs{}));
    CHECK(tune::on_cpu.class_of("winograd", {}) == error_class::exact_order);
    CHECK(tune::on_vulkan.wrong_config("winograd", {}) == "the backend 'vulkan' has no template 'winograd'");
}
