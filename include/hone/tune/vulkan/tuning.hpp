// SPDX-License-Identifier: BSL-1.0
// The tuning of one workload on the Vulkan device that children open; what may be chosen keeps its SPIR-V and launch in
// its record, for the generated header.
#pragma once

#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <hone/tune/task.hpp>
#include <hone/tune/tuning_in_space.hpp>
#include <hone/tune/vulkan/measure.hpp>
#include <hone/tune/vulkan/records.hpp>
#include <hone/tune/vulkan/space.hpp>

namespace hone::tune {

class vulkan_tuning final : public tuning_in_space {
public:
    vulkan_tuning(const tune::task& task, const tuning_environment& environment, const vulkan_facts& device)
        : tuning_in_space(task, environment,
                          vulkan_space_of(task.definition, device.limits,
                                          worst_of(accuracy_in(task.signature.c_str(), environment.accuracy)),
                                          task.own.of<vulkan_family>()))
    {
        key().backend = on_vulkan;
        key().device = device.name;
        key().isa = "none";
        key().compiler = "glslang";
        key().phase = "search";
    }

    void measure(const std::vector<candidate>& batch, const std::vector<built_variant>&) override
    {
        std::vector<record> keys;
        for (const candidate& c : batch) keys.push_back(c.key);
        measure_and_note(std::move(keys), {.hopeless_ms = hopeless_ms()});
    }

    void compare() override
    {
        std::vector<record> keys;
        for (std::size_t i : finalists_in_time()) {
            keys.push_back(records()[i]);
            keys.back().phase = "final";
        }
        measure_and_note(std::move(keys), comparison_rules);
        verify_chosen();
    }

    std::vector<arithmetic> arithmetics() const override { return {arithmetic::device}; }

private:
    measurement verify_twin(const named_config& c) override
    {
        return verify(c, twin_problem_file(with_odd_extents(task().definition)), workload_shape::odd_twin);
    }
    measurement verify_call(const named_config& c, const std::string& problem_file) override
    {
        return verify(c, problem_file, workload_shape::own);
    }
    measurement verify(const named_config& c, const std::string& problem_file, workload_shape of)
    {
        vulkan_job job{.signature = task().signature,
                       .variants = {text_of(c)},
                       .problem = problem_file,
                       .order = timing_order::none,
                       .of = of};
        job.end = environment().end;
        return tune::measure(job, environment().self).front();
    }
    // One of the direct template, which a list of the workload's own may lack.
    std::optional<candidate> naive() override
    {
        const settings knobs = settings_of(fitted(task().definition, naive_vulkan()));
        if (space().wrong_config(vulkan_direct::name, knobs)) return std::nullopt;
        return first_of(space().config_of(vulkan_direct::name, knobs), "naive");
    }

    // What may be chosen has its SPIR-V in its record: the default, what is faster than all before, the finalists. The
    // child sends what it ran, so that no shader compiler runs here, where its crash would end the search.
    void attach_shader(record& r, const measurement& m) const
    {
        r.code.reset();
        const tune::standing s = standing();
        const bool fastest = s.chosen == nullptr || m.least() < s.chosen->least();
        if (m.found != verdict::ok || (r.origin != "default" && r.phase != "final" && !fastest)) return;
        r.code = on_vulkan.code_of(nlohmann::ordered_json(m.made));
    }

    void measure_and_note(std::vector<record> batch, const timing_rules& rules)
    {
        if (batch.empty()) return;
        vulkan_job job{.signature = task().signature, .problem = problem_file(), .rules = rules};
        job.end = environment().end;
        if (batch.front().phase == "final") job.order = timing_order::rounds;
        for (const record& r : batch) job.variants.push_back(text_of(r.template_name, r.knobs));
        const auto results = tune::measure(job, environment().self);
        for (std::size_t i = 0; i < batch.size(); ++i) {
            if (results[i].found == verdict::untried && batch[i].phase == "search")
                put_back({.key = batch[i]}, results[i].detail);
            else if (results[i].found == verdict::untried)
                note_untried(results[i].detail);
            if (!is_recorded(results[i].found)) continue;
            attach_shader(batch[i], results[i]);
            note_result(std::move(batch[i]), results[i]);
        }
    }
};

} // namespace hone::tune
