// SPDX-License-Identifier: BSL-1.0
// Vulkan as a tuner's backend: one group, for the device that a child finds. Without Vulkan's headers and a shader
// compiler it has spaces and records as ever, and says why it tunes nothing.
#pragma once

#include <memory>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include <fmt/core.h>
#include <nlohmann/json.hpp>

#include <hone/core/target.hpp>
#include <hone/tune/backend.hpp>
#include <hone/tune/vulkan/manifests.hpp>
#include <hone/tune/vulkan/records.hpp>
#include <hone/tune/vulkan/space.hpp>
#ifdef HONE_WITH_VULKAN
#include <hone/tune/vulkan/measure.hpp>
#include <hone/tune/vulkan/tuning.hpp>
#endif

namespace hone::tune {

class vulkan_backend final : public backend {
public:
    const record_backend& records() const override { return on_vulkan; }

    std::vector<std::string> sets(const tuner_options&) const override { return {"none"}; }
    // A schedule of a config hangs on no limit of a device.
    std::shared_ptr<const any_space> space_of(const task& t, const std::string&, error_class worst) const override
    {
        return vulkan_space_of(t.definition, vulkan_limits{}, worst, t.own.of<vulkan_family>());
    }

#ifdef HONE_WITH_VULKAN
    std::vector<tuning_group> groups(const tuner_run& run) const override
    {
        std::string why;
        const auto device = find_vulkan(run.environment.self, why);
        if (!device) {
            run.say(fmt::format("hone: Vulkan is left out: {}", why));
            return {};
        }
        tuning_group g;
        for (const task* t : run.tasks) {
            if (const status s = reason_against(t->definition, device->limits); !s.ok())
                run.say(fmt::format("hone: Vulkan leaves out {}: {} [{}: {} bytes of at most {}]", t->name, s.message(),
                                    s.subject, s.found, s.expected));
            else
                g.tunings.push_back(std::make_unique<vulkan_tuning>(*t, run.environment, *device));
        }
        std::vector<tuning_group> all;
        all.push_back(std::move(g));
        return all;
    }
    int measure_child(const nlohmann::json& job, const std::vector<task>& tasks) const override
    {
        return measure_vulkan_child(
            job, [&](const std::string& signature, const vulkan_limits& limits) -> std::shared_ptr<const any_space> {
                for (const task& t : tasks)
                    if (t.signature == signature)
                        return vulkan_space_of(t.definition, limits, error_class::winograd_6,
                                               t.own.of<vulkan_family>());
                return nullptr;
            });
    }
    std::optional<device_state> device(const child_command& self) const override
    {
        device_state s;
        if (const auto found = find_vulkan(self, s.why)) s.name = found->name;
        while (!s.why.empty() && s.why.back() == '\n') s.why.pop_back();
        if (s.name.empty())
            if (const std::string wrong = wrong_manifests(); !wrong.empty()) s.why += "; " + wrong;
        return s;
    }
#else
    std::vector<tuning_group> groups(const tuner_run& run) const override
    {
        run.say("hone: Vulkan is left out: this tuner was built without it; install libvulkan-dev, glslang-dev and "
                "spirv-tools, and configure again");
        return {};
    }
    int measure_child(const nlohmann::json&, const std::vector<task>&) const override
    {
        throw std::logic_error("hone::tune: this program was built without Vulkan");
    }
    std::optional<device_state> device(const child_command&) const override
    {
        return device_state{.why = "this program was built without Vulkan"};
    }
#endif
};
inline constexpr vulkan_backend vulkan_that_tunes{};
constexpr const backend& tuned_by(const vulkan_records&) { return vulkan_that_tunes; }

} // namespace hone::tune
