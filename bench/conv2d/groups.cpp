// SPDX-License-Identifier: BSL-1.0
#include "layers.hpp"

void bench::groups_of_few(const options& o)
{
    // ResNeXt's groups of 4 channels, and of other numbers.
    run_default<grouped_layer<56, 128, 128, 32>>("NEXT4", o);
    run_default<grouped_layer<28, 256, 256, 32>>("NEXT8", o);
    run_default<grouped_layer<56, 64, 64, 32>>("NEXT2", o);
    run_default<grouped_layer<28, 90, 90, 30>>("NEXT3", o);
    // Depthwise, with several outputs of each channel.
    run_default<grouped_layer<56, 64, 128, 64>>("MULT2", o);
    run_default<grouped_layer<28, 60, 180, 60>>("MULT3", o);
    run_default<grouped_layer<28, 64, 256, 64>>("MULT4", o);
}
