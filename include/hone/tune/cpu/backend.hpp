// SPDX-License-Identifier: BSL-1.0
// The CPU as a tuner's backend: a group for each instruction set that this machine has, whose candidates the user's
// compiler builds.
#pragma once

#include <algorithm>
#include <chrono>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include <fmt/core.h>
#include <nlohmann/json.hpp>

#include <hone/core/isa.hpp>
#include <hone/core/target.hpp>
#include <hone/process/process_control.hpp>
#include <hone/record/settings.hpp>
#include <hone/tune/backend.hpp>
#include <hone/tune/cpu/build.hpp>
#include <hone/tune/cpu/measure.hpp>
#include <hone/tune/cpu/records.hpp>
#include <hone/tune/cpu/space.hpp>
#include <hone/tune/cpu/tuning.hpp>

namespace hone::tune {

class cpu_backend final : public backend {
public:
    const record_backend& records() const override { return on_cpu; }

    std::vector<std::string> sets(const tuner_options& o) const override
    {
        std::vector<std::string> names;
        for (isa set : o.sets) names.emplace_back(name_of(set));
        return names;
    }
    std::shared_ptr<const any_space> space_of(const task& t, const std::string& set, error_class worst) const override
    {
        return cpu_space_of(t.definition, isa_of(set).value_or(isa::baseline), worst, t.own.of<cpu_family>());
    }

    std::vector<tuning_group> groups(const tuner_run& run) const override
    {
        std::vector<tuning_group> all;
        for (isa set : run.options.sets) {
            if (!runs_here(set))
                run.say(fmt::format("hone: this machine has no {}: its kernels take what the records say, else the "
                                    "closed-form defaults",
                                    name_of(set)));
            else
                all.push_back(group_of(run, set));
        }
        return all;
    }
    int measure_child(const nlohmann::json& job, const std::vector<task>&) const override
    {
        return measure_cpu_child(job);
    }

private:
    using clock = process_control::clock;

    static tuning_group group_of(const tuner_run& run, isa set)
    {
        const tuner_options& o = run.options;
        const auto end = run.environment.end;
        const auto recorded = o.compile_commands.find(set);
        compiler with = recorded == o.compile_commands.end()
                            ? find_compiler(o.compiler_command, set, patience_until(end))
                            : compiler_of(read_command(recorded->second), set, patience_until(end));
        if (!with.options.empty())
            with.options.insert(with.options.end(), o.compiler_flags.begin(), o.compiler_flags.end());
        for (const std::string& f : o.compiler_flags) with.flags.push_back(f);
        auto build =
            std::make_unique<builder>(with, build_options{.directory = run.environment.work_directory / name_of(set),
                                                          .include_directories = o.include_directories,
                                                          .headers = o.headers});
        tuning_group g;
        process_control control;
        control.end_at(end);
        const auto begin = clock::now();
        g.headers = build->check_headers(control);
        g.waiting = std::chrono::duration<double>(clock::now() - begin).count();
        for (const task* t : run.tasks)
            g.tunings.push_back(std::make_unique<cpu_tuning>(*t, run.environment, *build, set));
        g.build = std::move(build);
        return g;
    }
    // With a compiler that is asked for its version.
    static compiler_patience patience_until(clock::time_point end)
    {
        if (end == clock::time_point::max()) return usual_patience;
        return std::clamp<compiler_patience>(end - clock::now(), std::chrono::seconds{1}, usual_patience);
    }
};
inline constexpr cpu_backend cpu_that_tunes{};
constexpr const backend& tuned_by(const cpu_records&) { return cpu_that_tunes; }

} // namespace hone::tune
