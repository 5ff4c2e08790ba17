// SPDX-License-Identifier: BSL-1.0
// What an inference engine includes: operators, schedules and kernels. The standard library only, no streams, and at
// most 16,000 preprocessed lines (tests/tree/weight counts them). A tuner build includes tune.hpp instead.
#pragma once

#include <hone/codegen/cpu.hpp>
#include <hone/codegen/launch.hpp>
#include <hone/codegen/lower.hpp>
#include <hone/codegen/region.hpp>
#include <hone/codegen/simd.hpp>
#include <hone/core/config.hpp>
#include <hone/core/dtype.hpp>
#include <hone/core/executor.hpp>
#include <hone/core/fault.hpp>
#include <hone/core/inline_vector.hpp>
#include <hone/core/target.hpp>
#include <hone/ir/check.hpp>
#include <hone/ir/expr.hpp>
#include <hone/ir/hash.hpp>
#include <hone/ir/nest.hpp>
#include <hone/ir/visit.hpp>
#include <hone/op/accuracy.hpp>
#include <hone/op/conv2d.hpp>
#include <hone/op/definition.hpp>
#include <hone/op/epilogue.hpp>
#include <hone/op/gemm.hpp>
#include <hone/op/operator.hpp>
#include <hone/op/workloads.hpp>
#include <hone/run/entry.hpp>
#include <hone/run/kernel.hpp>
#include <hone/schedule/config.hpp>
#include <hone/schedule/cpu_templates.hpp>
#include <hone/schedule/direct.hpp>
#include <hone/schedule/schedule.hpp>
#include <hone/schedule/schedule_template.hpp>
#include <hone/schedule/transform.hpp>
#include <hone/schedule/vulkan_direct.hpp>
#include <hone/schedule/vulkan_templates.hpp>
#include <hone/schedule/winograd.hpp>

#ifndef HONE_SHOW_WARNINGS // see core/config.hpp
#pragma GCC system_header
#endif
