// SPDX-License-Identifier: BSL-1.0
// The families of templates that there are, one for each kind of target: what spaces, tuners and the lists of workloads
// fold over. A family is added here by one word, beside its backend in tune/record_backends.hpp.
#pragma once

#include <tuple>

#include <hone/schedule/cpu_templates.hpp>
#include <hone/schedule/staged_templates.hpp>
#include <hone/schedule/vulkan_templates.hpp>

#ifndef HONE_SHOW_WARNINGS // see core/config.hpp
#pragma GCC system_header
#endif

namespace hone::schedules {

namespace config_parts {

template <class, class>
struct concatenating;
template <class... A, class... B>
struct concatenating<template_list<A...>, template_list<B...>> {
    using type = template_list<A..., B...>;
};

} // namespace config_parts
template <class First, class Second>
using concatenated = typename config_parts::concatenating<First, Second>::type;

// A family is a type of these members:
//
//     backend        the name of what its kernels run on, as records have it
//     target         what its templates are asked with: an isa, or the limits of a device
//     shipped        hone's own templates, a template_list
//     of<Op>         those of a workload, which may have a list of its own
//     has_own<Op>    whether it has
struct cpu_family {
    static constexpr const char* backend = "cpu";
    using target = isa;
    using shipped = concatenated<concatenated<cpu_templates, product_templates>, staged_templates>;
    template <class Op>
    using of = cpu_templates_of<Op>;
    template <class Op>
    static constexpr bool has_own = config_parts::has_cpu_templates<Op>;
};

// Of the first one every operator has a template, or it is none.
using template_families = std::tuple<cpu_family, vulkan_family>;

namespace config_parts {

template <template <class> class Of, class Families>
struct of_each;
template <template <class> class Of, class... Family>
struct of_each<Of, std::tuple<Family...>> {
    using type = std::tuple<Of<Family>...>;
};

} // namespace config_parts

// Something for each family: std::tuple<Of<Family>...>.
template <template <class> class Of>
using of_each_family = typename config_parts::of_each<Of, template_families>::type;

} // namespace hone::schedules
