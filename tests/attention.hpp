// SPDX-License-Identifier: BSL-1.0
// Workloads that tuners are given: the products of attention, of sizes that fill no tile.
#pragma once

#include <hone/op/matmul.hpp>
#include <hone/schedule/staged_templates.hpp>

namespace attention {

// Each score is scaled, and a mask added.
struct scores : hone::matmul<hone::matmul_shape{.batch = 2, .m = 19, .n = 37, .k = 24, .right = hone::transposed::yes},
                             hone::f32, hone::multiply<hone::per::tensor>, hone::add<hone::per::element>> {};
struct context : hone::matmul<hone::matmul_shape{.batch = 2, .m = 19, .n = 24, .k = 37}, hone::f32> {};
// Of one query, which sees all keys.
struct next_scores : hone::matmul<hone::matmul_shape{.batch = 3, .n = 37, .k = 24, .right = hone::transposed::yes},
                                  hone::f32, hone::multiply<hone::per::tensor>> {};
struct next_context : hone::matmul<hone::matmul_shape{.batch = 3, .n = 24, .k = 37}, hone::f32> {};

} // namespace attention
