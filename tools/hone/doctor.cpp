// SPDX-License-Identifier: BSL-1.0
// doctor: whether this machine can tune, and how far its timings can be trusted.
#include <cstdint>
#include <optional>
#include <sstream>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include <fmt/core.h>
#include <nlohmann/json.hpp>

#include <hone/core/target.hpp>
#include <hone/measure/machine.hpp>
#include <hone/measure/noise.hpp>
#include <hone/process/process.hpp>
#include <hone/tune/backend.hpp>
#include <hone/tune/backends.hpp>
#include <hone/tune/cpu/build.hpp>

#include "commands.hpp"

namespace cli {

namespace tune = hone::tune;

namespace {

struct compiler_state {
    std::string version{};
    std::string problem{}; // empty: it is there, and of a version that hone knows
};

compiler_state state_of_compiler(const std::string& command)
{
    compiler_state s;
    std::vector<std::string> question;
    try {
        const tune::compiler found = tune::find_compiler(command, hone::isa::baseline);
        s.version = found.version;
        question = found.command;
    } catch (const std::exception& e) {
        s.problem = e.what();
        return s;
    }
    // Version texts differ between distributions; the compiler's own macros do not.
    question.insert(question.end(), {"-std=c++20", "-E", "-P", "-x", "c++", "-"});
    const tune::process_result asked =
        tune::run_process(question, "__clang_major__ __GNUC__ __apple_build_version__\n", {});
    std::istringstream words(asked.out);
    std::string clang, gnu, apple;
    words >> clang >> gnu >> apple;
    const auto at_least = [](const std::string& version, int least) {
        return !version.empty() && version.find_first_not_of("0123456789") == std::string::npos &&
               std::stoi(version) >= least;
    };
    const bool is_clang = clang != "__clang_major__";
    const bool known = asked.ok() && (is_clang ? at_least(clang, 16) : at_least(gnu, 12));
    if (!known)
        s.problem = fmt::format("'{}' is {}; hone needs g++ 12 or clang 16, or later ones: install one (tools/setup) "
                                "or name yours with --compiler",
                                command, s.version);
    return s;
}

// Of each backend that has one, or says why there is none.
using device_states = std::vector<std::pair<const tune::record_backend*, tune::device_state>>;

device_states states_of_devices(const tune::child_command& child)
{
    device_states all;
    for (const tune::backend* b : tune::all_that_tune)
        if (const auto found = b->device(child)) all.emplace_back(&b->records(), *found);
    return all;
}

// "0-3, 8": as people write processors.
std::string ranges_of(const std::vector<int>& cpus)
{
    std::string text;
    for (std::size_t i = 0; i < cpus.size();) {
        std::size_t last = i;
        while (last + 1 < cpus.size() && cpus[last + 1] == cpus[last] + 1) ++last;
        text += fmt::format("{}{}", text.empty() ? "" : ", ", cpus[i]);
        if (last > i) text += fmt::format("-{}", cpus[last]);
        i = last + 1;
    }
    return text;
}

template <class T>
nlohmann::ordered_json json_of(const std::optional<T>& value)
{
    return value ? nlohmann::ordered_json(*value) : nlohmann::ordered_json();
}
nlohmann::ordered_json json_of(const std::string& text)
{
    return text.empty() ? nlohmann::ordered_json() : nlohmann::ordered_json(text);
}

} // namespace

int doctor(const doctor_options& o)
{
    const compiler_state compiler = state_of_compiler(o.compiler);
    const device_states devices = states_of_devices(o.child);
    const std::string processor = tune::processor_name();
    const std::string set = name_of(hone::cpu());
    const std::vector<int> cpus = tune::usable_cpus();
    const int cpu = tune::timing_cpu();
    const auto governor = tune::frequency_governor(cpu);
    const auto load = tune::load_average(); // before this program adds to it
    const auto quota = tune::cpu_quota();
    const std::uint64_t cache = tune::last_level_cache_bytes(cpu);
    const tune::noise_report noise = tune::measure_noise();
    if (tune::interrupt_requested.load()) return interrupted;
    const tune::trust trust = tune::trust_of(noise, governor, quota);
    const tune::noise_figures& f = noise.figures;

    if (o.json) {
        auto least = nlohmann::ordered_json::object();
        for (const auto& [at, ms] : noise.least_ms) least[std::to_string(at)] = ms;
        nlohmann::ordered_json report{
            {"compiler", json_of(compiler.version)},
            {"compiler_problem", json_of(compiler.problem)},
            {"processor", processor},
            {"isa", set},
            {"last_level_cache_bytes", cache == 0 ? nlohmann::ordered_json() : nlohmann::ordered_json(cache)},
            {"allowed_cpus", cpus},
            {"cpu_quota", json_of(quota)},
            {"governor", json_of(governor)},
            {"load_average", json_of(load)},
        };
        for (const auto& [of, device] : devices) {
            report[fmt::format("{}_device", of->name())] = json_of(device.name);
            report[fmt::format("{}_problem", of->name())] = json_of(device.why);
        }
        report.update({
            {"noise",
             {{"cpu", noise.cpu},
              {"least_ms", f.least_ms},
              {"median", f.median},
              {"p95", f.p95},
              {"p95_of_minima", f.p95_of_minima},
              {"taken", noise.taken},
              {"stolen", noise.stolen},
              {"least_ms_of_cpu", least}}},
            {"trusted", trust.given},
            {"verdict", trust.sentence},
        });
        print(report.dump(2) + "\n");
    } else {
        std::string text;
        const auto line = [&](const char* what, const std::string& found) {
            text += fmt::format("{:10} {}\n", what, found);
        };
        line("compiler", compiler.version.empty() ? "none" : compiler.version);
        line("processor", cache == 0 ? fmt::format("{}, {}, a last-level cache of unknown size", processor, set)
                                     : fmt::format("{}, {}, {} MiB last-level cache", processor, set, cache >> 20));
        line("allowed", fmt::format("{} processor{}: {}; {}", cpus.size(), cpus.size() == 1 ? "" : "s", ranges_of(cpus),
                                    quota ? fmt::format("a quota of {:.2f}", *quota) : "no quota"));
        line("governor", governor.value_or("not readable"));
        line("load", load ? fmt::format("{:.2f}", *load) : "not readable");
        for (const auto& [of, device] : devices)
            line(of->title(), device.name.empty() ? "none: " + device.why : device.name);
        line("noise", fmt::format("a loop of {:.3f} ms on processor {}: median +{:.1f} %, 95th percentile +{:.1f} %, "
                                  "minima as a search takes them +{:.1f} %",
                                  f.least_ms, noise.cpu, 100 * f.median, 100 * f.p95, 100 * f.p95_of_minima));
        line("", fmt::format("other processes had {:.1f} % of it, the hypervisor {:.1f} %; the slowest processor takes "
                             "{:.1f} % longer than the fastest",
                             100 * noise.taken, 100 * noise.stolen, 100 * noise.slowest()));
        print(text + trust.sentence + "\n");
    }
    if (!compiler.problem.empty()) {
        warn(compiler.problem);
        return failed;
    }
    return trust.given ? done : untrusted;
}

int device_child() { return tune::measure_child({}, tune::all_that_tune); }

} // namespace cli
