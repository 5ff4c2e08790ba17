// SPDX-License-Identifier: BSL-1.0
// Random search over the Vulkan template for one workload, on the device that children open; the winner with its SPIR-V
// and launch, for the generated header.
#pragma once

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include <fmt/core.h>

#include <hone/tune/measure_vulkan.hpp>
#include <hone/tune/task.hpp>
#include <hone/tune/vulkan_space.hpp>

namespace hone::tune {

class vulkan_tuning : public tuning {
public:
    vulkan_tuning(tune::task task, const tuning_environment& environment, const vulkan_facts& device)
        : tuning(std::move(task), environment), device_(device),
          search_(vulkan_space(this->task().definition, device.limits), search_seed())
    {
        key_.device = device.name;
        key_.isa = "none";
        key_.compiler = "glslang";
        key_.template_name = "direct";
        key_.phase = "search";
    }

    void turn(int size) override
    {
        std::vector<record> batch;
        const auto add = [&](const random_search<vulkan_space>::candidate& c, const char* origin) {
            record r = key_;
            r.knobs = settings_of(c.config);
            r.nest = fmt::format("{:016x}", c.nest);
            r.origin = origin;
            batch.push_back(std::move(r));
        };
        if (records().empty()) {
            if (const auto c = search_.admit(search_.space().standard())) add(*c, "default");
            if (const auto c = search_.admit(fitted(task().definition, naive_vulkan()))) add(*c, "naive");
        }
        while (static_cast<int>(batch.size()) < size && !exhausted_) {
            if (const auto c = search_.next())
                add(*c, "random");
            else
                exhausted_ = true;
        }
        measure_and_note(std::move(batch), {.hopeless_ms = hopeless_ms()});
    }

    void compare() override
    {
        std::vector<record> batch;
        for (std::size_t i : finalists()) {
            batch.push_back(records()[i]);
            batch.back().phase = "final";
        }
        measure_and_note(std::move(batch), {.least_samples = 15, .sample_ms = 1.0});
    }

    bool exhausted() const override { return exhausted_; }
    std::size_t illegal() const override { return search_.illegal(); }
    std::string backend() const override { return "vulkan"; }

private:
    // What may be chosen has its SPIR-V in its record: the default, what is faster than all before, the finalists.
    void attach_shader(record& r, const measurement& m) const
    {
        const tune::standing s = standing();
        const bool fastest = s.chosen == nullptr || m.least() < s.chosen->least();
        if (m.found != verdict::ok || (r.origin != "default" && r.phase != "final" && !fastest)) return;
        vulkan_program p = program_of(task().definition, vulkan_knobs_of(r.knobs));
        r.shader = shader{.words = std::move(p.words),
                          .launch = p.launch,
                          .packed = p.packed,
                          .vendor = device_.vendor,
                          .device = device_.device};
    }

    void measure_and_note(std::vector<record> batch, const timing_rules& rules)
    {
        if (batch.empty()) return;
        vulkan_job job{.signature = task().signature, .problem = problem_file(), .rules = rules};
        if (batch.front().phase == "final") job.order = timing_order::rounds;
        for (const record& r : batch) job.variants.push_back(r.knobs);
        const auto results = measure(job, environment().self);
        for (std::size_t i = 0; i < batch.size(); ++i)
            if (results[i].found != verdict::interrupted) {
                attach_shader(batch[i], results[i]);
                note(std::move(batch[i]), results[i]);
            }
    }

    vulkan_facts device_;
    random_search<vulkan_space> search_;
    record key_{};
    bool exhausted_ = false;
};

} // namespace hone::tune
