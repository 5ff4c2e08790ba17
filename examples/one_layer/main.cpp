// SPDX-License-Identifier: BSL-1.0
// One convolution of ResNet-18, never tuned: its type, its weights packed once, its call. The README quotes it.
#include <cstdio>
#include <vector>

#include <hone/hone.hpp>

struct c2 : hone::conv2d<hone::conv2d_shape{.h = 56, .w = 56, .ic = 64, .oc = 64, .kh = 3, .kw = 3, .pad = 1},
                         hone::f32, hone::bias, hone::relu> {};

int main()
{
    using k = hone::kernel<c2>; // hone::kernel<c2, my_kernels> takes the config that a generated header chose
    std::vector<float> x(56 * 56 * 64, 1.0f), weights(64 * 3 * 3 * 64, 0.01f), bias(64, -1.0f), y(56 * 56 * 64);
    std::vector<float> packed(k::packed_bytes / sizeof(float));
    k::pack(weights.data(), packed.data());
    const hone::status s = k::run({.x = x.data(), .weights = packed.data(), .bias = bias.data(), .y = y.data()});
    std::printf("%s: %s, y[0] = %.2f\n", k::signature.c_str(), s.message(), static_cast<double>(y[0]));
    return s.ok() && y[0] > 1.55f && y[0] < 1.57f ? 0 : 1; // 4 of 9 taps are inside: 4 * 64 * 0.01 - 1
}
