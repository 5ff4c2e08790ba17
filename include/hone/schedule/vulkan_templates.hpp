// SPDX-License-Identifier: BSL-1.0
// The schedule templates for Vulkan devices. A workload that has a member `vulkan_templates`, a list of its own, is
// given those by a tuner.
#pragma once

#include <hone/core/traits.hpp>
#include <hone/op/operator.hpp>
#include <hone/schedule/schedule_template.hpp>
#include <hone/schedule/vulkan_chain.hpp>
#include <hone/schedule/vulkan_direct.hpp>
#include <hone/schedule/vulkan_reduce.hpp>
#include <hone/schedule/vulkan_row_wise.hpp>

#ifndef HONE_SHOW_WARNINGS // see core/config.hpp
#pragma GCC system_header
#endif

namespace hone::schedules {

using vulkan_templates = template_list<vulkan_reduce, vulkan_direct, vulkan_row_wise, vulkan_chain>;
using vulkan_config = config_in<vulkan_templates>;

namespace config_parts {

template <class Op>
concept has_vulkan_templates = requires { typename Op::vulkan_templates; };
template <class Op>
struct vulkan_templates_of {
    using type = vulkan_templates;
};
template <has_vulkan_templates Op>
struct vulkan_templates_of<Op> {
    static_assert(
        Op::vulkan_templates::is_complete,
        "hone::template_list: a template of the list lacks a part of what schedule/schedule_template.hpp lists; "
        "add it");
    using type = conditional_t<Op::vulkan_templates::is_complete, typename Op::vulkan_templates, vulkan_templates>;
};

} // namespace config_parts

// Those of a workload.
template <tensor_operator Op>
using vulkan_templates_of = typename config_parts::vulkan_templates_of<Op>::type;

// As schedule/template_families.hpp lists it.
struct vulkan_family {
    static constexpr const char* backend = "vulkan";
    using target = vulkan_limits;
    using shipped = vulkan_templates;
    template <class Op>
    using of = vulkan_templates_of<Op>;
    template <class Op>
    static constexpr bool has_own = config_parts::has_vulkan_templates<Op>;
};

} // namespace hone::schedules

namespace hone { // API
using schedules::vulkan_templates;
} // namespace hone
