// SPDX-License-Identifier: BSL-1.0
// Of 224x224 pixels: blocks widen the channels, pass them through a depthwise layer, and narrow them again.
#include "layers.hpp"

namespace {

using bench::any_shape::dense;
using bench::any_shape::depthwise;

constexpr bench::any_shape::named_shape shapes[] = {
    {"M1", dense(224, 3, 32, 3, 2)},
    {"M2", depthwise(112, 32)},
    {"M3", dense(112, 32, 16)},
    // To 24 channels of 56x56 pixels.
    {"M4", dense(112, 16, 96)},
    {"M5", depthwise(112, 96, 2)},
    {"M6", dense(56, 96, 24)},
    {"M7", dense(56, 24, 144)},
    {"M8", depthwise(56, 144)},
    {"M9", dense(56, 144, 24)},
    // To 32 of 28x28.
    {"M10", depthwise(56, 144, 2)},
    {"M11", dense(28, 144, 32)},
    {"M12", dense(28, 32, 192)},
    {"M13", depthwise(28, 192)},
    {"M14", dense(28, 192, 32)},
    // To 64 of 14x14.
    {"M15", depthwise(28, 192, 2)},
    {"M16", dense(14, 192, 64)},
    {"M17", dense(14, 64, 384)},
    {"M18", depthwise(14, 384)},
    {"M19", dense(14, 384, 64)},
    // To 96 of them.
    {"M20", dense(14, 384, 96)},
    {"M21", dense(14, 96, 576)},
    {"M22", depthwise(14, 576)},
    {"M23", dense(14, 576, 96)},
    // To 160 and 320 of 7x7.
    {"M24", depthwise(14, 576, 2)},
    {"M25", dense(7, 576, 160)},
    {"M26", dense(7, 160, 960)},
    {"M27", depthwise(7, 960)},
    {"M28", dense(7, 960, 160)},
    {"M29", dense(7, 960, 320)},
    {"M30", dense(7, 320, 1280)},
};

} // namespace

std::vector<bench::any_shape::layer> bench::any_shape::mobilenet_v2() { return with_kernels<shapes>(); }
