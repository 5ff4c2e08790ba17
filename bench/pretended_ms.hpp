// SPDX-License-Identifier: BSL-1.0
// A time that a nest might take, from its features: something for a model to learn where nothing is measured.
#pragma once

#include <algorithm>
#include <cmath>

#include <hone/model/feature_vector.hpp>

namespace bench {

using hone::tune::feature_vector;
using hone::tune::nest_feature;

// Milliseconds that loads, traffic and idle lanes might cost; not what they do cost.
inline double pretended_ms(const feature_vector& f)
{
    const auto count = [&](nest_feature at) { return std::exp2(static_cast<double>(f(at))); };
    const double loads = static_cast<double>(f(nest_feature::loads_per_mac));
    const double spilled = std::max(0.0, count(nest_feature::live_registers) - 33);
    const double idle = static_cast<double>(f(nest_feature::idle_output_share));
    return count(nest_feature::operations) * (1 + loads + 0.1 * spilled) / (1 - 0.5 * idle) * 1e-7 +
           count(nest_feature::l1_traffic) * 2e-8 + count(nest_feature::l2_traffic) * 1e-7;
}

} // namespace bench
