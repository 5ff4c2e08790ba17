// SPDX-License-Identifier: BSL-1.0
// Random search over the CPU's templates for one workload: draw legal configs, build them in one unit, verify and time
// them in a child, record; at the end the finalists, the default and the naive kernel in turns.
#pragma once

#include <algorithm>
#include <fstream>
#include <string>
#include <utility>
#include <vector>

#include <fmt/core.h>
#include <fmt/ranges.h>

#include <hone/tune/build.hpp>
#include <hone/tune/measure_cpu.hpp>
#include <hone/tune/random_search.hpp>
#include <hone/tune/task.hpp>

namespace hone::tune {

// This processor in records: the name alone may be as unspecific as "AMD EPYC".
inline std::string cpu_name()
{
    std::ifstream info("/proc/cpuinfo");
    std::string name = "unknown processor", family, model;
    for (std::string line; std::getline(info, line) && !line.empty();) {
        const auto value = line.find(": ");
        if (value == std::string::npos) continue;
        const std::string text = line.substr(value + 2);
        if (line.starts_with("model name")) name = text;
        if (line.starts_with("cpu family")) family = text;
        if (line.starts_with("model\t")) model = text;
    }
    return fmt::format("{} family {} model {}", name, family, model);
}

// The declarations of a config set with one entry, and the kernel that takes it.
inline variant_source source_of(const task& t, const cpu_config& c, isa set)
{
    return {fmt::format("struct set {{\n    static constexpr hone::cpu_entry entries[] = {{{{.signature = {},\n"
                        "        .set = hone::isa::{},\n        .config = {}}}}};\n}};",
                        header::quoted(t.signature), name_of(set), initializer_of(c)),
            fmt::format("hone::tune::variant_of<hone::kernel<{}, set, hone::isa::{}>>()", t.type, name_of(set))};
}
inline variant_source naive_source_of(const task& t, isa set)
{
    return {"",
            fmt::format("hone::tune::variant_of<hone::tune::naive_kernel<{}, hone::isa::{}>>()", t.type, name_of(set))};
}

class cpu_tuning : public tuning {
public:
    cpu_tuning(tune::task task, const tuning_environment& environment, builder& build, isa set)
        : tuning(std::move(task), environment), builder_(build), set_(set),
          search_(cpu_space(this->task().definition, set), search_seed())
    {
        const compiler& c = build.used();
        key_.device = cpu_name();
        key_.isa = name_of(set);
        key_.compiler = c.version;
        key_.flags = fmt::format("{}", fmt::join(c.flags, " "));
        key_.phase = "search";
    }

    void turn(int size) override
    {
        std::vector<candidate> batch;
        if (records().empty()) {
            if (const auto c = search_.admit(search_.space().standard())) batch.push_back(of(*c, "default"));
            record naive = key_;
            naive.template_name = naive_template;
            naive.origin = "naive";
            batch.push_back({naive, naive_source_of(task(), set_)});
        }
        while (static_cast<int>(batch.size()) < size && !exhausted_) {
            if (const auto c = search_.next())
                batch.push_back(of(*c, "random"));
            else
                exhausted_ = true;
        }
        if (batch.empty()) return;
        measure_batch(batch);
    }

    void compare() override
    {
        const auto order = finalists();
        if (order.empty()) return;
        measure_job job{.problem = problem_file(),
                        .order = timing_order::rounds,
                        .rules = {.least_samples = 15, .sample_ms = 1.0},
                        .cpu = environment().cpu,
                        .deadline = std::chrono::seconds{30}};
        for (std::size_t i : order) job.variants.push_back(library_of_[i]);
        const auto results = measure(job, environment().self);
        for (std::size_t i = 0; i < order.size(); ++i) {
            if (results[i].found == verdict::interrupted) continue;
            record r = records()[order[i]];
            r.phase = "final";
            note(std::move(r), results[i]);
            library_of_.emplace_back();
        }
    }

    bool exhausted() const override { return exhausted_; }
    std::size_t illegal() const override { return search_.illegal(); }
    std::string backend() const override { return "cpu"; }

private:
    struct candidate {
        record key;
        variant_source source;
    };

    candidate of(const random_search<cpu_space>::candidate& c, const char* origin) const
    {
        record r = key_;
        r.template_name = name_of_template(c.config);
        r.knobs = settings_of(c.config);
        r.nest = fmt::format("{:016x}", c.nest);
        r.origin = origin;
        return {r, source_of(task(), c.config, set_)};
    }

    void measure_batch(const std::vector<candidate>& batch)
    {
        std::vector<variant_source> sources;
        for (const candidate& c : batch) sources.push_back(c.source);
        const auto built = builder_.build(sources);
        measure_job job{.problem = problem_file(), .rules = {.hopeless_ms = hopeless_ms()}, .cpu = environment().cpu};
        std::vector<std::size_t> measured;
        for (std::size_t i = 0; i < built.size(); ++i) {
            if (built[i].found != verdict::ok) continue;
            job.variants.push_back({built[i].library, built[i].index});
            measured.push_back(i);
        }
        const auto results = measure(job, environment().self);
        std::vector<measurement> all(batch.size());
        for (std::size_t i = 0; i < batch.size(); ++i) all[i] = {.found = built[i].found, .detail = built[i].detail};
        for (std::size_t i = 0; i < measured.size(); ++i) all[measured[i]] = results[i];
        for (std::size_t i = 0; i < batch.size(); ++i) {
            if (all[i].found == verdict::interrupted) continue;
            note(batch[i].key, all[i]);
            library_of_.push_back({built[i].library, built[i].index});
        }
    }

    builder& builder_;
    isa set_;
    random_search<cpu_space> search_;
    record key_{};
    std::vector<library_variant> library_of_{}; // of each record
    bool exhausted_ = false;
};

} // namespace hone::tune
