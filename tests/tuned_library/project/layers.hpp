// SPDX-License-Identifier: BSL-1.0
// The workloads of the library `small`.
#pragma once

#include <hone/op/conv2d.hpp>
#include <hone/op/gemm.hpp>
#include <hone/op/workloads.hpp>

#include <shapes.hpp>

namespace project {

struct conv : hone::conv2d<conv_shape, hone::f32, hone::relu> {};
struct product : hone::gemm<product_shape, hone::f32, hone::bias> {};

using layers = hone::workloads<conv, product>;

} // namespace project
