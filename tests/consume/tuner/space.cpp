// SPDX-License-Identifier: BSL-1.0
// A tuner by hand: its list, and the library.
#include <hone/op/gemm.hpp>
#include <hone/tune/tuner_main.hpp>

namespace mine {
struct product : hone::gemm<hone::gemm_shape{.m = 5, .n = 24, .k = 7}, hone::f32> {};
using layers = hone::workloads<product>;
} // namespace mine

int main(int argc, char** argv)
{
    static constexpr auto list = hone::tune::listed<mine::layers>();
    return hone::tune::tuner_main(argc, argv,
                                  {.name = "mine_tuned",
                                   .list = "mine::layers",
                                   .header = "layers.hpp",
                                   .workloads = list.data(),
                                   .size = list.size()});
}
