// SPDX-License-Identifier: BSL-1.0
// What a tuner program ends with, which scripts rely on, and what it is where a build fixes nothing.
#include <hone/tune/tuner_defaults.hpp>

#include <string>

#include <doctest/doctest.h>

using namespace hone;

namespace {

static_assert(tune::exit_ok == 0 && tune::exit_failure == 1 && tune::exit_usage == 2);
static_assert(tune::exit_incomplete == 3);
static_assert(tune::exit_interrupted == 128 + 2); // as a shell says of SIGINT

} // namespace

TEST_CASE("a program that fixes nothing has the options of a tuner that was told nothing, and no other library")
{
    const tune::tuner_defaults d;
    CHECK(d.name == tune::tuner_options{}.name);
    CHECK(d.options.budget == tune::tuner_options{}.budget);
    CHECK(d.options.compiler_command == "c++");
    CHECK(d.options.peers.empty());
    CHECK(d.peer_name.empty());
    CHECK(d.arguments.empty());
    CHECK(std::string{d.description}.empty());
}
