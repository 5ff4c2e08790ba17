// SPDX-License-Identifier: BSL-1.0
// Kernels compiled at -O3, as CMake's release builds of an engine are: compilers make vectors of scalar loops there,
// and g++ 12.2 makes wrong ones of copies whose padding is on one side.
#include <doctest/doctest.h>

#include <vector>

#include "kernel_trial.hpp"

using namespace hone;
using namespace hone::test;

namespace {

constexpr conv2d_shape causal{.n = 2, .w = 30, .ic = 3, .oc = 8, .kw = 3, .pad_left = 2};
constexpr conv2d_shape causal_of_four{.n = 2, .w = 30, .ic = 4, .oc = 9, .kw = 5, .pad_left = 4};
constexpr conv2d_shape wide{.n = 2, .w = 30, .ic = 3, .oc = 8, .kw = 64, .pad_left = 63};
constexpr conv2d_shape corner{
    .n = 2, .h = 14, .w = 14, .ic = 3, .oc = 8, .kh = 3, .kw = 3, .stride = 2, .pad_top = 1, .pad_left = 1};
constexpr conv2d_shape other_corner{
    .n = 2, .h = 9, .w = 14, .ic = 9, .oc = 8, .kh = 3, .kw = 3, .pad_bottom = 2, .pad_right = 2};
constexpr conv2d_shape around{.n = 2, .h = 9, .w = 11, .ic = 3, .oc = 20, .kh = 3, .kw = 3, .pad = 1};
constexpr direct_knobs copied{.rows = 4, .vectors = 1, .pad = padding::copy};

std::vector<trial<conv2d_shape>> trials()
{
    constexpr by_default standard;
    return {trial_of<causal, copied, bias>(),
            trial_of<causal_of_four, copied>(),
            trial_of<wide, standard>(),
            trial_of<corner, copied, relu>(),
            trial_of<other_corner, copied>(),
            trial_of<around, copied, bias, relu>(),
            trial_of<around, standard, residual>(),
            trial_of<causal, standard>()};
}

} // namespace

TEST_CASE("convolutions whose borders are copied, compiled at -O3")
{
    std::uint64_t seed = 300;
    for (const trial<conv2d_shape>& t : trials()) {
        const call_data d = data_of(t.shape, ++seed);
        const std::string wrong = wrong_kernel(t.kernel, d, reference(t.shape, d, t.epilogue));
        CHECK_MESSAGE(wrong.empty(), wrong, "\n  trial ", seed, ": ", t.kernel.signature);
    }
}
