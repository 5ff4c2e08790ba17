// SPDX-License-Identifier: BSL-1.0
// What an inference engine includes: kernels with their schedules, gemm and conv2d. Each other operator is one header
// more, of op/. The standard library only, no streams, and at most 12,000 preprocessed lines (tests/tree/weight counts
// them). A tuner build includes tune.hpp instead.
#pragma once

#include <hone/core/executor.hpp>
#include <hone/core/fault.hpp>
#include <hone/cpu/entry.hpp>
#include <hone/cpu/kernel.hpp>
#include <hone/op/accuracy.hpp>
#include <hone/op/arithmetic.hpp>
#include <hone/op/conv2d.hpp>
#include <hone/op/epilogue.hpp>
#include <hone/op/gemm.hpp>
#include <hone/op/operator.hpp>
#include <hone/op/workloads.hpp>
#include <hone/schedule/config.hpp>
#include <hone/schedule/schedule_template.hpp>

#ifndef HONE_SHOW_WARNINGS // see core/config.hpp
#pragma GCC system_header
#endif
