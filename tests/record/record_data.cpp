// SPDX-License-Identifier: BSL-1.0
// A measurement by itself: what one is that says nothing yet, and what it says of its times.
#include <hone/record/record_data.hpp>

#include <string>

#include <doctest/doctest.h>

using namespace hone;

TEST_CASE("the least and the median are of times in any order, and of no times 0")
{
    tune::record r;
    CHECK(r.least() == 0);
    CHECK(r.median() == 0);
    r.ms = {3};
    CHECK(r.least() == 3);
    CHECK(r.median() == 3);
    r.ms = {5, 1, 3};
    CHECK(r.least() == 1);
    CHECK(r.median() == 3);
    // Of an even number it is the upper one, a time that was measured.
    r.ms = {4, 1, 3, 2};
    CHECK(r.least() == 1);
    CHECK(r.median() == 3);
    CHECK(r.ms.front() == 4); // in the order in which they were measured
}

TEST_CASE("a record that says nothing is of no backend, first of its workload, and one thread's")
{
    const tune::record r;
    CHECK(r.backend == tune::backend_ref());
    CHECK(std::string{r.backend->name()}.empty());
    CHECK_FALSE(r.backend->is_set("avx2"));
    CHECK(r.threads == 1);
    CHECK(r.cache == "hot");
    CHECK(r.run == 1);
    CHECK(r.trial == 0);
    CHECK_FALSE(r.errors.has_value());
    CHECK(r.code == nullptr);
    CHECK(tune::record_schema == 2);
}
