// SPDX-License-Identifier: BSL-1.0
// Compiled convolutions of groups of few channels, whose vectors walk several groups: lanes that share elements of x,
// and vectors that such groups do not fill.
#include <doctest/doctest.h>

#include "kernel_trial.hpp"

using namespace hone;
using namespace hone::codegen;
using namespace hone::test;

namespace {

// Groups that fill whole vectors of 4, 8 and 16, and such that do not.
constexpr conv2d_shape groups(std::int64_t count, std::int64_t ic, std::int64_t oc, std::int64_t h, std::int64_t w)
{
    return {.h = h, .w = w, .ic = count * ic, .oc = count * oc, .kh = 3, .kw = 3, .pad = 1, .groups = count};
}
constexpr conv2d_shape fours = groups(9, 4, 4, 5, 8), twos = groups(17, 2, 2, 6, 5), doubled = groups(21, 1, 2, 4, 9);
constexpr conv2d_shape threes = groups(10, 3, 3, 5, 6), tripled = groups(10, 1, 3, 4, 5),
                       quadrupled = groups(9, 1, 4, 5, 5);
constexpr conv2d_shape eights = groups(3, 8, 8, 4, 5), wide = groups(8, 7, 2, 3, 4), prime = groups(7, 2, 3, 4, 4);
constexpr conv2d_shape strided{
    .n = 2, .h = 8, .w = 9, .ic = 22, .oc = 44, .kh = 3, .kw = 2, .stride = 2, .pad = 1, .groups = 11};
constexpr conv2d_shape pointwise{.h = 3, .w = 5, .ic = 36, .oc = 36, .groups = 9};

std::vector<trial<conv2d_shape>> trials()
{
    constexpr by_default standard;
    return {
        trial_of<fours, standard, bias, residual, relu>(),
        trial_of<fours, direct_knobs{.rows = 3, .vectors = 2, .pad = padding::copy}, bias>(),
        trial_of<fours, direct_knobs{.rows = 2, .vectors = 1, .reduce_block = 2, .order = walk::rows_outer},
                 residual>(),
        trial_of<twos, standard, bias, relu>(),
        trial_of<twos, direct_knobs{.rows = 4, .vectors = 2, .unroll_window = true}, relu6>(),
        trial_of<doubled, standard, residual, bias>(),
        trial_of<doubled, direct_knobs{.rows = 4, .vectors = 3, .pad = padding::copy, .order = walk::rows_outer}>(),
        trial_of<threes, standard, bias, residual>(),
        trial_of<threes, direct_knobs{.rows = 3, .vectors = 1, .reduce_unroll = 2, .pad = padding::copy}, bias, relu>(),
        trial_of<tripled, standard, bias, relu>(),
        trial_of<quadrupled, standard, bias, relu>(),
        trial_of<eights, standard, residual>(),
        trial_of<wide, standard, bias>(),
        trial_of<prime, standard, bias>(),
        trial_of<strided, standard, bias, relu>(),
        trial_of<pointwise, standard, bias>(),
    };
}

} // namespace

TEST_CASE("groups of few channels, compiled") { CHECK(wrong_kernel_of(trials()) == ""); }
