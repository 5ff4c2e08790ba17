// SPDX-License-Identifier: BSL-1.0
// The families are told apart by the backends that they name, and give a workload its own lists.
#include <set>
#include <string_view>
#include <tuple>
#include <type_traits>

#include <doctest/doctest.h>

#include <hone/op/gemm.hpp>
#include <hone/schedule/template_families.hpp>

using namespace hone;
using namespace hone::codegen;

namespace {

struct plain : gemm<gemm_shape{.m = 5, .n = 24, .k = 7}, f32> {};
struct with_lists : plain {
    using cpu_templates = template_list<winograd, direct>;
};
template <class Family>
struct name_of_family {
    static constexpr std::string_view text = Family::backend;
};

} // namespace

TEST_CASE("each family has a name, templates, and the lists of workloads")
{
    std::set<std::string_view> names;
    std::apply([&](auto... of) { (names.insert(decltype(of)::text), ...); }, of_each_family<name_of_family>());
    CHECK(names.size() == std::tuple_size_v<template_families>);
    static_assert(std::is_same_v<cpu_family::of<with_lists>, template_list<winograd, direct>>);
    static_assert(std::is_same_v<vulkan_family::of<with_lists>, vulkan_templates>);
    static_assert(std::is_same_v<cpu_family::of<plain>, cpu_templates>);
    static_assert(cpu_family::has_own<with_lists> && !cpu_family::has_own<plain>);
}
