// SPDX-License-Identifier: BSL-1.0
// The child of a test that tunes on a device: the test's program, started again for one case.
#pragma once

#include <cstdlib>
#include <memory>
#include <span>
#include <string>

#include <nlohmann/json.hpp>

#include <hone/tune/task.hpp>
#include <hone/tune/vulkan/measure.hpp>
#include <hone/tune/vulkan/space.hpp>

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

} // namespace hone::test
