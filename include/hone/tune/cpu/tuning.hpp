// SPDX-License-Identifier: BSL-1.0
// The tuning of one workload on the CPU: candidates as C++ sources, measured in libraries that a compiler made of them.
#pragma once

#include <chrono>
#include <cstddef>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <fmt/core.h>
#include <fmt/ranges.h>

#include <hone/measure/machine.hpp>
#include <hone/record/header_text.hpp>
#include <hone/tune/cpu/arithmetic.hpp>
#include <hone/tune/cpu/build.hpp>
#include <hone/tune/cpu/measure.hpp>
#include <hone/tune/cpu/records.hpp>
#include <hone/tune/cpu/space.hpp>
#include <hone/tune/task.hpp>
#include <hone/tune/tuning_in_space.hpp>

namespace hone::tune {

// The declarations of a config set with one entry, and the kernel that takes it: what may be tried was decided before.
inline variant_source source_of(const task& t, const named_config& c, isa set)
{
    return {fmt::format("struct set {{\n    static constexpr hone::accuracy accuracy = hone::accuracy::fast;\n"
                        "    static constexpr hone::cpu_entry entries[] = {{{{.signature = {},\n"
                        "        .set = hone::isa::{},\n        .config = {}}}}};\n}};",
                        header::quoted(t.signature), name_of(set), header::quoted(text_of(c))),
            fmt::format("hone::tune::variant_of<hone::kernel<{}, set, hone::isa::{}>>()", t.type, name_of(set))};
}
inline variant_source naive_source_of(const task& t, isa set)
{
    return {"",
            fmt::format("hone::tune::variant_of<hone::tune::naive_kernel<{}, hone::isa::{}>>()", t.type, name_of(set))};
}

class cpu_tuning final : public tuning_in_space {
public:
    cpu_tuning(const tune::task& task, const tuning_environment& environment, builder& build, isa set)
        : tuning_in_space(task, environment,
                          cpu_space_of(task.definition, set,
                                       worst_of(accuracy_in(task.signature.c_str(), environment.accuracy)),
                                       task.own.of<cpu_family>())),
          builder_(build), set_(set)
    {
        const compiler& c = build.used();
        key().backend = on_cpu;
        key().device = processor_name();
        key().isa = name_of(set);
        key().threads = environment.threads;
        key().cache = cache_key(environment.cache);
        key().compiler = c.version;
        key().flags = fmt::format("{}", fmt::join(c.flags, " "));
        key().phase = "search";
    }

    void measure(const std::vector<candidate>& batch, const std::vector<built_variant>& built) override
    {
        measure_job job = new_job();
        job.rules.hopeless_ms = hopeless_ms();
        for (const candidate& c : batch)
            if (is_naive(c.key)) job.deadline = patience_with_naive;
        std::vector<std::size_t> measured;
        for (std::size_t i = 0; i < built.size(); ++i) {
            if (built[i].found != verdict::ok) continue;
            job.variants.push_back(variant_of(batch[i].key, built[i]));
            measured.push_back(i);
        }
        const auto results = tune::measure(job, environment().self);
        std::vector<measurement> all(batch.size());
        for (std::size_t i = 0; i < batch.size(); ++i) all[i] = {.found = built[i].found, .detail = built[i].detail};
        for (std::size_t i = 0; i < measured.size(); ++i) all[measured[i]] = results[i];
        libraries_.resize(records().size()); // those of earlier runs have none
        for (std::size_t i = 0; i < batch.size(); ++i) {
            if (all[i].found == verdict::untried) put_back(batch[i], all[i].detail);
            if (!is_recorded(all[i].found)) continue;
            note_result(batch[i].key, all[i]);
            libraries_.push_back(variant_of(batch[i].key, built[i]));
        }
    }

    void compare() override
    {
        const auto order = finalists_in_time();
        if (order.empty()) return;
        build_missing(order);
        measure_job job = new_job();
        job.order = timing_order::rounds;
        job.rules = comparison_rules;
        job.deadline = patience_with_naive;
        std::vector<std::size_t> compared;
        for (std::size_t i : order) {
            if (libraries_[i].library.empty()) continue;
            compared.push_back(i);
            job.variants.push_back(libraries_[i]);
        }
        const auto peer = environment().peers.find(task().signature);
        if (peer != environment().peers.end()) {
            job.variants.push_back(peer->second);
            job.variants.back().arithmetic = arithmetic_of(task().definition, peer_key());
        }
        const auto results = tune::measure(job, environment().self);
        for (std::size_t i = 0; i < results.size(); ++i) {
            if (results[i].found == verdict::untried) note_untried(results[i].detail);
            if (!is_recorded(results[i].found)) continue;
            record r = i < compared.size() ? records()[compared[i]] : peer_key();
            r.phase = "final";
            note_result(std::move(r), results[i]);
            libraries_.emplace_back();
        }
        verify_chosen();
        libraries_.resize(records().size());
    }

    std::vector<arithmetic> arithmetics() const override { return cpu_arithmetics(task().definition); }

    std::optional<variant_source> standard_source() const override
    {
        const named_config c = space().standard();
        status why;
        if (!space().nest_of(c, why)) return std::nullopt;
        return source_of(c);
    }

private:
    static constexpr std::chrono::seconds patience_with_naive{60}; // a product of 1024 takes ten seconds

    library_variant variant_of(const record& r, const built_variant& built) const
    {
        return {built.library, built.index, arithmetic_of(task().definition, r)};
    }
    measure_job new_job()
    {
        return {.problem = problem_file(),
                .cache = environment().cache,
                .threads = environment().threads,
                .cpu = environment().cpu,
                .end = environment().end};
    }

    variant_source source_of(const named_config& c) const override { return tune::source_of(task(), c, set_); }
    measurement verify_twin(const named_config& c) override
    {
        const tune::task twin{.name = task().name,
                              .type = fmt::format("hone::tune::odd_twin<{}>", task().type),
                              .signature = odd_signature,
                              .definition = with_odd_extents(task().definition)};
        return verify(tune::source_of(twin, c, set_), c, twin_problem_file(twin.definition));
    }
    measurement verify_call(const named_config& c, const std::string& problem_file) override
    {
        return verify(source_of(c), c, problem_file);
    }
    measurement verify(const variant_source& kernel, const named_config& c, const std::string& problem_file)
    {
        process_control control;
        control.end_at(environment().end);
        const built_variant built = builder_.build({kernel}, control).front();
        if (built.found != verdict::ok) return {.found = verdict::untried, .detail = built.detail};
        measure_job job = new_job();
        job.problem = problem_file;
        job.order = timing_order::none;
        job.variants = {{built.library, built.index, arithmetic_of(c.errors)}};
        return tune::measure(job, environment().self).front();
    }
    std::optional<candidate> naive() override
    {
        candidate r{key(), naive_source_of(task(), set_)};
        r.key.template_name = naive_template;
        r.key.origin = "naive";
        return r;
    }

    record peer_key() const
    {
        record r = key();
        r.template_name = peer_template;
        r.origin = "peer";
        return r;
    }

    // Finalists of earlier runs have no library any more.
    void build_missing(const std::vector<std::size_t>& order)
    {
        libraries_.resize(records().size());
        std::vector<std::size_t> missing;
        std::vector<variant_source> sources;
        for (std::size_t i : order) {
            if (!libraries_[i].library.empty()) continue;
            const record& r = records()[i];
            missing.push_back(i);
            sources.push_back(is_naive(r) ? naive_source_of(task(), set_) : source_of(config_of(r)));
        }
        process_control control;
        control.end_at(environment().end);
        const auto built = builder_.build(sources, control);
        for (std::size_t i = 0; i < missing.size(); ++i)
            if (built[i].found == verdict::ok) libraries_[missing[i]] = variant_of(records()[missing[i]], built[i]);
    }

    builder& builder_;
    isa set_;
    std::vector<library_variant> libraries_{}; // of each record
};

} // namespace hone::tune
