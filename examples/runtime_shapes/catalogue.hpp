// SPDX-License-Identifier: BSL-1.0
// The layers that models are known to have, and one kernel for all others of a kind. Kernels are compiled for these.
#pragma once

#include <hone/op/activation.hpp>
#include <hone/op/any_elementwise.hpp>
#include <hone/op/any_pool.hpp>
#include <hone/op/any_rows.hpp>
#include <hone/op/any_shape.hpp>
#include <hone/op/conv2d.hpp>
#include <hone/op/gemm.hpp>
#include <hone/op/workloads.hpp>
#include <hone/stages.hpp> // schedules of operators of several stages, as softmax is

struct stem
    : hone::conv2d<hone::conv2d_shape{.h = 32, .w = 32, .ic = 3, .oc = 16, .kh = 3, .kw = 3, .stride = 2, .pad = 1},
                   hone::f32, hone::bias, hone::relu> {};
struct body : hone::conv2d<hone::conv2d_shape{.h = 16, .w = 16, .ic = 16, .oc = 32, .kh = 3, .kw = 3, .pad = 1},
                           hone::f32, hone::bias, hone::relu> {};
struct head : hone::gemm<hone::gemm_shape{.m = 1, .n = 10, .k = 32}, hone::f32, hone::bias> {};

// Of which each call gives the whole shape.
struct any_layer : hone::any_conv2d<hone::f32, hone::bias, hone::relu> {};
struct any_product : hone::any_gemm<hone::f32, hone::bias, hone::relu> {};

struct any_max : hone::any_max_pool<hone::f32> {};
struct any_distribution : hone::any_softmax<hone::f32> {};
struct any_relu : hone::any_elementwise<hone::f32, hone::relu> {};

using catalogue = hone::workloads<stem, body, head, any_layer, any_product, any_max, any_distribution, any_relu>;
