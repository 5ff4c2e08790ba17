// SPDX-License-Identifier: BSL-1.0
// Of 224x224 pixels. The stride of a block is that of its 3x3 layer, as in most frameworks.
#include "layers.hpp"

namespace {

using bench::any_shape::dense;

constexpr bench::any_shape::named_shape shapes[] = {
    {"R1", dense(224, 3, 64, 7, 2)},
    // Blocks of 56x56 pixels.
    {"R2", dense(56, 64, 64)},
    {"R3", dense(56, 64, 64, 3)},
    {"R4", dense(56, 64, 256)},
    {"R5", dense(56, 256, 64)},
    // Of 28x28; the layers of stride 2 lead there.
    {"R6", dense(56, 256, 128)},
    {"R7", dense(56, 128, 128, 3, 2)},
    {"R8", dense(56, 256, 512, 1, 2)},
    {"R9", dense(28, 128, 512)},
    {"R10", dense(28, 512, 128)},
    {"R11", dense(28, 128, 128, 3)},
    // Of 14x14.
    {"R12", dense(28, 512, 256)},
    {"R13", dense(28, 256, 256, 3, 2)},
    {"R14", dense(28, 512, 1024, 1, 2)},
    {"R15", dense(14, 256, 1024)},
    {"R16", dense(14, 1024, 256)},
    {"R17", dense(14, 256, 256, 3)},
    // Of 7x7.
    {"R18", dense(14, 1024, 512)},
    {"R19", dense(14, 512, 512, 3, 2)},
    {"R20", dense(14, 1024, 2048, 1, 2)},
    {"R21", dense(7, 512, 2048)},
    {"R22", dense(7, 2048, 512)},
    {"R23", dense(7, 512, 512, 3)},
};

} // namespace

std::vector<bench::any_shape::layer> bench::any_shape::resnet50() { return with_kernels<shapes>(); }
