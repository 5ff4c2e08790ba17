// SPDX-License-Identifier: BSL-1.0
// The templates of operators of several stages and of two activations: whose list has them, and that hone.hpp has not.
#include <hone/schedule/staged_templates.hpp>

#include <string>
#include <type_traits>

#include <doctest/doctest.h>

#include <hone/op/gemm.hpp>
#include <hone/op/matmul.hpp>
#include <hone/op/recurrent.hpp>
#include <hone/op/softmax.hpp>
#include <hone/schedule/template_families.hpp>

using namespace hone;
using namespace hone::schedules;

namespace {

struct product : gemm<gemm_shape{.m = 9, .n = 20, .k = 5}, f32> {};
struct scores : matmul<matmul_shape{.m = 9, .n = 20, .k = 5}, f32> {};
struct rows : softmax<row_shape{.rows = 3, .n = 7}, f32> {};
struct recurrent : lstm_cell<cell_shape{.m = 1, .k = 3, .n = 5}, f32> {};
struct with_own : rows {
    using cpu_templates = template_list<row_wise>;
};

static_assert(staged_templates::is_complete);
static_assert(std::is_same_v<cpu_templates_of<product>, cpu_templates>);
static_assert(std::is_same_v<cpu_templates_of<rows>, staged_templates>);
static_assert(std::is_same_v<cpu_templates_of<recurrent>, staged_templates>);
static_assert(std::is_same_v<cpu_templates_of<scores>, product_templates>);
static_assert(std::is_same_v<cpu_templates_of<with_own>, template_list<row_wise>>);
// Tuners and records know those of both lists as hone's.
static_assert(std::is_same_v<cpu_family::shipped, template_list<reduce, direct, winograd, panels, row_wise, chain>>);
static_assert(cpu_family::has_own<with_own> && !cpu_family::has_own<rows> && !cpu_family::has_own<product>);

template <class List>
std::string default_of(const definition& d)
{
    return name_of_template(default_config<List>(d, isa::avx2));
}

} // namespace

TEST_CASE("each operator of several stages has one template, and none of the list of all")
{
    CHECK(default_of<staged_templates>(rows::definition()) == "row_wise");
    CHECK(default_of<staged_templates>(recurrent::definition()) == "chain");
    for (const definition& d : {rows::definition(), recurrent::definition()}) {
        CHECK(check_templates(d, staged_templates()).ok());
        CHECK(check_templates(d, cpu_templates()).what == fault::template_missing);
        CHECK(default_of<cpu_family::shipped>(d) == default_of<staged_templates>(d));
    }
    CHECK(check_templates(product::definition(), staged_templates()).what == fault::template_missing);
}

TEST_CASE("a product of two activations has a template of its own, and none of the list of all")
{
    CHECK(default_of<product_templates>(scores::definition()) == "panels");
    CHECK(default_of<cpu_family::shipped>(scores::definition()) == "panels");
    CHECK(check_templates(scores::definition(), cpu_templates()).what == fault::template_missing);
    CHECK(check_templates(product::definition(), product_templates()).what == fault::template_missing);
}
