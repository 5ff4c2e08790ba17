// SPDX-License-Identifier: BSL-1.0
// The list of templates for CPUs: which of them computes what, and whose list a workload takes.
#include <hone/schedule/cpu_templates.hpp>

#include <string>
#include <type_traits>

#include <doctest/doctest.h>

#include <hone/op/conv2d.hpp>
#include <hone/op/gemm.hpp>

#include "own_template.hpp"
#include "reductions.hpp"

using namespace hone;
using namespace hone::schedules;

namespace {

struct product : gemm<gemm_shape{.m = 9, .n = 20, .k = 5}, f32> {};
struct layer : conv2d<conv2d_shape{.h = 8, .w = 8, .ic = 4, .oc = 8, .kh = 3, .kw = 3, .pad = 1}, f32> {};
struct with_own : product {
    using cpu_templates = template_list<test::narrow, winograd, direct>;
};
struct derived : with_own {};
struct for_devices_only : product {
    using vulkan_templates = template_list<test::narrow>;
};

static_assert(cpu_templates::is_complete);
static_assert(std::is_same_v<cpu_templates_of<product>, cpu_templates>);
static_assert(std::is_same_v<cpu_templates_of<with_own>, template_list<test::narrow, winograd, direct>>);
static_assert(std::is_same_v<cpu_templates_of<derived>, cpu_templates_of<with_own>>); // and so has what derives from it
static_assert(std::is_same_v<cpu_templates_of<for_devices_only>, cpu_templates>);

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
    CHECK(applying(product::definition(), cpu_templates{}) == "direct ");
    CHECK(applying(layer::definition(), cpu_templates{}) == "direct winograd ");
    CHECK(applying(definition{}, cpu_templates{}).empty());
    for (const definition& d : {product::definition(), layer::definition()})
        CHECK(std::string{name_of_template(default_config<cpu_templates>(d, isa::avx2))} == "direct");
    // Without weights, the template for sums comes before.
    const definition sums =
        reductions::definition_of<>(reductions::rows_shape{.rows = 4, .n = 64, .how = reductions::fold::sum});
    CHECK(applying(sums, cpu_templates{}) == "reduce direct ");
    CHECK(std::string{name_of_template(default_config<cpu_templates>(sums, isa::avx2))} == "reduce");
}

TEST_CASE("a config of the list holds the knobs of any of its templates")
{
    CHECK(cpu_config(direct_knobs{.rows = 3}).is<direct>());
    CHECK(cpu_config(winograd_knobs{.tile = 2}).knobs<winograd>().tile == 2);
    CHECK(cpu_config(reduce_knobs{}).is<reduce>());
}
