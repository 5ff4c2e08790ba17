// SPDX-License-Identifier: BSL-1.0
// For tuner builds: features, cost model, search, building, measuring, records and generated headers. Engines include
// hone.hpp instead. Where a build has Vulkan's headers and glslang, what tunes Vulkan is in it.
#pragma once

#include <hone/hone.hpp>
#include <hone/model/cost_model.hpp>
#include <hone/model/features.hpp>
#include <hone/record/header_writer.hpp>
#include <hone/record/record.hpp>
#include <hone/search/annealing.hpp>
#include <hone/search/search.hpp>
#include <hone/tune/backends.hpp>
#include <hone/tune/tuner.hpp>
