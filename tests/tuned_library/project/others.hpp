// SPDX-License-Identifier: BSL-1.0
// The one workload of the library `other`: its rows are known at the call.
#pragma once

#include <hone/op/gemm.hpp>
#include <hone/op/workloads.hpp>

struct another_product
    : hone::gemm<hone::gemm_shape{.m = hone::extent::up_to(9).typically(5), .n = 24, .k = 7}, hone::f32> {};

using others = hone::workloads<another_product>;
