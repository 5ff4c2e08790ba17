// SPDX-License-Identifier: BSL-1.0
// One workload on one back end, as a search sees it: its definition, and an interface that gives it turns. What every
// back end shares stands here: the log of records and the names that go into them.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <string>
#include <utility>
#include <vector>

#include <fmt/core.h>

#include <hone/op/operator.hpp>
#include <hone/tune/measure.hpp>
#include <hone/tune/problem.hpp>
#include <hone/tune/record.hpp>
#include <hone/tune/standing.hpp>

namespace hone::tune {

struct task {
    std::string name{};
    std::string type{}; // of the workload, in generated code
    std::string signature{};
    hone::definition definition{};
};
template <tensor_operator Op>
task task_of(const std::string& name, const std::string& type)
{
    return {name, type, Op::signature().c_str(), Op::definition()};
}

// What all tasks of a run share.
struct tuning_environment {
    child_command self{};                   // starts this program as a child that measures
    std::filesystem::path work_directory{}; // for what is built
    const record_writer* log = nullptr;     // null: records are kept in memory only
    std::uint64_t seed = 0;
    int cpu = -1; // kernels of the CPU are pinned to it
};

// The search of one task. A turn builds and measures a batch; `compare` measures the finalists in turns.
class tuning {
public:
    tuning(tune::task task, const tuning_environment& environment) : task_(std::move(task)), environment_(environment)
    {
    }
    tuning(const tuning&) = delete;
    tuning& operator=(const tuning&) = delete;
    virtual ~tuning() = default;

    // Measures up to `size` new candidates; the first turn has the default and the naive kernel among them.
    virtual void turn(int size) = 0;
    virtual void compare() = 0;
    virtual bool exhausted() const = 0;
    virtual std::size_t illegal() const = 0;
    virtual std::string backend() const = 0;

    const tune::task& task() const { return task_; }
    const std::vector<record>& records() const { return records_; }
    tune::standing standing() const
    {
        std::vector<const record*> all;
        for (const record& r : records_) all.push_back(&r);
        return standing_of(all);
    }
    double gflops(double ms) const { return ms > 0 ? task_.definition.flops() / ms * 1e-6 : 0; }

protected:
    // The operands and exact results, written once.
    std::string problem_file()
    {
        if (problem_file_.empty()) {
            std::filesystem::create_directories(environment_.work_directory);
            problem_file_ = (environment_.work_directory / (backend() + "_" + task_.name + ".problem")).string();
            save(problem_of(task_.definition, environment_.seed + 1), problem_file_);
        }
        return problem_file_;
    }
    // Fills in what the measurement says, and keeps and logs the record.
    void note(record r, const measurement& m)
    {
        r.found = m.found;
        r.max_rel_error = m.max_rel_error;
        r.ms = m.ms;
        r.detail = m.detail;
        r.task = task_.name;
        r.signature = task_.signature;
        r.backend = backend();
        r.seed = environment_.seed;
        r.trial = r.phase == "search" ? trials_++ : trials_;
        if (environment_.log != nullptr) environment_.log->write(r);
        records_.push_back(std::move(r));
    }
    const tuning_environment& environment() const { return environment_; }
    // Another sequence for each task.
    std::uint64_t search_seed() const
    {
        std::uint64_t h = environment_.seed;
        for (char c : task_.signature) h = (h ^ static_cast<unsigned char>(c)) * 0x100000001b3u;
        return h;
    }
    // Several times the best so far.
    double hopeless_ms() const
    {
        const tune::standing s = standing();
        return s.chosen == nullptr ? 0 : 3 * s.chosen->least();
    }

    // Places of the records that are compared at the end: the default, the naive kernel, and the fastest others.
    std::vector<std::size_t> finalists() const
    {
        std::vector<std::size_t> order;
        for (std::size_t i = 0; i < records_.size(); ++i)
            if (records_[i].phase == "search" && records_[i].found == verdict::ok) order.push_back(i);
        const auto is_random = [&](std::size_t i) { return records_[i].origin == "random"; };
        std::stable_sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) {
            return std::pair(is_random(a), records_[a].least()) < std::pair(is_random(b), records_[b].least());
        });
        constexpr std::ptrdiff_t fastest = 3;
        constexpr double near = 1.25; // of the fastest: what noise may hide
        const auto first = std::find_if(order.begin(), order.end(), is_random);
        auto last = first;
        while (last != order.end() && last - first < fastest &&
               records_[*last].least() < near * records_[*first].least())
            ++last;
        order.erase(last, order.end());
        return order;
    }

private:
    tune::task task_;
    const tuning_environment& environment_;
    std::vector<record> records_{};
    std::string problem_file_{};
    int trials_ = 0;
};

} // namespace hone::tune
