// SPDX-License-Identifier: BSL-1.0
// What becomes of candidates, by name, and which messages of programs blame the machine.
#include <hone/record/verdict.hpp>

#include <iterator>
#include <set>
#include <string>

#include <doctest/doctest.h>

using namespace hone;
using tune::verdict;

namespace {

static_assert(std::size(tune::verdict_names) == static_cast<std::size_t>(verdict::untried) + 1);
static_assert(tune::is_recorded(verdict::ok) && tune::is_recorded(verdict::device_lost));
static_assert(!tune::is_recorded(verdict::interrupted) && !tune::is_recorded(verdict::untried));

} // namespace

TEST_CASE("a verdict has a name of its own, which gives it again")
{
    std::set<std::string> names;
    for (std::size_t i = 0; i < std::size(tune::verdict_names); ++i) {
        const auto v = static_cast<verdict>(i);
        CHECK(names.insert(tune::name_of(v)).second);
        CHECK(tune::verdict_of(tune::name_of(v)) == v);
    }
    CHECK(std::string{tune::name_of(verdict::wrong_result)} == "wrong_result");
    CHECK(std::string{tune::name_of(verdict::build_timeout)} == "build_timeout");
    for (const char* name : {"", "OK", "ok ", "fine", "crash\n"}) CHECK_FALSE(tune::verdict_of(name).has_value());
}

TEST_CASE("a want of the machine is told from a fault of what it was given, and that of memory from others")
{
    for (const char* message : {"c++: fatal error: cannot write x.o: No space left on device",
                                "fork: Resource temporarily unavailable", "ld: final link failed: File too large"}) {
        CHECK(tune::says_lack_of_resources(message));
        CHECK_FALSE(tune::says_lack_of_memory(message));
    }
    for (const char* message : {"virtual memory exhausted: Cannot allocate memory",
                                "terminate called after throwing "
                                "an instance of 'std::bad_alloc'",
                                "c++: fatal error: Killed signal terminated program cc1plus"}) {
        CHECK(tune::says_lack_of_memory(message));
        CHECK_FALSE(tune::says_lack_of_resources(message));
    }
    for (const char* message : {"", "x.cpp:3:1: error: expected ';'", "no space left", "Permission denied"}) {
        CHECK_FALSE(tune::says_lack_of_resources(message));
        CHECK_FALSE(tune::says_lack_of_memory(message));
    }
}
