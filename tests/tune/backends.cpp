// SPDX-License-Identifier: BSL-1.0
// Each backend of the list has a part that tunes, with spaces for all of its sets.
#include <string>

#include <doctest/doctest.h>

#include <hone/tune/backends.hpp>

#include "tuner_rig.hpp"

using namespace hone;
using namespace hone::test;

TEST_CASE("what tunes stands in the order of the records' list, and has the kernels of a workload")
{
    REQUIRE(tune::all_that_tune.size() == tune::all_backends::list.size());
    const tune::task task = tune::task_of<tiny>("tiny", "tiny");
    const tune::tuner_options options{.sets = {isa::baseline, isa::avx2}};
    for (std::size_t i = 0; i < tune::all_that_tune.size(); ++i) {
        const tune::backend& b = *tune::all_that_tune[i];
        CAPTURE(std::string(b.records().name()));
        CHECK(&b.records() == tune::all_backends::list[i]);
        CHECK(tune::backend_of(b.records(), tune::all_that_tune) == &b);
        const auto sets = b.sets(options);
        CHECK_FALSE(sets.empty());
        for (const std::string& set : sets) {
            CHECK(b.records().is_set(set));
            const auto space = b.space_of(task, set, error_class::winograd_6);
            const tune::named_config c = space->standard();
            CHECK_FALSE(tune::wrong_config(b.records(), c.name, c.knobs).has_value());
        }
    }
}
