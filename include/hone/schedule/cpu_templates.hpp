// SPDX-License-Identifier: BSL-1.0
// The schedule templates for CPUs that any operator may have. A workload that has a member `cpu_templates`, a list of
// its own, is given those. Operators of several stages, and products of two activations, have others
// (schedule/staged_templates.hpp).
#pragma once

#include <hone/core/traits.hpp>
#include <hone/op/operator.hpp>
#include <hone/schedule/direct.hpp>
#include <hone/schedule/reduce.hpp>
#include <hone/schedule/schedule_template.hpp>
#include <hone/schedule/winograd.hpp>

#ifndef HONE_SHOW_WARNINGS // see core/config.hpp
#pragma GCC system_header
#endif

namespace hone::schedules {

using cpu_templates = template_list<reduce, direct, winograd>;
using cpu_config = config_in<cpu_templates>;

namespace config_parts {

template <class Op>
concept has_cpu_templates = requires { typename Op::cpu_templates; };
template <class Op>
struct templates_of {
    using type = cpu_templates;
};
template <has_cpu_templates Op>
struct templates_of<Op> {
    static_assert(
        Op::cpu_templates::is_complete,
        "hone::template_list: a template of the list lacks a part of what schedule/schedule_template.hpp lists; "
        "add it");
    // One error: behind it, a list that can be worked with.
    using type = conditional_t<Op::cpu_templates::is_complete, typename Op::cpu_templates, cpu_templates>;
};

} // namespace config_parts

// Those of a workload.
template <tensor_operator Op>
using cpu_templates_of = typename config_parts::templates_of<Op>::type;

} // namespace hone::schedules

namespace hone { // API
using schedules::cpu_templates;
} // namespace hone
