// SPDX-License-Identifier: BSL-1.0
// What a tuner does where it is told nothing, and which workloads are for which backend.
#include <hone/tune/tuner_options.hpp>

#include <string>

#include <doctest/doctest.h>

using namespace hone;

TEST_CASE("where nothing is said a library is tuned for 300 seconds, cold weights, one thread and standard accuracy")
{
    const tune::tuner_options o;
    CHECK(o.budget == 300);
    CHECK(o.trials == 0);
    CHECK(o.threads == 1);
    CHECK(o.seed == 1);
    CHECK(o.cache == tune::cache_mode::cold_weights);
    CHECK(o.accuracy == accuracy::standard);
    CHECK(o.mode == tune::tuning_mode::missing);
    CHECK(o.method == tune::search_method::model);
    CHECK(o.compiler_command == "c++");
    CHECK(o.name == "tuned");
    CHECK(o.keeps_entries);
    // What is to be tuned, and where it goes, has to be said.
    CHECK(o.backends.empty());
    CHECK(o.sets.empty());
    CHECK(o.header.empty());
    CHECK(o.records.empty());
}

TEST_CASE("a backend tunes all workloads, or those that are named for it, and none where it is not asked for")
{
    tune::tuner_options o;
    CHECK_FALSE(o.has("cpu"));
    CHECK_FALSE(o.wants("cpu", "a"));
    o.backends = {"cpu", "vulkan"};
    o.only["vulkan"] = {"b", "c"};
    o.only["abacus"] = {"a"};
    CHECK(o.has("vulkan"));
    CHECK_FALSE(o.has("abacus"));
    for (const char* workload : {"a", "b", "c"}) {
        CAPTURE(workload);
        CHECK(o.wants("cpu", workload));
        CHECK(o.wants("vulkan", workload) == (std::string(workload) != "a"));
        CHECK_FALSE(o.wants("abacus", workload));
    }
    o.only["vulkan"].clear(); // no names are all of them
    CHECK(o.wants("vulkan", "a"));
}
