// SPDX-License-Identifier: BSL-1.0
// Layers of networks in several groups: of ResNeXt-50 (32x4d), of ShuffleNet with three groups, and of AlexNet.
#include "layers.hpp"

namespace {

using bench::any_shape::grouped;

constexpr bench::any_shape::named_shape shapes[] = {
    // 32 groups of 4 to 32 channels.
    {"X1", grouped(56, 128, 128, 32, 3)},
    {"X2", grouped(56, 256, 256, 32, 3, 2)},
    {"X3", grouped(28, 256, 256, 32, 3)},
    {"X4", grouped(28, 512, 512, 32, 3, 2)},
    {"X5", grouped(14, 512, 512, 32, 3)},
    {"X6", grouped(14, 1024, 1024, 32, 3, 2)},
    {"X7", grouped(7, 1024, 1024, 32, 3)},
    // Pointwise, around the depthwise ones.
    {"S1", grouped(28, 240, 60, 3)},
    {"S2", grouped(28, 60, 240, 3)},
    {"S3", grouped(14, 480, 120, 3)},
    {"S4", grouped(14, 120, 480, 3)},
    {"S5", grouped(7, 960, 240, 3)},
    {"S6", grouped(7, 240, 960, 3)},
    // In two, once for each of two devices.
    {"A2", grouped(27, 96, 256, 2, 5)},
    {"A4", grouped(13, 384, 384, 2, 3)},
    {"A5", grouped(13, 384, 256, 2, 3)},
};

} // namespace

std::vector<bench::any_shape::layer> bench::any_shape::in_groups() { return with_kernels<shapes>(); }
