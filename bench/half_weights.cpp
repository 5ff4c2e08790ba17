// SPDX-License-Identifier: BSL-1.0
// A matrix by a vector, of which each weight is read once: with weights of 32 bits and of 16, on one thread. Weights
// come from memory, so that what counts is their bytes.
//
//   half_weights --sizes 4096,1024 --rounds 31
//
// The weights are numbers that halves hold: both kernels compute the same, and are compared with a double reference.
#include <cmath>
#include <cstdint>
#include <string>
#include <vector>

#include <hone/cpu/kernel.hpp>
#include <hone/op/gemm.hpp>

#include "kernel_peer.hpp"
#include "rounds.hpp"

namespace {

template <std::int64_t Size, class Types>
struct product : hone::gemm<hone::gemm_shape{.m = 1, .n = Size, .k = Size}, Types> {};

template <std::int64_t Size>
void square(const bench::options& o)
{
    const std::string name = std::to_string(Size);
    if (!o.selects("--sizes", name)) return;
    const bench::floats x = bench::floats::random(Size, 1, 1);
    const bench::floats weights = bench::floats::random(Size * Size, 1 / std::sqrt(static_cast<float>(Size)), 2);
    for (std::int64_t i = 0; i < Size * Size; ++i) weights[i] = hone::core::rounded_to(hone::dtype::f16, weights[i]);
    bench::reference expected;
    for (std::int64_t n = 0; n < Size; n += 61) {
        double sum = 0;
        for (std::int64_t k = 0; k < Size; ++k)
            sum += static_cast<double>(x[k]) * static_cast<double>(weights[k * Size + n]);
        expected.add(n, sum);
    }
    std::vector<bench::contender> contenders;
    const auto add = [&]<class Op>(const char* contender) {
        bench::add_kernel(contenders, bench::functions_of<hone::kernel<Op>>(contender), weights, {.x = x.data()}, Size,
                          expected);
    };
    add.template operator()<product<Size, hone::f32>>("weights of 32 bits");
    add.template operator()<product<Size, hone::types<hone::f16>>>("weights of 16 bits");
    bench::run_rounds(contenders, o.number("--rounds"), bench::weights_of(o));
    bench::print(name + " x " + name, 2e-9 * static_cast<double>(Size * Size), contenders, {"weights of 32 bits"});
}

} // namespace

int main(int argc, char** argv)
{
    const bench::options o(argc, argv, {{"--sizes", "all"}, {"--rounds", "31"}, {"--weights", "cold"}});
    bench::use_one_thread(argv);
    square<1024>(o);
    square<4096>(o);
}
