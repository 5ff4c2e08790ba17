// SPDX-License-Identifier: BSL-1.0
// ResNet-18's convolutions, depthwise ones and groups of few channels (batch 1, fp32, NHWC, bias and ReLU fused, one
// thread) beside oneDNN's direct convolution and its explicit Winograd; and some of NCHW tensors, named N. Operands
// stay in cache where they fit: the same layer is called again and again; with --weights cold, the weights come from
// memory each time, as in a whole network.
//
//   conv2d --layers C2,C9,D7,DW24,ND7 --rounds 31 --weights hot
//
// Every result is compared with a double reference, on poisoned outputs, before it is timed.
#include "conv2d/layers.hpp"

int main(int argc, char** argv)
{
    const bench::options o(argc, argv, {{"--layers", "all"}, {"--rounds", "31"}, {"--weights", "hot"}});
    bench::use_one_thread(argv);
    bench::c1_to_c3(o);
    bench::c4_to_c6(o);
    bench::c7_to_c9(o);
    bench::c10_to_c12(o);
    bench::depthwise(o);
    bench::groups_of_few(o);
    bench::planes(o);
}
