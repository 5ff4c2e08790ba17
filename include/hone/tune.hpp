// SPDX-License-Identifier: BSL-1.0
// For tuner builds: features, cost model, search, building, measuring, records and generated headers. Engines include
// hone.hpp instead; what tunes Vulkan is included by name, for it needs the Vulkan headers and glslang.
#pragma once

#include <hone/hone.hpp>
#include <hone/tune/annealing.hpp>
#include <hone/tune/build_pool.hpp>
#include <hone/tune/cost_model.hpp>
#include <hone/tune/cpu_space.hpp>
#include <hone/tune/features.hpp>
#include <hone/tune/header_writer.hpp>
#include <hone/tune/record.hpp>
#include <hone/tune/search.hpp>
#include <hone/tune/tuner.hpp>
