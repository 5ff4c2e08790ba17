// SPDX-License-Identifier: BSL-1.0
// Compiled Winograd convolutions: partial tiles and blocks, channels that fill no vector.
#include <doctest/doctest.h>

#include "kernel_trial.hpp"

using namespace hone;
using namespace hone::test;

namespace {

constexpr conv2d_shape padded{.h = 7, .w = 9, .ic = 5, .oc = 19, .kh = 3, .kw = 3, .pad = 1};
constexpr conv2d_shape inner{.n = 2, .h = 11, .w = 8, .ic = 17, .oc = 6, .kh = 3, .kw = 3};
constexpr conv2d_shape wide{.h = 10, .w = 13, .ic = 16, .oc = 33, .kh = 3, .kw = 3, .pad = 1};
constexpr conv2d_shape in_nchw{.h = 6, .w = 5, .ic = 3, .oc = 7, .kh = 3, .kw = 3, .pad = 2, .layout = layout::nchw};
constexpr conv2d_shape by_side{
    .h = 7, .w = 6, .ic = 4, .oc = 9, .kh = 3, .kw = 3, .pad_top = 2, .pad_left = 0, .pad_bottom = 0, .pad_right = 1};

std::vector<trial<conv2d_shape>> trials()
{
    return {
        trial_of<padded, winograd_knobs{.tile = 2, .block_rows = 3, .block_columns = 3, .rows = 4, .vectors = 1}, bias,
                 relu>(),
        trial_of<inner, winograd_knobs{.tile = 2, .block_rows = 2, .block_columns = 2, .rows = 3, .vectors = 2}>(),
        trial_of<padded, winograd_knobs{.tile = 4, .block_rows = 1, .block_columns = 2, .rows = 2, .vectors = 2},
                 residual, relu6>(),
        trial_of<wide, winograd_knobs{.tile = 4, .block_rows = 2, .block_columns = 3, .rows = 4, .vectors = 2}, bias,
                 residual, relu>(),
        trial_of<in_nchw, winograd_knobs{.tile = 4, .block_rows = 2, .block_columns = 2, .rows = 3, .vectors = 1},
                 bias>(),
        trial_of<by_side, winograd_knobs{.tile = 4, .block_rows = 2, .block_columns = 2, .rows = 3, .vectors = 1},
                 residual>(),
    };
}

} // namespace

TEST_CASE("Winograd convolutions, compiled")
{
    std::uint64_t seed = 100;
    for (const trial<conv2d_shape>& t : trials()) {
        const call_data d = data_of(t.shape, ++seed);
        // The tables of F(2, 3) are halves, so that small integers stay exact; those of F(4, 3) hold sixths, and sums
        // before the epilogue are below 16 * 9 * ic.
        const bool is_exact = seed <= 102;
        const std::string wrong = wrong_kernel(t.kernel, d, reference(t.shape, d, t.epilogue), nullptr,
                                               is_exact ? 0 : 1e-6 * 144 * static_cast<double>(t.shape.ic));
        CHECK_MESSAGE(wrong.empty(), wrong, "\n  trial ", seed, ": ", t.kernel.signature);
    }
}
