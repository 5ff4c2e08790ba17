// SPDX-License-Identifier: BSL-1.0
// Distances of neighbours: which are dense, which overlap, what a signature and a definition have of one.
#include <hone/op/leading.hpp>

#include <string>

#include <doctest/doctest.h>

using namespace hone;
using namespace hone::operators;

TEST_CASE("a distance is dense where it is 0 or as long as what it parts, and known")
{
    CHECK(leading().is_dense(7));
    CHECK(leading(7).is_dense(7));
    CHECK_FALSE(leading(8).is_dense(7));
    CHECK_FALSE(leading::at_call().is_dense(7));
}

TEST_CASE("neighbours that are known to overlap are named")
{
    CHECK(leading().check(7, "ldx").ok());
    CHECK(leading(7).check(7, "ldx").ok());
    CHECK(leading::at_call().check(7, "ldx").ok());
    for (const std::int64_t near : {6, 1, -1, -7}) {
        const status found = leading(near).check(7, "ldx");
        CHECK(found.what == fault::view_mismatch);
        CHECK(found.expected == 7);
        CHECK(found.found == near);
        CHECK(std::string(found.subject) == "ldx");
    }
}

TEST_CASE("a signature has the number, or the name alone of what the call gives")
{
    signature_text t;
    add_leading(t, "ldx", 12);
    add_leading(t, "ldy", leading::at_call().typically(9));
    add_named(t, "bsx", leading());
    CHECK(std::string(t.c_str()) == "ldx12 ldy");
}

TEST_CASE("strides are multiples of the distance, as they were of the dense one")
{
    definition d;
    dimension rows{.extent = 3, .stride = 6 * 7}; // of 6 pixels of 7 channels
    CHECK(add_distance(d, 10, 7, "ldx") == -1);
    set_distance(rows, 10, 7, -1);
    CHECK(rows.stride == 60);
    CHECK(rows.stride_parameter == -1);

    rows.stride = 6 * 7;
    const std::int16_t given = add_distance(d, leading::at_call().typically(9), 7, "ldx");
    REQUIRE(given == 0);
    CHECK(d.parameters[0].least == 7);
    CHECK(d.parameters[0].most == most_distance);
    CHECK(d.parameters[0].typical == 9);
    set_distance(rows, leading::at_call(), 7, given);
    CHECK(rows.stride == 6);
    CHECK(rows.stride_parameter == 0);

    // No product leaves 64 bits.
    rows = {.stride = 42};
    set_distance(rows, INT64_MAX, 7, -1);
    CHECK(rows.stride == saturated);
}
