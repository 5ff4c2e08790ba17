// SPDX-License-Identifier: BSL-1.0
// Which workloads a tuner takes, and what it says of those that it does not.
#include <hone/tune/workload_list.hpp>

#include <string>

#include <doctest/doctest.h>

#include <hone/op/gemm.hpp>
#include <hone/op/workloads.hpp>

using namespace hone;

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
struct own_list : gemm<shape, f32, relu> {
    using cpu_templates = template_list<direct>;
};
struct two_stages : plain {
    static constexpr hone::definition definition()
    {
        auto d = plain::definition();
        d.stages.push_back(d.stages[0]);
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
    CHECK(refusal<workloads<plain, two_outputs>>() == std::string{"two_outputs: "} + message_of(fault::role_taken));
    CHECK(refusal<workloads<two_stages>>() == std::string{"two_stages: "} + message_of(fault::template_missing));
    CHECK(refusal<workloads<plain, own_list>>() ==
          "own_list: it has schedule templates of its own, which a tuner does not search; leave it out of list, or its "
          "member cpu_templates away");
}
