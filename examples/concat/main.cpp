// SPDX-License-Identifier: BSL-1.0
// Two branches that write their channels side by side into one tensor, and a layer that reads those of one of them:
// concat and split without a copy.
#include <cstdio>
#include <vector>

#include <hone/hone.hpp>
#include <hone/op/pool.hpp>

constexpr int side = 14, in = 32, of_first = 20, all = of_first + in; // channels

// Pixels of y lie `all` elements apart, so that each branch leaves room for the other.
struct first : hone::conv2d<hone::conv2d_shape{.h = side, .w = side, .ic = in, .oc = of_first, .ldy = all}, hone::f32,
                            hone::bias, hone::relu> {};
struct second : hone::max_pool<hone::pool_shape{.h = side, .w = side, .c = in, .kh = 3, .kw = 3, .pad = 1, .ldy = all},
                               hone::f32> {};
// What the second one wrote: the last channels of each pixel.
struct mean : hone::global_average_pool<hone::image_shape{.h = side, .w = side, .c = in, .ldx = all}, hone::f32> {};

int main()
{
    std::vector<float> x(side * side * in, 1.0f), weights(of_first * in, 0.01f), bias(of_first, -0.1f);
    std::vector<float> both(side * side * all), means(in);
    std::vector<float> packed(hone::kernel<first>::packed_bytes / sizeof(float));
    std::vector<float> workspace((hone::kernel<second>::workspace_bytes(1) + hone::kernel<mean>::workspace_bytes(1)) /
                                 sizeof(float));
    hone::kernel<first>::pack(weights.data(), packed.data());

    float* const of_second = both.data() + of_first; // where its channels begin
    hone::status s =
        hone::kernel<first>::run({.x = x.data(), .weights = packed.data(), .bias = bias.data(), .y = both.data()});
    if (s.ok()) s = hone::kernel<second>::run({.x = x.data(), .y = of_second, .workspace = workspace.data()});
    if (s.ok()) s = hone::kernel<mean>::run({.x = of_second, .y = means.data(), .workspace = workspace.data()});

    bool is_right = s.ok();
    for (int i = 0; i < side * side * all; ++i) {
        const float expected = i % all < of_first ? 0.22f : 1.0f; // 32 * 0.01 - 0.1, and the largest of ones
        is_right = is_right && both[i] > expected - 1e-5f && both[i] < expected + 1e-5f;
    }
    for (const float m : means) is_right = is_right && m > 0.9999f && m < 1.0001f;
    std::printf("%s: %s, both[0] = %.2f, means[0] = %.2f\n", hone::kernel<mean>::signature.c_str(), s.message(),
                static_cast<double>(both[0]), static_cast<double>(means[0]));
    return is_right ? 0 : 1;
}
