// SPDX-License-Identifier: BSL-1.0
// What a tuner asks of a backend beside its records: the spaces of its kernels, the tunings of a run, and the work of a
// child that measures. Tuners fold over the list of them (tune/backends.hpp), and name none.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <stdexcept>
#include <string>
#include <vector>

#include <fmt/core.h>
#include <nlohmann/json.hpp>

#include <hone/measure/measure.hpp>
#include <hone/op/accuracy.hpp>
#include <hone/process/process.hpp>
#include <hone/process/text.hpp>
#include <hone/record/record_backend.hpp>
#include <hone/search/any_space.hpp>
#include <hone/tune/candidate_builder.hpp>
#include <hone/tune/task.hpp>
#include <hone/tune/tuner_options.hpp>

namespace hone::tune {

// Tunings that share a compiler and its flags, or a device.
struct tuning_group {
    std::unique_ptr<candidate_builder> build{}; // none: the children that measure build
    std::vector<std::unique_ptr<tuning>> tunings{};
    std::vector<std::string> headers{}; // files that candidates are made of, beside this program
    double waiting = 0;                 // seconds, for compilers, before anything is tuned
};

// What a run gives a backend. All but `say` outlives its groups.
struct tuner_run {
    const tuner_options& options;
    const tuning_environment& environment;
    std::vector<const task*> tasks{}; // that it shall tune
    std::function<void(const std::string&)> say{};
};

// What a machine has of a backend whose kernels run elsewhere than on this processor.
struct device_state {
    std::string name{}; // empty: none
    std::string why{};  // there is none
};

class backend {
public:
    virtual const record_backend& records() const = 0;

    // The instruction sets that a run tunes for, as records name them; "none" where a device's driver chooses.
    virtual std::vector<std::string> sets(const tuner_options& o) const = 0;
    // The kernels of a task for such a set, whatever a device allows, of this class of error and better ones.
    virtual std::shared_ptr<const any_space> space_of(const task& t, const std::string& set,
                                                      error_class worst) const = 0;

    // Its groups on this machine; says why there are none. Throws a sentence where nothing can be tuned.
    virtual std::vector<tuning_group> groups(const tuner_run& run) const = 0;
    // What a child does for a job of this backend; its exit status.
    virtual int measure_child(const nlohmann::json& job, const std::vector<task>& tasks) const = 0;

    // Asks a child for the device; nothing where kernels run on this processor.
    virtual std::optional<device_state> device([[maybe_unused]] const child_command& self) const
    {
        return std::nullopt;
    }

protected:
    constexpr backend() = default;
    backend(const backend&) = default;
    backend& operator=(const backend&) = default;
    ~backend() = default; // they live as long as the program
};

using tuning_backends = std::span<const backend* const>;

// That of a record; null where it is not among them.
inline const backend* backend_of(const backend_ref& of, tuning_backends known)
{
    for (const backend* b : known)
        if (of == b->records()) return b;
    return nullptr;
}

// As those who read records take them.
inline std::vector<const record_backend*> records_of(tuning_backends known)
{
    std::vector<const record_backend*> all;
    for (const backend* b : known) all.push_back(&b->records());
    return all;
}

// The whole of a child that measures; its exit status. Throws where the job is of another backend.
inline int measure_child(const std::vector<task>& tasks, tuning_backends known)
{
    const auto job = nlohmann::json::parse(read_job());
    const auto name = job.at("backend").get<std::string>();
    for (const backend* b : known)
        if (name == b->records().name()) return b->measure_child(job, tasks);
    throw std::invalid_argument(fmt::format("hone::tune: the child has no backend {}", excerpt(name)));
}

} // namespace hone::tune
