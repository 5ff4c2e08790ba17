// SPDX-License-Identifier: BSL-1.0
// The list of templates for Vulkan devices: which of them computes what, and whose list a workload takes.
#include <hone/schedule/vulkan_templates.hpp>

#include <string>
#include <type_traits>

#include <doctest/doctest.h>

#include <hone/op/conv2d.hpp>
#include <hone/op/gemm.hpp>
#include <hone/schedule/cpu_templates.hpp>

#include "reductions.hpp"

using namespace hone;
using namespace hone::schedules;

namespace {

struct product : gemm<gemm_shape{.m = 9, .n = 20, .k = 5}, f32> {};
struct layer : conv2d<conv2d_shape{.h = 8, .w = 8, .ic = 4, .oc = 8, .kh = 3, .kw = 3, .pad = 1}, f32> {};
struct vulkan_again : vulkan_direct {
    static constexpr const char* name = "again";
};
struct with_own : product {
    using vulkan_templates = template_list<vulkan_again>;
};
struct derived : with_own {};
struct for_processors_only : product {
    using cpu_templates = template_list<vulkan_again>;
};

static_assert(vulkan_templates::is_complete);
static_assert(std::is_same_v<vulkan_templates_of<product>, vulkan_templates>);
static_assert(std::is_same_v<vulkan_templates_of<with_own>, template_list<vulkan_again>>);
static_assert(std::is_same_v<vulkan_templates_of<derived>, template_list<vulkan_again>>);
static_assert(std::is_same_v<vulkan_templates_of<for_processors_only>, vulkan_templates>);

// The names of those that compute it, in the order in which they are asked.
template <class... T>
std::string applying(const definition& d, template_list<T...>)
{
    std::string names;
    ((T::applies(d) ? names += std::string{T::name} + ' ' : names), ...);
    return names;
}

} // namespace

TEST_CASE("each operator has the templates that compute it, the default's first")
{
    const definition sums =
        reductions::definition_of<>(reductions::rows_shape{.rows = 4, .n = 64, .how = reductions::fold::sum});
    CHECK(applying(product::definition(), vulkan_templates{}) == "direct ");
    CHECK(applying(layer::definition(), vulkan_templates{}) == "direct ");
    CHECK(applying(sums, vulkan_templates{}) == "reduce direct ");
    CHECK(applying(definition{}, vulkan_templates{}).empty());
    CHECK(std::string{name_of_template(default_config<vulkan_templates>(layer::definition(), vulkan_limits{}))} ==
          "direct");
    CHECK(std::string{name_of_template(default_config<vulkan_templates>(sums, vulkan_limits{}))} == "reduce");
}

TEST_CASE("images whose extents the call gives are computed on the CPU alone, and NHWC alone")
{
    constexpr extent side = extent::up_to(8);
    conv2d_shape s{.h = side, .w = 8, .ic = 4, .oc = 8};
    const auto has_template = [&](auto templates) {
        return check_templates(conv2d_definition<>(s, dtype::f32), templates).what != fault::template_missing;
    };
    CHECK_FALSE(has_template(vulkan_templates{}));
    CHECK(has_template(cpu_templates{}));
    s = {.h = 8, .w = 8, .ic = 4, .oc = extent::up_to(8), .groups = 2}; // and so are channels of several groups
    CHECK_FALSE(has_template(vulkan_templates{}));
    CHECK(has_template(cpu_templates{}));
    s.groups = 1;
    CHECK(has_template(vulkan_templates{}));
    s = {.h = side, .w = 8, .ic = 4, .oc = 8};
    s.layout = layout::nchw;
    CHECK_FALSE(has_template(cpu_templates{}));
    s.h = 8;
    s.n = side;
    CHECK(has_template(vulkan_templates{}));
    CHECK(has_template(cpu_templates{}));
}

TEST_CASE("a config of the list holds the knobs of any of its templates")
{
    CHECK(vulkan_config(vulkan_knobs{.rows = 3}).knobs<vulkan_direct>().rows == 3);
    CHECK(vulkan_config(vulkan_reduce_knobs{}).is<vulkan_reduce>());
    CHECK_FALSE(vulkan_config(vulkan_knobs{}).is<vulkan_reduce>());
}
