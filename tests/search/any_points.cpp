// SPDX-License-Identifier: BSL-1.0
// The points of a space as a searcher holds them: copies are one space, and a point that the space does not have is
// illegal, whatever a searcher makes up.
#include <hone/search/any_points.hpp>

#include <cstdint>
#include <memory>

#include <doctest/doctest.h>

#include <hone/op/conv2d.hpp>
#include <hone/search/annealing.hpp>
#include <hone/tune/cpu/space.hpp>

using namespace hone;
using namespace hone::tune;

namespace {

static_assert(tune::search_space<tune::shared_space>);

constexpr definition points_layer =
    conv2d<conv2d_shape{.h = 9, .w = 9, .ic = 8, .oc = 24, .kh = 3, .kw = 3, .pad = 1}, f32>::definition();

} // namespace

TEST_CASE("copies are one space, which lives as long as any of them")
{
    tune::shared_space first(tune::cpu_space_of(points_layer, isa::avx2, error_class::winograd_4, nullptr));
    const tune::shared_space second = first;
    tune::xoshiro256 bits(3), same_bits(3);
    CHECK(first.size() > 1000);
    CHECK(first.size() == second.size());
    CHECK(first.random(bits) == second.random(same_bits));
    first = tune::shared_space(nullptr);
    CHECK(second.key(second.random(bits)) < second.size());
}

TEST_CASE("a point that the space does not have is illegal")
{
    const tune::shared_space space(tune::cpu_space_of(points_layer, isa::avx2, error_class::winograd_4, nullptr));
    tune::xoshiro256 bits(3);
    feature_vector f;
    tune::space_point legal = space.random(bits);
    while (!space.features(legal, f)) legal = space.random(bits);
    CHECK(space.key(legal) < space.size());

    tune::space_point past_the_last_place = legal;
    past_the_last_place.places[0] = 255;
    for (const tune::space_point& p : {past_the_last_place, tune::space_point{.algorithm = 200}}) {
        CHECK_FALSE(space.features(p, f).has_value());
        CHECK(space.key(p) >= space.size());
    }
}
