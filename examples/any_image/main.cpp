// SPDX-License-Identifier: BSL-1.0
// The head of a segmentation network for images of every size: scores of 5 classes for each pixel, and the logarithms
// of their shares. Each layer is one kernel, never tuned; height, width and the number of pixels come with the call.
// Classes are then painted twice as large by a transposed convolution, whose size is known.
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <vector>

#include <hone/hone.hpp>
#include <hone/op/conv2d_transposed.hpp>
#include <hone/stages.hpp>

namespace {

constexpr std::int64_t channels = 16, classes = 5, most = 256;

// A tuner would measure images of the size that is typical of the calls.
constexpr hone::extent side = hone::extent::up_to(most).typically(64);
struct scores
    : hone::conv2d<hone::conv2d_shape{.h = side, .w = side, .ic = channels, .oc = classes, .kh = 3, .kw = 3, .pad = 1},
                   hone::f32, hone::bias> {};
struct shares
    : hone::log_softmax<hone::row_shape{.rows = hone::extent::up_to(most * most).typically(64 * 64), .n = classes},
                        hone::f32> {};
struct twice : hone::conv2d_transposed<hone::conv2d_transposed_shape{
                                           .h = 8, .w = 8, .ic = classes, .oc = classes, .kh = 2, .kw = 2, .stride = 2},
                                       hone::f32> {};

using floats = std::vector<float>;
template <class Kernel>
floats packed(const floats& weights)
{
    floats to(Kernel::packed_bytes / sizeof(float));
    if (!Kernel::pack(weights.data(), to.data()).ok())
        std::printf("%s: weights are not packed\n", Kernel::signature.c_str());
    return to;
}

// Whether the shares of each pixel of an image are 1 together.
bool is_labelled(std::int64_t h, std::int64_t w, const floats& weights)
{
    using first = hone::kernel<scores>;
    using second = hone::kernel<shares>;
    const auto pixels = static_cast<std::size_t>(h * w);
    floats x(pixels * channels), score(pixels * classes), logs(score.size());
    for (std::size_t i = 0; i < x.size(); ++i) x[i] = static_cast<float>(i % 7) - 3.0f;
    const floats bias{0.5f, 0, 0, 0, -0.5f};
    const std::int64_t size[] = {h, w}, rows[] = {h * w};
    hone::status s = first::run(
        {.x = x.data(), .weights = weights.data(), .bias = bias.data(), .y = score.data(), .parameters = size});
    floats workspace(second::workspace_bytes(1) / sizeof(float) + 1);
    if (s.ok())
        s = second::run({.x = score.data(), .y = logs.data(), .workspace = workspace.data(), .parameters = rows});
    double farthest = 0;
    for (std::size_t p = 0; p < pixels; ++p) {
        double sum = 0;
        for (std::size_t c = 0; c < classes; ++c) sum += std::exp(static_cast<double>(logs[p * classes + c]));
        farthest = std::fmax(farthest, std::fabs(sum - 1));
    }
    std::printf("%lld x %lld: %s, shares of a pixel are 1 but for %.0e\n", static_cast<long long>(h),
                static_cast<long long>(w), s.message(), farthest);
    return s.ok() && farthest < 1e-5;
}

// Weights of 1 from each class to itself paint each pixel four times.
bool is_painted()
{
    using k = hone::kernel<twice>;
    floats weights(classes * 2 * 2 * classes), x(8 * 8 * classes), y(4 * x.size());
    for (std::size_t c = 0; c < classes; ++c)
        for (std::size_t tap = 0; tap < 4; ++tap) weights[(c * 4 + tap) * classes + c] = 1;
    for (std::size_t i = 0; i < x.size(); ++i) x[i] = static_cast<float>(i);
    const hone::status s = k::run({.x = x.data(), .weights = packed<k>(weights).data(), .y = y.data()});
    bool same = s.ok();
    for (std::size_t row = 0; row < 16; ++row)
        for (std::size_t column = 0; column < 16; ++column)
            for (std::size_t c = 0; c < classes; ++c)
                same = same && y[(row * 16 + column) * classes + c] == x[(row / 2 * 8 + column / 2) * classes + c];
    std::printf("8 x 8 as 16 x 16: %s, %s\n", s.message(), same ? "each pixel four times" : "wrong");
    return same;
}

} // namespace

int main()
{
    floats weights(classes * 3 * 3 * channels);
    for (std::size_t i = 0; i < weights.size(); ++i) weights[i] = static_cast<float>(i % 5) * 0.01f - 0.02f;
    const floats once = packed<hone::kernel<scores>>(weights);
    // Also of one pixel, and the largest.
    const bool labelled = is_labelled(1, 1, once) && is_labelled(17, 93, once) && is_labelled(most, most, once);
    return labelled && is_painted() ? 0 : 1;
}
