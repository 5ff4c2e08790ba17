// SPDX-License-Identifier: BSL-1.0
// The schedule templates for Vulkan devices.
#pragma once

#include <hone/schedule/schedule_template.hpp>
#include <hone/schedule/vulkan_direct.hpp>
#include <hone/schedule/vulkan_reduce.hpp>

#ifndef HONE_SHOW_WARNINGS // see core/config.hpp
#pragma GCC system_header
#endif

namespace hone {

using vulkan_templates = template_list<vulkan_reduce, vulkan_direct>;
using vulkan_config = config_in<vulkan_templates>;

} // namespace hone
