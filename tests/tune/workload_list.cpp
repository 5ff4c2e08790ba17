// SPDX-License-Identifier: BSL-1.0
// Which workloads a tuner takes, and what it says of those that it does not.
#include <hone/tune/workload_list.hpp>

#include <string>

#include <doctest/doctest.h>

#include <hone/op/gemm.hpp>
#include <hone/op/workloads.hpp>

#include "own_template.hpp"

using namespace hone;
using namespace hone::codegen;

namespace {

constexpr gemm_shape shape{.m = 3, .n = 8, .k = 5};

struct with_operand {
    static constexpr const char* name = "plus";
    static constexpr role operand_role = role::operand;
    static constexpr expr apply(const expr& acc, const expr& o) { return acc + o; }
};
struct plain : gemm<shape, f32, bias, residual> {};
struct with_tensor : gemm<shape, f32, with_operand> {};
struct twice : gemm<shape, f32, residual, residual> {};
template <class... T>
struct with_list : gemm<shape, f32, relu> {
    using cpu_templates = template_list<T...>;
};
struct own_list : with_list<test::narrow, direct> {};
struct direct_again : test::narrow {
    static constexpr const char* name = "direct";
};
struct narrow_again : test::narrow {};
struct two_words : test::narrow {
    static constexpr const char* name = "two words";
};
struct takes_a_name : with_list<direct_again> {};
struct shares_a_name : with_list<test::narrow, narrow_again> {};
struct has_no_name : with_list<two_words> {};
struct computes_nothing : with_list<winograd> {};
struct two_stages : plain {
    static constexpr hone::definition definition()
    {
        auto d = plain::definition();
        d.stages.push_back(d.stages[0]);
        d.tensors.push_back(d.tensors[static_cast<std::size_t>(d.tensor_of(role::output))]);
        d.tensors.back().name = "z";
        d.stages[1].output.tensor = static_cast<std::int8_t>(d.tensors.size() - 1);
        return d;
    }
    static constexpr signature_text signature() { return signature_text{}.word("two stages"); }
};
struct second_output {
    static constexpr const char* name = "second";
    static constexpr role operand_role = role::output;
    static constexpr expr apply(const expr& acc, const expr& o) { return acc + o; }
};
struct two_outputs : gemm<shape, f32, second_output> {};

template <class List>
std::string refusal()
{
    try {
        tune::tasks_of<List>("list");
    } catch (const std::invalid_argument& e) {
        return e.what();
    }
    return "taken";
}

} // namespace

TEST_CASE("a tuner refuses what it cannot give data for, by name")
{
    CHECK(refusal<workloads<plain>>() == "taken");
    CHECK(refusal<workloads<plain, with_tensor, twice>>() == "taken");
    CHECK(refusal<workloads<plain, two_outputs>>() ==
          std::string{"two_outputs: "} + message_of(fault::output_not_written_once));
    CHECK(refusal<workloads<two_stages>>() == std::string{"two_stages: "} + message_of(fault::template_missing));
}

TEST_CASE("templates of a workload's own come with it; hone's among them are hone's")
{
    const auto tasks = tune::tasks_of<workloads<plain, own_list>>("list");
    CHECK(tasks[0].own.of<cpu_family>() == nullptr);
    REQUIRE(tasks[1].own.of<cpu_family>() != nullptr);
    const auto& own = *tasks[1].own.of<cpu_family>();
    REQUIRE(own.size() == 2);
    CHECK(std::string(own[0].name) == "narrow");
    CHECK(std::string(own[1].name) == "direct");
    CHECK_FALSE(own[1].is_shipped());
    CHECK(own[1].applies(tasks[1].definition));
    CHECK(tasks[1].own.of<vulkan_family>() == nullptr);

    CHECK(refusal<workloads<computes_nothing>>() ==
          std::string{"computes_nothing: "} + message_of(fault::template_missing));
    CHECK(refusal<workloads<takes_a_name>>() ==
          "takes_a_name: a template of its list has the name 'direct', which is one of hone's; choose another");
    CHECK(refusal<workloads<shares_a_name>>() ==
          "shares_a_name: two templates of its list have the name 'narrow'; rename one of them");
    CHECK(refusal<workloads<has_no_name>>() == "has_no_name: a template of its list has the name 'two words'; choose "
                                               "letters, digits and underscores");
}
