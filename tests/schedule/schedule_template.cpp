// SPDX-License-Identifier: BSL-1.0
// Lists of templates, and configs of them: which template an operator is given, and what a config of another is.
#include <doctest/doctest.h>

#include <string>
#include <type_traits>

#include <hone/ir/check.hpp>
#include <hone/lower/lower.hpp>
#include <hone/op/conv2d.hpp>
#include <hone/op/gemm.hpp>
#include <hone/schedule/cpu_templates.hpp>
#include <hone/schedule/vulkan_templates.hpp>

#include "own_template.hpp"

using namespace hone;
using namespace hone::schedules;

namespace {

using own_list = template_list<test::narrow, winograd, direct>;
using own_config = config_in<own_list>;

constexpr definition product = gemm<gemm_shape{.m = 9, .n = 20, .k = 5}, f32>::definition();
constexpr definition vector_product = gemm<gemm_shape{.n = 20, .k = 5}, f32>::definition(); // of no rows
constexpr definition layer =
    conv2d<conv2d_shape{.h = 8, .w = 8, .ic = 4, .oc = 8, .kh = 3, .kw = 3, .pad = 1}, f32>::definition();

std::string default_of(const definition& d) { return name_of_template(default_config<own_list>(d, isa::baseline)); }

} // namespace

TEST_CASE("a config is of the template whose knobs it is made from, and of the first without any")
{
    CHECK(own_config().is<test::narrow>());
    const own_config c = winograd_knobs{.tile = 2};
    CHECK(c.is<winograd>());
    CHECK_FALSE(c.is<direct>());
    CHECK(c.knobs<winograd>().tile == 2);
    CHECK(c.knobs<direct>() == direct_knobs{});
    CHECK(std::string(name_of_template(c)) == "winograd");
    CHECK(c == own_config(winograd_knobs{.tile = 2}));
    CHECK_FALSE(c == own_config(winograd_knobs{}));
    CHECK_FALSE(own_config(direct_knobs{}) == own_config(winograd_knobs{}));
    CHECK(class_of(c) == error_class::winograd_2);
    CHECK(class_of(own_config()) == error_class::exact_order);
    CHECK_FALSE(std::is_constructible_v<own_config, vulkan_knobs>);
}

TEST_CASE("an operator is given the first template of the list that computes it")
{
    CHECK(default_of(product) == "narrow");
    CHECK(default_of(vector_product) == "direct");
    CHECK(name_of_template(default_config<cpu_templates>(layer, isa::avx2)) == std::string("direct"));
    CHECK(default_config<cpu_templates>(layer, isa::avx2, 2).knobs<direct>() == default_direct(layer, isa::avx2, 2));
    CHECK(default_steps_of(layer, cpu_templates{}) == direct::default_steps);
    CHECK(default_steps_of(product, own_list{}) == test::narrow::default_steps);
    CHECK(default_config<vulkan_templates>(layer, vulkan_limits{}).knobs<vulkan_direct>() == default_vulkan(layer));
}

TEST_CASE("a config of a template that computes other operators is a fault, for schedules, layouts and packings")
{
    const own_config c = winograd_knobs{};
    CHECK(check_config(layer, c).ok());
    CHECK(check_config(product, c).what == fault::template_missing);
    CHECK(std::string(check_config(product, c).subject) == "winograd");
    CHECK(lower(schedule_for(product, c, isa::avx2)).found.what == fault::template_missing);
    CHECK(lower(packing_for(product, c, isa::avx2)).found.what == fault::template_missing);
    CHECK(packed_for(product, c, isa::avx2).empty());
    CHECK(lower(schedule_for(layer, c, isa::avx512)).found.ok());

    CHECK(check_templates(vector_product, own_list{}).ok());
    const status none = check_templates(vector_product, template_list<test::narrow, winograd>{});
    CHECK(none.what == fault::template_missing);
    CHECK(std::string(none.subject) == "gemm");
}

TEST_CASE("of two stages no template computes one")
{
    definition two = product;
    two.stages.push_back(two.stages[0]);
    CHECK(check_templates(two, cpu_templates{}).what == fault::template_missing);
    CHECK(check_templates(two, vulkan_templates{}).what == fault::template_missing);
    CHECK(lower(schedule_for(two, cpu_config(), isa::avx2)).found.what == fault::template_missing);
}

TEST_CASE("a template of someone else lowers to legal nests")
{
    for (const isa set : {isa::baseline, isa::avx2, isa::avx512})
        for (const auto& d : {product, layer}) {
            const own_config c = default_config<own_list>(d, set);
            REQUIRE(c.is<test::narrow>());
            const nest n = lower(schedule_for(d, c, set));
            CHECK(std::string(check(n, cpu_target(set)).message()) == message_of(fault::none));
        }
}
