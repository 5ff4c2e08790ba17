// SPDX-License-Identifier: BSL-1.0
// Runs the operator of conv1d.hpp on the CPU and compares it with the obvious loops.
#include <cmath>
#include <cstddef>
#include <cstdio>
#include <vector>

#include "conv1d.hpp"

int main()
{
    using op = audio::speech;
    using kernel = hone::kernel<op>;
    constexpr audio::conv1d_shape s = op::shape;
    static_assert(hone::tensor_operator<op>);

    const auto fill = [](std::int64_t size, unsigned state) {
        std::vector<float> values(static_cast<std::size_t>(size));
        for (float& v : values)
            v = static_cast<float>(static_cast<int>((state = state * 1664525u + 1013904223u) >> 16 & 0xff) - 128) /
                64.0f;
        return values;
    };
    const std::vector<float> x = fill(s.length * s.ic, 1);
    const std::vector<float> weights = fill(s.taps * s.ic * s.oc, 2);
    const std::vector<float> bias = fill(s.oc, 3);
    std::vector<float> packed(kernel::packed_bytes / sizeof(float));
    std::vector<float> y(static_cast<std::size_t>(s.out() * s.oc));
    std::vector<char> workspace(kernel::workspace_bytes(1));

    kernel::pack(weights.data(), packed.data());
    const hone::status status = kernel::run(
        {.x = x.data(), .weights = packed.data(), .bias = bias.data(), .y = y.data(), .workspace = workspace.data()});
    if (!status.ok()) {
        std::fprintf(stderr, "%s\n", status.message());
        return 1;
    }

    double error = 0;
    double largest = 0;
    for (std::int64_t t = 0; t < s.out(); ++t)
        for (std::int64_t o = 0; o < s.oc; ++o) {
            double sum = static_cast<double>(bias[static_cast<std::size_t>(o)]);
            for (std::int64_t tap = 0; tap < s.taps; ++tap) {
                const std::int64_t at = t * s.stride + tap - s.pad;
                if (at < 0 || at >= s.length) continue;
                for (std::int64_t i = 0; i < s.ic; ++i)
                    sum += static_cast<double>(x[static_cast<std::size_t>(at * s.ic + i)]) *
                           static_cast<double>(weights[static_cast<std::size_t>((tap * s.ic + i) * s.oc + o)]);
            }
            const double expected = sum * std::fmin(std::fmax(sum + 3, 0), 6) / 6;
            error =
                std::fmax(error, std::fabs(expected - static_cast<double>(y[static_cast<std::size_t>(t * s.oc + o)])));
            largest = std::fmax(largest, std::fabs(expected));
        }
    std::printf("%s\nrelative error %.1e\n", kernel::signature.c_str(), error / largest);
    return error < 1e-5 * largest ? 0 : 1;
}
