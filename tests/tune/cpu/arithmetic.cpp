// SPDX-License-Identifier: BSL-1.0
// Each class of error has its way to sum, and all that candidates of an operator may have are among its own.
#include <algorithm>
#include <string>

#include <doctest/doctest.h>

#include <hone/op/conv2d.hpp>
#include <hone/tune/cpu/arithmetic.hpp>

#include "tuner_rig.hpp"

using namespace hone;
using namespace hone::test;
using tune::arithmetic;

TEST_CASE("a kernel sums as its class of error says, and a peer in any way")
{
    using window = conv2d<conv2d_shape{.h = 14, .w = 14, .ic = 8, .oc = 8, .kh = 3, .kw = 3, .pad = 1}, f32>;
    CHECK(tune::cpu_arithmetics(tiny::definition()) == std::vector{arithmetic::direct});
    const auto all = tune::cpu_arithmetics(window::definition());
    for (const error_class c : {error_class::exact_order, error_class::reassociated, error_class::winograd_2,
                                error_class::winograd_4, error_class::winograd_6})
        CHECK(std::find(all.begin(), all.end(), tune::arithmetic_of(c)) != all.end());
    CHECK(tune::arithmetic_of(error_class::reassociated) == arithmetic::direct);

    tune::record r = tiny_record(1);
    CHECK(tune::arithmetic_of(window::definition(), r) == arithmetic::direct);
    r.template_name = "winograd";
    r.knobs = tune::settings_of(winograd_knobs{.tile = 2});
    CHECK(tune::arithmetic_of(window::definition(), r) == arithmetic::winograd_2);
    r.template_name = tune::peer_template;
    CHECK(tune::arithmetic_of(window::definition(), r) == arithmetic::winograd_4);
}
