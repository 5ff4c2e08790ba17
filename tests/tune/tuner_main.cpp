// SPDX-License-Identifier: BSL-1.0
// A list of workloads as the tuner's library is handed it: names, and functions that are asked at run time.
#include <hone/tune/tuner_main.hpp>

#include <string>
#include <string_view>
#include <tuple>

#include <doctest/doctest.h>

#include <hone/op/gemm.hpp>

#include "own_template.hpp"

using namespace hone;
using namespace hone::codegen;

namespace listed_in_main {

struct first : gemm<gemm_shape{.m = 5, .n = 24, .k = 7}, f32, bias> {};
struct own : gemm<gemm_shape{.m = 3, .n = 8, .k = 2}, f32> {
    using cpu_templates = template_list<test::narrow, direct>;
};

} // namespace listed_in_main

namespace {

constexpr auto list_of_two = tune::listed<workloads<listed_in_main::first, listed_in_main::own>>();
static_assert(list_of_two.size() == 2);
static_assert(tune::listed<workloads<>>().empty());

std::string_view name_in(const tune::listed_workload& w) { return {w.type_name, w.type_name_size}; }

} // namespace

TEST_CASE("each workload of a list is asked by itself, in the order of the list")
{
    CHECK(name_in(list_of_two[0]) == "listed_in_main::first");
    CHECK(name_in(list_of_two[1]) == "listed_in_main::own");
    CHECK(list_of_two[0].signature() == listed_in_main::first::signature());
    CHECK(list_of_two[1].signature() == listed_in_main::own::signature());
    CHECK(list_of_two[0].definition().tensors.size() == 4);
    CHECK(list_of_two[1].definition().tensors.size() == 3);
    CHECK(hone::flops_of(list_of_two[1].definition()) == 2 * 3 * 8 * 2);
}

TEST_CASE("rows go along for a workload's own templates, and none for one that takes hone's")
{
    std::apply([](const auto&... of) { CHECK(((of.rows.size == 0) && ...)); }, list_of_two[0].templates);
    const auto& of_cpu = std::get<0>(list_of_two[1].templates).rows;
    REQUIRE(of_cpu.size == 2);
    CHECK(std::string{of_cpu.first[0].name} == "narrow");
    CHECK_FALSE(of_cpu.first[0].is_shipped());
    CHECK(std::string{of_cpu.first[1].name} == "direct");
    CHECK(of_cpu.first[1].is_shipped());
    CHECK(std::get<1>(list_of_two[1].templates).rows.size == 0);
}

TEST_CASE("a list says how large definitions are where it was made, so that another library's are not read")
{
    CHECK(tune::tuner_list{}.definition_bytes == sizeof(definition));
    CHECK(std::string{tune::tuner_list{}.name} == "tuned");
    CHECK(tune::tuner_list{}.options == nullptr);
    CHECK(tune::tuner_list{}.search == nullptr);
}
