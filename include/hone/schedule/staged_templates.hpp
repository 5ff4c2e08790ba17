// SPDX-License-Identifier: BSL-1.0
// The schedule templates for CPUs that hone.hpp leaves out, of operators of several stages and of products of two
// activations: where this header is, such a workload has these, unless it has a list of its own.
#pragma once

#include <hone/op/operator.hpp>
#include <hone/schedule/chain.hpp>
#include <hone/schedule/cpu_templates.hpp>
#include <hone/schedule/panels.hpp>
#include <hone/schedule/row_wise.hpp>
#include <hone/schedule/schedule_template.hpp>

#ifndef HONE_SHOW_WARNINGS // see core/config.hpp
#pragma GCC system_header
#endif

namespace hone::schedules {

using staged_templates = template_list<row_wise, chain>;
using product_templates = template_list<panels>;

namespace config_parts {

template <class Op>
    requires(!has_cpu_templates<Op> && definition_of<Op>.stages.size() > 1)
struct templates_of<Op> {
    using type = staged_templates;
};
template <class Op>
    requires(!has_cpu_templates<Op> && panels::applies(definition_of<Op>))
struct templates_of<Op> {
    using type = product_templates;
};

} // namespace config_parts

} // namespace hone::schedules

namespace hone { // API
using schedules::product_templates, schedules::staged_templates;
} // namespace hone
