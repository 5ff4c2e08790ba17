// SPDX-License-Identifier: BSL-1.0
// The workloads of a program for another processor: one has a record, the other none.
#pragma once

#include <hone/op/conv2d.hpp>
#include <hone/op/gemm.hpp>
#include <hone/op/workloads.hpp>

struct product : hone::gemm<hone::gemm_shape{.m = 7, .n = 21, .k = 10}, hone::f32, hone::bias> {};
struct window : hone::conv2d<hone::conv2d_shape{.h = 6, .w = 7, .ic = 9, .oc = 13, .kh = 3, .kw = 3, .pad = 1},
                             hone::f32, hone::relu> {};

using board = hone::workloads<product, window>;
