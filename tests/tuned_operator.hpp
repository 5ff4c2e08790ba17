// SPDX-License-Identifier: BSL-1.0
// What tests that tune operators on this processor share: a tuning of a few candidates, each of which has to be right.
#pragma once

#include <cstddef>
#include <filesystem>
#include <string>
#include <vector>

#include <doctest/doctest.h>

#include <hone/tune/cpu/tuning.hpp>

#include "tuner_rig.hpp"

namespace hone::test {

// Tunes an operator, `space::name` of a header of tests/, with so many candidates. `child` is the case that measures.
template <class Op>
std::vector<tune::record> check_tuned(const char* header, const char* space, const std::string& name, const char* child,
                                      double most_error = 1e-5, int trials = 3)
{
    const folder at;
    const isa set = cpu();
    tune::builder build(
        tune::find_compiler("c++", set),
        {.directory = at.path() / "work",
         .include_directories = {include_directory(), std::filesystem::path(__FILE__).parent_path().string()},
         .headers = {header}});
    const tune::tuning_environment environment = environment_of(at, child);
    tune::cpu_tuning tuning(tune::task_of<Op>(name, std::string(space) + "::" + name), environment, build, set);
    turn(tuning, build, static_cast<std::size_t>(trials));
    tuning.compare();
    for (const tune::record& r : tuning.records()) {
        INFO(tune::line_of(r));
        CHECK(r.found == tune::verdict::ok);
        CHECK(r.max_rel_error < most_error);
    }
    const tune::standing s = tuning.standing();
    CHECK(s.trials == trials);
    CHECK(s.chosen != nullptr);
    CHECK(s.standard != nullptr);
    CHECK(s.naive != nullptr);
    return tuning.records();
}

} // namespace hone::test
