// SPDX-License-Identifier: BSL-1.0
// What tests that tune on a device share: their child, which is the test's program, started again for one case, and the
// entry of what they found.
#pragma once

#include <cstdlib>
#include <filesystem>
#include <memory>
#include <span>
#include <string>

#include <nlohmann/json.hpp>

#include <hone/tune/task.hpp>
#include <hone/tune/vulkan/measure.hpp>
#include <hone/tune/vulkan/space.hpp>
#include <hone/tune/vulkan/tuning.hpp>
#include <hone/vulkan/entry.hpp>

#include "tuner_rig.hpp"

namespace hone::test {

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

// How tests tune: in children that run this case of the test's program.
inline tune::tuning_environment environment_of(const folder& at, const std::string& child)
{
    return {.self = {std::filesystem::read_symlink("/proc/self/exe").string(), "--no-skip", "--test-case=" + child},
            .work_directory = at.path() / "work",
            .seed = 5};
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

} // namespace hone::test
