// SPDX-License-Identifier: BSL-1.0
#include "layers.hpp"

void bench::depthwise(const options& o)
{
    // MobileNet v1.
    run_default<depthwise_layer<112, 32, 3, 1>>("D1", o);
    run_default<depthwise_layer<112, 64, 3, 2>>("D2", o);
    run_default<depthwise_layer<56, 128, 3, 1>>("D3", o);
    run_default<depthwise_layer<56, 128, 3, 2>>("D4", o);
    run_default<depthwise_layer<28, 256, 3, 1>>("D5", o);
    run_default<depthwise_layer<28, 256, 3, 2>>("D6", o);
    run_default<depthwise_layer<14, 512, 3, 1>>("D7", o);
    run_default<depthwise_layer<14, 512, 3, 2>>("D8", o);
    run_default<depthwise_layer<7, 1024, 3, 1>>("D9", o);
    // Channels that fill no vector, of MobileNet v2 and v3 and of nobody's.
    run_default<depthwise_layer<56, 24, 3, 1>>("DW24", o);
    run_default<depthwise_layer<28, 37, 3, 1>>("DW37", o);
    run_default<depthwise_layer<56, 72, 3, 2>>("DW72", o);
    run_default<depthwise_layer<28, 120, 5, 1>>("DW120", o);
}
