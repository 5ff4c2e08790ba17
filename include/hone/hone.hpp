// SPDX-License-Identifier: BSL-1.0
// What an inference engine includes: operators, schedules and kernels. The standard library only, no streams, and at
// most 20,000 preprocessed lines (tests/tree/weight counts them). A tuner build includes tune.hpp instead.
#pragma once

#include <hone/core/config.hpp>
#include <hone/core/dtype.hpp>
#include <hone/core/executor.hpp>
#include <hone/core/fault.hpp>
#include <hone/core/inline_vector.hpp>
#include <hone/core/target.hpp>
#include <hone/ir/check.hpp>
#include <hone/ir/expr.hpp>
#include <hone/ir/nest.hpp>
#include <hone/ir/visit.hpp>
