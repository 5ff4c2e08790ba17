// SPDX-License-Identifier: BSL-1.0
#include "layers.hpp"

void bench::planes(const options& o)
{
    // Layers of MobileNet v1 and ResNet, as PyTorch keeps them.
    run_planes<depthwise_layer<112, 32, 3, 1>::shape>("ND1", o);
    run_planes<depthwise_layer<112, 64, 3, 2>::shape>("ND2", o);
    run_planes<depthwise_layer<56, 128, 3, 1>::shape>("ND3", o);
    run_planes<depthwise_layer<28, 256, 3, 1>::shape>("ND5", o);
    run_planes<depthwise_layer<28, 256, 3, 2>::shape>("ND6", o);
    run_planes<depthwise_layer<14, 512, 3, 1>::shape>("ND7", o);
    run_planes<depthwise_layer<7, 1024, 3, 1>::shape>("ND9", o);
    run_planes<depthwise_layer<28, 120, 5, 1>::shape>("NDW120", o);
    run_planes<c1::shape>("NC1", o);
    run_planes<c2::shape>("NC2", o);
    run_planes<c3::shape>("NC3", o);
    run_planes<c9::shape>("NC9", o);
}
