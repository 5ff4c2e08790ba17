// SPDX-License-Identifier: BSL-1.0
// Features of nests written for a device: lanes, groups, shared memory, barriers; no device is needed.
#include <cmath>

#include <doctest/doctest.h>

#include <hone/model/features.hpp>

#include "vulkan_nests.hpp"

namespace {

using namespace hone;
using namespace hone::tune;

feature_vector features(const nest& n)
{
    feature_vector f;
    features_of(n, f);
    return f;
}

bool has_finite_features(const feature_vector& f)
{
    for (float v : f.values)
        if (!std::isfinite(v)) return false;
    return true;
}

#define CHECK_LOG_OF(value, count) CHECK((value) == doctest::Approx(std::log2(1.0 + (count))).epsilon(1e-5))

} // namespace

TEST_CASE("nests of a device tell their lanes, groups and shared memory")
{
    const feature_vector naive = features(test::naive_matmul({16, 16, 12}));
    CHECK(naive(nest_feature::is_vulkan) == 1);
    CHECK_LOG_OF(naive(nest_feature::lanes), 32);
    CHECK_LOG_OF(naive(nest_feature::groups), 4 * 2);
    CHECK_LOG_OF(naive(nest_feature::lane_iterations), 12);
    CHECK_LOG_OF(naive(nest_feature::shared_bytes), 0);
    CHECK_LOG_OF(naive(nest_feature::barriers), 0);
    const feature_vector staged = features(test::staged_matmul({16, 16, 12}));
    CHECK(staged(nest_feature::shared_bytes) > 0);
    CHECK(staged(nest_feature::barriers) > 0);
    // Its arguments have no roles, and neither have their copies.
    CHECK(staged(0, operand_part::other, touch_feature::touch) > 0);
    for (const nest& n :
         {test::register_matmul({16, 24, 12}), test::padded_depthwise(5, 6), test::clipped_pool(5, 6),
          test::table_transform(), test::dynamic_transpose(5, 9), test::shared_workspace(), test::nan_rules(), nest{}})
        CHECK(has_finite_features(features(n)));
}
