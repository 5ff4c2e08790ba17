// SPDX-License-Identifier: BSL-1.0
// The samples as a file of Google Benchmark's own JSON, written by its own reporter, so that its tools/compare.py reads
// it: a run for each round, and their median and least.
#pragma once

#include <fstream>
#include <stdexcept>
#include <string>
#include <vector>

#include <benchmark/benchmark.h>
#include <fmt/core.h>

#include "../rounds.hpp"

namespace bench::layers {

class json_report {
public:
    // Throws where the file cannot be written.
    explicit json_report(const std::string& path) : path_(path)
    {
        if (path.empty()) return;
        file_.open(path);
        if (!file_) throw std::runtime_error(fmt::format("cannot write {}; name another file with --json", path));
        reporter_.SetOutputStream(&file_);
        reporter_.SetErrorStream(&file_);
        reporter_.ReportContext(benchmark::BenchmarkReporter::Context());
    }
    json_report(const json_report&) = delete;
    json_report& operator=(const json_report&) = delete;

    void add(const std::string& shape, const std::vector<contender>& all, int threads)
    {
        if (path_.empty()) return;
        std::vector<run> runs;
        for (const contender& c : all) {
            const std::string name = fmt::format("{}/{}", shape, c.name);
            for (std::size_t i = 0; i < c.ms.size(); ++i) {
                run r = run_of(name, c, threads);
                r.run_type = run::RT_Iteration;
                r.repetition_index = static_cast<std::int64_t>(i);
                r.iterations = c.calls;
                r.real_accumulated_time = c.ms[i] * 1e-3 * c.calls;
                r.cpu_accumulated_time = c.cpu_ms[i] * 1e-3 * c.calls;
                runs.push_back(std::move(r));
            }
            const auto aggregate = [&](const char* what, double ms, double cpu_ms) {
                run r = run_of(name, c, threads);
                r.run_type = run::RT_Aggregate;
                r.aggregate_name = what;
                r.aggregate_unit = benchmark::kTime;
                r.repetition_index = run::no_repetition_index;
                r.iterations = static_cast<std::int64_t>(c.ms.size());
                // The reporter divides by the iterations, here the rounds.
                r.real_accumulated_time = ms * 1e-3 * static_cast<double>(r.iterations);
                r.cpu_accumulated_time = cpu_ms * 1e-3 * static_cast<double>(r.iterations);
                runs.push_back(std::move(r));
            };
            contender cpu;
            cpu.ms = c.cpu_ms;
            aggregate("median", c.median(), cpu.median());
            aggregate("min", c.least(), cpu.least());
        }
        reporter_.ReportRuns(runs);
    }
    void finish()
    {
        if (path_.empty()) return;
        reporter_.Finalize();
        file_.close();
        if (!file_) throw std::runtime_error(fmt::format("cannot write {}; name another file with --json", path_));
        path_.clear();
    }

private:
    using run = benchmark::BenchmarkReporter::Run;

    run run_of(const std::string& name, const contender& c, int threads) const
    {
        run r;
        r.run_name.function_name = name;
        r.family_index = family_of(name);
        r.per_family_instance_index = 0;
        r.repetitions = static_cast<std::int64_t>(c.ms.size());
        r.threads = threads;
        r.time_unit = benchmark::kMillisecond;
        return r;
    }
    std::int64_t family_of(const std::string& name) const
    {
        for (std::size_t i = 0; i < families_.size(); ++i)
            if (families_[i] == name) return static_cast<std::int64_t>(i);
        families_.push_back(name);
        return static_cast<std::int64_t>(families_.size()) - 1;
    }

    std::string path_;
    std::ofstream file_{};
    benchmark::JSONReporter reporter_{};
    mutable std::vector<std::string> families_{};
};

} // namespace bench::layers
