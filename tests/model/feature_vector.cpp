// SPDX-License-Identifier: BSL-1.0
// The places, names and groups of features, and how a count is encoded.
#include <cmath>
#include <cstdint>
#include <set>
#include <string>
#include <vector>

#include <doctest/doctest.h>

#include <hone/model/feature_vector.hpp>

using namespace hone;
using namespace hone::tune;

namespace {

using places = feature_vector;

constexpr operand_part parts_of_features[] = {operand_part::x,         operand_part::weights, operand_part::output,
                                              operand_part::registers, operand_part::scratch, operand_part::other};
static_assert(sizeof parts_of_features / sizeof *parts_of_features == operand_parts);

} // namespace

TEST_CASE("every feature has a name of its own and a group")
{
    std::set<std::string> names;
    for (int i = 0; i < places::size; ++i) names.insert(feature_name(i));
    CHECK(names.size() == places::size);
    CHECK(feature_name(places::index(3, operand_part::weights, touch_feature::reuse)) == "loop 3 weights reuse");
    CHECK(feature_name(places::index(0, binding::vectorize)) == "loop 0 vectorize");
    CHECK(feature_name(places::index(23, loop_feature::top_down)) == "loop 23 top_down");
    CHECK(feature_name(places::index(operand_part::x, relation::reuse_by_touch, 11)) == "x reuse, touch < 2^12");
    CHECK(feature_name(places::index(operand_part::output, relation::touch_by_top_down, 1)) ==
          "y touch, top_down < 2^2.5");
    CHECK(feature_name(places::index(nest_feature::l2_traffic)) == "l2_traffic");
    CHECK(group_of(places::first_relation - 1) == feature_group::loop_context);
    CHECK(group_of(places::first_relation) == feature_group::context_relation);
    CHECK(group_of(places::first_nest) == feature_group::whole_nest);
    CHECK(group_of(places::size - 1) == feature_group::whole_nest);
}

// Whatever is asked for has a place, and no two things have one.
TEST_CASE("each place is that of one feature")
{
    std::vector<int> taken(places::size);
    const auto take = [&](int place) {
        REQUIRE(place >= 0);
        REQUIRE(place < places::size);
        ++taken[static_cast<std::size_t>(place)];
    };
    for (int loop = 0; loop < places::loops; ++loop) {
        for (const loop_feature f : {loop_feature::length, loop_feature::top_down, loop_feature::bottom_up})
            take(places::index(loop, f));
        for (int b = 0; b < places::bindings; ++b) take(places::index(loop, static_cast<binding>(b)));
        for (const operand_part p : parts_of_features)
            for (const touch_feature f : {touch_feature::touch, touch_feature::reuse, touch_feature::stride})
                take(places::index(loop, p, f));
    }
    for (const operand_part p : parts_of_features)
        for (const relation r : {relation::reuse_by_touch, relation::touch_by_top_down})
            for (int sample = 0; sample < places::samples; ++sample) take(places::index(p, r, sample));
    for (int f = 0; f < static_cast<int>(nest_feature::count); ++f) take(places::index(static_cast<nest_feature>(f)));
    CHECK(taken == std::vector<int>(places::size, 1));
}

TEST_CASE("a value is written and read by the same words, and two vectors are one where all values are")
{
    feature_vector f;
    f(2, operand_part::output, touch_feature::stride) = 5;
    CHECK(f.values[static_cast<std::size_t>(places::index(2, operand_part::output, touch_feature::stride))] == 5);
    const feature_vector& same = f;
    CHECK(same(2, operand_part::output, touch_feature::stride) == 5);
    CHECK_FALSE(f == feature_vector{});
    f(2, operand_part::output, touch_feature::stride) = 0;
    CHECK(f == feature_vector{});
}

TEST_CASE("the encoding is log2(x + 1), odd around zero, and keeps the order of counts")
{
    for (const double x : {0.0, 0.25, 1.0, 2.0, 3.0, 7.5, 1e3, 1e9, 1e15, 1e300, 5e-324}) {
        CAPTURE(x);
        CHECK(static_cast<double>(feature_log2(x)) == doctest::Approx(std::log2(1 + x)).epsilon(1e-5));
        CHECK(feature_log2(-x) == -feature_log2(x));
    }
    CHECK(feature_log2(1) == 1.0f);
    CHECK(feature_log2(255) == 8.0f);
    float before = feature_log2(-1000);
    for (int x = -999; x < 1000; ++x) {
        const float own = feature_log2(x);
        CHECK(own > before);
        before = own;
    }
}
