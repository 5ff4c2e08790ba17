// SPDX-License-Identifier: BSL-1.0
// What tests that tune on a device share: their child, which is the test's program, started again for one case; what is
// checked of each tuning; and the entry of what was found.
#pragma once

#include <cstdlib>
#include <memory>
#include <span>
#include <string>

#include <doctest/doctest.h>
#include <nlohmann/json.hpp>

#include <hone/tune/task.hpp>
#include <hone/tune/vulkan/measure.hpp>
#include <hone/tune/vulkan/space.hpp>
#include <hone/tune/vulkan/tuning.hpp>
#include <hone/vulkan/entry.hpp>

#include "tuner_rig.hpp"

namespace hone::test {

using namespace schedules;

// Measures candidates of these tasks as the job on stdin says, and ends the process.
[[noreturn]] inline void measure_on_device(std::span<const tune::task> tasks)
{
    std::exit(tune::measure_vulkan_child(
        nlohmann::json::parse(tune::read_job()), [&](const std::string& signature, const vulkan_limits& limits) {
            std::shared_ptr<const tune::any_space> found;
            for (const tune::task& t : tasks)
                if (t.signature == signature)
                    found = tune::vulkan_space_of(t.definition, limits, error_class::winograd_6, nullptr);
            return found;
        }));
}

// What a generated header says of a record, whose memory it reads.
inline vulkan_entry entry_of(const tune::record& r)
{
    const tune::shader& made = *tune::shader_of(r);
    return {.signature = r.signature.c_str(),
            .words = made.words.data(),
            .word_count = made.words.size(),
            .launch = made.launch,
            .packed = made.packed,
            .layout_id = layout_id(made.packed)};
}

// Tunes an operator on the device that children find, with four candidates, and checks every result, over odd extents
// that of what was chosen; which it returns.
template <class Op>
tune::record check_tuned_on_device(const std::string& child)
{
    const folder at;
    const tune::tuning_environment environment = environment_of(at, child);
    std::string why;
    const auto found = tune::find_vulkan(environment.self, why);
    REQUIRE_MESSAGE(found.has_value(), why);
    tune::vulkan_tuning tuning(tune::task_of<Op>("op", "op"), environment, *found);
    tuning.measure(tuning.propose(4), {});
    tuning.compare();
    for (const tune::record& r : tuning.records()) {
        INFO(tune::line_of(r));
        CHECK(r.found == tune::verdict::ok);
        CHECK(r.max_rel_error < 1e-5);
    }
    const tune::standing s = tuning.standing();
    REQUIRE(s.chosen != nullptr);
    REQUIRE(s.standard != nullptr);
    CHECK(tuning.verify_on_twin(*s.chosen).found == tune::verdict::ok);
    return *s.chosen;
}

} // namespace hone::test
