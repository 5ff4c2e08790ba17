// SPDX-License-Identifier: BSL-1.0
// Runs the operator of conv1d.hpp on the CPU, with the default kernel that this unit compiles and with the one that the
// tuner chose for this processor, and compares both with the obvious loops.
#include <cmath>
#include <cstddef>
#include <cstdio>
#include <vector>

#include <hone/core/executor.hpp>
#include <hone/cpu/entry.hpp>
#include <hone/tuned/audio_kernels.hpp>

#include "layers.hpp"

namespace {

using op = audio::front_end;
using floats = std::vector<float>;
constexpr audio::conv1d_shape s = op::shape;
static_assert(hone::tensor_operator<op>);

floats random_values(std::int64_t size, unsigned state)
{
    floats values(static_cast<std::size_t>(size));
    for (float& v : values)
        v = static_cast<float>(static_cast<int>((state = state * 1664525u + 1013904223u) >> 16 & 0xff) - 128) / 64.0f;
    return values;
}

struct operands {
    floats x = random_values(s.length * s.ic, 1);
    floats weights = random_values(s.taps * s.ic * s.oc, 2);
    floats bias = random_values(s.oc, 3);
};

// The largest error of y, as a share of the largest result.
double error_of(const operands& of, const floats& y)
{
    double error = 0;
    double largest = 0;
    for (std::int64_t t = 0; t < s.out(); ++t)
        for (std::int64_t o = 0; o < s.oc; ++o) {
            double sum = static_cast<double>(of.bias[static_cast<std::size_t>(o)]);
            for (std::int64_t tap = 0; tap < s.taps; ++tap) {
                const std::int64_t at = t * s.stride + tap - s.pad;
                if (at < 0 || at >= s.length) continue;
                for (std::int64_t i = 0; i < s.ic; ++i)
                    sum += static_cast<double>(of.x[static_cast<std::size_t>(at * s.ic + i)]) *
                           static_cast<double>(of.weights[static_cast<std::size_t>((tap * s.ic + i) * s.oc + o)]);
            }
            const double expected = sum * std::fmin(std::fmax(sum + 3, 0), 6) / 6;
            error =
                std::fmax(error, std::fabs(expected - static_cast<double>(y[static_cast<std::size_t>(t * s.oc + o)])));
            largest = std::fmax(largest, std::fabs(expected));
        }
    return error / largest;
}

// Packs and runs a kernel; whether its results are right.
bool try_kernel(const char* what, const hone::entry& kernel, const operands& of)
{
    floats packed(kernel.packed_bytes / sizeof(float));
    floats y(static_cast<std::size_t>(s.out() * s.oc));
    std::vector<char> workspace(kernel.workspace_bytes(1));
    hone::serial_executor executor;
    hone::status status = kernel.pack(of.weights.data(), packed.data());
    if (status.ok())
        status = kernel.run(hone::reference_to(executor), {.x = of.x.data(),
                                                           .weights = packed.data(),
                                                           .bias = of.bias.data(),
                                                           .y = y.data(),
                                                           .workspace = workspace.data()});
    if (!status.ok()) {
        std::fprintf(stderr, "%s: %s\n", what, status.message());
        return false;
    }
    const double error = error_of(of, y);
    std::printf("%s, %s: relative error %.1e\n", what, hone::name_of(kernel.set), error);
    return error < 1e-5;
}

} // namespace

int main()
{
    std::printf("%s\n", hone::kernel<op>::signature.c_str());
    const operands of;
    constexpr hone::entry standard = hone::entry_of<hone::kernel<op>>();
    const hone::entry* const tuned = hone::find(audio_kernels::table(), standard.signature, hone::cpu());
    if (tuned == nullptr) {
        std::fprintf(stderr, "the library has no kernel of this operator for this processor\n");
        return 1;
    }
    std::printf("chosen for %s: a kernel of the template %s\n", hone::name_of(tuned->set),
                hone::name_of_template(hone::config_of<op, audio_kernels>(tuned->set).value));
    const bool right = try_kernel("default", standard, of);
    return try_kernel("tuned", *tuned, of) && right ? 0 : 1;
}
